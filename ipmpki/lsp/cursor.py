"""What stands at a spot of a text that may be half-written: table, key, value.

The text is read line by line and never parsed as a whole, as what is being written is rarely TOML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from ipmpki.source.syntax import ASSIGNMENT, HEADER, TOKEN, read_key

_WORD = re.compile(r"[A-Za-z0-9_-]*")
_MOST_LINES = 400
"""No value of a declaration is spread over more lines; further up, nothing is looked for."""


class Slot(Enum):
    """What could be written at a spot."""

    NOTHING = auto()
    HEADER = auto()
    KEY = auto()
    VALUE = auto()


@dataclass(frozen=True, slots=True)
class Header:
    """A table's header: the index of its line's first character and of its line end, and its steps."""

    start: int
    end: int
    steps: tuple[str, ...]
    is_array: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """A spot of a text.

    ``path`` leads to the table whose key is to be written, or to the key whose value is; ``start:end`` is
    what stands there already. ``quoted`` is the quote that a value begins with, ``is_item`` whether it is
    one of an array's. ``present`` are the keys that the table has already.
    """

    slot: Slot
    path: tuple[str, ...] = ()
    start: int = 0
    end: int = 0
    quoted: str = ""
    is_item: bool = False
    is_assigned: bool = False
    present: frozenset[str] = frozenset()


def headers(text: str) -> list[Header]:
    """All headers of tables, in order."""
    found = []
    start = 0
    for line in text.split("\n"):
        match = HEADER.fullmatch(line) if "[" in line else None
        if match is not None:
            found.append(Header(start, start + len(line), read_key(match["key"]), match["open"] == "[["))
        start += len(line) + 1
    return found


def assignments(text: str, start: int, end: int) -> list[tuple[str, int, int]]:
    """The keys given in the lines of ``start:end``: first step, start of the value, end of the line."""
    found = []
    for line in text[start:end].split("\n"):
        match = ASSIGNMENT.match(line) if "=" in line else None
        if match is not None:
            found.append((read_key(match["key"])[0], start + match.end(), start + len(line)))
        start += len(line) + 1
    return found


def cursor_at(text: str, offset: int) -> Cursor:
    """What stands at an index of a text, which is a word's end as well as its inside."""
    line_start = text.rfind("\n", 0, offset) + 1
    line_end = text.find("\n", offset)
    line_end = len(text) if line_end < 0 else line_end
    line = text[line_start:line_end]
    table, body = _table_around(text, line_start)
    statement = _statement(text, line_start, body)
    if statement == line_start and line.lstrip().startswith("["):
        return _in_header(text, line_start, line_end, offset)
    end = text.find("\n[", body)
    present = frozenset(key for key, *_ in assignments(text, body, len(text) if end < 0 else end))
    return _scan(text, table, present, statement, offset)


def _table_around(text: str, before: int) -> tuple[tuple[str, ...], int]:
    """The steps of the header above an index, and where the table's body begins."""
    end = before
    while end > 0:
        start = text.rfind("\n", 0, end - 1) + 1
        line = text[start : end - 1]
        match = HEADER.fullmatch(line) if "[" in line else None
        if match is not None:
            return read_key(match["key"]), end
        end = start
    return (), 0


def _statement(text: str, line_start: int, body: int) -> int:
    """Where the statement begins that a line belongs to: on it, or above if that leaves a bracket open.

    Looked for from the line upwards, not from the top: whatever is wrong further up does no harm here.
    """
    start = line_start
    for _ in range(_MOST_LINES):
        end = text.find("\n", start)
        if ASSIGNMENT.match(text, start, len(text) if end < 0 else end):
            is_open = start == line_start or _depth(text[start:line_start]) > 0
            return start if is_open else line_start
        if start <= body:
            break
        start = text.rfind("\n", 0, start - 1) + 1
    return line_start


def _depth(text: str) -> int:
    brackets = [match[0] for match in TOKEN.finditer(text) if match.lastgroup == "bracket"]
    return sum(1 if bracket in "[{" else -1 for bracket in brackets)


def _in_header(text: str, line_start: int, line_end: int, offset: int) -> Cursor:
    line = text[line_start:line_end]
    start = line_start + len(line) - len(line.lstrip())
    match = HEADER.match(line)
    written = re.match(r"\[{0,2}[ \t]*[A-Za-z0-9_.-]*[ \t]*\]{0,2}", text[start:line_end])
    end = start + (written.end() if written else 0)
    if match is None:
        return Cursor(Slot.HEADER if offset <= end else Slot.NOTHING, (), start, end)
    first = line_start + match.start("key")
    if offset > line_start + match.end("key") + len(match["open"]):
        return Cursor(Slot.NOTHING)
    # The path up to the step that the index stands in: in [ipm.aix] that may be ipm alone.
    behind = _WORD.match(text, min(max(offset, first), line_end))
    reached = text[first : behind.end() if behind else offset]
    steps = read_key(reached.strip(" \t.")) if reached.strip(" \t.") else ()
    return Cursor(Slot.HEADER, steps, start, end)


def _scan(text: str, table: tuple[str, ...], present: frozenset[str], start: int, offset: int) -> Cursor:
    """Go through a statement from its start to the index, and see what is open there."""
    found = _Statement(table, present)
    for match in TOKEN.finditer(text, start):
        if match.start() > offset or (match.start() == offset and match.lastgroup not in {"word", "string"}):
            break
        if match.lastgroup == "comment" and match.start() < offset <= match.end():
            return Cursor(Slot.NOTHING)
        if match.lastgroup == "word" and match.end() >= offset:
            return found.cursor(text, match.start(), match.end())
        if match.lastgroup == "string" and match.start() < offset <= match.end():
            quotes = 3 if text.startswith(('"""', "'''"), match.start()) else 1
            if offset == match.end() and not found.awaits_value:
                return found.cursor(text, match.start(), match.end())
            return found.cursor(text, match.start(), match.end(), text[match.start()] * quotes)
        if match.lastgroup == "open":
            line_end = text.find("\n", match.start())
            line_end = len(text) if line_end < 0 else line_end
            if match.start() < offset <= line_end:
                behind = re.match(r"[^\s,\]}]*", text[match.end() : line_end])
                end = max(offset, match.end() + (behind.end() if behind else 0))
                return found.cursor(text, match.start(), end, match[0])
        if match.start() < offset:
            found.take(match)
    return found.cursor(text, offset, offset)


class _Statement:
    """What is open at a point within a statement: tables and arrays, and whose value is awaited."""

    def __init__(self, table: tuple[str, ...], present: frozenset[str]) -> None:
        self._path = table
        self._present = present
        self._word = ""
        self._open: list[tuple[str, tuple[str, ...], frozenset[str]]] = []
        self.awaits_value = False
        self._is_given = False

    def take(self, match: re.Match[str]) -> None:
        """Go past one token."""
        kind, written = match.lastgroup, match[0]
        if kind == "equals":
            step = read_key(self._word) if self._word else ()
            self._open.append(("=", self._path, self._present | set(step[:1])))
            self._path, self.awaits_value = (*self._path, *step), True
            self._word, self._is_given = "", False
        elif written in {"[", "{"} and kind == "bracket":
            self._open.append((written, self._path, self._present))
            self.awaits_value, self._present = written == "[", frozenset()
            self._word, self._is_given = "", False
        elif kind == "bracket":
            self._close({"]": "[", "}": "{"}[written])
        elif kind == "comma":
            # Within braces a comma ends a pair, whose table then awaits its next key; the pair that the
            # statement itself is ends with its line alone.
            if self._open and self._open[-1][0] == "=" and len(self._open) > 1:
                _, self._path, self._present = self._open.pop()
            self.awaits_value = bool(self._open) and self._open[-1][0] == "["
            self._word, self._is_given = "", False
        elif kind in {"word", "string"} or written == ".":
            self._word = f"{self._word}{written}"
            self._is_given = True
        elif written == "\n" and not any(one[0] in "[{" for one in self._open):
            while self._open:
                _, self._path, self._present = self._open.pop()
            self.awaits_value, self._word, self._is_given = False, "", False

    def _close(self, opening: str) -> None:
        while self._open:
            kind, self._path, self._present = self._open.pop()
            if kind == opening:
                break
        self.awaits_value = bool(self._open) and self._open[-1][0] in "=["
        self._word, self._is_given = "", True

    def cursor(self, text: str, start: int, end: int, quoted: str = "") -> Cursor:
        """The spot whose word is ``start:end``."""
        if self._is_given:  # a second word behind a key or a value
            return Cursor(Slot.NOTHING)
        if self.awaits_value:
            is_item = bool(self._open) and self._open[-1][0] == "["
            return Cursor(Slot.VALUE, self._path, start, end, quoted, is_item)
        line_end = text.find("\n", end)
        rest = text[end : len(text) if line_end < 0 else line_end]
        word = read_key(text[start:end])[:1] if end > start else ()
        is_assigned = rest.lstrip().startswith("=")
        present = self._present - set(word) if is_assigned else self._present
        return Cursor(Slot.KEY, self._path, start, end, "", is_assigned=is_assigned, present=present)
