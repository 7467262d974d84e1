"""Kills work in the middle, in a process of its own that is a copy of the test's."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from typing import TYPE_CHECKING, Any

from tests.faults.victim import is_ours

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def killed_at(touch: int, work: Callable[[], object]) -> bool:
    """Do the work in a process that is killed at its n-th touch; false where it ended before that."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # the parent's threads are not the child's concern
        child = os.fork()
    if child == 0:
        _die_at(touch)
        try:
            work()
        except BaseException:  # noqa: BLE001 -- the child must not go on as a second test
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "a build failed by itself"
    return os.WIFSIGNALED(status)


def _die_at(touch: int) -> None:
    """At the n-th time that a file is opened or changed, or that SQLite is given or has done a statement."""
    left = touch

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if is_ours(event, arguments):
            count()

    def profile(_frame: FrameType, event: str, function: Any) -> None:
        if event in {"c_call", "c_return"} and getattr(function, "__name__", "") in {
            "execute",
            "executemany",
        }:
            count()

    sys.addaudithook(hook)
    sys.setprofile(profile)
