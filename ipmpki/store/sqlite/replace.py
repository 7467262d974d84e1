"""Putting another store in the place of the one that is there, which is kept beside it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from typing import TYPE_CHECKING

from ipmpki.source.write_file import flush, new_file, set_mode
from ipmpki.store.sqlite.connection import COMPANIONS, clear_errors, connect
from ipmpki.store.sqlite.schema import FILE_MODE
from ipmpki.store.sqlite.writer import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO


def leftovers(path: Path) -> list[Path]:
    """Files of restores that were killed, beside the store at ``path``; each may hold keys."""
    return sorted(path.parent.glob(f".{path.name}.*.restoring*"))


@contextlib.contextmanager
def candidate(path: Path, unique: str) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file beside the store at ``path``, for its owner alone; gone in the end unless put in place.

    The caller holds the store. What killed restores left is removed first.
    """
    for old in leftovers(path):
        old.unlink(missing_ok=True)
    new = path.with_name(f".{path.name}.{unique}.restoring")
    try:
        with contextlib.ExitStack() as opened:
            with clear_errors(path):
                file = opened.enter_context(new_file(new, FILE_MODE))
            yield new, file
    finally:
        new.unlink(missing_ok=True)
        for companion in _companions(new):
            companion.unlink(missing_ok=True)


@contextlib.contextmanager
def revise(path: Path, now: datetime) -> Iterator[Store]:
    """A store that is about to be put in place, to write into; nobody else knows of it yet."""
    with clear_errors(path), contextlib.closing(connect(path)) as connection:
        store = Store(connection, now)
        store.sign_in(is_new=False)
        yield store


def settle(path: Path) -> None:
    """Let SQLite finish what a killed writer of the store at ``path`` left undone, where it can be read."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")  # a write-ahead log is written back
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()


def put_in_place(path: Path, new: Path, kept: Path) -> None:
    """Make ``new`` the store at ``path`` at one instant, and keep what was there as ``kept``.

    The caller holds the store, and ``kept`` is no file yet. Killed at any instant, ``path`` is the old store
    or the new one.
    """
    with clear_errors(path):
        if path.exists():
            _keep(path, kept)
        # What SQLite could play back into the old store, it has by now; of a store that is missing or that it
        # cannot read, a journal may be left, and the new one must not meet it.
        for companion in _companions(path):
            companion.replace(kept.with_name(kept.name + companion.name.removeprefix(path.name)))
        set_mode(new, FILE_MODE)
        # The old store's second name and the new store's content, before the one name stands for the other.
        flush(path.parent)
        flush(new)
        new.replace(path)
        flush(path.parent)


def _keep(path: Path, kept: Path) -> None:
    """Give the old store a second name."""
    try:
        os.link(path, kept)
    except OSError:  # a file system without links, such as a stick's
        with new_file(kept, FILE_MODE) as copy, path.open("rb") as source:
            shutil.copyfileobj(source, copy)
    set_mode(kept, FILE_MODE)


def _companions(path: Path) -> list[Path]:
    found = [path.with_name(path.name + suffix) for suffix in COMPANIONS]
    return [one for one in found if one.exists()]
