"""Opening a store for writing: its file, its lock, its soundness."""

from __future__ import annotations

import contextlib
import os
import platform
import sqlite3
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import Fault
from ipmpki.source.ownership import require_own
from ipmpki.source.write_file import flush
from ipmpki.store.sqlite.connection import (
    cannot_write,
    clear_errors,
    connect,
    reading,
    require_file,
    require_store,
    without_locks,
)
from ipmpki.store.sqlite.schema import FILE_MODE, moment
from ipmpki.store.sqlite.writer import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


@contextlib.contextmanager
def open_store(path: Path, *, now: datetime) -> Iterator[Store]:
    """Open the store for writing, creating it where there is none.

    One writer at a time: raises Fault, naming the holder, where another process has it. The lock lies
    in a file beside the store and goes with the process, however that ends.
    """
    with hold(path), clear_errors(path):
        if path.exists():
            require_file(path)
        else:
            _create(Path(os.path.realpath(path)), now)
        with contextlib.closing(connect(path)) as connection:
            require_store(connection, path)
            _require_soundness(connection, path)
            store = Store(connection, now)
            store.sign_in(is_new=False)
            yield store


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
    beside = Path(f"{path}.lock")
    require_own(beside, what="the store's lock")
    if beside.is_symlink():
        raise Fault(f"'{beside}' is a link, not the store's lock", "see how it came there, and remove it")
    lock = filelock.FileLock(beside, timeout=0, mode=FILE_MODE)
    try:
        with warnings.catch_warnings():
            # Where there are no locks, filelock warns and takes a file for one, which a killed build leaves.
            warnings.simplefilter("error", UserWarning)
            lock.acquire()
    except UserWarning:
        raise without_locks(path) from None
    except filelock.Timeout:
        raise Fault(
            f"{path.name} is held by {_holder(path)}",
            "wait until it has finished, then run the command again",
        ) from None
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield
    finally:
        lock.release()


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


def _require_soundness(connection: sqlite3.Connection, path: Path) -> None:
    """Read every page of the store before anything is added to it."""
    faults = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if faults != "ok":
        raise Fault(
            f"{path.name} is damaged: {faults.splitlines()[0]}",
            "put your backup of it in its place; do not delete it: it may hold the CA's key",
        )


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
