"""The revocation lists in dist/ that the store did not publish: a copy of an earlier state forgot them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.operations.recovery.authority import content_of, found_in, is_as_published
from ipmpki.plans.dist_layout import CA_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.store.records import Issued, StoredAuthority
    from ipmpki.x509.foreign_pki import FoundList

LIST = "crl.pem"


def newer_list(dist: Path, fleet: Fleet, issued: Issued) -> tuple[int, int] | None:
    """The numbers of the list in ``dist`` and of the store's, where the former is the newer one."""
    for one, found in published_lists(dist, fleet, issued):
        held = issued.revocation_lists.get(one.identity)
        if found.number is not None and (held is None or found.number > held.number):
            return found.number, held.number if held is not None else 0
    return None


def published_lists(dist: Path, fleet: Fleet, issued: Issued) -> Iterator[tuple[StoredAuthority, FoundList]]:
    """The complete lists in ``dist`` that an authority of the store signed, where they are not its own."""
    content = content_of(dist / CA_FOLDER / LIST) if fleet.signs_here else None
    if content is None or is_as_published(content, CA_FOLDER, LIST, issued):
        return
    held = b"".join(one.crl_pem for one in issued.revocation_lists.values())
    if content == held:
        return
    from ipmpki.x509.foreign_pki import is_list_of

    for found in found_in(LIST, content).lists:
        for authority in issued.signers:
            ders = found_in("", authority.certificates_pem).contents.der.values()
            if found.is_complete and any(is_list_of(found.der, der) for der in ders):
                yield authority, found
                break
