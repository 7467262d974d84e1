"""What a store holds, asked without its lock."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration.specification import BUNDLE
from ipmpki.declaration.vocabulary import RevocationReason
from ipmpki.store.records import Issued, KeyHistory
from ipmpki.store.sqlite.connection import reading
from ipmpki.store.sqlite.reader import read, read_certificates, serials_of
from ipmpki.store.sqlite.schema import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from ipmpki.store.records import IssuedCertificate


def read_issued(path: Path) -> Issued:
    """What the store at ``path`` holds; nothing where there is no store yet. Takes no lock.

    Raises Fault for a file that cannot be read, is not a store, or is from a newer version.
    """
    with reading(path) as connection:
        return Issued() if connection is None else read(connection)


def read_chains(path: Path) -> dict[str, bytes]:
    """Each host's current certificate with what was sold with it, in PEM; takes no lock, raises Fault."""
    with reading(path) as connection:
        if connection is None:
            return {}
        return dict(connection.execute("SELECT host, pem FROM certificate WHERE retired_at IS NULL"))


def read_replaced(path: Path, now: datetime) -> tuple[IssuedCertificate, ...]:
    """Certificates of trusted authorities that others took the place of, neither ended nor revoked."""
    with reading(path) as connection:
        if connection is None:
            return ()
        live = {one.identity for one in read(connection).signers}
        condition = "retired_at IS NOT NULL AND revoked_at IS NULL AND not_after > ?"
        found = read_certificates(connection, condition, (int(now.timestamp()),))
        return tuple(one for one in found if one.authority in live)


def read_serials(path: Path) -> dict[int, bool]:
    """Every serial number that was given out, and whether its certificate is revoked; takes no lock."""
    with reading(path) as connection:
        return {} if connection is None else serials_of(connection)


def read_by_fingerprint(path: Path, fingerprints: Iterable[str]) -> dict[str, IssuedCertificate]:
    """The certificates with these fingerprints, whatever became of them; takes no lock, raises Fault."""
    with reading(path) as connection:
        if connection is None:
            return {}
        wanted = (json.dumps(list(fingerprints)),)
        condition = "fingerprint IN (SELECT value FROM json_each(?))"
        return {one.fingerprint: one for one in read_certificates(connection, condition, wanted)}


def read_key_histories(path: Path, digests: Iterable[str]) -> dict[str, KeyHistory]:
    """What is known of the keys with these digests, by digest; takes no lock, raises Fault."""
    with reading(path) as connection:
        if connection is None:
            return {}
        rows = connection.execute(
            "SELECT digest, host, '' FROM key WHERE digest IN (SELECT value FROM json_each(?1)) UNION SELECT"
            " key, host, coalesce(revocation_reason, '') FROM certificate"
            " WHERE key IN (SELECT value FROM json_each(?1))",
            (json.dumps(list(digests)),),
        )
        found: dict[str, KeyHistory] = {}
        for digest, host, reason in rows:
            holders, was_compromised = found.get(digest, KeyHistory(frozenset(), is_compromised=False))
            is_compromised = was_compromised or reason == RevocationReason.KEY_COMPROMISE
            found[digest] = KeyHistory(holders | {host}, is_compromised)
        return found


def read_authorities(path: Path) -> list[bytes]:
    """The certificates, in PEM, of all authorities that ever signed here; takes no lock, raises Fault."""
    with reading(path) as connection:
        if connection is None:
            return []
        rows = connection.execute(
            "SELECT certificates FROM authority WHERE substr(specification, 1, ?) != ? ORDER BY id",
            (len(BUNDLE), BUNDLE),
        )
        return [certificates for (certificates,) in rows]


def read_authority_fingerprints(path: Path) -> set[str]:
    """The SHA-256 of every authority there ever was; takes no lock, raises Fault."""
    with reading(path) as connection:
        if connection is None:
            return set()
        return {one for (one,) in connection.execute("SELECT fingerprint FROM authority")}


def is_of_this_format(path: Path) -> bool:
    """Whether a store is kept as this version keeps one, so that writing to it upgrades nothing."""
    with reading(path) as connection:
        if connection is None:
            return False
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        return bool(version == VERSION)


class AuthorityKey(NamedTuple):
    """An authority's key as it is kept; empty for a trust bundle, which has none."""

    identity: int
    subject: str
    key_pem: bytes


def read_authority_keys(path: Path) -> list[AuthorityKey]:
    """The keys of all authorities there ever were, the current one's last; takes no lock, raises Fault."""
    with reading(path) as connection:
        if connection is None:
            return []
        rows = connection.execute("SELECT id, subject, key FROM authority ORDER BY id")
        return [AuthorityKey._make(row) for row in rows]
