"""Reading a store: everything that plan, rules and report look at, in one snapshot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from ipmpki.declaration.specification import BUNDLE
from ipmpki.declaration.vocabulary import Profile
from ipmpki.store.records import (
    Backup,
    Compromise,
    Installation,
    InstallationSource,
    Issued,
    IssuedCertificate,
    OpenRequest,
    PublishedFolder,
    Skip,
    StoredAuthority,
    StoredRevocationList,
)
from ipmpki.store.sqlite.schema import ASKED_BEFORE, hex_serial, moment
from ipmpki.x509.pem import plain_certificates

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

Found = TypeVar("Found")

_FIRST_WITH_REQUESTS = 2
"""The first format whose stores hold requests; an older store is read as it is, and upgraded by a build."""


_FIRST_WITH_SUCCESSION = 3
"""The first format that tells which authorities are trusted, and what is installed."""
_FIRST_WITH_SOURCES = 4
"""The first format that tells from where a host's installation is known, of hosts skipped, and of backups."""
_FIRST_WITH_ASKING = 5
"""The first format that tells which servers are told to ask clients for certificates."""

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
        current = {one.host: one for one in read_certificates(connection, "retired_at IS NULL")}
        installed = {one.host: one for one in _read_installations(connection, version)}
        lists = {one.authority: one for one in _read_revocation_lists(connection, identities)}
        return Issued(
            signers=signers,
            bundle=next(_read_authorities(connection, version, is_bundle=True), None),
            current=current,
            requests={one.host: one for one in _read_requests(connection, version)},
            installed=installed,
            before=_read_before(connection),
            in_use=_read_in_use(connection, installed, current),
            skipped=_read_skipped(connection, version),
            backup=_read_backup(connection, version),
            past_lists=_read_past_lists(connection, installed, lists),
            compromises=_read_compromises(connection, identities),
            revocation_lists=lists,
            unlisted_revocations=unlisted,
            listed_revocations=listed,
            folders={folder.path: folder for folder in _read_folders(connection, version)},
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
            # What an older version took over as it stood may hold remarks, and even a private key.
            plain_certificates(certificates),
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
    yield from _as_certificates(connection.execute(f"{_CERTIFICATES} WHERE {condition}", values))


def _as_certificates(rows: sqlite3.Cursor) -> Iterator[IssuedCertificate]:
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
    further = "source, files, lists" if version >= _FIRST_WITH_SOURCES else "'operator', '', ''"
    sources = {one.value: one for one in InstallationSource}
    for host, at, serials, trusted, source, files, lists in connection.execute(
        f"SELECT host, at, serials, trusted, {further} FROM installation"  # noqa: S608 -- our own names
    ):
        yield Installation(
            host,
            moment(at),
            frozenset(int(serial, 16) for serial in serials.split()),
            frozenset(trusted.split()),
            sources[source],
            files,
            _numbers(lists) if lists else {},
        )


def _numbers(lists: str) -> dict[int, int]:
    pairs = (one.split(":") for one in lists.split())
    return {int(authority): int(number) for authority, number in pairs}


def _read_before(connection: sqlite3.Connection) -> dict[str, IssuedCertificate]:
    """What was replaced last. Of a host that was removed, nothing is in use when it comes again.

    SQLite takes the other columns from the row with the greatest value (its documentation, lang_select).
    """
    columns = _CERTIFICATES.replace(" retired_at,", " max(retired_at),")
    rows = (
        f"{columns} WHERE retired_at IS NOT NULL"
        " AND coalesce(revocation_reason, '') != 'cessation-of-operation' GROUP BY host"
    )
    return {one.host: one for one in _as_certificates(connection.execute(rows))}


def _read_in_use(
    connection: sqlite3.Connection,
    installed: Mapping[str, Installation],
    current: Mapping[str, IssuedCertificate],
) -> dict[int, IssuedCertificate]:
    serials = {one.serial for one in current.values()}
    wanted = [hex_serial(serial) for one in installed.values() for serial in one.serials - serials]
    if not wanted:
        return {}
    condition = "serial IN (SELECT value FROM json_each(?))"
    return {one.serial: one for one in read_certificates(connection, condition, (json.dumps(wanted),))}


def _read_skipped(connection: sqlite3.Connection, version: int) -> dict[str, Skip]:
    if version < _FIRST_WITH_SOURCES:
        return {}
    rows = connection.execute("SELECT host, at, reason FROM skip")
    return {host: Skip(moment(at), reason) for host, at, reason in rows}


def _read_backup(connection: sqlite3.Connection, version: int) -> Backup | None:
    if version < _FIRST_WITH_SOURCES:
        return None
    row = connection.execute("SELECT at, last_event FROM backup ORDER BY id DESC LIMIT 1").fetchone()
    return Backup(moment(row[0]), row[1]) if row is not None else None


def _read_past_lists(
    connection: sqlite3.Connection,
    installed: Mapping[str, Installation],
    newest: Mapping[int, StoredRevocationList],
) -> dict[tuple[int, int], datetime]:
    wanted = {pair for one in installed.values() for pair in one.lists.items()}
    wanted -= {(one.authority, one.number) for one in newest.values()}
    found = {}
    for authority, number in wanted:
        row = connection.execute(
            "SELECT next_update FROM revocation_list WHERE authority = ? AND number = ?", (authority, number)
        ).fetchone()
        if row is not None:
            found[authority, number] = moment(row[0])
    return found


def _read_compromises(connection: sqlite3.Connection, identities: str) -> tuple[Compromise, ...]:
    rows = connection.execute(
        "SELECT authority, listed_in, host, not_after FROM certificate WHERE revoked_at IS NOT NULL"
        " AND revocation_reason = 'key-compromise' AND authority IN (SELECT value FROM json_each(?))",
        (identities,),
    )
    return tuple(Compromise(authority, number, host, moment(end)) for authority, number, host, end in rows)


def _read_revocation_lists(connection: sqlite3.Connection, identities: str) -> Iterator[StoredRevocationList]:
    """The newest of each authority: SQLite takes the other columns from the row with the greatest number."""
    for authority, number, this_update, next_update, pem in connection.execute(
        "SELECT authority, max(number), this_update, next_update, pem FROM revocation_list"
        " WHERE authority IN (SELECT value FROM json_each(?)) GROUP BY authority",
        (identities,),
    ):
        yield StoredRevocationList(authority, number, moment(this_update), moment(next_update), pem)


def _read_folders(connection: sqlite3.Connection, version: int) -> Iterator[PublishedFolder]:
    asks = "asks_clients" if version >= _FIRST_WITH_ASKING else ASKED_BEFORE
    for path, inputs, published_at, listing, asks_clients in connection.execute(
        f"SELECT path, inputs, published_at, listing, {asks} FROM folder"  # noqa: S608 -- our own names
    ):
        yield PublishedFolder(path, inputs, moment(published_at), listing, bool(asks_clients))
