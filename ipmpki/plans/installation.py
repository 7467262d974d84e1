"""What each host has in use, as far as is known, and by when it has to install what is published for it.

A certificate in dist/ protects nobody; the one on the host does. Plan, the outcome of a build, status,
monitors and report ask here, so that they never contradict each other.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration import specification
from ipmpki.declaration.fleet import host_of
from ipmpki.declaration.vocabulary import RevocationReason, Role
from ipmpki.plans.dist_layout import host_folder
from ipmpki.plans.trust import trusted_by, trusts_signers
from ipmpki.store.records import InstallationSource, settings_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.store.records import (
        Installation,
        Issued,
        IssuedCertificate,
        PublishedFolder,
    )

GRACE = timedelta(days=14)
"""How long a host may be not known to have installed anything before a monitor asks after it."""


class Cause(StrEnum):
    """Why a host has to install its folder, the gravest first."""

    COMPROMISED = "key-compromised"
    REVOKED = "revoked"
    NAMES = "names-changed"
    NOT_YET_VALID = "not-yet-valid"
    KEY = "key-changed"
    PROFILE = "profile-changed"
    ISSUER = "issuer-changed"
    RENEWAL = "renewed"
    LIST = "revocation-list"
    TRUST = "trust"
    SETTINGS = "settings"


_GRAVITY = {cause: rank for rank, cause in enumerate(Cause)}


class Duty(NamedTuple):
    """One reason to install: by when (None: nothing fails on a day), and what comes of it until then."""

    cause: Cause
    by: datetime | None
    effect: str


def roles_in_order(*, mutual_auth: bool) -> tuple[Role, Role]:
    """Whose folders are installed first: a side makes a demand only when the other can meet it.

    Where servers ask clients for certificates, every client has to have its own before. Elsewhere a client
    that is told to speak TLS needs a server that does.
    """
    return (Role.CLIENT, Role.SERVER) if mutual_auth else (Role.SERVER, Role.CLIENT)


class InUse(NamedTuple):
    """How a host stands: ``is_installed`` is None where nobody has told.

    ``known_at`` and ``source`` say since when and from where it is known what it has. ``in_use_end`` is when
    the certificate ends that it has, or may have, in use; ``published_at`` when its folder last changed.
    """

    is_installed: bool | None
    known_at: datetime | None
    source: InstallationSource | None
    published_at: datetime | None
    in_use_end: datetime | None
    duties: tuple[Duty, ...]

    @property
    def install_by(self) -> datetime | None:
        """The first day on which something fails that installing would prevent."""
        return min((one.by for one in self.duties if one.by is not None), default=None)

    def is_overdue(self, now: datetime) -> bool:
        """Whether something fails already, as far as is known."""
        return self.install_by is not None and self.install_by <= now

    def is_unknown(self, now: datetime) -> bool:
        """Whether nobody has told for longer than installing takes."""
        return (
            self.is_installed is None and self.published_at is not None and self.published_at + GRACE <= now
        )


NOTHING = InUse(None, None, None, None, None, ())
"""How a host stands for which nothing is published."""


def in_use_of(host: HostSpec, fleet: Fleet, issued: Issued) -> InUse:
    """What a host has in use, and why and by when it has to install its folder."""
    folder = issued.folders.get(host_folder(host.name))
    known = _known(host, issued)
    if folder is None:
        return NOTHING
    in_use = [
        pair for holder, _ in host.certificates for pair in _pairs(holder, known, issued, host.formerly)
    ]
    ends = [one.not_after for one, _ in in_use]
    duties = list(_duties(host, fleet, issued, known, folder, in_use))
    duties.sort(key=lambda one: _GRAVITY[one.cause])
    return InUse(
        False if known is not None and duties else _is_whole(known),
        known.at if known is not None else None,
        known.source if known is not None else None,
        folder.published_at,
        min(ends, default=None),
        tuple(duties),
    )


def _known(host: HostSpec, issued: Issued) -> Installation | None:
    """What is known of a host, but for one that was removed since: it comes as a new one."""
    known = issued.installed.get(host.name)
    had = [issued.in_use.get(serial) for serial in known.serials] if known is not None else []
    gone = RevocationReason.CESSATION_OF_OPERATION
    is_gone = bool(had) and all(one is not None and one.revocation_reason == gone for one in had)
    return None if is_gone else known


def _pairs(
    holder: str, known: Installation | None, issued: Issued, formerly: str | None = None
) -> Iterator[tuple[IssuedCertificate, IssuedCertificate]]:
    """The certificate that is, or may be, in use, and the current one, which may be the same."""
    current = issued.current.get(holder)
    if current is None:
        return
    if known is not None:
        if current.serial in known.serials:
            yield current, current
            return
        had = [issued.in_use[serial] for serial in known.serials if serial in issued.in_use]
        own = [one for one in had if one.host == holder]
        if own:
            yield max(own, key=lambda one: one.issued_at), current
            return
    before = issued.before.get(holder) or (issued.current.get(formerly) if formerly is not None else None)
    # One that was adopted, and so was in use when it came, waits for nothing.
    if before is not None and current.issued_at > current.not_before:
        yield before, current
    else:
        yield current, current


def _is_whole(known: Installation | None) -> bool | None:
    """A certificate that was seen proves nothing of trust, lists and settings."""
    return None if known is None or (known.source is InstallationSource.LIVE and not known.trusted) else True


def certificate_in_use(current: IssuedCertificate, issued: Issued) -> IssuedCertificate:
    """What the holder of a current certificate has, or may have, in use."""
    known = issued.installed.get(host_of(current.host))
    return next((old for old, _ in _pairs(current.host, known, issued)), current)


def _duties(  # noqa: PLR0913, PLR0917 -- what decides about each
    host: HostSpec,
    fleet: Fleet,
    issued: Issued,
    known: Installation | None,
    folder: PublishedFolder,
    in_use: list[tuple[IssuedCertificate, IssuedCertificate]],
) -> Iterator[Duty]:
    for old, new in in_use:
        if old.serial != new.serial:
            yield replacement_of(old, new.specification, new.authority, new.issued_at)
    if known is None:
        return
    wanted = {one.fingerprint for one in trusted_by(host, fleet, issued)}
    if trusts_signers(host, fleet):
        wanted |= {one.fingerprint for one in issued.signers}
    # Where a certificate alone was seen, nothing is known of whom the host trusts.
    if known.trusted and not wanted <= known.trusted:
        yield Duty(Cause.TRUST, None, "it does not trust every authority that it is to trust")
    elif known.trusted - wanted:
        yield Duty(Cause.TRUST, None, "it still trusts an authority that goes")
    yield from _duties_of_lists(host, issued, known)
    may_differ = known.files and known.at <= folder.published_at
    if may_differ and settings_in(known.files) != settings_in(folder.essence):
        yield Duty(Cause.SETTINGS, None, "its settings in ipmssl.cfg changed")


def _duties_of_lists(host: HostSpec, issued: Issued, known: Installation) -> Iterator[Duty]:
    """A server that has an older list, or that nobody told to have any."""
    if not host.carries_revocation_list or not known.files:
        return
    for authority, newest in issued.revocation_lists.items():
        number = known.lists.get(authority, 0)
        if number >= newest.number:
            continue
        let_in = [
            one
            for one in issued.compromises
            if one.authority == authority and one.listed_in is not None and number < one.listed_in
        ]
        if let_in:
            effect = f"until then the compromised key of {let_in[-1].holder} is let in"
            yield Duty(Cause.LIST, newest.this_update, effect)
        else:
            ends = issued.past_lists.get((authority, number))
            yield Duty(Cause.LIST, ends, "the revocation list that it has runs out")


def replacement_of(old: IssuedCertificate, order: str, authority: int | None, at: datetime) -> Duty:
    """Why and by when a certificate in use is to give way to one of ``order``, which is there from ``at`` on.

    ``authority`` is the identity of the issuer of the new one, None where that has yet to be made.
    """
    if old.revocation_reason == RevocationReason.KEY_COMPROMISE:
        return Duty(Cause.COMPROMISED, at, "until then the compromised key is in use")
    if old.revoked_at is not None:
        return Duty(Cause.REVOKED, at, "servers that have the revocation list turn it away")
    if old.not_before > at:
        return Duty(Cause.NOT_YET_VALID, at, "the certificate it has is not valid yet")
    before, after = specification.fields(old.specification), specification.fields(order)
    if any(_words(after, field) - _words(before, field) for field in specification.NAMES):
        return Duty(Cause.NAMES, at, "until then clients that use a new name or address fail")
    cause = Cause.RENEWAL
    if any(_words(before, field) - _words(after, field) for field in specification.NAMES):
        cause = Cause.NAMES  # it answers to more names than it should: nobody fails
    elif before.get("key") != after.get("key"):
        cause = Cause.KEY
    elif before.get("profile") != after.get("profile"):
        cause = Cause.PROFILE
    elif authority is None or old.authority != authority:
        cause = Cause.ISSUER
    return Duty(cause, old.not_after, "the certificate it has ends then")


def _words(order: Mapping[str, str], field: str) -> set[str]:
    """Names in any order: that of a certificate that was bought or adopted does not count."""
    return set(order.get(field, "").split())


def list_needed_by(issued: Issued, known: Installation | None, now: datetime) -> datetime | None:
    """By when a server needs a list that has yet to be made; ``known`` is what it is known to have."""
    if any(one.listed_in is None and one.not_after > now for one in issued.compromises):
        return now
    ends = []
    for authority, newest in issued.revocation_lists.items():
        number = known.lists.get(authority) if known is not None else None
        past = issued.past_lists.get((authority, number)) if number is not None else None
        ends.append(past or newest.next_update)
    return min(ends, default=None)
