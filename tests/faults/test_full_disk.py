"""The disk is full at every point of a build in turn: a clear error, nothing half, and room mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.fleets import Fleet
from tests.faults.ledger import Ledger
from tests.faults.mounts import remount, tmpfs
from tests.faults.running import ipmpki

if TYPE_CHECKING:
    from pathlib import Path

ROOM = 8 * 1024 * 1024
PAGE = 4096
CLIENTS = 6


def _used(folder: Path) -> int:
    """What a file system in memory takes for the files below a folder: whole pages."""
    return sum(-(-path.stat().st_size // PAGE) * PAGE for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def needed(tmp_path_factory: pytest.TempPathFactory) -> int:
    """The bytes that a whole build of the fleet takes."""
    folder = tmp_path_factory.mktemp("measured")
    Fleet.of(CLIENTS).write(folder)
    assert ipmpki(folder, "build").status == 0
    return _used(folder)


def _try(ledger: Ledger, room: int) -> bool:
    """Build with so much room left; whether it was enough. If not, nothing is half there."""
    remount(ledger.folder.parent, f"size={_used(ledger.folder.parent) + room}")
    outcome = ipmpki(ledger.folder, "build")
    if outcome.status != 0:
        outcome.failed("no room left on the disk")
    ledger.judge_all()
    remount(ledger.folder.parent, f"size={ROOM}")
    return outcome.status == 0


FEW = (0, 2, 12, 35, 60, 85)
MANY = tuple(range(0, 104, 3))


@pytest.mark.parametrize(
    "percents",
    [FEW[::2], FEW[1::2], *(pytest.param(MANY[n::4], marks=pytest.mark.exhaustive) for n in range(4))],
)
def test_a_first_build_on_a_full_disk(tmp_path: Path, needed: int, percents: tuple[int, ...]) -> None:
    with tmpfs(tmp_path / "disk", f"size={ROOM}") as disk:
        for percent in percents:
            ledger = Ledger(disk / f"site{percent}")
            ledger.folder.mkdir()
            fleet = Fleet.of(CLIENTS)
            fleet.write(ledger.folder)
            was_enough = _try(ledger, needed * percent // 100)
            assert was_enough == (percent > 100) or percent > 90, percent
            ledger.finish(fleet)


def test_a_later_build_on_a_full_disk(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", f"size={ROOM}") as disk:
        ledger = Ledger(disk / "site")
        ledger.folder.mkdir()
        fleet = Fleet.of(CLIENTS)
        fleet.write(ledger.folder)
        ledger.finish(fleet)
        failed = 0
        for room in (0, 8, 40, 100):
            fleet.rename(sorted(fleet.aliases)[::2])
            fleet.add(1)
            fleet.write(ledger.folder)
            failed += not _try(ledger, room * 1024)
            ledger.finish(fleet)
        assert failed >= 2


def test_a_disk_out_of_inodes(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", f"size={ROOM},nr_inodes=40") as disk:
        ledger = Ledger(disk / "site")
        ledger.folder.mkdir()
        fleet = Fleet.of(CLIENTS)
        fleet.write(ledger.folder)
        ipmpki(ledger.folder, "build").failed("no room left on the disk")
        ledger.judge_all()
        remount(disk, "nr_inodes=4000")
        ledger.finish(fleet)
