"""Runs ``ipmpki build`` such that it can be hit at a chosen moment.

python -m tests.faults.victim die N FILE    SIGKILL itself when it touches the site for the n-th time
python -m tests.faults.victim tell FILE     say so when it is about to open the store for writing
python -m tests.faults.victim hold FILE     stop amid the work until a line comes in
python -m tests.faults.victim watch FILE    umask 0; print whatever is too wide, even for an instant
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

EVENTS = ("open", "os.", "sqlite3.", "shutil.")
OURS = ("/dist", "pki.db", "pki.db.lock")
CALLS = frozenset(
    {
        "open",
        "mkdir",
        "execute",
        "executemany",
        "rename",
        "replace",
        "link",
        "rmdir",
        "unlink",
        "fchmod",
        "chmod",
    }
)
"""The functions, all of C, after which the watcher looks around."""


def main() -> None:
    """Do what the arguments say."""
    kind, *arguments, file = sys.argv[1:]
    if kind == "die":
        _die_at(int(arguments[0]))
        _build(file)
    elif kind == "tell":
        _tell_of_store()
        _build(file)
    elif kind == "hold":
        _hold(file)
    elif kind == "watch":
        _watch(file)


def _build(file: str) -> None:
    from ipmpki.cli.main import run

    run(["build", file])


def _die_at(last: int) -> None:
    count = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if is_ours(event, arguments):
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def is_ours(event: str, arguments: tuple[Any, ...]) -> bool:
    if not event.startswith(EVENTS) or not arguments:
        return False
    path = str(arguments[0])
    return path.endswith(OURS) or any(mark in path for mark in ("/dist/", ".dist.staging"))


def _tell_of_store() -> None:
    is_told = False

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal is_told
        if not is_told and event == "open" and str(arguments[0]).endswith("pki.db.lock"):
            is_told = True
            os.write(1, b"opening\n")

    sys.addaudithook(hook)


def _hold(file: str) -> None:
    from ipmpki.operations.build import build
    from ipmpki.operations.load import load

    is_told = False

    def wait(work: str, done: int, _total: int) -> None:
        nonlocal is_told
        if not is_told and work == "issuing certificates" and done > 2:
            is_told = True
            os.write(1, b"held\n")
            sys.stdin.readline()

    build(load(file), progress=wait)


def _watch(file: str) -> None:
    from ipmpki.operations.build import build
    from ipmpki.operations.load import load
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
