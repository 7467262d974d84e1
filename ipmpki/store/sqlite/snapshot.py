"""Copying a store while others work with it, and telling what a copy holds and lacks."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import Fault
from ipmpki.store.sqlite.connection import clear_errors, connect, reading, require_store
from ipmpki.store.sqlite.schema import moment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAGES = 4096
"""How many pages are copied under one lock: 16 MiB, some ten milliseconds."""
_PAUSE_SECONDS = 0.01
_PATIENCE_SECONDS = 60.0
_FIRST_WITH_REQUESTS = 2


def snapshot(path: Path) -> bytes:
    """The store at ``path`` as it is at one moment, as the bytes of a database file.

    SQLite's backup interface copies it in steps, holds the store for none longer than the step takes, and
    begins anew where somebody wrote in between. The copy is made in memory, so that no key lies in a second
    file. Raises Fault where there is no store, or it is damaged.
    """
    if not path.exists():
        raise Fault(f"there is no store: {path.name} is not there", "run 'ipmpki build' first")
    with reading(path) as source:
        if source is None:
            raise Fault(f"there is no store: {path.name} is not there any more", "run 'ipmpki build' first")
        with contextlib.closing(sqlite3.connect(":memory:")) as copy:
            source.backup(copy, pages=_PAGES, sleep=_PAUSE_SECONDS, progress=_Impatience(path))
            fault = soundness(copy)
            if fault is not None:
                raise Fault(
                    f"{path.name} is damaged: {fault}; no backup was made of it",
                    "keep the backups you have, and run 'ipmpki doctor'",
                )
            return copy.serialize()


def last_event_in(store: bytes) -> int:
    """The newest entry of the ledger in a copy of a store; 0 where it has none."""
    with contextlib.closing(sqlite3.connect(":memory:")) as copy:
        copy.deserialize(store)
        (last,) = copy.execute("SELECT max(id) FROM event").fetchone()
        return int(last or 0)


class _Impatience:
    """Ends a copy that does not get on, as while another program holds the store."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left = -1
        self._since = time.monotonic()

    def __call__(self, _status: int, left: int, _total: int) -> None:
        now = time.monotonic()
        if left != self._left:
            self._left, self._since = left, now
        elif now - self._since > _PATIENCE_SECONDS:
            raise Fault(
                f"{self._path.name} is in use by another program",
                "wait until it has finished, then run the command again",
            )


def soundness(connection: sqlite3.Connection) -> str | None:
    """What is wrong with a database as such, in SQLite's words; None where every page and key is sound."""
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        return str(found).splitlines()[0]
    broken = connection.execute("PRAGMA foreign_key_check").fetchone()
    return f"a row of '{broken[0]}' points to one of '{broken[2]}' that is not there" if broken else None


def require_sound_store(path: Path) -> None:
    """Raises Fault where the file is no store this version can use, or is damaged; it is read to the end."""
    with clear_errors(path), contextlib.closing(connect(path)) as connection:
        require_store(connection, path)
        fault = soundness(connection)
        if fault is not None:
            raise Fault(f"the store is damaged: {fault}", "try another copy")


@dataclass(frozen=True, slots=True)
class Holdings:
    """What must not be forgotten of a store: each thing's identity, and how people know it."""

    authorities: dict[str, str]
    things: dict[tuple[str, ...], str]

    def lacking_in(self, other: Holdings) -> tuple[str, ...]:
        """What this store holds and the other does not, in words."""
        return tuple(words for identity, words in self.things.items() if identity not in other.things)

    def is_of_another_authority(self, other: Holdings) -> bool:
        """Whether both have an authority, and none in common."""
        return (
            bool(self.authorities)
            and bool(other.authorities)
            and self.authorities.keys().isdisjoint(other.authorities)
        )


def holdings(path: Path) -> Holdings:
    """What the store at ``path`` holds. Raises Fault where it cannot be read."""
    with reading(path) as connection:
        if connection is None:
            return Holdings({}, {})
        connection.execute("BEGIN")  # one snapshot of all tables
        authorities = dict(connection.execute("SELECT fingerprint, subject FROM authority"))
        return Holdings(authorities, dict(_things(connection)))


def _things(connection: sqlite3.Connection) -> Iterator[tuple[tuple[str, ...], str]]:
    for fingerprint, subject, made_at in connection.execute(
        "SELECT fingerprint, subject, made_at FROM authority ORDER BY id"
    ):
        yield ("authority", fingerprint), f"the authority {subject}, of {moment(made_at):%Y-%m-%d}"
    for serial, host, issued_at, revoked_at, fingerprint in connection.execute(
        "SELECT serial, host, issued_at, revoked_at, fingerprint FROM certificate ORDER BY issued_at, host"
    ):
        known = f"{host} of {moment(issued_at):%Y-%m-%d}, serial number {int(serial, 16):x}"
        yield ("certificate", fingerprint), f"the certificate of {known}"
        if revoked_at is not None:
            yield ("revocation", fingerprint), f"the revocation of the certificate of {known}"
    for fingerprint, subject, number, this_update in connection.execute(
        "SELECT fingerprint, subject, number, revocation_list.this_update FROM revocation_list"
        " JOIN authority ON authority.id = revocation_list.authority ORDER BY number"
    ):
        words = f"number {number} of the revocation lists of {subject}, of {moment(this_update):%Y-%m-%d}"
        yield ("revocation list", fingerprint, str(number)), words
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version >= _FIRST_WITH_REQUESTS:
        for digest, host, made_at in connection.execute(
            "SELECT key, host, made_at FROM request WHERE closed_at IS NULL ORDER BY host"
        ):
            yield ("request", digest), f"the key and the request of {host}, of {moment(made_at):%Y-%m-%d}"
