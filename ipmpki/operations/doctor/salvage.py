"""Saving what can be read of a damaged store into a new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.declaration.specification import BUNDLE
from ipmpki.diagnostics.fault import Fault
from ipmpki.source.ownership import require_own
from ipmpki.store.sqlite.salvage import find_rows, write_store
from ipmpki.x509 import audit
from ipmpki.x509.protection import SEALED_LABEL, is_encrypted, is_in_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from ipmpki.store.sqlite.pages import Value
    from ipmpki.store.sqlite.salvage import SalvagedRows

_WORDS = {
    "authority": ("authority", "authorities"),
    "key": ("key of a host", "keys of hosts"),
    "certificate": ("certificate", "certificates"),
    "revocation_list": ("revocation list", "revocation lists"),
    "request": ("request", "requests"),
    "installation": ("record of what a host has installed", "records of what hosts have installed"),
    "folder": ("record of what was published", "records of what was published"),
    "event": ("entry of the ledger", "entries of the ledger"),
}


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was saved, by table in words, and what is known to be lost."""

    saved: tuple[str, ...]
    lost: tuple[str, ...]


def salvage(damaged: Path, new: Path, *, now: datetime) -> Salvaged:
    """Copy every sound row of ``damaged``, which is only read, into a store that is made at ``new``.

    Raises Fault where nothing of a store can be found, or the new one cannot be written.
    """
    require_own(new, what="the saved store, with every key,")
    try:
        content = damaged.read_bytes()
    except OSError as error:
        raise Fault(
            f"{damaged.name} cannot be read: {error.strerror or error}",
            "see that it is there and yours to read",
        ) from error
    found = find_rows(content)
    if not any(found.rows.values()):
        raise Fault(
            f"nothing of a store can be found in {damaged.name}",
            "put a backup back: ipmpki restore; what hosts have installed goes on working until it expires",
        )
    lost = [*_drop_damaged(found), *_gaps(found)]
    _stand_in_for_lost_keys(found)
    if found.is_older:
        _retire_predecessors(found)
    rows = {table: [each[number] for number in sorted(each)] for table, each in found.rows.items()}
    refused = write_store(new, rows, f"from {damaged.name}", now)
    lost += [f"{_count(table, count)} that contradicted another" for table, count in refused.items() if count]
    saved = tuple(_count(table, len(rows.get(table, ())) - refused[table]) for table in _WORDS)
    return Salvaged(saved, tuple(dict.fromkeys(lost)))


def _count(table: str, count: int) -> str:
    return f"{count} {_WORDS[table][count != 1]}"


def _drop_damaged(found: SalvagedRows) -> Iterator[str]:
    """Take out rows whose octets are not what they were, as where a page amid them was overwritten."""
    for table, is_sound in _SOUNDNESS.items():
        rows = found.rows[table]
        for number in [number for number, row in rows.items() if not is_sound(row)]:
            row = rows.pop(number)
            yield f"the {_WORDS[table][0]} {_name(table, row)}: its octets are damaged"


def _name(table: str, row: Mapping[str, Value]) -> str:
    if table == "revocation_list":
        return f"number {row['number']!r}"
    if table == "certificate":
        return f"of {_text(row, 'host')}, serial number {_serial(row)}"
    return _text(row, "subject") if table == "authority" else f"of {_text(row, 'host')}"


def _text(row: Mapping[str, Value], column: str) -> str:
    value = row[column]
    return value if isinstance(value, str) else "?"


def _serial(row: Mapping[str, Value]) -> str:
    """A serial number as openssl writes it, without the zeros it is kept with."""
    return _text(row, "serial").lstrip("0")


def _sound_authority(row: Mapping[str, Value]) -> bool:
    pem, key = row["certificates"], row["key"]
    assert isinstance(pem, bytes)  # noqa: S101 -- by the column's type
    assert isinstance(key, bytes)  # noqa: S101 -- as above
    if list(audit.audit_authority(pem, str(row["fingerprint"]))):
        return False
    if not key or is_in_token(key):
        return True
    if is_encrypted(key):
        return key.rstrip().endswith(
            (b"-----END ENCRYPTED PRIVATE KEY-----", f"-----END {SEALED_LABEL}-----".encode())
        )
    return not list(audit.audit_key(key, audit.digest_of(pem, str(row["fingerprint"])) or ""))


def _sound_key(row: Mapping[str, Value]) -> bool:
    assert isinstance(row["pem"], bytes)  # noqa: S101 -- by the column's type
    return not row["pem"] or not list(audit.audit_key(row["pem"], str(row["digest"])))


def _sound_certificate(row: Mapping[str, Value]) -> bool:
    assert isinstance(row["pem"], bytes)  # noqa: S101 -- by the column's type
    try:
        serial = int(str(row["serial"]), 16)
    except ValueError:
        return False
    found = audit.audit_certificate(
        row["pem"], serial=serial, fingerprint=str(row["fingerprint"]), issuer_pem=None
    )
    return not list(found)


def _sound_revocation_list(row: Mapping[str, Value]) -> bool:
    assert isinstance(row["pem"], bytes)  # noqa: S101 -- by the column's type
    return audit.is_revocation_list(row["pem"])


_SOUNDNESS = {
    "authority": _sound_authority,
    "key": _sound_key,
    "certificate": _sound_certificate,
    "revocation_list": _sound_revocation_list,
}


def _gaps(found: SalvagedRows) -> Iterator[str]:
    """What is missing: certificates that the ledger tells of by name, and else by number."""
    held = {row["serial"] for row in found.rows["certificate"].values()}
    for row in found.rows["event"].values():
        if row["serial"] is not None and row["serial"] not in held:
            held.add(row["serial"])
            yield f"the certificate of {_text(row, 'host')}, serial number {_serial(row)}"
    if not found.rows["authority"]:
        yield "the authority, with its key"
    yield from _lost_lists(found)
    for table in ("certificate", "event", "request"):
        missing = found.gaps(table)
        if missing:
            yield f"{_count(table, missing)}, as the numbers between them show"
    keys_held = {row["digest"] for row in found.rows["key"].values()}
    for row in found.rows["certificate"].values():
        if row["key"] not in keys_held:
            yield f"the key of {_text(row, 'host')}, for the certificate {_serial(row)}"


def _lost_lists(found: SalvagedRows) -> Iterator[str]:
    """Revocation lists that are told of and missing: the numbers must go on rising (RFC 5280, 5.2.3)."""
    numbers = [
        number for row in found.rows["revocation_list"].values() if isinstance(number := row["number"], int)
    ]
    told = [
        number for row in found.rows["certificate"].values() if isinstance(number := row["listed_in"], int)
    ]
    words = [
        _text(row, "detail") for row in found.rows["event"].values() if row["kind"] == "revocation-list-made"
    ]
    told += [int(one.rpartition(" ")[2]) for one in words if one.rpartition(" ")[2].isdecimal()]
    newest = max(numbers, default=0)
    if max(told, default=0) > newest:
        yield (
            f"revocation lists up to number {max(told)}: the next one has number {newest + 1}, and verifiers"
            " may prefer an older one that they know"
        )
    elif not numbers and any(row["key"] for row in found.rows["authority"].values()):
        yield "the revocation lists, if there were any: the next one has number 1"


def _retire_predecessors(found: SalvagedRows) -> None:
    """Retire all authorities but the newest, and bundles likewise: an older store has no word of that."""
    newest: dict[bool, int] = {}
    for number, row in sorted(found.rows["authority"].items()):
        newest[_text(row, "specification").startswith(BUNDLE)] = number
    for number, row in found.rows["authority"].items():
        if number not in newest.values():
            row["retired_at"] = row["made_at"]


def _stand_in_for_lost_keys(found: SalvagedRows) -> None:
    """Give a certificate whose key is lost an empty one, as where its host keeps it: it can be revoked."""
    held = {row["digest"] for row in found.rows["key"].values()}
    next_number = max(found.rows["key"], default=0) + 1
    for table, made in (("certificate", "issued_at"), ("request", "made_at")):
        for row in list(found.rows[table].values()):
            if row["key"] in held:
                continue
            held.add(row["key"])
            found.rows["key"][next_number] = {
                "digest": row["key"],
                "host": row["host"],
                "made_at": row[made],
                "pem": b"",
            }
            next_number += 1
