"""Runs ``ipmpki`` such that it is killed when it touches the working folder for the n-th time.

python -m tests.keeping.mortal N COMMAND…
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

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event.startswith(EVENTS) and arguments and _is_ours(str(arguments[0]), folder):
            count += 1
            if count == int(number):
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    from ipmpki.cli.main import run

    run(command)


def _is_ours(path: str, folder: str) -> bool:
    return path.startswith(folder) or "pki.db" in path or "pki.backup" in path


if __name__ == "__main__":
    main()
