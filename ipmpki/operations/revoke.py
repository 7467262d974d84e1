"""Revoke certificates by hand: recorded at once, listed and replaced by the next build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.declaration.dns_names import meant_by
from ipmpki.declaration.fleet import host_of, tools_holder
from ipmpki.declaration.vocabulary import RevocationReason
from ipmpki.diagnostics.fault import Fault, WrongUse
from ipmpki.diagnostics.wording import closest, quote
from ipmpki.store.sqlite.open import open_store
from ipmpki.x509.serial_number import read_serials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.operations.project import Project
    from ipmpki.store.records import Issued, IssuedCertificate
    from ipmpki.store.sqlite.writer import Store


@dataclass(frozen=True, slots=True)
class RevokedCertificates:
    """What was revoked now, and what had been before."""

    revoked: tuple[IssuedCertificate, ...]
    before: tuple[IssuedCertificate, ...]

    @property
    def sold(self) -> tuple[IssuedCertificate, ...]:
        """Those that no list of one's own can name: who sold them has to be asked."""
        return tuple(one for one in self.revoked if specification.is_bought(one.specification))


def revoke(project: Project, target: str, reason: RevocationReason) -> RevokedCertificates:
    """Revoke what a host has, or the one certificate with a serial number.

    ``target`` is a host's name, or a serial number in hexadecimal. A key that somebody else may have tells of
    everything on that host: for "key-compromise" each certificate of the host that has not ended is revoked,
    the ones before the current too. Raises WrongUse where nothing is meant, Fault where the store cannot be
    opened.
    """
    if not project.store.exists():
        raise Fault("nothing has been issued yet: there is no store", "run 'ipmpki build' first")
    with open_store(project.store, now=project.now) as store:
        issued = store.issued()
        found = _meant(target, reason, store, issued)
        fresh = tuple(one for one in found if one.revoked_at is None)
        if fresh:
            store.revoke([(one, reason.value, "revoked by hand") for one in fresh], retires=False)
        return RevokedCertificates(fresh, tuple(one for one in found if one.revoked_at is not None))


def _meant(
    target: str, reason: RevocationReason, store: Store, issued: Issued
) -> Sequence[IssuedCertificate]:
    known = sorted({host_of(holder) for holder in issued.current})
    name = meant_by(target, known)
    holders = (name, tools_holder(name))
    every = [one for holder in holders for one in store.unexpired(holder)]
    if every:
        if reason is RevocationReason.KEY_COMPROMISE:
            return every
        current = [issued.current[holder] for holder in holders if holder in issued.current]
        if current:
            return current
        raise WrongUse(
            f"{quote(name)} has no certificate in force; those it had are revoked by serial number",
            "name the serial number; or say --reason key-compromise, which revokes all of them",
        )
    one = next(filter(None, map(store.certificate, read_serials(target))), None)
    if one is None:
        near = closest(name, known)
        raise WrongUse(
            f"no certificate in force is of a host or has a serial number {quote(target)}",
            f"did you mean {quote(near)}?" if near else "'ipmpki host list' shows the hosts",
        )
    return [one]
