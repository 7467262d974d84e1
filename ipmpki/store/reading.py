"""Reading a store: everything that plan, rules and report look at, in one snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ipmpki.issued import (
    Issued,
    IssuedCertificate,
    OpenRequest,
    PublishedFolder,
    StoredAuthority,
    StoredRevocationList,
)
from ipmpki.specification import BUNDLE
from ipmpki.store.tables import moment
from ipmpki.vocabulary import Profile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

Found = TypeVar("Found")

_FIRST_WITH_REQUESTS = 2
"""The first format whose stores hold requests; an older store is read as it is, and upgraded by a build."""


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
        signer = _read_authority(connection, is_bundle=False)
        identity = signer.identity if signer else 0
        last = connection.execute("SELECT id, at FROM event ORDER BY id DESC LIMIT 1").fetchone()
        listed, unlisted = connection.execute(
            "SELECT count(*) FILTER (WHERE listed_in IS NOT NULL), count(*) FILTER (WHERE listed_in IS NULL)"
            " FROM certificate WHERE authority = ? AND revoked_at IS NOT NULL",
            (identity,),
        ).fetchone()
        return Issued(
            signer=signer,
            bundle=_read_authority(connection, is_bundle=True),
            current={one.host: one for one in read_certificates(connection, "retired_at IS NULL")},
            requests={one.host: one for one in _read_requests(connection)},
            revocation_list=_read_revocation_list(connection, identity),
            unlisted_revocations=unlisted,
            listed_revocations=listed,
            folders={folder.path: folder for folder in _read_folders(connection)},
            last_event=last[0] if last else 0,
            last_event_at=moment(last[1]) if last else None,
        )
    finally:
        connection.execute("COMMIT")


def _read_authority(connection: sqlite3.Connection, *, is_bundle: bool) -> StoredAuthority | None:
    row = connection.execute(
        "SELECT id, subject, specification, certificates, key, key_type, fingerprint, not_before, not_after,"
        " is_existing FROM authority WHERE (substr(specification, 1, ?) = ?) = ? ORDER BY id DESC LIMIT 1",
        (len(BUNDLE), BUNDLE, is_bundle),
    ).fetchone()
    if row is None:
        return None
    identity, subject, specification, certificates, key, key_type, fingerprint, start, end, is_existing = row
    return StoredAuthority(
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


def _read_requests(connection: sqlite3.Connection) -> Iterator[OpenRequest]:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < _FIRST_WITH_REQUESTS:
        return
    for host, order, digest, made_at, pem in connection.execute(
        "SELECT host, specification, key, made_at, pem FROM request WHERE closed_at IS NULL"
    ):
        yield OpenRequest(host, order, digest, moment(made_at), pem)


def _read_revocation_list(connection: sqlite3.Connection, authority: int) -> StoredRevocationList | None:
    row = connection.execute(
        "SELECT authority, number, this_update, next_update, pem FROM revocation_list"
        " WHERE authority = ? ORDER BY number DESC LIMIT 1",
        (authority,),
    ).fetchone()
    if row is None:
        return None
    authority, number, this_update, next_update, pem = row
    return StoredRevocationList(authority, number, moment(this_update), moment(next_update), pem)


def _read_folders(connection: sqlite3.Connection) -> Iterator[PublishedFolder]:
    for path, inputs, published_at, listing in connection.execute(
        "SELECT path, inputs, published_at, listing FROM folder"
    ):
        yield PublishedFolder(path, inputs, moment(published_at), listing)
