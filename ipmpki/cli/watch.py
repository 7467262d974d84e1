"""``ipmpki check --watch``: the problems of a declaration, kept up to date on the terminal."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.problems import show_check
from ipmpki.diagnostics.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.diagnostics.fault import Fault
    from ipmpki.operations.project import Project
    from ipmpki.operations.watch import Followed


def follow_file(path: Path) -> int:
    """Check a declaration at each change until Ctrl-C, which is how it is meant to end: status 0."""
    from ipmpki.diagnostics.fault import Fault
    from ipmpki.operations.watch import follow

    def show(result: Project | Fault, followed: Followed) -> None:
        if sys.stderr.isatty() and sys.stdout.isatty():
            click.clear()
        if isinstance(result, Fault):
            console.say_error(result.message, result.remedy)
        else:
            show_check(result, str(path))
        others = sum(state is not None for state in followed.state().values()) - 1
        more = f" and {counted(others, 'more file')}" if others > 0 else ""
        console.tell(f"\n{datetime.now():%H:%M:%S} watching {path}{more}; Ctrl-C ends it")  # noqa: DTZ005 -- the wall's

    try:
        follow(path, show)
    except KeyboardInterrupt:
        console.tell("")
    return 0


__all__ = ["follow_file"]
