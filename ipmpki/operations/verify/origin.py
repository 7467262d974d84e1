"""Whether certificates that were shown are the store's own, and whether they are still the ones in force."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ipmpki.declaration.fleet import host_of
from ipmpki.diagnostics.fault import Fault
from ipmpki.store.origin import Origin, Seen
from ipmpki.store.sqlite.queries import read_authority_fingerprints, read_by_fingerprint, read_issued

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.store.records import IssuedCertificate
    from ipmpki.x509.presented_certificates import PresentedCertificate

USUAL_DECLARATION = Path("pki.toml")


def recognised(declaration: Path | None, shown: Sequence[PresentedCertificate]) -> tuple[Seen, ...]:
    """What the store of a declaration knows of each certificate.

    Where none is named, the store of ./pki.toml is asked, if there is one that can be read. Raises Fault
    where that of the named one cannot.
    """
    if declaration is not None:
        return _as_store_says(declaration, shown)
    if USUAL_DECLARATION.is_file():
        try:
            return _as_store_says(USUAL_DECLARATION, shown)
        except Fault:
            pass  # nobody asked for it: what is wrong there is for other commands to say
    return tuple(Seen(one) for one in shown)


def _as_store_says(declaration: Path, shown: Sequence[PresentedCertificate]) -> tuple[Seen, ...]:
    from ipmpki.operations.status import find_store  # reads TOML, which few who verify have at hand

    store = find_store(declaration)
    known = read_by_fingerprint(store, {one.fingerprint for one in shown})
    trusted = {one.fingerprint for one in read_issued(store).signers}
    former = read_authority_fingerprints(store) - trusted
    return tuple(_seen(one, known.get(one.fingerprint), trusted, former) for one in shown)


def _seen(
    one: PresentedCertificate, ours: IssuedCertificate | None, trusted: set[str], former: set[str]
) -> Seen:
    if ours is not None:
        origin = Origin.CURRENT if ours.retired_at is None else Origin.REPLACED
        return Seen(one, Origin.REVOKED if ours.revoked_at is not None else origin, host_of(ours.host))
    if one.fingerprint in trusted:
        return Seen(one, Origin.AUTHORITY)
    return Seen(one, Origin.FORMER_AUTHORITY if one.fingerprint in former else Origin.UNKNOWN)
