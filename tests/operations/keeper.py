"""A shop whose store is kept: commands with a passphrase in the environment."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING
from unittest import mock

from tests import preloaded
from tests.cli import command
from tests.faults.running import LONGEST, Outcome
from tests.faults.running import ipmpki as in_a_process_of_its_own

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PASSPHRASE = "Größe der Rolle: 84 m ☂"  # noqa: S105 -- the tests' own
BACKUP_ENV = {"BACKUP_PASS": PASSPHRASE}
BACKUP_OPTION = ("--passphrase-env", "BACKUP_PASS")


def ipmpki(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None, prefix: tuple[str, ...] = ()
) -> Outcome:
    """Run a command in a folder, within this process where that will do: so it is known what it reached."""
    if prefix:
        return in_a_process_of_its_own(folder, *arguments, env=env, prefix=prefix)
    with contextlib.chdir(folder), mock.patch.dict(os.environ, env or {}):
        done = command.ipmpki(*arguments)
    outcome = Outcome(done.status, done.out, done.err)
    outcome.is_clean()
    return outcome


def back_up(folder: Path, *options: str, to: str = "pki.backup", prefix: tuple[str, ...] = ()) -> Outcome:
    """Run ``ipmpki backup``."""
    words = ("backup", "pki.toml", to, *BACKUP_OPTION, *options)
    return ipmpki(folder, *words, env=BACKUP_ENV, prefix=prefix)


def restore(folder: Path, *options: str, source: str = "pki.backup", prefix: tuple[str, ...] = ()) -> Outcome:
    """Run ``ipmpki restore``."""
    words = ("restore", "pki.toml", source, *BACKUP_OPTION, *options)
    return ipmpki(folder, *words, env=BACKUP_ENV, prefix=prefix)


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """What a query finds in a store."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of a store but the ledger's, the holder's and what is noted of backups, by table."""
    tables = [str(name) for (name,) in rows(path, "SELECT name FROM sqlite_schema WHERE type = 'table'")]
    skipped = {"event", "holder", "backup", "sqlite_sequence"}
    return {name: sorted(rows(path, f"SELECT * FROM {name}")) for name in tables if name not in skipped}  # noqa: S608


def killed_at(folder: Path, number: int, *arguments: str) -> bool:
    """Run a command that is killed when it touches the folder for the n-th time; whether it was."""
    words = ("-m", "tests.operations.mortal", str(number), *arguments)
    done = preloaded.run(*words, cwd=folder, env={**os.environ, **BACKUP_ENV}, timeout=LONGEST)
    assert done.returncode in {0, -9}, done.stderr.decode()
    return bool(done.returncode)
