"""The notes that ``openssl ca`` keeps, and easy-rsa by it: index.txt and crlnumber (openssl-ca(1), FILES)."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from ipmpki.operations.adopt.findings import Index, IndexEntry
from ipmpki.x509.trust_anchors import read_time

if TYPE_CHECKING:
    from datetime import datetime

_FIELDS: Final = 6
"""Status, expiry, revocation, serial number, file name, subject: apps/lib/apps.c, DB_NUMBER."""
_COMMON_NAME: Final = re.compile(r"(?:^|[/,])\s*CN\s*=\s*(?P<name>.*?)(?=/[A-Za-z0-9.]+=|$)")
_SPACED: Final = re.compile(
    r"([VRE])\s+([0-9]{10,14}Z)\s+(?:([0-9]{10,14}Z(?:,\S+)?)\s+)?([0-9A-Fa-f]+)\s+(\S+)\s+(\S.*)"
)
_NUMBER: Final = re.compile(rb"\s*([0-9A-Fa-f]{1,64})\s*")

_REASONS: Final = {
    # openssl-ca(1), -crl_reason and the options after it; the last three carry more after a comma.
    "keycompromise": "key-compromise",
    "cacompromise": "ca-compromise",
    "affiliationchanged": "affiliation-changed",
    "superseded": "superseded",
    "cessationofoperation": "cessation-of-operation",
    "certificatehold": "certificate-hold",
    "holdinstruction": "certificate-hold",
    "keytime": "key-compromise",
    "cakeytime": "ca-compromise",
}


def read_index(file: str, content: bytes) -> tuple[Index | None, tuple[int, ...]]:
    """An index.txt, and the numbers of its lines that cannot be read; None for a file that is none.

    A file is one by its name, or if its first line is. As for openssl, lines that begin with "#" say nothing
    (crypto/txt_db/txt_db.c).
    """
    is_named = PurePosixPath(file).name == "index.txt"
    entries: list[IndexEntry] = []
    broken: list[int] = []
    for number, line in enumerate(content.decode("utf-8-sig", "replace").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        entry = _entry(line)
        if entry is None and not entries and not is_named:
            return None, ()
        if entry is None:
            broken.append(number)
        else:
            entries.append(entry)
    return (Index(file, tuple(entries)) if entries or broken else None), tuple(broken)


def _entry(line: str) -> IndexEntry | None:
    fields = line.split("\t")
    if len(fields) != _FIELDS:  # an editor made blanks of the tabs
        spaced = _SPACED.fullmatch(line)
        fields = [one or "" for one in spaced.groups()] if spaced else []
    if len(fields) != _FIELDS or fields[0] not in {"V", "R", "E"}:
        return None
    status, expiry, revocation, serial, _, subject = fields
    when, _, reason = revocation.partition(",")
    revoked_at = _time(when)
    not_after = _time(expiry)
    if not_after is None or (status == "R") != (revoked_at is not None):
        return None
    try:
        number = int(serial, 16)
    except ValueError:
        return None
    name = _COMMON_NAME.search(subject)
    why = _REASONS.get(reason.partition(",")[0].strip().lower())
    return IndexEntry(status, not_after, revoked_at, why, number, name["name"] if name else subject)


def _time(written: str) -> datetime | None:
    try:
        return read_time(written.encode())
    except ValueError:
        return None


def read_list_number(file: str, content: bytes) -> int | None:
    """What a file ``crlnumber`` says: the number of the next CRL, in hexadecimal; None for another file.

    A bare number says nothing of what it counts, so that here, and nowhere else, the name of a file decides.
    """
    if PurePosixPath(file).name.lower().partition(".")[0] != "crlnumber":
        return None
    found = _NUMBER.fullmatch(content)
    return int(found[1], 16) if found else None
