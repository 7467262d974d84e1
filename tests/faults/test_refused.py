"""What a build cannot work with: a clear error with its remedy, exit status 4, and nothing changed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.build import build
from ipmpki.operations.load import load
from ipmpki.operations.plan import plan
from tests.extent import mostly_exhaustive
from tests.faults.fleets import Fleet
from tests.faults.ledger import Ledger, sight
from tests.faults.mounts import remount, tmpfs
from tests.faults.running import COMMAND, LONGEST, ipmpki, mortal, started

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CLIENT = "pc000.example.com"


@pytest.fixture
def fleet(ledger: Ledger) -> Fleet:
    """A small fleet that has been built."""
    fleet = Fleet.of(2)
    fleet.write(ledger.folder)
    build(load(ledger.folder / "pki.toml"))
    ledger.judge_complete(fleet)
    return fleet


def _edit(fleet: Fleet, ledger: Ledger) -> None:
    """Give the next build something to do."""
    fleet.rename([CLIENT])
    fleet.write(ledger.folder)


# --- The store ------------------------------------------------------------------------------------


def _garbage(store: Path) -> None:
    store.write_bytes(bytes(range(256)) * 40)


def _truncated(store: Path) -> None:
    os.truncate(store, store.stat().st_size // 2)


def _torn(store: Path) -> None:
    os.truncate(store, 50)


def _foreign(store: Path) -> None:
    store.unlink()
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("CREATE TABLE song (title TEXT)")
    store.chmod(0o600)


def _newer(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA user_version = 999")


def _scribbled(store: Path) -> None:
    with store.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)


def _folder(store: Path) -> None:
    store.unlink()
    store.mkdir()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_garbage, "damaged, or is not a store"),
        (_truncated, "damaged"),
        (_torn, "damaged, or is not a store"),
        (_scribbled, "damaged"),
        (_foreign, "another program"),
        (_newer, "newer ipmpki"),
        (_folder, "is a folder"),
    ],
)
def test_a_store_that_is_none(
    fleet: Fleet, ledger: Ledger, spoil: Callable[[Path], None], words: str
) -> None:
    _edit(fleet, ledger)
    spoil(ledger.store)
    before = sight(ledger.folder)
    ipmpki(ledger.folder, "build").failed("pki.db", words)
    ipmpki(ledger.folder, "plan").failed("pki.db", words)
    assert sight(ledger.folder) == before


def test_an_empty_store_is_one_that_was_lost(ledger: Ledger) -> None:
    Fleet.of(1).write(ledger.folder)
    ledger.store.touch(mode=0o600)
    before = sight(ledger.folder)
    ipmpki(ledger.folder, "build").failed("pki.db", "empty")
    ipmpki(ledger.folder, "plan").failed("pki.db", "empty")
    assert sight(ledger.folder) == before


@pytest.mark.parametrize(
    "name",
    ["a store.db", 'it\'s \\"ours\\".db', "50%2F#1?mode=memory&x.db", "Zürich—プリント.db", "sub/p.db"],
)
def test_a_store_of_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "site #1 %41?"
    (folder / "sub").mkdir(parents=True)
    fleet = Fleet.of(1)
    file = fleet.write(folder)
    file.write_text(f'store = "{name}"\n{fleet.text()}', encoding="utf-8")
    ledger = Ledger(folder, name.replace('\\"', '"'))
    assert ipmpki(folder, "build").status == 0
    ledger.judge_all()
    assert len(ledger.seen["certificate"]) == 2
    assert plan(load(file)).changes == ()
    found = {str(path.relative_to(folder)) for path in folder.rglob("*.db*")}
    assert found == {ledger.name, f"{ledger.name}.lock"}


# --- Folders --------------------------------------------------------------------------------------


def test_a_folder_that_nothing_can_be_written_to(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "size=4m") as disk:
        ledger = Ledger(disk / "site")
        ledger.folder.mkdir()
        fleet = Fleet.of(1)
        fleet.write(ledger.folder)
        for _ in range(2):
            remount(disk, "ro")
            before = sight(ledger.folder)
            assert ipmpki(ledger.folder, "check").status == 0
            assert ipmpki(ledger.folder, "plan", "--exit-code").status == 3
            ipmpki(ledger.folder, "build").failed("pki.db", "writable")
            assert sight(ledger.folder) == before
            remount(disk, "rw")
            ledger.finish(fleet)
            _edit(fleet, ledger)
        ledger.finish(fleet)


def test_dist_is_a_file_system_of_its_own(ledger: Ledger) -> None:
    fleet = Fleet.of(3)
    fleet.write(ledger.folder)
    with tmpfs(ledger.folder / "dist", "size=4m,mode=755"):
        for moment, clients in (("50", []), ("30", sorted(fleet.aliases)[:2])):
            fleet.rename(clients)
            fleet.write(ledger.folder)
            command = ("-m", "tests.faults.victim", "die", moment, "pki.toml")
            with started(ledger.folder, *command) as process:
                process.communicate(timeout=LONGEST)
                assert process.returncode == -signal.SIGKILL
            ledger.judge_all()
            ledger.finish(fleet)
            assert not list((ledger.folder / "dist").glob(".*"))


@pytest.mark.parametrize("place", [".", "pki.db", "dist", "dist/hosts"])
def test_no_permission_to_write(fleet: Fleet, ledger: Ledger, place: str) -> None:
    _edit(fleet, ledger)
    if place == "dist":
        fleet.add(1)
        (ledger.folder / "dist/report.html").unlink()
        fleet.write(ledger.folder)
    if place == ".":
        ledger.store.with_name("pki.db.lock").unlink()
    locked = ledger.folder / place
    mode = locked.stat().st_mode
    locked.chmod(mode & ~0o222)
    before = sight(ledger.folder)
    try:
        ipmpki(ledger.folder, "build", prefix=mortal()).failed("cannot be", "writable")
        if not place.startswith("dist"):
            assert sight(ledger.folder) == before
    finally:
        locked.chmod(mode)
    ledger.judge_all()
    ledger.finish(fleet)


@pytest.mark.parametrize("place", ["pki.db", "dist", f"dist/hosts/{CLIENT}"])
@pytest.mark.usefixtures("fleet")
def test_no_permission_to_look(ledger: Ledger, place: str) -> None:
    locked = ledger.folder / place
    mode = locked.stat().st_mode
    before = sight(ledger.folder)
    locked.chmod(0)
    try:
        for command in ("plan", "build"):
            ipmpki(ledger.folder, command, prefix=mortal()).failed("cannot be", "for this user")
    finally:
        locked.chmod(mode)
    assert sight(ledger.folder) == before


def test_dist_is_a_file(ledger: Ledger) -> None:
    fleet = Fleet.of(1)
    fleet.write(ledger.folder)
    dist = ledger.folder / "dist"
    dist.write_bytes(b"my own")
    ipmpki(ledger.folder, "build").failed("dist", "a file where a folder should be", "move the file away")
    assert dist.read_bytes() == b"my own"
    ledger.look()
    dist.unlink()
    ledger.finish(fleet)


@pytest.mark.parametrize("file", ["report.html", "ca/crl.pem"])
def test_a_folder_where_a_file_should_be(fleet: Fleet, ledger: Ledger, file: str) -> None:
    path = ledger.folder / "dist" / file
    path.unlink()
    path.mkdir()
    words = (file, "a folder where a file should be", "move the folder away")
    ipmpki(ledger.folder, "build").failed(*words)
    ledger.look()
    path.rmdir()
    ledger.finish(fleet)


@pytest.mark.parametrize("is_edited", [True, False])
def test_a_host_s_folder_that_is_a_link_elsewhere_is_never_written_through(
    fleet: Fleet, ledger: Ledger, tmp_path: Path, *, is_edited: bool
) -> None:
    place, elsewhere = ledger.folder / "dist/hosts" / CLIENT, tmp_path / "elsewhere"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    if is_edited:
        _edit(fleet, ledger)
    before = sight(elsewhere)
    ledger.finish(fleet)
    assert not place.is_symlink()
    assert sight(elsewhere) == before
    assert all(path.stat().st_nlink == 1 for path in elsewhere.iterdir())


@pytest.mark.parametrize("is_removed", [True, False])
def test_a_stranger_s_files_survive(fleet: Fleet, ledger: Ledger, *, is_removed: bool) -> None:
    place = ledger.folder / "dist/hosts" / CLIENT
    (place / "notes.txt").write_bytes(b"mine")
    (place / "old").mkdir()
    (place / "old" / "deep").write_bytes(b"mine too")
    (place / "away").symlink_to("/nowhere")
    (ledger.folder / "dist/hosts/other").mkdir()
    (ledger.folder / "dist/mine").write_bytes(b"mine")
    if is_removed:
        fleet.remove([CLIENT])
        fleet.write(ledger.folder)
    else:
        _edit(fleet, ledger)
    build(load(ledger.folder / "pki.toml"))
    assert plan(load(ledger.folder / "pki.toml")).changes == ()
    assert (place / "notes.txt").read_bytes() == b"mine"
    assert (place / "old" / "deep").read_bytes() == b"mine too"
    assert (place / "away").is_symlink()
    assert (ledger.folder / "dist/hosts/other").is_dir()
    assert (ledger.folder / "dist/mine").read_bytes() == b"mine"
    assert (place / "client-key.pem").exists() != is_removed
    ledger.look()


# --- The world around -----------------------------------------------------------------------------


def test_a_clock_set_back(fleet: Fleet, ledger: Ledger) -> None:
    file = ledger.folder / "pki.toml"
    past = datetime.now(UTC) - timedelta(minutes=50)  # certificates are dated back by an hour
    assert plan(load(file, now=past)).changes == ()
    _edit(fleet, ledger)
    build(load(file, now=past))
    ledger.look()
    ledger.finish(fleet)


LOCALES = ("C", "tr_TR.UTF-8", "xx_XX.nonsense")


@pytest.mark.parametrize("locale", mostly_exhaustive(LOCALES, every_time=["C"]))
def test_any_locale(ledger: Ledger, locale: str) -> None:
    fleet = Fleet.of(1)
    text = fleet.text().replace("Acme Print CA", "Druckerei Zürich İ")
    (ledger.folder / "pki.toml").write_text(text, encoding="utf-8")
    env = {"LC_ALL": locale, "LANG": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for command in ("plan", "build", "plan"):
        assert ipmpki(ledger.folder, command, env=env).status == 0
    ledger.judge_complete(fleet)


@pytest.mark.parametrize(
    "command", mostly_exhaustive(["plan", "build", "--help", "--version"], every_time=["plan"])
)
@pytest.mark.usefixtures("fleet")
def test_standard_output_that_takes_nothing(ledger: Ledger, command: str) -> None:
    for redirection, status in ((">/dev/full", 4), (">&-", 0), ("2>&- >&- <&-", 0), ("2>/dev/full", 0)):
        prefix = ("sh", "-c", f'exec "$@" {redirection}', "sh")
        outcome = ipmpki(ledger.folder, command, prefix=prefix)
        assert outcome.status == status, (redirection, outcome)
        if status:
            outcome.failed("the output cannot be written")


def test_a_reader_that_leaves_early(fleet: Fleet, ledger: Ledger) -> None:
    _edit(fleet, ledger)
    prefix = ("sh", "-c", 'exec 3>&1; "$@" 2>&3 | true', "sh")
    outcome = ipmpki(ledger.folder, "plan", prefix=prefix)
    assert (outcome.out, outcome.err) == ("", "")


def test_an_interrupted_build_says_one_line(ledger: Ledger) -> None:
    fleet = Fleet.of(60, servers=2)
    fleet.write(ledger.folder)
    for moment in ("opening", "wait for its folder"):
        command = ("-m", "tests.faults.victim", "tell", "pki.toml")
        with started(ledger.folder, *command) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"opening\n", moment
            while moment != "opening" and not (ledger.folder / "dist").exists():
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=LONGEST)
        assert process.returncode == 130, err.decode()
        lines = [line for line in err.decode().splitlines() if line]
        assert lines == ["error: interrupted", "  help: run the command again: it carries on where it was"]
        ledger.judge_all()
    ledger.finish(fleet)


def test_an_interrupt_at_any_time_leaves_no_traceback(ledger: Ledger) -> None:
    fleet = Fleet.of(10)
    fleet.write(ledger.folder)
    for hundredths in (5, 12, 20, 40):
        with started(ledger.folder, *COMMAND, "build") as process:
            try:
                process.wait(hundredths / 100)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=LONGEST)
        # Before __main__.py runs, Python is still starting, and nobody can catch what interrupts it.
        if b"__main__.py" in err or process.returncode in {0, 130}:
            assert process.returncode in {0, 130}, err.decode()
            assert b"Traceback" not in err, err.decode()
        ledger.judge_all()
    ledger.finish(fleet)
