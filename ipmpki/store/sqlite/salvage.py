"""Filling a new store with the rows that can still be read of a damaged one, which is never touched."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import WrongUse
from ipmpki.store.sqlite.connection import clear_errors, connect
from ipmpki.store.sqlite.pages import read_rows
from ipmpki.store.sqlite.schema import FILE_MODE, TABLES
from ipmpki.store.sqlite.writer import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from ipmpki.store.sqlite.pages import Row, Value

ORDER = ("authority", "key", "certificate", "revocation_list", "request", "installation", "folder", "event")
"""What is carried over, in an order that lets each row point to one that is there."""


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kind: str
    is_optional: bool
    is_rowid: bool


@dataclass(slots=True)
class SalvagedRows:
    """Rows by table and number, each a mapping of its columns; ``last`` is what SQLite counted tables to."""

    rows: dict[str, dict[int, dict[str, Value]]] = field(default_factory=lambda: defaultdict(dict))
    last: dict[str, int] = field(default_factory=dict)
    is_older: bool = False
    """Whether a row lacks a column that this version's tables have."""

    def gaps(self, table: str) -> int:
        """How many rows are missing amid those found: nothing is ever deleted from most tables."""
        numbers = self.rows[table].keys()
        return max(self.last.get(table, 0), *numbers, 0) - len(numbers)


def find_rows(content: bytes) -> SalvagedRows:
    """The rows of a store's tables in the octets of a damaged file."""
    columns = _columns()
    found = SalvagedRows()
    for row in read_rows(content):
        match row.values:
            case (str(table), int(last)) if table in columns:  # sqlite_sequence, of AUTOINCREMENT
                found.last[table] = last
        for table, layout in columns.items():
            values = _fitted(row, layout)
            if values is not None:
                found.is_older |= len(row.values) < len(layout)
                found.rows[table].setdefault(row.rowid, values)
                break
    return found


def _columns() -> dict[str, tuple[_Column, ...]]:
    """How the tables look that this version makes."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(TABLES)
        return {
            table: tuple(
                _Column(
                    name,
                    kind,
                    not required and not key,
                    kind == "INTEGER" and bool(key) and table in _BY_ROWID,
                )
                for _, name, kind, required, _, key in connection.execute(f"PRAGMA table_info({table})")
            )
            for table in ORDER
        }


_BY_ROWID = frozenset({"authority", "request", "event"})
"""Tables whose INTEGER PRIMARY KEY is the rowid."""
_KINDS: Mapping[str, type] = {"INTEGER": int, "TEXT": str, "BLOB": bytes}


def _fitted(row: Row, layout: tuple[_Column, ...]) -> dict[str, Value] | None:
    """The row as one of a table, by the number and types of its values; None where it is of another."""
    values = list(row.values)
    # A column that a later version added is not in older rows (file format, section 2.1).
    while len(values) < len(layout) and layout[len(values)].is_optional:
        values.append(None)
    if len(values) != len(layout):
        return None
    for index, column in enumerate(layout):
        if column.is_rowid:
            if values[index] is not None:
                return None
            values[index] = row.rowid
        elif values[index] is None:
            if not column.is_optional:
                return None
        elif type(values[index]) is not _KINDS[column.kind]:
            return None
    return {column.name: value for column, value in zip(layout, values, strict=True)}


def write_store(
    path: Path, rows: Mapping[str, Iterable[Mapping[str, Value]]], detail: str, now: datetime
) -> dict[str, int]:
    """Make a new store of rows by table; how many of each table it did not take, for being double.

    Raises WrongUse where the file exists, Fault where it cannot be written; then nothing is left of it.
    """
    if path.exists():
        raise WrongUse(f"'{path}' exists already; nothing was changed", "name a file that does not exist yet")
    with clear_errors(path):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
    try:
        with clear_errors(path), contextlib.closing(connect(path)) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")  # what a row points to may be lost
            store = Store(connection, now)
            store.sign_in(is_new=True)
            refused = store.take_over({table: list(rows.get(table, ())) for table in ORDER})
            store.record("store-salvaged", detail)
            return refused
    except BaseException:
        path.unlink(missing_ok=True)
        raise
