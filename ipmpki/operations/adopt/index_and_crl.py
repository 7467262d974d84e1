"""What the old authority's books say: which serial numbers it gave out, and which of them it revoked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.operations.adopt.findings import LeftCode, LeftOut
from ipmpki.x509.foreign_pki import is_list_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ipmpki.operations.adopt.choose_authority import OldAuthority
    from ipmpki.operations.adopt.findings import Index, IndexEntry, Survey
    from ipmpki.x509.foreign_pki import FoundList
    from ipmpki.x509.presented_certificates import PresentedCertificate

_SERIAL_BITS = 159
"""RFC 5280, section 4.1.2.2: a serial number is positive and has 20 octets at most."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A serial number that the old authority gave out, as its index and its CRL have it.

    ``is_listed``: its revocation stands in the CRL, or stood in one, as it has expired since.
    """

    serial: int
    title: str
    not_after: datetime
    revoked_at: datetime | None
    reason: str | None
    is_listed: bool


@dataclass(frozen=True, slots=True)
class Books:
    """All entries by serial number, the newest CRL, and the number that the next one must have at least."""

    entries: dict[int, Entry]
    revocation_list: FoundList | None
    next_list: int
    needs_list: bool
    """Whether the newest CRL that there was is not there, so that a new one has to count on from it."""


@dataclass(frozen=True, slots=True)
class Past:
    """How a certificate came to its end: by date, or, where ``revoked_at`` is given, by revocation."""

    retired_at: datetime
    revoked_at: datetime | None = None
    reason: str | None = None
    is_listed: bool = False


def past_of(certificate: PresentedCertificate, books: Books, now: datetime) -> Past | None:
    """How a certificate came to its end; None for one that holds now."""
    entry = books.entries.get(certificate.serial)
    if entry is not None and entry.revoked_at is not None:
        return Past(min(entry.revoked_at, now), entry.revoked_at, entry.reason, entry.is_listed)
    return Past(certificate.not_after) if certificate.not_after <= now else None


def read_books(survey: Survey, authority: OldAuthority, now: datetime) -> Books:
    """Join the index and the CRL; what belongs to another authority is told in ``survey.left``."""
    newest = _newest_list(survey, authority)
    entries = {
        entry.serial: _of_index(entry, now)
        for index in _own_indexes(survey, authority)
        for entry in index.entries
    }
    last = authority.certificate.not_after
    for one in newest.entries if newest is not None else ():
        known = entries.get(one.serial)
        # Nobody knows when a certificate ends that is in the CRL alone: it stays there for good.
        title, not_after = (
            (known.title, known.not_after) if known else (f"serial number {one.serial:X}", last)
        )
        entries[one.serial] = Entry(one.serial, title, not_after, one.revoked_at, one.reason, is_listed=True)
    for serial in [one for one in entries if not 0 < one < 1 << _SERIAL_BITS]:
        entry = entries.pop(serial)
        survey.left.append(unusable_serial("the index or the CRL", entry.title, serial))
    number = newest.number if newest is not None and newest.number is not None else 0
    next_list = max(number + 1, survey.next_list or 1)
    is_whole = newest is not None and newest.number == next_list - 1 and newest.next_update is not None
    return Books(
        entries, newest, next_list, needs_list=not is_whole and (newest is not None or next_list > 1)
    )


def unusable_serial(file: str, title: str, serial: int) -> LeftOut:
    """A serial number that RFC 5280 does not allow, and that no CRL made here could hold."""
    return LeftOut(
        LeftCode.UNUSABLE_SERIAL,
        file,
        f"'{title}' has the serial number {serial:X}, which RFC 5280 does not allow: no CRL can list it",
        "if it is in use, replace it first; if it was revoked, make a new authority instead",
    )


def _newest_list(survey: Survey, authority: OldAuthority) -> FoundList | None:
    own: list[FoundList] = []
    seen: set[bytes] = set()
    for one in survey.lists:
        if one.der in seen:
            continue
        seen.add(one.der)
        if not is_list_of(one.der, authority.der):
            words = f"a revocation list of another authority, {one.issuer}, or one with a wrong signature"
            survey.left.append(LeftOut(LeftCode.OTHER_LIST, one.file, words))
        elif not one.is_complete:
            words = "a delta revocation list, or one for some certificates only, which cannot be used"
            remedy = "put the newest complete list of the authority into the folder"
            survey.left.append(LeftOut(LeftCode.LOST_REVOCATIONS, one.file, words, remedy))
        else:
            own.append(one)
    own.sort(key=lambda one: (one.number if one.number is not None else -1, one.this_update))
    survey.left += [
        LeftOut(LeftCode.OTHER_LIST, one.file, "an older revocation list; a newer one holds what it held")
        for one in own[:-1]
    ]
    return own[-1] if own else None


def _own_indexes(survey: Survey, authority: OldAuthority) -> Iterable[Index]:
    """The indexes that speak of this authority: serial numbers alone would fit many."""
    issued = {one.serial: one for one in authority.issued}
    for index in survey.indexes:
        known = [entry for entry in index.entries if entry.serial in issued]
        others = [entry for entry in known if _is_another(entry, issued[entry.serial])]
        if others or (not known and len(survey.indexes) > 1):
            survey.left.append(
                LeftOut(
                    LeftCode.OTHER_INDEX,
                    index.file,
                    f"an index of another authority's certificates of {len(index.entries)} lines",
                    "if it is this authority's after all, adopt a folder that holds no other one",
                )
            )
        else:
            yield index


def _is_another(entry: IndexEntry, certificate: PresentedCertificate) -> bool:
    """Whether a line of an index speaks of another certificate than the one with its serial number."""
    if entry.not_after != certificate.not_after:
        return True
    # Outside ASCII, openssl escapes what it writes in several ways.
    is_plain = entry.title.isascii() and "\\" not in entry.title and "=" not in entry.title
    return is_plain and bool(certificate.common_names) and entry.title not in certificate.common_names


def _of_index(entry: IndexEntry, now: datetime) -> Entry:
    return Entry(
        entry.serial,
        entry.title,
        entry.not_after,
        entry.revoked_at,
        entry.reason,
        is_listed=entry.not_after <= now,
    )
