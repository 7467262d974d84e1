"""Small file systems of a test's own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.tools import unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def tmpfs(place: Path, options: str) -> Iterator[Path]:
    """A file system in memory, mounted at ``place``; it takes root, so that it is skipped on a laptop."""
    place.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"mode=0755,{options}", "ipmpki-test", str(place))
    try:
        yield place
    finally:
        _run("umount", "-l", str(place))


def remount(place: Path, options: str) -> None:
    """Mount it again with other options, such as another size or ``ro``."""
    _run("mount", "-o", f"remount,{options}", str(place))


def _run(*command: str) -> None:
    reason = ""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        reason = "root, who alone may mount a file system,"
    elif shutil.which(command[0]) is None:
        reason = command[0]
    else:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = f"{' '.join(command)}: {done.stderr.strip()}"
    if reason:
        unavailable(reason)
