"""Problems as values: what is wrong, how badly, where it stands and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

DocumentPath: TypeAlias = tuple[str | int, ...]
"""Keys and list indices from the document's root to one value, such as ``("hosts", 0, "subject")``."""


class Severity(StrEnum):
    """How badly a problem hurts: an error stops the build, a warning does not, an info only tells."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Part(StrEnum):
    """Which half of a ``key = value`` pair a place means."""

    KEY = "key"
    VALUE = "value"


class Position(NamedTuple):
    """A spot between two characters. Line and column count from 1, the column in characters."""

    line: int
    column: int


class Span(NamedTuple):
    """A stretch of text; the end is exclusive."""

    start: Position
    end: Position


class Place(NamedTuple):
    """A spot of the declaration named by file and path; its span is found only when it is shown.

    A path whose last steps are not in the document means the nearest table that is.
    """

    file: str
    path: DocumentPath = ()
    part: Part = Part.VALUE

    def at(self, *steps: str | int) -> Place:
        """The place reached from here by further keys and indices."""
        return Place(self.file, (*self.path, *steps))

    def key(self) -> Place:
        """The same place, meaning the key rather than its value."""
        return Place(self.file, self.path, Part.KEY)


class Related(NamedTuple):
    """A second place that explains a problem, such as where a name was declared first."""

    message: str
    place: Place


class Rename(NamedTuple):
    """Give a key, or every header of a table, another name."""

    place: Place
    key: str


class Replace(NamedTuple):
    """Put another value in the place of one; a tuple is an array of strings."""

    place: Place
    value: str | int | tuple[str, ...]


class Remove(NamedTuple):
    """Take a value off its array, or a key with its value out of its table."""

    place: Place


class Append(NamedTuple):
    """Add a string to an array; where there is no such array yet, write one below the key ``beside``."""

    place: Place
    value: str
    beside: Place


class Move(NamedTuple):
    """Carry a key with its value over to another table; an empty path is the top of the file."""

    place: Place
    table: DocumentPath


class Bracket(NamedTuple):
    """Write a table's one header with two pairs of brackets if it ``is_array`` then, else with one."""

    place: Place
    is_array: bool


Edit: TypeAlias = Rename | Replace | Remove | Append | Move | Bracket


class Fix(NamedTuple):
    """The one right answer to a problem, in terms of the document. All edits are of one file.

    ``message`` says what it does, as an order: ``write 'aliases'``.
    """

    message: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. Message and remedy are two fields: the fault, then what to do."""

    rule: str
    severity: Severity
    message: str
    help: str | None
    place: Place
    related: tuple[Related, ...] = ()
    span: Span | None = None
    """Set by whoever knows the place better than a path can say, such as the TOML parser."""
    fix: Fix | None = None
    """Given only where there is just one right answer."""


@dataclass(frozen=True, slots=True)
class Label:
    """A place with its span and the whole source lines it stands on (without line ends)."""

    file: str
    path: DocumentPath
    span: Span | None
    lines: tuple[str, ...]
    message: str = ""


class TextEdit(NamedTuple):
    """A stretch of a file's text and what to write in its place."""

    file: str
    span: Span
    text: str


class LocatedFix(NamedTuple):
    """A fix as changes of the text; the edits stand in the text's order and do not overlap."""

    message: str
    edits: tuple[TextEdit, ...]


@dataclass(frozen=True, slots=True)
class LocatedProblem:
    """A problem with its places found in the text: all that a renderer needs."""

    problem: Problem
    label: Label
    related: tuple[Label, ...] = ()
    fix: LocatedFix | None = None
    """The problem's fix, where it can be made in the text as it is written."""


class Tally(NamedTuple):
    """How many problems there are of each severity."""

    errors: int
    warnings: int
    infos: int


def tally(problems: Iterable[Problem]) -> Tally:
    """Count problems by severity."""
    counts = dict.fromkeys(Severity, 0)
    for problem in problems:
        counts[problem.severity] += 1
    return Tally(counts[Severity.ERROR], counts[Severity.WARNING], counts[Severity.INFO])
