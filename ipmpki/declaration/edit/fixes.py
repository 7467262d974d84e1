"""Where fixes change a text, and what its values are to be then.

The same technique as for hosts: a stretch of the text is replaced, the rest is the same bytes; what comes out
is read again with tomllib, and refused if it differs from the intended values in anything.
"""

from __future__ import annotations

import copy
import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ipmpki.declaration.edit.layout import with_member, without_member
from ipmpki.declaration.edit.toml import line_end, splice, write_key, write_value
from ipmpki.diagnostics.problem import (
    Append,
    Bracket,
    LocatedFix,
    Move,
    Part,
    Position,
    Remove,
    Rename,
    Replace,
    Span,
    TextEdit,
)
from ipmpki.source.syntax import StatementKind, split_members, split_statements

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ipmpki.diagnostics.problem import DocumentPath, Edit, Fix, Place
    from ipmpki.source import Source
    from ipmpki.source.spans import Spans
    from ipmpki.source.syntax import Statement


# --- In the text ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class _Cut:
    """A stretch ``start:end`` of the text, and what to write in its place."""

    start: int
    end: int
    text: str


class Surgeon:
    """Finds where the fixes of one file change its text."""

    def __init__(self, source: Source, spans: Spans) -> None:
        self._file = source.name
        self._text = source.text
        self._spans = spans
        self._eol = line_end(source.text)
        self._lines = [0]
        for line in source.text.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)

    @cached_property
    def _statements(self) -> list[Statement]:
        return split_statements(self._text)

    def locate(self, fix: Fix) -> LocatedFix | None:
        """A fix as changes of the text; None where the way in which the text is written does not allow it."""
        cuts: list[_Cut] = []
        for edit in fix.edits:
            found = self._cuts(edit)
            if not found:
                return None
            cuts += found
        cuts.sort()
        if any(one.end > other.start for one, other in pairwise(cuts)):
            return None
        return LocatedFix(fix.message, tuple(map(self._as_edit, cuts)))

    def _cuts(self, edit: Edit) -> list[_Cut]:
        match edit:
            case Rename(place, key):
                return self._rename(place, key)
            case Replace(place, value):
                return self._replace(place, value)
            case Remove(place):
                return self._remove(place)
            case Append(place, value, beside):
                return self._append(place, value, beside)
            case Move(place, table):
                return self._move(place, table)
            case Bracket(place, is_array):
                return self._bracket(place, is_array=is_array)

    def _rename(self, place: Place, key: str) -> list[_Cut]:
        found = self._find(place.key())
        if found is None:
            return []
        if not self._text.startswith("[", found[0]):
            return [_Cut(*found, key)]
        # A table has one header, an array of tables one for each: all are renamed.
        depth = sum(isinstance(step, str) for step in place.path) - 1
        old = place.path[-1]
        cuts: list[_Cut] = []
        for one in self._statements:
            if one.kind is StatementKind.HEADER:
                steps = list(one.steps)
                if len(steps) > depth and steps[depth] == old:
                    brackets = 2 if self._text.startswith("[[", one.first) else 1
                    steps[depth] = key
                    cuts.append(_Cut(one.first + brackets, one.last - brackets, write_key(steps)))
        return cuts

    def _bracket(self, place: Place, *, is_array: bool) -> list[_Cut]:
        steps = tuple(str(step) for step in place.path)
        headers = [one for one in self._statements if one.kind is StatementKind.HEADER and one.steps == steps]
        if len(headers) != 1:
            return []
        (one,) = headers
        return [_Cut(one.first, one.last, f"[[{one.key}]]" if is_array else f"[{one.key}]")]

    def _replace(self, place: Place, value: str | int | tuple[str, ...]) -> list[_Cut]:
        found = self._find(place)
        if found is None:
            return []
        return [_Cut(*found, write_value(value, is_literal=self._text[found[0]] == "'"))]

    def _remove(self, place: Place) -> list[_Cut]:
        *above, step = place.path
        if not isinstance(step, int):
            return self._remove_key(place)
        found = self._find(_at(place, tuple(above)))
        if found is None or self._text[found[0]] != "[":
            return []
        array = self._text[slice(*found)]
        return [self._difference(found[0], array, without_member(array, step))]

    def _remove_key(self, place: Place) -> list[_Cut]:
        line = self._own_lines(place)
        if line is not None:
            return [_Cut(*line, "")]
        key, table = self._find(place.key()), self._find(_at(place, place.path[:-1]))
        if key is None or table is None or self._text[table[0]] != "{":
            return []
        inline = self._text[slice(*table)]
        at = next((n for n, one in enumerate(split_members(inline)) if one.start == key[0] - table[0]), None)
        return [] if at is None else [self._difference(table[0], inline, without_member(inline, at))]

    def _append(self, place: Place, value: str, beside: Place) -> list[_Cut]:
        found, sibling = self._find(place), self._find(beside)
        if found is not None:
            array = self._text[slice(*found)]
            if not array.startswith("["):
                return []
            written = write_value(value, is_literal="'" in array and '"' not in array)
            return [self._difference(found[0], array, with_member(array, written, self._eol))]
        key = self._find(beside.key())
        if sibling is None or key is None:
            return []
        between = self._text[key[1] : sibling[0]]
        is_literal = "'" in self._text[slice(*sibling)]
        written = f"{place.path[-1]}{between}{write_value([value], is_literal=is_literal)}"
        lines = self._own_lines(beside)
        if lines is None:
            return [_Cut(sibling[1], sibling[1], f", {written}")]
        start, end = lines
        indent = self._text[start : key[0]]
        before = "" if self._text.endswith("\n", start, end) else self._eol
        return [_Cut(end, end, f"{before}{indent}{written}{self._eol}")]

    def _move(self, place: Place, table: DocumentPath) -> list[_Cut]:
        lines = self._own_lines(place)
        at = self._end_of(tuple(map(str, table)))
        if lines is None or at is None:
            return []
        moved = self._text[slice(*lines)].lstrip(" \t").rstrip("\r\n") + self._eol
        if not table and not any(
            one.kind is StatementKind.PAIR and one.end <= at for one in self._statements
        ):
            moved += self._eol  # the file's first key stands apart from the table below it
        if at == 0 or self._text[at - 1] == "\n":
            return [_Cut(*lines, ""), _Cut(at, at, moved)]
        return [_Cut(*lines, ""), _Cut(at, at, self._eol + moved)]

    def _end_of(self, table: tuple[str, ...]) -> int | None:
        """Where a table's own lines end; the top of the file ends before its first header."""
        at: int | None = None
        inside = not table
        for number, one in enumerate(self._statements):
            if one.kind is StatementKind.HEADER:
                if inside and at is None and not table:
                    return self._above(number)
                inside = one.steps == table and not self._text.startswith("[[", one.first)
                at = one.end if inside else at
            elif one.kind is StatementKind.PAIR and inside:
                at = one.end
        return at

    def _above(self, header: int) -> int:
        """Before a header and the comment lines on it, but behind those that the file opens with."""
        statements, first = self._statements, header
        while first > 0 and statements[first - 1].kind is StatementKind.COMMENT:
            first -= 1
        return statements[first if first > 0 else header].start

    def _own_lines(self, place: Place) -> tuple[int, int] | None:
        """The lines of a key and its value, where nothing else stands on them but a comment."""
        key, value = self._find(place.key()), self._find(_at(place, place.path))
        if key is None or value is None:
            return None
        start = self._text.rfind("\n", 0, key[0]) + 1
        end = self._text.find("\n", value[1]) + 1 or len(self._text)
        behind = self._text[value[1] : end].strip()
        if self._text[start : key[0]].strip() or (behind and not behind.startswith("#")):
            return None
        return start, end

    def _find(self, place: Place) -> tuple[int, int] | None:
        span = self._spans.exact(place)
        return None if span is None else (self._offset(span.start), self._offset(span.end))

    def _offset(self, position: Position) -> int:
        return self._lines[position.line - 1] + position.column - 1

    def _position(self, offset: int) -> Position:
        line = bisect_right(self._lines, offset, hi=len(self._lines) - 1)
        return Position(line, offset - self._lines[line - 1] + 1)

    def _as_edit(self, cut: _Cut) -> TextEdit:
        return TextEdit(self._file, Span(self._position(cut.start), self._position(cut.end)), cut.text)

    @staticmethod
    def _difference(start: int, before: str, after: str) -> _Cut:
        """The one stretch in which two texts differ."""
        shorter = min(len(before), len(after))
        head = next((at for at in range(shorter) if before[at] != after[at]), shorter)
        tail = 0
        while tail < shorter - head and before[-1 - tail] == after[-1 - tail]:
            tail += 1
        return _Cut(start + head, start + len(before) - tail, after[head : len(after) - tail])


def _at(place: Place, path: DocumentPath) -> Place:
    return type(place)(place.file, path, Part.VALUE)


def overlap(one: LocatedFix, other: LocatedFix) -> bool:
    """Whether two fixes change a common stretch of the same file."""
    return any(
        mine.file == theirs.file and mine.span.start <= theirs.span.end and theirs.span.start <= mine.span.end
        for mine in one.edits
        for theirs in other.edits
    )


def apply_text_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """The text with all stretches replaced; they must not overlap."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)

    def offset(position: Position) -> int:
        return starts[position.line - 1] + position.column - 1

    for edit in sorted(edits, key=lambda one: (one.span.start, one.span.end), reverse=True):
        text = splice(text, offset(edit.span.start), offset(edit.span.end), edit.text)
    return text


# --- In the values ----------------------------------------------------------------------------------


def means(text: str, before: str, fixes: Iterable[Fix]) -> bool:
    """Whether ``text`` says what ``before`` says after these fixes, and nothing else."""
    try:
        values = copy.deepcopy(tomllib.loads(before, parse_float=str))
        _change(values, [edit for fix in fixes for edit in fix.edits])
        return tomllib.loads(text, parse_float=str) == values
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return False


def _change(values: dict[str, Any], edits: Iterable[Edit]) -> None:
    removals: list[DocumentPath] = []
    for edit in edits:
        *above, step = edit.place.path
        parent = _value_at(values, above)
        match edit:
            case Rename(_, key):
                if key in parent:
                    raise KeyError(key)
                parent[key] = parent.pop(step)
            case Replace(_, value):
                parent[step] = list(value) if isinstance(value, tuple) else value
            case Append(_, value, _):
                parent.setdefault(step, []).append(value)
            case Move(_, table):
                _value_at(values, table)[step] = parent.pop(step)
            case Bracket(_, is_array):
                parent[step] = [parent[step]] if is_array else parent[step][0]
            case Remove(place):
                removals.append(place.path)
    # From the last index to the first, so that none moves before its turn.
    for path in sorted(removals, key=_order, reverse=True):
        del _value_at(values, path[:-1])[path[-1]]


def _order(path: DocumentPath) -> list[tuple[bool, str | int]]:
    return [(isinstance(step, str), step) for step in path]


def _value_at(values: Any, path: Iterable[str | int]) -> Any:
    for step in path:
        values = values[step]
    return values
