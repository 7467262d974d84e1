"""Share out repeatable work among processes, one a core.

Threads would not help where work is many short calls into the system with Python in between, as publishing
is: after each call a thread waits for the interpreter. A worker is a copy of this process, so it has all it
needs and only results travel. It is never more than one item ahead of its parent's death, and whatever it
did not report, because it was killed or failed, is done here: there a failure is told as always.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

Item = TypeVar("Item")
Result = TypeVar("Result")

FEWEST = 400
"""Below so many items a worker takes longer to come into being than it saves."""
MOST_WORKERS = 8
PIPE_BYTES = 1 << 20
"""Hundreds of results: what Linux lets a user's pipe hold at most, where nobody changed that."""
REPORTED_AT_ONCE = 32
REPORTED_AFTER_SECONDS = 0.25
"""How long a worker keeps what it has done: that is lost with it."""


def usable_cores() -> int:
    """How many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def spread(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Iterator[Result]]:
    """The result of each item's work, in any order; the workers have begun when the block does.

    The work may be done twice for an item, never at the same time; what it changes in this process's memory
    is lost. The results raise what the work raises.
    """
    if not can_spread(len(items)):
        yield map(work, items)
        return
    workers = _workers()
    shares = [_Share(items[first::workers]) for first in range(workers)]
    try:
        for share in shares:
            _start(work, share, shares)
        yield _results(work, shares)
    finally:
        for share in shares:
            share.end()


def can_spread(count: int) -> bool:
    """Whether so many items would be shared out among workers."""
    return count >= FEWEST and _workers() > 1 and _can_copy()


def _workers() -> int:
    return min(usable_cores(), MOST_WORKERS)


def _can_copy() -> bool:
    """Whether a copy of this process (fork) is sound.

    It has the calling thread alone: a lock that another one holds stays locked in it. Systems other than
    Linux have libraries of their own that do not survive it.
    """
    return sys.platform == "linux" and threading.active_count() == 1


@dataclass
class _Share(Generic[Item]):
    """The items of one worker, and how many of them it has reported; no process where none could be made."""

    items: Sequence[Item]
    reported: int = 0
    process: ForkProcess | None = None
    results: Connection | None = None

    def take(self) -> list[Any] | None:
        """What the worker reports next; None when it has ended."""
        assert self.results is not None  # noqa: S101 -- asked only of those that have a worker
        try:
            done: list[Any] = self.results.recv()
        except (EOFError, OSError):
            return None
        self.reported += len(done)
        return done

    def end(self) -> None:
        """Wait for the worker, which ends when nobody takes its results any more."""
        if self.results is not None:
            self.results.close()
        if self.process is not None:
            self.process.join()


def _start(work: Callable[[Item], Result], share: _Share[Item], shares: Sequence[_Share[Item]]) -> None:
    import multiprocessing

    context = multiprocessing.get_context("fork")
    share.results, reports = context.Pipe(duplex=False)
    _widen(reports)
    # A pipe breaks when its last reader is gone: a worker must hold none, neither its own nor another's.
    readers = [one.results for one in shares if one.results is not None]
    process = context.Process(target=_work_off, args=(work, share.items, reports, readers, os.getpid()))
    # An interrupt from the keyboard goes to all processes; the parent alone acts upon it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with contextlib.suppress(OSError):  # no room for another process
            process.start()
            share.process = process
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        reports.close()


def _widen(pipe: Connection) -> None:
    """Let a worker go on while its parent is busy, such as waiting for the disk."""
    import fcntl

    with contextlib.suppress(OSError):  # above what the system allows this user in all
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _work_off(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    reports: Connection,
    readers: Sequence[Connection],
    parent: int,
) -> None:
    """What a worker does: one item after the other, for as long as its parent lives."""
    gc.disable()  # it would write to every page that is shared with the parent, for the little that is new
    for reader in readers:
        reader.close()
    done: list[Result] = []
    reported = time.monotonic()
    with contextlib.suppress(Exception):  # the parent comes upon the same, and tells it
        for item in items:
            if os.getppid() != parent:
                return
            done.append(work(item))
            if len(done) == REPORTED_AT_ONCE or time.monotonic() - reported > REPORTED_AFTER_SECONDS:
                reports.send(done)
                done, reported = [], time.monotonic()
    with contextlib.suppress(OSError):
        reports.send(done)


def _results(work: Callable[[Item], Result], shares: Sequence[_Share[Item]]) -> Iterator[Result]:
    """What the workers report, until all have ended; then what they left undone."""
    from multiprocessing.connection import wait

    waiting = [share for share in shares if share.results is not None]
    while waiting:
        ready = wait([share.results for share in waiting if share.results is not None])
        for share in [share for share in waiting if share.results in ready]:
            done = share.take()
            if done is None:
                waiting.remove(share)
            else:
                yield from done
    for share in shares:
        yield from map(work, share.items[share.reported :])
