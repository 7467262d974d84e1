"""Problems as the HTML pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.diagnostics import wording
from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.problem import Severity
from ipmpki.render.problems.fold import fold
from ipmpki.render.problems.text import marked_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.diagnostics.problem import Label, LocatedProblem, Span

MOST_PLACES = 200
"""Further places of one mistake that a card lists."""
MOST_LINES = 6
"""Lines of source shown for one place; a longer stretch is cut in its middle."""
MOST_CHARACTERS = 160
"""Characters of a source line shown on either side of what is marked."""

_SYMBOLS = {Severity.ERROR: "✕", Severity.WARNING: "▲", Severity.INFO: "i"}
_SEVERITY_NAMES = {Severity.ERROR: "Error", Severity.WARNING: "Warning", Severity.INFO: "Note"}


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of source: its number, and its text before, within and after the marked part."""

    number: str
    before: str
    marked: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A place in the declaration as the page shows it."""

    where: str
    message: str
    lines: tuple[SourceLine, ...]


@dataclass(frozen=True, slots=True)
class OtherPlace:
    """A further place of the same mistake, and what stands there."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class ProblemCard:
    """A problem as the page shows it."""

    rule: str
    tone: str
    symbol: str
    word: str
    message: str
    help: str
    excerpts: tuple[Excerpt, ...]
    fix: str
    others: tuple[OtherPlace, ...]
    other_count: int


def problem_cards(problems: Sequence[LocatedProblem]) -> list[ProblemCard]:
    """Problems as the page shows them: the gravest first, and the same mistake in many places once."""
    folded = sorted(fold(problems), key=lambda one: list(Severity).index(one.shown.problem.severity))
    return [_problem_card(one.shown, one.others) for one in folded]


def _problem_card(located: LocatedProblem, others: Sequence[LocatedProblem]) -> ProblemCard:
    problem = located.problem
    return ProblemCard(
        visible(problem.rule),
        problem.severity.value,
        _SYMBOLS[problem.severity],
        _SEVERITY_NAMES[problem.severity],
        visible(problem.message),
        "" if problem.help is None else visible(problem.help),
        tuple(_excerpt(label) for label in (located.label, *located.related)),
        "" if located.fix is None else visible(located.fix.message),
        tuple(OtherPlace(_where(one.label), visible(marked_text(one.label))) for one in others[:MOST_PLACES]),
        len(others),
    )


def _where(label: Label) -> str:
    file, span = visible(label.file), label.span
    return file if span is None else f"{file}, line {span.start.line:,}, column {span.start.column:,}"


def _excerpt(label: Label) -> Excerpt:
    """A place with its lines. Tabs stay tabs; other characters that cannot be seen are written out."""
    span = label.span
    if span is None:
        return Excerpt(_where(label), visible(label.message), ())
    numbered = list(enumerate(label.lines, start=span.start.line))
    lines = [_source_line(number, text, span) for number, text in numbered[:MOST_LINES]]
    if len(numbered) > MOST_LINES:
        hidden = len(numbered) - MOST_LINES + 1
        lines[-2] = SourceLine("", f"… {wording.counted(hidden, 'line')} more …", None, "")
        lines[-1] = _source_line(*numbered[-1], span)
    return Excerpt(_where(label), visible(label.message), tuple(lines))


def _source_line(number: int, text: str, span: Span) -> SourceLine:
    """A line in three parts. A place between two characters is an empty mark; an empty line has none."""
    start = span.start.column - 1 if number == span.start.line else len(text) - len(text.lstrip())
    end = span.end.column - 1 if number == span.end.line else len(text)
    start = min(start, len(text))
    end = max(start, end)
    if start == end and span.start.line != span.end.line:
        return SourceLine(str(number), _source(text[: 2 * MOST_CHARACTERS]), None, "")
    before, marked, after = text[:start], text[start:end], text[end:]
    if len(before) > MOST_CHARACTERS:
        before = "…" + before[-MOST_CHARACTERS:]
    if len(marked) > 2 * MOST_CHARACTERS:
        marked = f"{marked[:MOST_CHARACTERS]}…{marked[-MOST_CHARACTERS:]}"
    if len(after) > MOST_CHARACTERS:
        after = after[:MOST_CHARACTERS] + "…"
    return SourceLine(str(number), _source(before), _source(marked), _source(after))


def _source(text: str) -> str:
    return "\t".join([visible(stretch) for stretch in text.split("\t")])
