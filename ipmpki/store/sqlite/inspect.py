"""Looking at a store for whoever is to say whether it is sound: the file, the database, and every row."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration.specification import BUNDLE
from ipmpki.store.sqlite.connection import reading
from ipmpki.store.sqlite.schema import moment

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_MOST_FAULTS = 20


class KeptAuthority(NamedTuple):
    """An authority with all its octets."""

    identity: int
    subject: str
    fingerprint: str
    certificates_pem: bytes
    key_pem: bytes
    is_bundle: bool


class KeptCertificate(NamedTuple):
    """A certificate with its octets and its key's, which is None where the store has no such key."""

    serial: int
    host: str
    authority: int
    fingerprint: str
    not_after: datetime
    is_revoked: bool
    listed_in: int | None
    pem: bytes
    key_digest: str
    key_pem: bytes | None


class KeptRevocationList(NamedTuple):
    """A revocation list with its octets."""

    authority: int
    number: int
    this_update: datetime
    pem: bytes


@dataclass(frozen=True, slots=True)
class Inspection:
    """A store from the first to the last octet. With ``faults``, SQLite's words, there is no more."""

    faults: tuple[str, ...]
    authorities: tuple[KeptAuthority, ...] = ()
    certificates: tuple[KeptCertificate, ...] = ()
    revocation_lists: tuple[KeptRevocationList, ...] = ()


def inspect(path: Path) -> Inspection:
    """Read all of a store. Raises Fault where it cannot be read at all, or is no store of this version."""
    with reading(path) as connection:
        if connection is None:
            return Inspection(())
        faults = _faults(connection)
        if faults:
            return Inspection(faults)
        connection.execute("BEGIN")  # one snapshot of all tables
        return Inspection(
            (),
            tuple(_authorities(connection)),
            tuple(_certificates(connection)),
            tuple(
                KeptRevocationList(authority, number, moment(at), pem)
                for authority, number, at, pem in connection.execute(
                    "SELECT authority, number, this_update, pem FROM revocation_list"
                    " ORDER BY authority, number"
                )
            ),
        )


def _faults(connection: sqlite3.Connection) -> tuple[str, ...]:
    try:
        rows = connection.execute(f"PRAGMA integrity_check({_MOST_FAULTS})").fetchall()
        found = [line for (text,) in rows for line in str(text).splitlines() if line != "ok"]
        if not found:
            found = [
                f"a row of '{table}' points to one of '{parent}' that is not there"
                for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check")
            ]
    except sqlite3.DatabaseError as error:
        return (str(error),)
    return tuple(dict.fromkeys(found))[:_MOST_FAULTS]


def _authorities(connection: sqlite3.Connection) -> list[KeptAuthority]:
    return [
        KeptAuthority(identity, subject, fingerprint, certificates, key, order.startswith(BUNDLE))
        for identity, subject, fingerprint, certificates, key, order in connection.execute(
            "SELECT id, subject, fingerprint, certificates, key, specification FROM authority ORDER BY id"
        )
    ]


def _certificates(connection: sqlite3.Connection) -> list[KeptCertificate]:
    rows = connection.execute(
        "SELECT serial, certificate.host, authority, fingerprint, not_after, revoked_at IS NOT NULL,"
        " listed_in, certificate.pem, certificate.key, key.pem FROM certificate"
        " LEFT JOIN key ON key.digest = certificate.key ORDER BY issued_at, certificate.host"
    )
    return [
        KeptCertificate(int(serial, 16), host, authority, fingerprint, moment(end), bool(revoked), *rest)
        for serial, host, authority, fingerprint, end, revoked, *rest in rows
    ]
