"""Problems for people (text), programs (json, sarif) and continuous integration (github)."""

from __future__ import annotations

import json
import textwrap
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as quote_url

from ipmpki import __version__
from ipmpki.diagnostics import Position, Severity, Span, tally
from ipmpki.rules.registry import registered
from ipmpki.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ipmpki.diagnostics import Label, LocatedProblem, Tally
    from ipmpki.outputs import PositionOutput, ProblemOutput, ProblemsOutput, RelatedOutput

# --- Text -------------------------------------------------------------------------------------------

USUAL_WIDTH = 120
"""Columns for excerpts where no width is told; messages are then not wrapped."""

_NARROWEST = 40
_TAB = 4
_MOST_LINES = 4
"""A longer stretch is shown by its first and last lines."""


def render_text(problems: Sequence[LocatedProblem], *, width: int | None = None, colour: bool = False) -> str:
    """Problems with their source lines, as compilers show them, and a line that counts them.

    With ``width``, messages are wrapped and excerpts cut to that many columns. Without the colours the text
    is the same.
    """
    page = _Page(max(width, _NARROWEST) if width is not None else None, colour=colour)
    blocks = ["\n".join(page.block(problem)) + "\n" for problem in problems]
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

    def __init__(self, width: int | None, *, colour: bool) -> None:
        self._width = width
        self._colour = colour

    def count(self, counts: Tally) -> str:
        worst = Severity.ERROR if counts.errors else Severity.WARNING if counts.warnings else Severity.INFO
        return self._paint(summary(counts), _COLOURS[worst] if any((counts.errors, counts.warnings)) else "")

    def block(self, located: LocatedProblem) -> Iterator[str]:
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
            first, *rest = self._wrapped(visible(problem.help), f"{' ' * (gutter + 1)}= help: ")
            bar, _, text = first.partition("= help:")
            yield f"{bar}{self._paint('= help:', _FRAME)}{text}"
            yield from rest

    def _excerpts(self, located: LocatedProblem, gutter: int, colour: str) -> Iterator[str]:
        """The lines of the problem's own file first, related places among them; other files after."""
        own = located.label.file
        bar = self._paint("|", _FRAME)
        here = [_marks(located.label, "^")] if located.label.span else []
        here.extend(_marks(one, "-") for one in located.related if one.file == own and one.span)
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
                yield from self._draw(list(_marks(label, "-")), gutter, colour)

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
            paint = colour if mark.sign == "^" else _FRAME
            text = f"{mark.sign * under} {visible(mark.message)}".rstrip()
            yield f"{' ' * gutter} {bar} {' ' * before}{self._paint(text, paint)}"

    def _wrapped(self, text: str, lead: str) -> list[str]:
        if self._width is None:
            return [lead + text]
        return textwrap.wrap(
            text,
            self._width,
            initial_indent=lead,
            subsequent_indent=" " * min(len(lead), self._width // 3),
            break_long_words=False,
            break_on_hyphens=False,
        ) or [lead]

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and code and text else text


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
        return character if joins else _escaped(character)
    return character if _is_harmless(character) else _escaped(character)


def visible(text: str) -> str:
    """Text from a file with its control characters made visible, so that they cannot drive the terminal."""
    if text.isprintable():
        return text
    return "".join(character if _is_harmless(character) else _escaped(character) for character in text)


def _is_harmless(character: str) -> bool:
    # Cf holds the marks that turn the writing direction around: U+202E and its like. A space that is not
    # the common one looks like it and is often the mistake itself.
    return character == " " or unicodedata.category(character) not in {
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
        "Zl",
        "Zp",
        "Zs",
    }


_PICTURES = 0x2400
"""Unicode's pictures of the control characters U+0000 to U+001F begin here; DEL's is U+2421."""


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x20:  # noqa: PLR2004 -- C0
        return chr(_PICTURES + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"  # noqa: PLR2004 -- DEL


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


# --- JSON -------------------------------------------------------------------------------------------

_TOP = Span(Position(1, 1), Position(1, 1))


def render_json(problems: Sequence[LocatedProblem], file: str) -> str:
    """``{"version": 1, "file": …, "problems": […], "summary": {…}}``; ``file`` is the declaration's name."""
    return json.dumps(problems_output(problems, file), indent=2, ensure_ascii=False) + "\n"


def problems_output(problems: Sequence[LocatedProblem], file: str) -> ProblemsOutput:
    """The same as values, for whoever puts them into a larger document."""
    counts = tally(one.problem for one in problems)
    return {
        "version": 1,
        "file": file,
        "problems": [_problem_output(one) for one in problems],
        "summary": {"errors": counts.errors, "warnings": counts.warnings, "infos": counts.infos},
    }


def _problem_output(located: LocatedProblem) -> ProblemOutput:
    problem, label = located.problem, located.label
    span = label.span or _TOP
    return {
        "rule": problem.rule,
        "severity": problem.severity.value,
        "message": problem.message,
        "help": problem.help,
        "file": label.file,
        "path": list(label.path),
        "start": _position_output(span.start),
        "end": _position_output(span.end),
        "related": [_related_output(one) for one in located.related],
    }


def _related_output(label: Label) -> RelatedOutput:
    span = label.span or _TOP
    return {
        "message": label.message,
        "file": label.file,
        "path": list(label.path),
        "start": _position_output(span.start),
        "end": _position_output(span.end),
    }


def _position_output(position: Position) -> PositionOutput:
    return {"line": position.line, "column": position.column}


# --- SARIF ------------------------------------------------------------------------------------------

_SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_sarif(problems: Sequence[LocatedProblem]) -> str:
    """SARIF 2.1.0 (OASIS), as code hosts and editors read it."""
    rules = registered()
    names = sorted({one.problem.rule for one in problems})
    indices = {name: index for index, name in enumerate(names)}
    descriptors: list[dict[str, Any]] = []
    for name in names:
        descriptor: dict[str, Any] = {"id": name}
        if name in rules:
            rule = rules[name]
            descriptor |= {
                "shortDescription": {"text": rule.summary},
                "fullDescription": {"text": f"{rule.summary}. Source: {rule.citation}."},
                "help": {"text": rule.page, "markdown": rule.page},
                "defaultConfiguration": {"level": _SARIF_LEVELS[rule.severity]},
            }
        descriptors.append(descriptor)
    run = {
        "tool": {"driver": {"name": "ipmpki", "version": __version__, "rules": descriptors}},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(one, indices[one.problem.rule]) for one in problems],
    }
    log = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _sarif_result(located: LocatedProblem, index: int) -> dict[str, Any]:
    problem = located.problem
    text = f"{problem.message}. Help: {problem.help}" if problem.help else problem.message
    result: dict[str, Any] = {
        "ruleId": problem.rule,
        "ruleIndex": index,
        "level": _SARIF_LEVELS[problem.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": _sarif_location(located.label)}],
    }
    if located.related:
        result["relatedLocations"] = [
            {
                "id": number,
                "physicalLocation": _sarif_location(label),
                "message": {"text": label.message},
            }
            for number, label in enumerate(located.related, start=1)
        ]
    return result


def _sarif_location(label: Label) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": quote_url(label.file.replace("\\", "/"))}}
    if label.span is not None:
        start, end = label.span.start, label.span.end
        location["region"] = {
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        }
    return location


# --- GitHub -----------------------------------------------------------------------------------------

_GITHUB_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_github(problems: Iterable[LocatedProblem]) -> str:
    """GitHub's workflow commands, one line a problem: they become annotations in a pull request."""
    return "".join(_github_command(one) + "\n" for one in problems)


def _github_command(located: LocatedProblem) -> str:
    problem, label = located.problem, located.label
    properties: dict[str, str | int] = {"file": label.file}
    if label.span is not None:
        start, end = label.span.start, label.span.end
        properties["line"] = start.line
        properties["endLine"] = end.line
        if start.line == end.line:  # columns of several lines are refused
            properties["col"] = start.column
            properties["endColumn"] = end.column
    properties["title"] = f"ipmpki: {problem.rule}"
    shown = ",".join(f"{key}={_github_property(str(value))}" for key, value in properties.items())
    text = f"{problem.message}\nhelp: {problem.help}" if problem.help else problem.message
    return f"::{_GITHUB_COMMANDS[problem.severity]} {shown}::{_github_text(text)}"


def _github_text(text: str) -> str:
    """A command is one line: what would end it is percent-encoded, other control characters are shown."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return visible(escaped)


def _github_property(text: str) -> str:
    return _github_text(text).replace(":", "%3A").replace(",", "%2C")
