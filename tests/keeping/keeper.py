"""A shop whose store is kept: commands in processes of their own, with a passphrase in the environment."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.faults.running import LONGEST, Outcome, ipmpki

if TYPE_CHECKING:
    from pathlib import Path

PASSPHRASE = "Größe der Rolle: 84 m ☂"  # noqa: S105 -- the tests' own
BACKUP_ENV = {"BACKUP_PASS": PASSPHRASE}
BACKUP_OPTION = ("--passphrase-env", "BACKUP_PASS")


def back_up(folder: Path, *options: str, to: str = "pki.backup", prefix: tuple[str, ...] = ()) -> Outcome:
    """Run ``ipmpki backup``."""
    command = ("backup", "pki.toml", to, *BACKUP_OPTION, *options)
    return ipmpki(folder, *command, env=BACKUP_ENV, prefix=prefix)


def restore(folder: Path, *options: str, source: str = "pki.backup", prefix: tuple[str, ...] = ()) -> Outcome:
    """Run ``ipmpki restore``."""
    command = ("restore", "pki.toml", source, *BACKUP_OPTION, *options)
    return ipmpki(folder, *command, env=BACKUP_ENV, prefix=prefix)


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """What a query finds in a store."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of a store but the ledger's and the holder's, by table."""
    tables = [str(name) for (name,) in rows(path, "SELECT name FROM sqlite_schema WHERE type = 'table'")]
    skipped = {"event", "holder", "sqlite_sequence"}
    return {name: sorted(rows(path, f"SELECT * FROM {name}")) for name in tables if name not in skipped}  # noqa: S608


def killed_at(folder: Path, number: int, *arguments: str) -> bool:
    """Run a command that is killed when it touches the folder for the n-th time; whether it was."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.keeping.mortal", str(number), *arguments],
        cwd=folder,
        env={**os.environ, **BACKUP_ENV, "PYTHONPATH": os.getcwd()},  # noqa: PTH109 -- the repository
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LONGEST,
        check=False,
    )
    assert done.returncode in {0, -9}, done.stderr.decode()
    return bool(done.returncode)
