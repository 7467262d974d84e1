"""Where problems of files from elsewhere stand: by file, then by the line on which an object begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.problem import Label, LocatedProblem, Position, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ipmpki.diagnostics.problem import Place, Problem
    from ipmpki.x509.contents import Contents

_START = Span(Position(1, 1), Position(1, 1))


def place_problems(
    problems: Iterable[Problem], held: Iterable[Contents], paths: Sequence[str]
) -> tuple[LocatedProblem, ...]:
    """Each problem once, by file in the order of ``paths``, then by line.

    A place's path begins with the number of the object in its file. A line of base64 helps nobody, so none is
    shown; an object that does not stand in PEM has no line.
    """
    lines: dict[tuple[str, str | int], tuple[int, str]] = {}
    for one in held:
        for place in _places(one):
            for number in place.path[:1]:
                if isinstance(number, int) and number in one.lines:
                    lines[place.file, number] = one.lines[number]
    order = {path: rank for rank, path in enumerate(paths)}
    located = [LocatedProblem(problem, _label(problem.place, lines)) for problem in dict.fromkeys(problems)]
    located.sort(
        key=lambda one: (
            order.get(one.label.file, len(order)),
            one.label.file,
            one.label.span or _START,
            one.problem.rule,
        )
    )
    return tuple(located)


def _label(place: Place, lines: dict[tuple[str, str | int], tuple[int, str]]) -> Label:
    number, text = lines.get((place.file, place.path[0]), (0, "")) if place.path else (0, "")
    span = Span(Position(number, 1), Position(number, len(text) + 1)) if number else None
    return Label(place.file, place.path, span, ())


def _places(contents: Contents) -> Iterator[Place]:
    for group in (
        contents.certificates,
        contents.keys,
        contents.revocation_lists,
        contents.flaws,
        contents.remarks,
    ):
        yield from (one.place for one in group)
