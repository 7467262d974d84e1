"""How the command line speaks: colours only where a person sees them, faults and remedies on two lines.

The program's voice: say what is wrong, then what to do. No exclamation, no apology, no jargon that the
declaration does not use itself.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from typing import IO, TYPE_CHECKING

import click

from ipmpki.diagnostics.escape import visible, visible_but_colours, visible_lines

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


def say_exactly(text: str, *, coloured: bool = False) -> None:
    """Print text whose line ends and characters are those of a format, whatever the locale: UTF-8."""
    text = "\r\n".join(_fit(piece, coloured) for piece in text.split("\r\n"))  # a calendar's line ends
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None or sys.stdout.isatty():
        click.echo(text, nl=False, color=coloured)
        return
    sys.stdout.flush()
    stream.write(text.encode())
    stream.flush()


def say(text: str, *, coloured: bool = False) -> None:
    """Print a result, to stdout. ``coloured`` text was made visible before the colours came."""
    click.echo(_fit(text, coloured), nl=not text.endswith("\n"), color=coloured)


def tell(text: str, *, coloured: bool = False) -> None:
    """Tell a person what goes on, on stderr, where it disturbs no pipe; ``coloured`` as in ``say``."""
    with contextlib.suppress(OSError):  # nobody can be told that nobody can be told
        click.echo(_fit(text, coloured), err=True, nl=not text.endswith("\n"), color=coloured)


def _fit(text: str, coloured: bool) -> str:
    return visible_but_colours(text) if coloured else visible_lines(text)


def ask(words: str, *, twice: bool = False, may_be_empty: bool = False) -> str:
    """Ask for a passphrase, which is not shown; once more, where it must be given ``twice``."""
    asked: str = click.prompt(
        visible_lines(words),
        hide_input=True,
        confirmation_prompt=twice,
        default="" if may_be_empty else None,
        show_default=False,
        err=True,
    )
    return asked


def can_ask() -> bool:
    """Whether a person is there who reads what is asked, and can answer."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def confirm(words: str) -> bool:
    """Ask a question that only a clear yes answers with yes."""
    return click.confirm(visible_lines(words), default=False, err=True)


def say_error(message: str, remedy: str | None) -> None:
    """Print a failure: the fault, then what to do about it."""
    _tell_labelled("error", "red", message)
    if remedy:
        tell(f"  help: {visible(remedy)}")


def say_problem(message: str) -> None:
    """Print one of several things that are wrong; what to do about it follows on a line of its own."""
    _tell_labelled("problem", "red", message)


def say_warning(message: str) -> None:
    """Print what a person should look at, although nothing failed."""
    _tell_labelled("warning", "yellow", message)


def _tell_labelled(label: str, colour: str, message: str) -> None:
    """One line, whatever is quoted in it: nobody can put a further message below it."""
    is_coloured = wants_colour(sys.stderr)
    shown = click.style(label, fg=colour, bold=True) if is_coloured else label
    tell(f"{shown}: {visible(message)}", coloured=is_coloured)


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
