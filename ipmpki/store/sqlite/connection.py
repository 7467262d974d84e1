"""Connecting to a store: what is opened must be one, and what cannot be is told in clear words."""

from __future__ import annotations

import contextlib
import errno
import shlex
import sqlite3
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import Fault
from ipmpki.source.ownership import custody_of
from ipmpki.store.sqlite.schema import APPLICATION_ID, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


COMPANIONS = ("-journal", "-wal", "-shm")
"""SQLite's files beside a database, which belong to it and would be played back into another."""


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A store to read from, None where there is none yet. Takes no lock, works on a medium without writing.

    Raises EmptyStore for a file with nothing in it, Fault for one that cannot be read, is not a store, or is
    from a newer version.
    """
    if not path.exists():
        yield None
        return
    require_file(path)
    with clear_errors(path), contextlib.closing(_connect_reading(path)) as connection:
        require_store(connection, path)
        yield connection


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


def connect(path: Path, mode: str = "rw") -> sqlite3.Connection:
    """A connection; it never creates the file, which is _create's, with its permissions."""
    _require_own_companions(path)
    location = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(location, uri=True, timeout=10.0, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _require_own_companions(path: Path) -> None:
    """Let SQLite play nothing back into a store that somebody else has put beside it."""
    with contextlib.suppress(OSError):
        owner = path.stat().st_uid
        for suffix in COMPANIONS if path.name else ():  # "/" has none, and is told to be a folder
            beside = path.with_name(path.name + suffix)
            found = custody_of(beside)
            if found is not None and found.owner is not None and beside.stat().st_uid != owner:
                raise Fault(
                    f"{beside.name}, which SQLite plays back into {path.name}, belongs to '{found.owner}'",
                    f"see how it came there, and remove it: rm {shlex.quote(str(beside))}",
                )


@contextlib.contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turns what SQLite and the system say into a Fault about the store at ``path``."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _fault_of(path, error) from error
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> Fault:
    if error.errno in _WITHOUT_LOCKS and not _has_locks(path.with_name(f"{path.name}.lock")):
        return without_locks(path)
    return Fault(
        f"{path.name} cannot be opened for writing in '{path.parent}': {error.strerror or error}",
        "make the folder writable for this user, or name another place with 'store = \"…\"' in pki.toml",
    )


_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}
"""What flock(2) and fcntl(2) answer on a file system without locks, such as older NFS and CIFS."""


def without_locks(path: Path) -> Fault:
    """The fault of a store where nothing keeps two builds apart."""
    return Fault(
        f"the file system of '{path.parent}' has no locks, so a store is not safe there",
        'keep the store on a local disk, and say where in pki.toml: store = "/var/lib/ipmpki/pki.db"',
    )


def _has_locks(path: Path) -> bool:
    """Whether a file takes the locks that SQLite (fcntl(2)) and filelock (flock(2)) ask for."""
    try:
        import fcntl
    except ImportError:  # Windows has none but its own
        return True
    if not path.exists():  # a new store that failed is gone again
        path = next(iter(path.parent.glob("*.lock")), path)
    try:
        with path.open("rb") as file:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _WITHOUT_LOCKS
    return True


def require_file(path: Path) -> None:
    """SQLite would wait for ever on a pipe, and a device holds no store."""
    if not path.is_file() and not path.is_dir():  # of a folder, SQLite's own fault is told
        raise Fault(
            f"{path.name} is a pipe, a socket or a device, not a store of ipmpki",
            "move it away, or name another place with 'store = \"…\"' in pki.toml",
        )


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


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return _one(connection, f"PRAGMA {name}")


def _one(connection: sqlite3.Connection, statement: str) -> int:
    return int(connection.execute(statement).fetchone()[0])


def _fault_of(path: Path, error: sqlite3.DatabaseError) -> Fault:  # noqa: PLR0911 -- one for each fault
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
    # SQLite says of a file system without locks that another program has one, or that the disk is at fault.
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR")) and not _has_locks(path):
        return without_locks(path)
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
