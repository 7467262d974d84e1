"""The store: one SQLite file that holds the authority, every key, every certificate ever issued and a ledger.

Each method that writes is one transaction, so that a process killed at any instant leaves either all of
it or nothing. Nothing is overwritten: a certificate that is replaced stays, marked as retired.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import platform
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from ipmpki.faults import Fault
from ipmpki.issued import (
    Issued,
    IssuedCertificate,
    PublishedFolder,
    StoredAuthority,
    StoredRevocationList,
)
from ipmpki.vocabulary import Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

APPLICATION_ID = 0x49504D50
"""«IPMP»: what tells a store from any other SQLite file."""
VERSION = 1
FILE_MODE = 0o600

_TABLES = """
CREATE TABLE authority (
    id INTEGER PRIMARY KEY, subject TEXT NOT NULL, specification TEXT NOT NULL, key_type TEXT NOT NULL,
    fingerprint TEXT NOT NULL, not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,
    is_existing INTEGER NOT NULL, made_at INTEGER NOT NULL, certificates BLOB NOT NULL, key BLOB NOT NULL
) STRICT;
CREATE TABLE key (
    digest TEXT PRIMARY KEY, host TEXT NOT NULL, made_at INTEGER NOT NULL, pem BLOB NOT NULL
) STRICT;
CREATE TABLE certificate (
    serial TEXT PRIMARY KEY, host TEXT NOT NULL, authority INTEGER NOT NULL REFERENCES authority,
    profile TEXT NOT NULL, specification TEXT NOT NULL, not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL, fingerprint TEXT NOT NULL, issued_at INTEGER NOT NULL,
    retired_at INTEGER, revoked_at INTEGER, revocation_reason TEXT, listed_in INTEGER,
    key TEXT NOT NULL REFERENCES key, pem BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX current_certificate ON certificate (host) WHERE retired_at IS NULL;
CREATE INDEX revoked_certificate ON certificate (authority) WHERE revoked_at IS NOT NULL;
CREATE TABLE revocation_list (
    authority INTEGER NOT NULL REFERENCES authority, number INTEGER NOT NULL, this_update INTEGER NOT NULL,
    next_update INTEGER NOT NULL, pem BLOB NOT NULL, PRIMARY KEY (authority, number)
) STRICT;
CREATE TABLE folder (
    path TEXT PRIMARY KEY, inputs TEXT NOT NULL, published_at INTEGER NOT NULL, listing TEXT NOT NULL
) STRICT;
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL, host TEXT,
    serial TEXT, detail TEXT NOT NULL, user TEXT NOT NULL
) STRICT;
CREATE TABLE holder (
    id INTEGER PRIMARY KEY CHECK (id = 1), pid INTEGER NOT NULL, node TEXT NOT NULL, user TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT;
"""

_EVENT = "INSERT INTO event (at, kind, host, serial, detail, user) VALUES (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class NewCertificate:
    """A certificate to be recorded, with its key; whatever the host had before is retired."""

    certificate: IssuedCertificate
    pem: bytes
    key_pem: bytes
    key_digest: str
    event: str
    detail: str


@dataclass(frozen=True, slots=True)
class Material:
    """What is published of a certificate: its PEM and its key's."""

    certificate_pem: bytes
    key_pem: bytes


@dataclass(frozen=True, slots=True)
class Revoked:
    """A revocation as a CRL lists it."""

    serial: int
    revoked_at: datetime
    reason: str | None


def read_issued(path: Path) -> Issued:
    """What the store at ``path`` holds; nothing where there is no store yet. Takes no lock.

    Raises Fault for a file that cannot be read, is not a store, or is from a newer version.
    """
    if not path.exists():
        return Issued()
    with _clear_errors(path), contextlib.closing(_connect(path)) as connection:
        if _is_empty(connection):
            return Issued()
        _require_store(connection, path)
        return _read(connection)


@contextlib.contextmanager
def open_store(path: Path, *, now: datetime) -> Iterator[Store]:
    """Open the store for writing, creating it where there is none.

    One writer at a time: raises Fault, naming the holder, where another process has it. The lock lies
    in a file beside the store and goes with the process, however that ends.
    """
    import filelock

    if not path.parent.is_dir():  # the lock would make it, and a mistyped path would become a new authority
        raise Fault(
            f"there is no folder '{path.parent}' to put {path.name} into",
            "make it, readable for yourself alone, or correct 'store' in pki.toml",
        )
    lock = filelock.FileLock(f"{path}.lock", timeout=0, mode=FILE_MODE)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise Fault(
            f"{path.name} is held by {_holder(path)}",
            "wait until it has finished, then run the command again",
        ) from None
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        with _clear_errors(path):
            _create_file(path)
            with contextlib.closing(_connect(path)) as connection:
                store = Store(connection, now)
                store.prepare(path)
                yield store
    finally:
        lock.release()


def _connect(path: Path) -> sqlite3.Connection:
    location = f"{path.absolute().as_uri()}?mode=rw"  # never creates: that is _create_file's, with its mode
    connection = sqlite3.connect(location, uri=True, timeout=10.0, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _create_file(path: Path) -> None:
    """SQLite would create the file with the umask's mode; a store is never readable by others."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))


def _is_empty(connection: sqlite3.Connection) -> bool:
    """Whether a build was killed before it wrote anything into the file it had created."""
    return (
        _one(connection, "SELECT count(*) FROM sqlite_schema") == 0
        and _pragma(connection, "user_version") == 0
    )


def _require_store(connection: sqlite3.Connection, path: Path) -> None:
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise Fault(
            f"{path.name} is a database of another program",
            "name another file with 'store = \"…\"' in pki.toml, or move this one away",
        )
    version = _pragma(connection, "user_version")
    if version > VERSION:
        raise Fault(
            f"{path.name} was written by a newer ipmpki (format {version}; this one knows {VERSION})",
            "install the newer ipmpki here, or run the command where it is installed",
        )


def _require_soundness(connection: sqlite3.Connection, path: Path) -> None:
    """Read every page of the store before anything is added to it."""
    faults = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if faults != "ok":
        raise Fault(
            f"{path.name} is damaged: {faults.splitlines()[0]}",
            "put your backup of it in its place; do not delete it: it may hold the CA's key",
        )


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return _one(connection, f"PRAGMA {name}")


def _one(connection: sqlite3.Connection, statement: str) -> int:
    return int(connection.execute(statement).fetchone()[0])


def _holder(path: Path) -> str:
    with contextlib.suppress(sqlite3.Error, Fault), contextlib.closing(_connect(path)) as connection:
        row = connection.execute("SELECT pid, node, user, since FROM holder").fetchone()
        if row is not None:
            pid, node, user, since = row
            return f"process {pid} of {user} on {node}, since {_time(since):%Y-%m-%d %H:%M:%S} UTC"
    return "another ipmpki"


@contextlib.contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _fault_of(path, error) from error
    except OSError as error:
        raise _cannot_write(path, error) from error


def _fault_of(path: Path, error: sqlite3.DatabaseError) -> Fault:
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith("SQLITE_FULL"):
        return Fault(
            f"no room left on the disk to write {path.name}",
            "make room, then run the command again: nothing is lost",
        )
    if path.is_dir():
        return Fault(
            f"{path.name} is a folder, not a store of ipmpki",
            "move it away, or name another place with 'store = \"…\"' in pki.toml",
        )
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        verb = "written" if code.startswith("SQLITE_READONLY") else "opened"
        return Fault(
            f"{path.name} cannot be {verb}: {error}",
            f"make '{path.parent}' and the file writable for this user",
        )
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Fault(
            f"{path.name} is in use by another program",
            "wait until it has finished, then run the command again",
        )
    if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return Fault(
            f"{path.name} is damaged, or is not a store of ipmpki: {error}",
            "put your backup of it in its place; do not delete it: it may hold the CA's key",
        )
    return Fault(f"{path.name} cannot be used: {error}", "see whether the disk is full or failing")


def _cannot_write(path: Path, error: OSError) -> Fault:
    return Fault(
        f"{path.name} cannot be opened for writing in '{path.parent}': {error.strerror or error}",
        "make the folder writable for this user, or name another place with 'store = \"…\"' in pki.toml",
    )


def _seconds(time: datetime) -> int:
    return int(time.timestamp())


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _hex(serial: int) -> str:
    """A serial number as the store keeps it: SQLite's integers end at 63 bits."""
    return f"{serial:040x}"


def _row(one: IssuedCertificate) -> tuple[str | int, ...]:
    return (
        _hex(one.serial),
        one.host,
        one.authority,
        one.profile.value,
        one.specification,
        _seconds(one.not_before),
        _seconds(one.not_after),
        one.fingerprint,
        _seconds(one.issued_at),
    )


Found = TypeVar("Found")


def _optional(convert: Callable[[int], Found], value: int | None) -> Found | None:
    return None if value is None else convert(value)


def _read(connection: sqlite3.Connection) -> Issued:
    connection.execute("BEGIN")  # one snapshot of all tables
    try:
        authority = _read_authority(connection)
        identity = authority.identity if authority else 0
        last = connection.execute("SELECT id, at FROM event ORDER BY id DESC LIMIT 1").fetchone()
        listed, unlisted = connection.execute(
            "SELECT count(*) FILTER (WHERE listed_in IS NOT NULL), count(*) FILTER (WHERE listed_in IS NULL)"
            " FROM certificate WHERE authority = ? AND revoked_at IS NOT NULL",
            (identity,),
        ).fetchone()
        return Issued(
            authority=authority,
            current={one.host: one for one in _read_current(connection)},
            revocation_list=_read_revocation_list(connection, identity),
            unlisted_revocations=unlisted,
            listed_revocations=listed,
            folders={folder.path: folder for folder in _read_folders(connection)},
            last_event=last[0] if last else 0,
            last_event_at=_time(last[1]) if last else None,
        )
    finally:
        connection.execute("COMMIT")


def _read_authority(connection: sqlite3.Connection) -> StoredAuthority | None:
    row = connection.execute(
        "SELECT id, subject, specification, certificates, key, key_type, fingerprint, not_before, not_after,"
        " is_existing FROM authority ORDER BY id DESC LIMIT 1"
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
        _time(start),
        _time(end),
        bool(is_existing),
    )


def _read_current(connection: sqlite3.Connection) -> Iterator[IssuedCertificate]:
    rows = connection.execute(
        "SELECT serial, host, authority, profile, specification, not_before, not_after, fingerprint,"
        " issued_at, revoked_at, revocation_reason FROM certificate WHERE retired_at IS NULL"
    )
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
        revoked_at,
        reason,
    ) in rows:
        yield IssuedCertificate(
            int(serial, 16),
            host,
            authority,
            profiles[profile],
            order,
            _time(start),
            _time(end),
            fingerprint,
            _time(issued_at),
            None,
            _optional(_time, revoked_at),
            reason,
        )


def _read_revocation_list(connection: sqlite3.Connection, authority: int) -> StoredRevocationList | None:
    row = connection.execute(
        "SELECT authority, number, this_update, next_update, pem FROM revocation_list"
        " WHERE authority = ? ORDER BY number DESC LIMIT 1",
        (authority,),
    ).fetchone()
    if row is None:
        return None
    authority, number, this_update, next_update, pem = row
    return StoredRevocationList(authority, number, _time(this_update), _time(next_update), pem)


def _read_folders(connection: sqlite3.Connection) -> Iterator[PublishedFolder]:
    for path, inputs, published_at, listing in connection.execute(
        "SELECT path, inputs, published_at, listing FROM folder"
    ):
        yield PublishedFolder(path, inputs, _time(published_at), listing)


class Store:
    """An open store: whoever has one is its only writer."""

    def __init__(self, connection: sqlite3.Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._user = _user()

    def prepare(self, path: Path) -> None:
        """Create the tables of a new store, check those of an old one, and sign in as its holder."""
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA secure_delete = ON")  # a key that was encrypted leaves no plain copy
        is_new = _is_empty(self._connection)
        if not is_new:
            _require_store(self._connection, path)
            _require_soundness(self._connection, path)
        with self._transaction() as execute:
            if is_new:
                for statement in _TABLES.split(";\n"):
                    if statement.strip():
                        execute(statement)
                execute(f"PRAGMA application_id = {APPLICATION_ID}")
                execute(f"PRAGMA user_version = {VERSION}")
            execute(
                "REPLACE INTO holder VALUES (1, ?, ?, ?, ?)",
                (os.getpid(), platform.node(), self._user, _seconds(datetime.now(UTC))),
            )

    def issued(self) -> Issued:
        """All that plan, rules and report look at."""
        return _read(self._connection)

    def materials(self, serials: Sequence[int]) -> dict[int, Material]:
        """Certificates with their keys, by serial number."""
        rows = self._connection.execute(
            "SELECT serial, certificate.pem, key.pem FROM certificate"
            " JOIN key ON key.digest = certificate.key WHERE serial IN (SELECT value FROM json_each(?))",
            (json.dumps([_hex(serial) for serial in serials]),),
        )
        return {int(serial, 16): Material(certificate, key) for serial, certificate, key in rows}

    def revocations(self, authority: int) -> list[Revoked]:
        """All revocations of an authority's certificates that have not expired (RFC 5280, 3.3)."""
        rows = self._connection.execute(
            "SELECT serial, revoked_at, revocation_reason FROM certificate"
            " WHERE authority = ? AND revoked_at IS NOT NULL AND (listed_in IS NULL OR not_after >= ?)",
            (authority, _seconds(self._now)),
        )
        return [Revoked(int(serial, 16), _time(revoked_at), reason) for serial, revoked_at, reason in rows]

    def add_authority(self, authority: StoredAuthority, detail: str) -> None:
        """Record a new authority, which becomes the current one."""
        with self._transaction() as execute:
            execute(
                "INSERT INTO authority (subject, specification, key_type, fingerprint, not_before, not_after,"
                " is_existing, made_at, certificates, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    authority.subject,
                    authority.specification,
                    authority.key_type,
                    authority.fingerprint,
                    _seconds(authority.not_before),
                    _seconds(authority.not_after),
                    authority.is_existing,
                    _seconds(self._now),
                    authority.certificates_pem,
                    authority.key_pem,
                ),
            )
            self._tell(execute, "authority-made", None, None, detail)

    def encrypt_authority_key(self, identity: int, key_pem: bytes) -> None:
        """Put the same key, encrypted, in place of the plain one."""
        with self._transaction() as execute:
            execute("UPDATE authority SET key = ? WHERE id = ?", (key_pem, identity))
            self._tell(execute, "authority-key-encrypted", None, None, "with the declared passphrase")

    def add_certificates(self, batch: Sequence[NewCertificate]) -> None:
        """Record certificates and their keys; what their hosts had before is retired."""
        now = _seconds(self._now)
        with self._transaction():
            many = self._connection.executemany
            many(
                "UPDATE certificate SET retired_at = ? WHERE host = ? AND retired_at IS NULL",
                [(now, new.certificate.host) for new in batch],
            )
            many(
                "INSERT INTO key VALUES (?, ?, ?, ?)",
                [(new.key_digest, new.certificate.host, now, new.key_pem) for new in batch],
            )
            many(
                "INSERT INTO certificate VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL, ?, ?)",
                [(*_row(new.certificate), new.key_digest, new.pem) for new in batch],
            )
            many(
                _EVENT,
                [
                    (
                        now,
                        new.event,
                        new.certificate.host,
                        _hex(new.certificate.serial),
                        new.detail,
                        self._user,
                    )
                    for new in batch
                ],
            )

    def revoke(self, revocations: Iterable[tuple[IssuedCertificate, str, str]]) -> None:
        """Revoke and retire certificates, each with its RFC 5280 reason and a detail for the ledger."""
        now = _seconds(self._now)
        with self._transaction() as execute:
            for one, reason, detail in revocations:
                serial = _hex(one.serial)
                execute(
                    "UPDATE certificate SET retired_at = ?, revoked_at = coalesce(revoked_at, ?),"
                    " revocation_reason = coalesce(revocation_reason, ?) WHERE serial = ?",
                    (now, now, reason, serial),
                )
                self._tell(execute, "certificate-revoked", one.host, serial, detail)

    def add_revocation_list(self, new: StoredRevocationList, serials: Iterable[int]) -> None:
        """Record a CRL and which revocations it lists."""
        with self._transaction() as execute:
            execute(
                "INSERT INTO revocation_list VALUES (?, ?, ?, ?, ?)",
                (
                    new.authority,
                    new.number,
                    _seconds(new.this_update),
                    _seconds(new.next_update),
                    new.crl_pem,
                ),
            )
            for serial in serials:
                execute(
                    "UPDATE certificate SET listed_in = coalesce(listed_in, ?) WHERE serial = ?",
                    (new.number, _hex(serial)),
                )
            self._tell(execute, "revocation-list-made", None, None, f"number {new.number}")

    def record_folders(self, folders: Iterable[PublishedFolder], removed: Iterable[str] = ()) -> None:
        """Record what was published and what was removed from dist/."""
        with self._transaction() as execute:
            for folder in folders:
                execute(
                    "REPLACE INTO folder VALUES (?, ?, ?, ?)",
                    (folder.path, folder.inputs, _seconds(folder.published_at), folder.listing),
                )
            for path in removed:
                execute("DELETE FROM folder WHERE path = ?", (path,))

    def _tell(
        self,
        execute: Callable[..., sqlite3.Cursor],
        kind: str,
        host: str | None,
        serial: str | None,
        detail: str,
    ) -> None:
        execute(
            _EVENT,
            (_seconds(self._now), kind, host, serial, detail, self._user),
        )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection.execute
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # the first failure is the one to tell
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no entry in the password file, as in a container
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
