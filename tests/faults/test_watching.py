"""Watching disturbs nobody and is disturbed by nobody: builds, dead builds, read-only and broken stores."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.build import build
from ipmpki.operations.load import load
from tests import preloaded
from tests.cli.command import ipmpki as run_here
from tests.faults.fleets import Fleet
from tests.faults.ledger import Ledger, sight
from tests.faults.mounts import remount, tmpfs
from tests.faults.running import LONGEST, ipmpki, started
from tests.faults.test_contention import HOLDER, _wait_until_it_holds
from tests.faults.test_refused import _folder, _foreign, _garbage, _newer, _torn, _truncated
from tests.tools import unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS = (("status",), ("log",), ("show", "pki.toml", "pc000.example.com"))


@pytest.fixture
def fleet(ledger: Ledger) -> Fleet:
    """A small fleet that has been built."""
    fleet = Fleet.of(6)
    fleet.write(ledger.folder)
    build(load(ledger.folder / "pki.toml"))
    return fleet


def test_while_a_build_works_all_is_shown_and_nothing_is_touched(fleet: Fleet, ledger: Ledger) -> None:
    fleet.rename(sorted(fleet.aliases))
    fleet.write(ledger.folder)
    with started(ledger.folder, *HOLDER) as first:
        _wait_until_it_holds(first)
        before = sight(ledger.folder)
        for command in COMMANDS:
            assert ipmpki(ledger.folder, *command).status == 0, command
        assert ipmpki(ledger.folder, "status", "--format", "nagios").status == 0
        assert sight(ledger.folder) == before
        _, err = first.communicate(b"go on\n", timeout=LONGEST)
        assert first.returncode == 0, err.decode()
    ledger.judge_complete(fleet)


def test_on_a_read_only_disk_all_is_shown(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "size=4m") as disk:
        ledger = Ledger(disk / "site")
        ledger.folder.mkdir()
        Fleet.of(2).write(ledger.folder)
        assert ipmpki(ledger.folder, "build").status == 0
        remount(disk, "ro")
        for command in COMMANDS:
            outcome = ipmpki(ledger.folder, *command)
            assert (outcome.status, outcome.err) == (0, ""), command
        outcome = ipmpki(ledger.folder, "status", "--format", "prometheus", "-o", "ipmpki.prom")
        outcome.failed("ipmpki.prom", "cannot be written")


DYING = """
import os, sqlite3, sys
connection = sqlite3.connect("pki.db", isolation_level=None)
connection.execute("PRAGMA cache_size = 1")  # so that pages go to the disk before the commit
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE certificate SET host = host || '.half-done', pem = zeroblob(20000)")
os.kill(os.getpid(), 9)
"""


def _die_amid_a_transaction(folder: Path) -> None:
    died = preloaded.run("-c", DYING, cwd=folder)
    assert died.returncode == -signal.SIGKILL
    assert (folder / "pki.db-journal").stat().st_size > 0


def test_after_a_killed_writer_its_half_done_work_is_not_shown(fleet: Fleet, ledger: Ledger) -> None:
    before = ipmpki(ledger.folder, "status", "--at", "2030-01-01")
    _die_amid_a_transaction(ledger.folder)
    after = ipmpki(ledger.folder, "status", "--at", "2030-01-01")
    assert (after.status, after.out) == (before.status, before.out)
    ledger.judge_complete(fleet)


def test_half_done_work_on_a_read_only_disk_is_an_error_not_an_answer(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "size=4m") as disk:
        ledger = Ledger(disk / "site")
        ledger.folder.mkdir()
        Fleet.of(2).write(ledger.folder)
        assert ipmpki(ledger.folder, "build").status == 0
        _die_amid_a_transaction(ledger.folder)
        remount(disk, "ro")
        ipmpki(ledger.folder, "status").failed("pki.db cannot be")
        outcome = ipmpki(ledger.folder, "status", "--format", "nagios")
        assert outcome.status == 3
        assert outcome.out.startswith("IPMPKI UNKNOWN - pki.db cannot be ")


def test_someone_who_may_only_read_is_shown_all(
    fleet: Fleet, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    del fleet
    if os.geteuid():
        unavailable("root, who alone can be someone else,")
    with tempfile.TemporaryDirectory() as place:  # pytest's own folders keep others out
        site = shutil.copytree(ledger.folder, Path(place) / "site")
        for folder in (Path(place), site):
            folder.chmod(0o755)
        (site / "pki.db").chmod(0o644)
        monkeypatch.chdir(site)
        everything = [run_here(*command) for command in COMMANDS]
        os.seteuid(65534)
        try:
            assert not os.access(site / "pki.db", os.W_OK, effective_ids=True)
            assert [run_here(*command) for command in COMMANDS] == everything
        finally:
            os.seteuid(0)
            monkeypatch.undo()
    assert all(outcome.status == 0 for outcome in everything)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_garbage, "damaged, or is not a store"),
        (_truncated, "damaged"),
        (_torn, "damaged, or is not a store"),
        (_foreign, "another program"),
        (_newer, "newer ipmpki"),
        (_folder, "is a folder"),
    ],
)
def test_a_store_that_is_none_is_told_and_left_alone(
    fleet: Fleet, ledger: Ledger, spoil: Callable[[Path], None], words: str
) -> None:
    del fleet
    spoil(ledger.store)
    before = sight(ledger.folder)
    for command in COMMANDS:
        ipmpki(ledger.folder, *command).failed("pki.db", words)
    outcome = ipmpki(ledger.folder, "status", "--format", "nagios")
    assert (outcome.status, outcome.err) == (3, "")
    assert outcome.out.startswith("IPMPKI UNKNOWN - pki.db ")
    assert outcome.out.count("\n") == 1
    assert sight(ledger.folder) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_before_the_first_build_there_is_no_store(ledger: Ledger, command: tuple[str, ...]) -> None:
    Fleet.of(1).write(ledger.folder)
    ipmpki(ledger.folder, *command).failed("there is no store 'pki.db'", "'ipmpki build pki.toml'", status=2)
    assert not ledger.store.exists()


def test_a_store_of_the_first_format_is_shown_as_it_is(fleet: Fleet, ledger: Ledger) -> None:
    del fleet
    with closing(sqlite3.connect(ledger.store)) as connection, connection:
        connection.execute("DROP TABLE request")
        connection.execute("PRAGMA user_version = 1")
    for command in COMMANDS:
        assert ipmpki(ledger.folder, *command).status == 0, command


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"}])
def test_in_any_locale_there_is_an_answer(fleet: Fleet, ledger: Ledger, locale: dict[str, str]) -> None:
    del fleet
    for command in COMMANDS:
        assert ipmpki(ledger.folder, *command, env=locale).status == 0
    for form in ("json", "prometheus", "nagios", "ics"):
        assert ipmpki(ledger.folder, "status", "--format", form, env=locale).status == 0


def test_a_full_output_is_told(fleet: Fleet, ledger: Ledger) -> None:
    del fleet
    for arguments, status in ((("status",), 4), (("status", "--format", "nagios"), 3), (("log",), 4)):
        with open("/dev/full", "wb") as full:  # noqa: PTH123 -- a device
            words = ("-m", "ipmpki", *arguments)
            with preloaded.start(*words, cwd=ledger.folder, stdout=full.fileno()) as done:
                _, err = done.communicate()
        assert done.returncode == status
        assert b"Traceback" not in err
