"""``ipmpki check --fix`` and ``--diff``: fixes are written to the files, or shown."""

from __future__ import annotations

import difflib
import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.diagnostics.escape import visible_lines
from ipmpki.diagnostics.wording import counted
from ipmpki.source import files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.diagnostics.problem import LocatedProblem
    from ipmpki.operations.draft import Draft


def make_fixes(path: Path) -> None:
    """Write every fix to the declaration and its included files, each whole or not at all, and say so."""
    from ipmpki.operations.draft import open_draft
    from ipmpki.operations.fix import fix
    from ipmpki.source.write_file import save

    draft = open_draft(path)
    fixed = fix(draft, datetime.now(UTC))
    for name, before, after in _changed(draft, fixed.draft):
        applied = [one for one in fixed.applied if one.problem.place.file == name]
        save(Path(name), before, after)
        console.tell(f"{name}: {counted(len(applied), 'problem')} fixed")
        for one in applied:
            console.tell(f"  {_told(one)}")


def show_fixes(path: Path) -> None:
    """Print what the fixes would change, as a unified diff; passphrases in it are starred out."""
    from ipmpki.operations.draft import open_draft
    from ipmpki.operations.fix import fix

    draft = open_draft(path)
    fixed = fix(draft, datetime.now(UTC))
    for name, before, after in _changed(draft, fixed.draft):
        for line in _diff(name, before, after):
            _say_line(f"{line}\n")
    left = len(fixed.problems)
    mended, others = counted(len(fixed.applied), "problem"), counted(left, "problem")
    if fixed.applied:
        console.tell(f"--fix would mend {mended}" + (f"; {others} would be left" if left else ""))
    else:
        console.tell("there is nothing that --fix could mend" + (f" of {others}" if left else ""))


def _changed(draft: Draft, fixed: Draft) -> Iterator[tuple[str, bytes, bytes]]:
    """The files that differ, by name, with their bytes before and after."""
    before = draft.contents
    for name, after in fixed.contents.items():
        # A file that a mended include brought in is not in the first draft.
        old = before[name] if name in before else files.read_file(Path(name), what="the included file")
        if old != after:
            yield name, old, after


def _told(one: LocatedProblem) -> str:
    span = one.label.span
    where = f"line {span.start.line}: " if span else ""
    done = one.fix.message if one.fix else ""
    return f"{where}{one.problem.message} -> {done}"


def _diff(name: str, before: bytes, after: bytes) -> Iterator[str]:
    from ipmpki.diagnostics.problem import Place
    from ipmpki.source.secrets import without_secrets

    def lines(content: bytes) -> list[str]:
        return list(io.StringIO(content.decode("utf-8").removeprefix("\ufeff"), newline="\n"))

    for line in difflib.unified_diff(lines(before), lines(after), name, name):
        text = line.removesuffix("\n")
        yield without_secrets(text, Place(name))
        if text == line:
            yield "\\ No newline at end of file"


_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def _say_line(line: str) -> None:
    if console.wants_colour(sys.stdout):
        console.say(click.style(visible_lines(line), fg=_COLOURS.get(line[:1])), coloured=True)
    else:
        console.say(line)


__all__ = ["make_fixes", "show_fixes"]
