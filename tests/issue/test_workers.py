"""Work that is shared out among processes: all of it is done, whatever becomes of a worker."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipmpki.issue import workers
from ipmpki.issue.workers import FEWEST, spread

if TYPE_CHECKING:
    from collections.abc import Callable

ITEMS = range(FEWEST + 37)


@pytest.fixture(autouse=True)
def two_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers on any machine, and beside the threads that a test runner has."""
    monkeypatch.setattr(workers, "usable_cores", lambda: 2)
    monkeypatch.setattr(workers, "_can_copy", lambda: sys.platform == "linux")


def done(work: Callable[[int], int], items: range = ITEMS) -> list[int]:
    with spread(work, items) as results:
        return sorted(results)


def test_every_item_has_its_result() -> None:
    assert done(lambda item: item * item) == [item * item for item in ITEMS]


@pytest.mark.skipif(sys.platform != "linux", reason="workers are copies of the process on Linux alone")
def test_the_work_is_done_by_two_other_processes() -> None:
    found = set(done(lambda _item: os.getpid()))
    assert len(found) == 2
    assert os.getpid() not in found


def test_a_few_items_are_not_worth_a_process() -> None:
    assert set(done(lambda _item: os.getpid(), range(FEWEST - 1))) == {os.getpid()}


def test_beside_another_thread_no_process_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        assert set(done(lambda _item: os.getpid())) == {os.getpid()}
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("dies_at", [0, 1, 40, len(ITEMS) - 1])
def test_what_a_killed_worker_did_not_report_is_done_here(dies_at: int) -> None:
    here = os.getpid()

    def work(item: int) -> int:
        if item == dies_at and os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    assert done(work) == list(ITEMS)


def test_where_no_process_can_be_made_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def fork() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)
    assert set(done(lambda _item: os.getpid())) == {os.getpid()}


def test_a_failure_is_told_here_and_by_no_worker(capfd: pytest.CaptureFixture[str]) -> None:
    def work(item: int) -> int:
        if item == 100:
            raise OSError(28, "No space left on device")
        return item

    with pytest.raises(OSError, match="No space left"):
        done(work)
    assert capfd.readouterr() == ("", "")


def test_what_is_left_early_ends_the_workers(tmp_path: Path) -> None:
    def work(item: int) -> int:
        time.sleep(0.002)
        (tmp_path / str(item)).touch()
        return item

    with spread(work, range(100_000)) as results:
        next(results)
    count = len(list(tmp_path.iterdir()))
    assert count < 1_000
    time.sleep(0.05)
    assert len(list(tmp_path.iterdir())) == count


@pytest.mark.skipif(sys.platform != "linux", reason="workers are copies of the process on Linux alone")
def test_workers_end_with_their_parent_though_nobody_reads_what_they_report(tmp_path: Path) -> None:
    def work(item: int) -> str:
        (tmp_path / f"pid-{os.getpid()}").touch()
        time.sleep(0.001)
        return str(item) * 10_000  # more than a pipe holds

    parent = os.fork()
    if parent == 0:
        with spread(work, range(100_000)) as results:
            next(results)
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(parent, 0)
    pids = [int(path.name.partition("-")[2]) for path in tmp_path.iterdir()]
    assert len(pids) == 2
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, "a worker outlives its parent"
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="workers are copies of the process on Linux alone")
def test_an_interrupt_from_the_keyboard_is_the_parents_alone(capfd: pytest.CaptureFixture[str]) -> None:
    here = os.getpid()

    def work(item: int) -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGINT)
        return item

    assert done(work) == list(ITEMS)
    assert capfd.readouterr() == ("", "")
