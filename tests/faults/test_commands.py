"""Commands that write to the store beside build: killed, crowded out, and on a disk that takes nothing."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ipmpki.declaration.vocabulary import RevocationReason
from ipmpki.operations.installed import record_installed
from ipmpki.operations.revoke import revoke
from ipmpki.store.sqlite.queries import read_issued
from tests.faults.killing import killed_at
from tests.faults.ledger import sight
from tests.faults.mounts import remount, tmpfs
from tests.faults.running import ipmpki, started
from tests.shop import TODAY, Shop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMANDS = {
    "revoke": ("revoke", "pki.toml", "desk1.example.com", "--reason", "key-compromise"),
    "installed": ("installed", "pki.toml", "--all"),
}
WORK: dict[str, Callable[[Shop], object]] = {
    "revoke": lambda shop: revoke(shop.load(), "desk1.example.com", RevocationReason.KEY_COMPROMISE),
    "installed": lambda shop: record_installed(shop.load(), None),
}


def state(shop: Shop) -> tuple[int, int, int]:
    """How many certificates are revoked, hosts installed, events told."""
    issued = read_issued(shop.store)
    revoked = sum(one.revoked_at is not None for one in issued.current.values())
    return revoked, len(issued.installed), issued.last_event


@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_any_moment_all_of_it_is_recorded_or_nothing(built_shop: Shop, command: str) -> None:
    before = state(built_shop)
    work = WORK[command]
    after = None
    for touch in range(1, 200):
        was_killed = killed_at(touch, lambda: work(built_shop))
        found = state(built_shop)
        with contextlib.closing(sqlite3.connect(built_shop.store)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if not was_killed:
            after = found
            break
        assert found[0] in {0, 1}
        assert found[1] in {0, 3}
        assert found == before or found[2] > before[2], "something changed that is not told of"
    assert after is not None
    assert touch > 20, "it was never in the middle of anything"
    work(built_shop)
    assert state(built_shop) == after, "the same once more is recorded once more"


@pytest.mark.parametrize("command", COMMANDS)
def test_while_another_holds_the_store_it_says_who(built_shop: Shop, command: str) -> None:
    built_shop.edit("[tls]", '[defaults]\nlifetime = "300d"\n\n[tls]')
    with started(built_shop.folder, "-m", "tests.faults.victim", "hold", "pki.toml") as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        before = sight(built_shop.folder)
        ipmpki(built_shop.folder, *COMMANDS[command]).failed("pki.db is held by", f"process {holder.pid}")
        assert sight(built_shop.folder) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_on_a_medium_that_cannot_be_written_nothing_is_said_to_be_recorded(
    tmp_path: Path, command: str
) -> None:
    with tmpfs(tmp_path / "disk", "size=16m") as disk:
        shop = Shop(disk)
        shop.build()
        remount(disk, "ro")
        ipmpki(disk, *COMMANDS[command]).failed("cannot be opened for writing")
        assert state(shop)[:2] == (0, 0)
        for reading in (("plan",), ("check",), ("status", "--format", "json"), ("log",)):
            assert ipmpki(disk, *reading).status == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_with_the_clock_a_year_back_it_works_and_a_warning_says_so(built_shop: Shop, command: str) -> None:
    built_shop.now = TODAY - timedelta(days=365)
    assert "clock-behind-store" in {one.problem.rule for one in built_shop.load().problems}
    WORK[command](built_shop)
    revoked, installed, _ = state(built_shop)
    assert (revoked, installed) == ((1, 0) if command == "revoke" else (0, 3))
    built_shop.now = TODAY + timedelta(days=1)
    built_shop.build()
    assert built_shop.changes() == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_on_a_full_disk_all_of_it_is_recorded_or_nothing_and_room_mends_it(
    tmp_path: Path, command: str
) -> None:
    with tmpfs(tmp_path / "disk", "size=16m") as disk:
        shop = Shop(disk)
        shop.build()
        before = state(shop)
        remount(disk, f"size={used(disk)}")
        ipmpki(disk, *COMMANDS[command]).failed("no room left on the disk")
        assert state(shop) == before
        remount(disk, "size=16m")
        assert ipmpki(disk, *COMMANDS[command]).status == 0
        assert state(shop) != before


def test_adopting_onto_a_full_disk_or_a_read_only_one_leaves_nothing(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    shop = Shop(old)
    shop.build()
    (old / "ca.key").write_bytes(key_of_the_authority(shop))
    (old / "ca.crt").write_bytes((shop.dist / "ca/ca-cert.pem").read_bytes())
    with tmpfs(tmp_path / "disk", "size=16m") as disk:
        for options in (f"size={PAGE}", "size=16m,ro"):
            remount(disk, options)
            refused = ipmpki(disk, "adopt", str(old), "--into", "pki.toml")
            assert refused.status in {2, 4}, refused
            assert [path.name for path in disk.iterdir() if path.suffix == ".toml"] == []
        remount(disk, "size=16m,rw")
        assert ipmpki(disk, "adopt", str(old), "--into", "pki.toml").status == 0
        assert ipmpki(disk, "check", "--strict").status in {0, 1}


PAGE = 4096


def used(folder: Path) -> int:
    """What a file system in memory takes for the files below a folder: whole pages."""
    return sum(-(-path.stat().st_size // PAGE) * PAGE for path in folder.rglob("*") if path.is_file())


def key_of_the_authority(shop: Shop) -> bytes:
    with contextlib.closing(sqlite3.connect(shop.store)) as connection:
        (key,) = connection.execute("SELECT key FROM authority").fetchone()
    assert isinstance(key, bytes)
    return key
