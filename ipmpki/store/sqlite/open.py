"""Opening a store: its file, its lock, and clear words for what cannot be opened."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.diagnostics.fault import Fault
from ipmpki.source.ownership import require_own
from ipmpki.source.write_file import flush
from ipmpki.store.records import Issued
from ipmpki.store.sqlite.reader import read, read_certificates, serials_of
from ipmpki.store.sqlite.schema import APPLICATION_ID, FILE_MODE, VERSION, moment
from ipmpki.store.sqlite.writer import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

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


@contextlib.contextmanager
def rehearse(path: Path, now: datetime) -> Iterator[Store]:
    """A copy of the store in memory, an empty one where there is none: to see what would come of writing."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        with reading(path) as source:
            if source is not None:
                source.backup(copy)
        store = Store(copy, now)
        store.sign_in(is_new=source is None)
        yield store


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


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A store to read from, None where there is none yet. Takes no lock, works on a medium without writing.

    Raises EmptyStore for a file with nothing in it, Fault for one that cannot be read, is not a store, or is
    from a newer version.
    """
    if not path.exists():
        yield None
        return
    _require_file(path)
    with clear_errors(path), contextlib.closing(_connect_reading(path)) as connection:
        require_store(connection, path)
        yield connection


@contextlib.contextmanager
def open_store(path: Path, *, now: datetime) -> Iterator[Store]:
    """Open the store for writing, creating it where there is none.

    One writer at a time: raises Fault, naming the holder, where another process has it. The lock lies
    in a file beside the store and goes with the process, however that ends.
    """
    with hold(path), clear_errors(path):
        if path.exists():
            _require_file(path)
        else:
            _create(Path(os.path.realpath(path)), now)
        with contextlib.closing(connect(path)) as connection:
            require_store(connection, path)
            _require_soundness(connection, path)
            store = Store(connection, now)
            store.sign_in(is_new=False)
            yield store


def _require_file(path: Path) -> None:
    """SQLite would wait for ever on a pipe, and a device holds no store."""
    if not path.is_file() and not path.is_dir():  # of a folder, SQLite's own fault is told
        raise Fault(
            f"{path.name} is a pipe, a socket or a device, not a store of ipmpki",
            "move it away, or name another place with 'store = \"…\"' in pki.toml",
        )


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Be the only one who may write or replace the store at ``path``, whether it is there or not.

    Raises Fault, naming the holder, where another process has it.
    """
    import filelock

    if not path.parent.is_dir():  # the lock would make it, and a mistyped path would become a new authority
        raise Fault(
            f"there is no folder '{path.parent}' to put {path.name} into",
            "make it, readable for yourself alone, or correct 'store' in pki.toml",
        )
    require_own(path, what="the store, with every key,")
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
        yield
    finally:
        lock.release()


def _connect_reading(path: Path) -> sqlite3.Connection:
    """Open a store for reading alone; only after a writer was killed is its unfinished work undone first."""
    connection = connect(path, "ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if not error.sqlite_errorname.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
            raise
        return connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


def connect(path: Path, mode: str = "rw") -> sqlite3.Connection:
    """A connection; it never creates the file, which is _create's, with its permissions."""
    location = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(location, uri=True, timeout=10.0, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _create(place: Path, now: datetime) -> None:
    """Make a store with its tables under another name, then give it its own.

    SQLite would create the file with the umask's mode, and a build killed before it wrote would leave one of
    no octets. So an empty file is never a store that begins, but one that was lost. The caller has the lock.
    """
    new = place.with_name(f".{place.name}.new")
    for left in (new, new.with_name(f"{new.name}-journal")):  # by a build that was killed
        left.unlink(missing_ok=True)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
    try:
        with contextlib.closing(connect(new)) as connection:
            Store(connection, now).sign_in(is_new=True)
        new.replace(place)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    flush(place.parent)  # what is committed from now on must not lie in a file without a name


class EmptyStore(Fault):
    """A store's file with nothing in it, as a copy that failed or a full disk leaves it."""


def require_store(connection: sqlite3.Connection, path: Path) -> None:
    """Raises EmptyStore where there is nothing, Fault for another program's database or a newer store."""
    if not _one(connection, "SELECT count(*) FROM sqlite_schema") and not _pragma(connection, "user_version"):
        raise EmptyStore(
            f"{path.name} is empty: what was issued is not in it",
            "put your backup in its place: ipmpki restore; only where nothing was ever built: delete it",
        )
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
    with contextlib.suppress(sqlite3.Error, Fault), contextlib.closing(connect(path)) as connection:
        row = connection.execute("SELECT pid, node, user, since FROM holder").fetchone()
        if row is not None and not _has_ended(*row[:2]):
            pid, node, user, since = row
            return f"process {pid} of {user} on {node}, since {moment(since):%Y-%m-%d %H:%M:%S} UTC"
    return "another ipmpki"


def _has_ended(pid: int, node: str) -> bool:
    """Whether a process of this computer is gone: whoever holds a store it replaces cannot sign in to it."""
    if os.name != "posix" or node != platform.node():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


@contextlib.contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turns what SQLite and the system say into a Fault about the store at ``path``."""
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
