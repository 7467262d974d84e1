"""Problems for people, as compilers show them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.diagnostics.escape import escaped, visible
from ipmpki.diagnostics.problem import Severity, tally
from ipmpki.diagnostics.wording import counted
from ipmpki.render.problems.fold import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipmpki.diagnostics.problem import Label, LocatedProblem, Tally

USUAL_WIDTH = 120
"""Columns for excerpts where no width is told; messages are then not wrapped."""

_NARROWEST = 40
_TAB = 4
_MOST_LINES = 4
"""A longer stretch is shown by its first and last lines."""
_MOST_PLACES = 20
"""Further places of one mistake that are listed; nobody reads more before mending the first."""


def render_text(
    problems: Sequence[LocatedProblem],
    *,
    width: int | None = None,
    colour: bool = False,
    distinct: bool = False,
) -> str:
    """Problems with their source lines, as compilers show them, and a line that counts them.

    With ``width``, messages are wrapped and excerpts cut to that many columns. Without the colours the text
    is the same. ``distinct`` underlines each severity with a sign of its own, for people who scan many
    excerpts and see no colours; else all are underlined alike.
    """
    page = _Page(max(width, _NARROWEST) if width is not None else None, colour=colour, distinct=distinct)
    blocks = ["\n".join(page.block(one.shown, one.others)) + "\n" for one in fold(problems)]
    return "\n".join([*blocks, page.count(tally(one.problem for one in problems)) + "\n"])


def summary(counts: Tally) -> str:
    """``2 errors, 1 warning``; ``no problems``."""
    parts = [
        counted(number, severity)
        for number, severity in (
            (counts.errors, "error"),
            (counts.warnings, "warning"),
            (counts.infos, "info"),
        )
        if number
    ]
    return ", ".join(parts) or "no problems"


_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.INFO: "1;36"}
_SIGNS = {Severity.ERROR: "^", Severity.WARNING: "~", Severity.INFO: "."}
_RELATED = "-"
_BOLD = "1"
_FRAME = "1;34"


@dataclass(frozen=True, slots=True)
class _Mark:
    """One line's underlining: a source line, the columns (from 0, end exclusive) and what to say there."""

    number: int
    line: str
    start: int
    end: int
    sign: str
    message: str


class _Page:
    """Draws problems for one width, with or without colours."""

    def __init__(self, width: int | None, *, colour: bool, distinct: bool) -> None:
        self._width = width
        self._colour = colour
        self._distinct = distinct

    def count(self, counts: Tally) -> str:
        worst = Severity.ERROR if counts.errors else Severity.WARNING if counts.warnings else Severity.INFO
        return self._paint(summary(counts), _COLOURS[worst] if any((counts.errors, counts.warnings)) else "")

    def block(self, located: LocatedProblem, others: Sequence[LocatedProblem] = ()) -> Iterator[str]:
        """A problem's lines; ``others`` are of the same kind, and their places listed below."""
        problem, label = located.problem, located.label
        colour = _COLOURS[problem.severity]
        head = f"{problem.severity}[{problem.rule}]"
        first, *rest = self._wrapped(visible(problem.message), f"{head}: ")
        yield self._paint(head, colour) + self._paint(first.removeprefix(head), _BOLD)
        yield from (self._paint(line, _BOLD) for line in rest)
        labels = [one for one in (label, *located.related) if one.span is not None]
        gutter = max(
            [len(str(one.span.end.line)) for one in labels if one.span is not None and one.lines], default=1
        )
        arrow = self._paint("-->", _FRAME)
        where = f":{label.span.start.line}:{label.span.start.column}" if label.span else ""
        yield f"{' ' * gutter}{arrow} {visible(label.file)}{where}"
        yield from self._excerpts(located, gutter, colour)
        if problem.help is not None:
            yield from self._note("help", problem.help, gutter)
        if located.fix is not None:
            yield from self._note("fix available", f"ipmpki check --fix ({located.fix.message})", gutter)
        if others:
            yield from self._note("also in", counted(len(others), "more place"), gutter)
            yield from self._places(others, gutter + 3)

    def _note(self, title: str, text: str, gutter: int) -> Iterator[str]:
        head = f"= {title}:"
        first, *rest = self._wrapped(visible(text), f"{' ' * (gutter + 1)}{head} ")
        bar, _, words = first.partition(head)
        yield f"{bar}{self._paint(head, _FRAME)}{words}"
        yield from rest

    def _places(self, others: Sequence[LocatedProblem], indent: int) -> Iterator[str]:
        rows = [(_where(one.label), visible(marked_text(one.label))) for one in others[:_MOST_PLACES]]
        width = max(columns(where) for where, _ in rows)
        for where, text in rows:
            line = f"{' ' * indent}{where}{' ' * (width - columns(where))}  {text}".rstrip()
            yield line if self._width is None else _cut(line, self._width)
        if len(others) > _MOST_PLACES:
            left = len(others) - _MOST_PLACES
            yield f"{' ' * indent}and {left} more; with --format json, every one is told by itself"

    def _excerpts(self, located: LocatedProblem, gutter: int, colour: str) -> Iterator[str]:
        """The lines of the problem's own file first, related places among them; other files after."""
        own = located.label.file
        bar = self._paint("|", _FRAME)
        sign = _SIGNS[located.problem.severity if self._distinct else Severity.ERROR]
        here = [_marks(located.label, sign)] if located.label.span else []
        here.extend(_marks(one, _RELATED) for one in located.related if one.file == own and one.span)
        marks = sorted((mark for group in here for mark in group), key=lambda mark: (mark.number, mark.start))
        if marks:
            yield f"{' ' * gutter} {bar}"
            yield from self._draw(marks, gutter, colour)
        for label in located.related:
            if label.file == own or label.span is None:
                continue
            arrow = self._paint(":::", _FRAME)
            start = label.span.start
            yield f"{' ' * gutter}{arrow} {visible(label.file)}:{start.line}:{start.column}"
            if label.lines:
                yield f"{' ' * gutter} {bar}"
                yield from self._draw(list(_marks(label, _RELATED)), gutter, colour)

    def _draw(self, marks: list[_Mark], gutter: int, colour: str) -> Iterator[str]:
        bar = self._paint("|", _FRAME)
        previous: int | None = None
        for mark in marks:
            if previous is not None and mark.number > previous + 1:
                yield self._paint("...", _FRAME)
            room = (self._width or USUAL_WIDTH) - gutter - 3
            shown, before, under = _fit(mark, room)
            if mark.number != previous:
                number = self._paint(f"{mark.number:>{gutter}}", _FRAME)
                yield f"{number} {bar} {shown}".rstrip()
            previous = mark.number
            if under == 0:
                continue
            paint = _FRAME if mark.sign == _RELATED else colour
            text = f"{mark.sign * under} {visible(mark.message)}".rstrip()
            yield f"{' ' * gutter} {bar} {' ' * before}{self._paint(text, paint)}"

    def _wrapped(self, text: str, lead: str) -> list[str]:
        """The text behind its lead, broken between words where it would pass the width."""
        if self._width is None:
            return [lead + text]
        indent = " " * min(len(lead), self._width // 3)
        lines = [lead]
        room = self._width - columns(lead)
        for word in text.split():
            is_first = lines[-1] in {lead, indent}
            needed = columns(word) + (0 if is_first else 1)
            if needed > room and not is_first:
                lines.append(indent)
                room, needed, is_first = self._width - len(indent), columns(word), True
            lines[-1] += word if is_first else f" {word}"
            room -= needed
        return lines

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and code and text else text


def _where(label: Label) -> str:
    start = f":{label.span.start.line}:{label.span.start.column}" if label.span else ""
    return f"{visible(label.file)}{start}"


def marked_text(label: Label) -> str:
    """What stands at a place, of several lines the first."""
    if label.span is None or not label.lines or label.span.start == label.span.end:
        return ""
    is_one_line = label.span.start.line == label.span.end.line
    last = label.span.end.column - 1 if is_one_line else None
    return label.lines[0][label.span.start.column - 1 : last]


def _cut(line: str, width: int) -> str:
    if columns(line) <= width:
        return line
    while columns(line) > width - 1:
        line = line[:-1]
    return f"{line}…"


def _marks(label: Label, sign: str) -> Iterator[_Mark]:
    """The underlining of each line a label stands on; of a long stretch, of its ends."""
    span = label.span
    if span is None or span.start == span.end:
        return
    last = span.start.line + len(label.lines) - 1
    for number, line in enumerate(label.lines, start=span.start.line):
        if len(label.lines) > _MOST_LINES and span.start.line + 1 < number < last:
            continue
        start = span.start.column - 1 if number == span.start.line else len(line) - len(line.lstrip())
        end = span.end.column - 1 if number == span.end.line else len(line.rstrip())
        if end <= start and number != span.start.line:
            continue
        yield _Mark(number, line, start, max(end, start + 1), sign, label.message if number == last else "")


def _fit(mark: _Mark, room: int) -> tuple[str, int, int]:
    """A source line cut to the room there is: its text, the columns before the underlining, and under it."""
    cells = [_cell(character, mark.line, index) for index, character in enumerate(mark.line)]
    widths = [columns(cell) for cell in cells]
    first, last = 0, len(cells)
    if sum(widths) > room:
        first, last = _window(widths, mark.start, min(mark.end, len(cells)), room)
    left, right = "…" if first > 0 else "", "…" if last < len(cells) else ""
    start, end = max(mark.start, first), max(min(mark.end, last), first)
    before = len(left) + sum(widths[first:start])
    # One column for an underlining behind the line's end, where something is missing.
    under = sum(widths[start:end]) + (1 if mark.end > len(cells) else 0)
    return left + "".join(cells[first:last]) + right, before, max(under, 1)


def _window(widths: list[int], start: int, end: int, room: int) -> tuple[int, int]:
    """The stretch of a long line to show: the marked one, with as much around it as there is room for."""
    room -= 2  # an ellipsis at either end
    first = min(start, len(widths))
    last, used = first, 0
    while last < len(widths) and used + widths[last] <= room and (last < end or used < room * 2 // 3):
        used += widths[last]
        last += 1
    while first > 0 and used + widths[first - 1] <= room:
        first -= 1
        used += widths[first]
    while last < len(widths) and used + widths[last] <= room:
        used += widths[last]
        last += 1
    return first, last


def _cell(character: str, line: str, index: int) -> str:
    """What is shown for a character; tabs go to the next stop, as the caret must stand right below."""
    if character == "\t":
        return " " * _TAB
    if character == "\u200d" or unicodedata.category(character) in {"Mn", "Me"}:
        # A mark joins the letter before it; at the start of a line there is none to join.
        joins = index and character != "\u200d" and line[index - 1] != "\t"
        return visible(character) if joins else escaped(character)
    return visible(character)


def columns(text: str) -> int:
    """How many columns a text takes on a terminal: East Asian wide ones two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(character) in {"Mn", "Me"}
        else 2
        if unicodedata.east_asian_width(character) in {"W", "F"}
        else 1
        for character in text
    )
