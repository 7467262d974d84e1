"""Runs ``ipmpki build`` and kills it, or stops it, at the n-th time it touches the file system.

    python -m tests.faults.victim die N FILE       SIGKILL itself at the n-th event
    python -m tests.faults.victim count FILE       print how many there are
    python -m tests.faults.victim hold FILE        stop amid the work until a line comes in
    python -m tests.faults.victim watch FILE       umask 0; print whatever is too wide for an instant
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

EVENTS = ("open", "os.", "sqlite3.", "shutil.")
CALLS = frozenset({"open", "mkdir", "execute", "rename", "replace", "link", "rmdir", "unlink", "fchmod", "chmod"})


def main() -> None:
    """Do what the arguments say."""
    kind, *arguments, file = sys.argv[1:]
    if kind == "die":
        _build(file, _Counter(int(arguments[0])))
    elif kind == "count":
        counter = _Counter(None)
        status = _build(file, counter)
        sys.stdout.write(f"{counter.count}\n")
        sys.exit(status)
    elif kind == "hold":
        _hold(file)
    elif kind == "watch":
        _watch(file)


class _Counter:
    """Counts what is done to the site's files, before it is done."""

    def __init__(self, last: int | None) -> None:
        self.count = 0
        self._last = last

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(EVENTS) and self._is_ours(arguments):
            self.count += 1
            if self.count == self._last:
                os.kill(os.getpid(), signal.SIGKILL)

    @staticmethod
    def _is_ours(arguments: tuple[Any, ...]) -> bool:
        return bool(arguments) and any(
            mark in str(arguments[0]) for mark in ("dist", "pki.db", ".staging")
        )


def _build(file: str, hook: Any) -> int:
    from ipmpki import build, load

    sys.addaudithook(hook)
    build(load(file))
    return 0


def _hold(file: str) -> None:
    from ipmpki import build, load

    is_told = False

    def wait(work: str, done: int, _total: int) -> None:
        nonlocal is_told
        if not is_told and work == "issuing certificates" and done > 2:
            is_told = True
            sys.stdout.write("held\n")
            sys.stdout.flush()
            sys.stdin.readline()

    build(load(file), progress=wait)


def _watch(file: str) -> None:
    from ipmpki import build, load
    from tests.faults.ledger import too_wide_below

    os.umask(0)
    folder = Path(file).parent.absolute()
    found: dict[str, str] = {}
    looks = journals = 0
    is_looking = False

    def look(_frame: Any, event: str, function: Any) -> None:
        nonlocal looks, journals, is_looking
        if is_looking or event != "c_return" or function.__name__ not in CALLS:
            return
        is_looking = True
        looks += 1
        journals += (folder / "pki.db-journal").exists()
        for one in too_wide_below(folder):
            found.setdefault(one, function.__name__)
        is_looking = False

    project = load(file)
    sys.setprofile(look)
    try:
        build(project)
    finally:
        sys.setprofile(None)
    sys.stdout.write(f"{looks} {journals}\n")
    for one, where in found.items():
        sys.stdout.write(f"{one} (after {where})\n")


if __name__ == "__main__":
    main()
