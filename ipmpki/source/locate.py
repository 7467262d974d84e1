"""Where problems stand in the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.problem import (
    Append,
    DocumentPath,
    Label,
    LocatedProblem,
    Place,
    Position,
    Problem,
    Related,
    Span,
)
from ipmpki.source.parse import parse
from ipmpki.source.secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ipmpki.source.spans import Spans
    from ipmpki.source.text import Source


def locate(
    problems: Iterable[Problem], sources: Mapping[str, Source], maps: Mapping[str, Spans] | None = None
) -> tuple[LocatedProblem, ...]:
    """Find where problems stand, in document order: files in the order given, then line and column.

    ``maps`` is what ``spans_of`` found for them, for whoever needs it for more than this.
    """
    problems = tuple(dict.fromkeys(problems))
    maps = spans_of(problems, sources) if maps is None else maps
    lines = {file: source.text.split("\n") for file, source in sources.items() if problems}

    def label(place: Place, span: Span | None = None, message: str = "") -> Label:
        if span is None and place.file in maps and place.path:
            span = maps[place.file].find(place)
        if span is None and place.file in sources:
            span = Span(Position(1, 1), Position(1, 1))
        shown: tuple[str, ...] = ()
        if span is not None and place.file in lines:
            stretch = lines[place.file][span.start.line - 1 : span.end.line]
            shown = tuple(without_secrets(line.rstrip("\r"), place) for line in stretch)
        return Label(place.file, place.path, span, shown, message)

    def related_label(related: Related) -> Label:
        return label(related.place, None, related.message)

    order = {name: index for index, name in enumerate(sources)}
    located = [
        LocatedProblem(
            problem, label(problem.place, problem.span), tuple(map(related_label, problem.related))
        )
        for problem in problems
    ]
    start = Span(Position(1, 1), Position(1, 1))
    located.sort(
        key=lambda one: (order.get(one.label.file, len(order)), one.label.span or start, one.problem.rule)
    )
    return tuple(located)


def spans_of(problems: Iterable[Problem], sources: Mapping[str, Source]) -> dict[str, Spans]:
    """By file, where everything stands that the problems and their fixes speak of."""
    wanted: dict[str, set[DocumentPath]] = {}
    for problem in problems:
        places = [related.place for related in problem.related]
        if problem.span is None:
            places.append(problem.place)
        for edit in problem.fix.edits if problem.fix else ():
            places.append(edit.place)
            if isinstance(edit, Append):
                places.append(edit.beside)
        for place in places:
            if place.path and place.file in sources:
                wanted.setdefault(place.file, set()).add(place.path)
    if not wanted:
        return {}
    from ipmpki.source.spans import Spans  # tree-sitter is loaded only when there is a place to find

    return {file: Spans(_readable(sources[file]), paths) for file, paths in wanted.items()}


def _readable(source: Source) -> str:
    """The text that values were read from, by which indices of hosts count."""
    if source.readable is None:
        source = parse(source)[0].source
    return source.text if source.readable is None else source.readable
