"""How the command line speaks: colours only where a person sees them, faults and remedies on two lines.

The program's voice: say what is wrong, then what to do. No exclamation, no apology, no jargon that the
declaration does not use itself.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import time
from typing import IO, TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.issue.context import Progress

PATIENCE_SECONDS = 0.5
"""Work that takes longer than this shows how far it is."""
REDRAWN_AFTER_SECONDS = 0.1


def wants_colour(stream: IO[str]) -> bool:
    """Whether to colour what goes to a stream: only on a terminal, and never with NO_COLOR (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def terminal_width() -> int | None:
    """The width of the terminal that stderr is, or None where it is no terminal."""
    return shutil.get_terminal_size().columns if sys.stderr.isatty() else None


def output_width() -> int | None:
    """The width of the terminal that stdout is, or None where it is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def can_show(text: str) -> bool:
    """Whether stdout's character set has every character of a text."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True


_DRIVES = re.compile(r"(\x1b\[[0-9;]*m|\r(?=\n))|([^\n\t -~])")
"""Colours and underlines, which the program sets itself, line ends of a calendar, and what is not ASCII."""


def harmless(text: str) -> str:
    """Text that cannot drive a terminal nor turn its writing about, whoever wrote what is quoted in it.

    What a person could not see is shown as it would be written in a program: ``\\x1b``, ``\\u202e``.
    """
    return text if text.isascii() and text.isprintable() else _DRIVES.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    character = found[0]
    if found[1] or character.isprintable() or character == "\N{NO-BREAK SPACE}":
        return character
    code = ord(character)
    if code <= 0x7F:  # noqa: PLR2004 -- C0 and DEL
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 -- the basic plane


def say_exactly(text: str) -> None:
    """Print text whose line ends and characters are those of a format, whatever the locale: UTF-8."""
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None or sys.stdout.isatty():
        click.echo(harmless(text), nl=False, color=wants_colour(sys.stdout))
        return
    sys.stdout.flush()
    stream.write(text.encode())
    stream.flush()


def say(text: str) -> None:
    """Print a result, to stdout."""
    click.echo(harmless(text), nl=not text.endswith("\n"), color=wants_colour(sys.stdout))


def tell(text: str) -> None:
    """Tell a person what goes on, on stderr, where it disturbs no pipe."""
    with contextlib.suppress(OSError):  # nobody can be told that nobody can be told
        click.echo(harmless(text), err=True, nl=not text.endswith("\n"), color=wants_colour(sys.stderr))


def say_error(message: str, remedy: str | None) -> None:
    """Print a failure: the fault, then what to do about it."""
    label = click.style("error", fg="red", bold=True) if wants_colour(sys.stderr) else "error"
    tell(f"{label}: {message}")
    if remedy:
        tell(f"  help: {remedy}")


def say_problem(message: str) -> None:
    """Print one of several things that are wrong; what to do about it follows on a line of its own."""
    label = click.style("problem", fg="red", bold=True) if wants_colour(sys.stderr) else "problem"
    tell(f"{label}: {message}")


def say_warning(message: str) -> None:
    """Print what a person should look at, although nothing failed."""
    label = click.style("warning", fg="yellow", bold=True) if wants_colour(sys.stderr) else "warning"
    tell(f"{label}: {message}")


@contextlib.contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress bar on a terminal, once the work has taken half a second; silence elsewhere.

    It is drawn when it is told something, by no thread of its own: a build's workers are copies of this
    process, and beside a thread none are made.
    """
    if not sys.stderr.isatty():
        yield lambda _work, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    begun = drawn = time.monotonic()
    console = Console(stderr=True, no_color=not wants_colour(sys.stderr))
    bars = Bars(console=console, transient=True, auto_refresh=False)
    tasks: dict[str, object] = {}

    def show(work: str, done: int, total: int) -> None:
        nonlocal drawn
        now = time.monotonic()
        if now - begun < PATIENCE_SECONDS or (now - drawn < REDRAWN_AFTER_SECONDS and done != total):
            return
        drawn = now
        if not tasks:
            bars.start()
        if work not in tasks:
            tasks[work] = bars.add_task(work, total=total or None)  # a bar that moves to and fro
        bars.update(tasks[work], completed=done, refresh=True)  # type: ignore[arg-type]  # rich's TaskID is a NewType of int

    try:
        yield show
    finally:
        if tasks:
            bars.stop()
