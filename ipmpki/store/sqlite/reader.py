"""Reading a store: everything that plan, rules and report look at, in one snapshot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from ipmpki.declaration.specification import BUNDLE
from ipmpki.declaration.vocabulary import Profile
from ipmpki.store.records import (
    Installation,
    Issued,
    IssuedCertificate,
    OpenRequest,
    PublishedFolder,
    StoredAuthority,
    StoredRevocationList,
)
from ipmpki.store.sqlite.schema import moment

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from datetime import datetime

Found = TypeVar("Found")

_FIRST_WITH_REQUESTS = 2
"""The first format whose stores hold requests; an older store is read as it is, and upgraded by a build."""


_FIRST_WITH_SUCCESSION = 3
"""The first format that tells which authorities are trusted, and what is installed."""

_AUTHORITIES = (
    "SELECT id, subject, specification, certificates, key, key_type, fingerprint, not_before, not_after,"
    " is_existing FROM authority"
)
_NEWEST = "id = (SELECT max(id) FROM authority WHERE (substr(specification, 1, ?1) = ?2) = ?3)"
_CERTIFICATES = (
    "SELECT serial, host, authority, profile, specification, not_before, not_after, fingerprint, issued_at,"
    " retired_at, revoked_at, revocation_reason FROM certificate"
)


def _optional(convert: Callable[[int], Found], value: int | None) -> Found | None:
    return None if value is None else convert(value)


def read(connection: sqlite3.Connection) -> Issued:
    """All of a store but the certificates' and keys' own bytes."""
    connection.execute("BEGIN")  # one snapshot of all tables
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        signers = tuple(_read_authorities(connection, version, is_bundle=False))
        identities = json.dumps([one.identity for one in signers])
        last = connection.execute("SELECT id, at FROM event ORDER BY id DESC LIMIT 1").fetchone()
        listed, unlisted = connection.execute(
            "SELECT count(*) FILTER (WHERE listed_in IS NOT NULL), count(*) FILTER (WHERE listed_in IS NULL)"
            " FROM certificate WHERE revoked_at IS NOT NULL"
            " AND authority IN (SELECT value FROM json_each(?))",
            (identities,),
        ).fetchone()
        return Issued(
            signers=signers,
            bundle=next(_read_authorities(connection, version, is_bundle=True), None),
            current={one.host: one for one in read_certificates(connection, "retired_at IS NULL")},
            requests={one.host: one for one in _read_requests(connection, version)},
            installed={one.host: one for one in _read_installations(connection, version)},
            ends_before=_read_ends_before(connection),
            revocation_lists={one.authority: one for one in _read_revocation_lists(connection, identities)},
            unlisted_revocations=unlisted,
            listed_revocations=listed,
            folders={folder.path: folder for folder in _read_folders(connection)},
            last_event=last[0] if last else 0,
            last_event_at=moment(last[1]) if last else None,
        )
    finally:
        connection.execute("COMMIT")


def _read_authorities(
    connection: sqlite3.Connection, version: int, *, is_bundle: bool
) -> Iterator[StoredAuthority]:
    """The authorities that sign here and are trusted, or the newest trust bundle."""
    in_force = "retired_at IS NULL" if version >= _FIRST_WITH_SUCCESSION else _NEWEST
    if is_bundle:
        in_force = _NEWEST
    for *values, start, end, is_existing in connection.execute(
        f"{_AUTHORITIES} WHERE (substr(specification, 1, ?1) = ?2) = ?3 AND {in_force} ORDER BY id",
        (len(BUNDLE), BUNDLE, is_bundle),
    ):
        identity, subject, specification, certificates, key, key_type, fingerprint = values
        yield StoredAuthority(
            identity,
            subject,
            specification,
            certificates,
            key,
            key_type,
            fingerprint,
            moment(start),
            moment(end),
            bool(is_existing),
        )


def read_certificates(
    connection: sqlite3.Connection, condition: str, values: tuple[str | int, ...] = ()
) -> Iterator[IssuedCertificate]:
    """The certificates for which a condition in SQL holds."""
    rows = connection.execute(f"{_CERTIFICATES} WHERE {condition}", values)
    profiles = {profile.value: profile for profile in Profile}
    for (
        serial,
        host,
        authority,
        profile,
        order,
        start,
        end,
        fingerprint,
        issued_at,
        retired_at,
        revoked_at,
        reason,
    ) in rows:
        yield IssuedCertificate(
            int(serial, 16),
            host,
            authority,
            profiles[profile],
            order,
            moment(start),
            moment(end),
            fingerprint,
            moment(issued_at),
            _optional(moment, retired_at),
            _optional(moment, revoked_at),
            reason,
        )


def serials_of(connection: sqlite3.Connection) -> dict[int, bool]:
    """Every serial number that was given out, and whether its certificate is revoked."""
    rows = connection.execute("SELECT serial, revoked_at IS NOT NULL FROM certificate")
    return {int(serial, 16): bool(revoked) for serial, revoked in rows}


def _read_requests(connection: sqlite3.Connection, version: int) -> Iterator[OpenRequest]:
    if version < _FIRST_WITH_REQUESTS:
        return
    for host, order, digest, made_at, pem in connection.execute(
        "SELECT host, specification, key, made_at, pem FROM request WHERE closed_at IS NULL"
    ):
        yield OpenRequest(host, order, digest, moment(made_at), pem)


def _read_installations(connection: sqlite3.Connection, version: int) -> Iterator[Installation]:
    if version < _FIRST_WITH_SUCCESSION:
        return
    for host, at, serials, trusted in connection.execute(
        "SELECT host, at, serials, trusted FROM installation"
    ):
        numbers = frozenset(int(serial, 16) for serial in serials.split())
        yield Installation(host, moment(at), numbers, frozenset(trusted.split()))


def _read_ends_before(connection: sqlite3.Connection) -> dict[str, datetime]:
    rows = connection.execute(
        "SELECT host, max(not_after) FROM certificate WHERE retired_at IS NOT NULL AND revoked_at IS NULL"
        " GROUP BY host"
    )
    return {host: moment(end) for host, end in rows}


def _read_revocation_lists(connection: sqlite3.Connection, identities: str) -> Iterator[StoredRevocationList]:
    """The newest of each authority: SQLite takes the other columns from the row with the greatest number."""
    for authority, number, this_update, next_update, pem in connection.execute(
        "SELECT authority, max(number), this_update, next_update, pem FROM revocation_list"
        " WHERE authority IN (SELECT value FROM json_each(?)) GROUP BY authority",
        (identities,),
    ):
        yield StoredRevocationList(authority, number, moment(this_update), moment(next_update), pem)


def _read_folders(connection: sqlite3.Connection) -> Iterator[PublishedFolder]:
    for path, inputs, published_at, listing in connection.execute(
        "SELECT path, inputs, published_at, listing FROM folder"
    ):
        yield PublishedFolder(path, inputs, moment(published_at), listing)
