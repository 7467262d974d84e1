"""Runs ``ipmpki`` such that it is killed as it touches the working folder or a database for the n-th time.

python -m tests.operations.mortal N COMMAND…
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

EVENTS = ("open", "os.", "sqlite3.", "shutil.")


def main() -> None:
    """Do what the arguments say."""
    number, *command = sys.argv[1:]
    folder = os.getcwd()  # noqa: PTH109 -- as text
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(EVENTS) and arguments and _is_ours(str(arguments[0]), folder):
            step()

    def profile(_frame: Any, event: str, function: Any) -> None:
        if event == "c_return" and function.__name__ in {"execute", "executemany", "backup"}:
            step()

    sys.addaudithook(hook)
    sys.setprofile(profile)
    from ipmpki.cli.main import run

    run(command)


def _is_ours(path: str, folder: str) -> bool:
    return path.startswith(folder) or "pki.db" in path or "pki.backup" in path


if __name__ == "__main__":
    main()
