"""Texts as editors see them: their lines, their units of a column, their names for files."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from lsprotocol import types

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipmpki.diagnostics.problem import Position, Span

_LINE_END = re.compile("\r\n|\n|\r")
_DRIVE = re.compile("/[A-Za-z]:")


def utf16_units(text: str) -> int:
    """How many UTF-16 code units a text has: what LSP counts columns in, where nothing else is agreed on."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


class Text:
    """The text of one file, and where its characters are for an editor.

    An editor's lines end with LF, CRLF or CR (LSP 3.17, "Text Documents"), those of problems with LF alone;
    an editor's columns count code units, from 0, those of problems characters, from 1. A byte-order mark
    counts for the editor that sent it, and for nobody else.
    """

    def __init__(self, text: str, units: Callable[[str], int] = utf16_units) -> None:
        self.text = text
        self._units = units
        self._mark = len(text) - len(text.removeprefix("\ufeff"))
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._is_plain = text.isascii()
        self._line_feeds: list[int] | None = None

    def offset(self, position: types.Position) -> int:
        """The index of the character that a position stands before; beyond an end, that end."""
        if position.line >= len(self._starts):
            return len(self.text)
        start = self._starts[position.line]
        line = self.text[start : self._end(position.line)]
        if self._is_plain:
            return start + min(position.character, len(line))
        taken = 0
        for index, character in enumerate(line):
            if taken >= position.character:
                return start + index
            taken += self._units(character)
        return start + len(line)

    def position(self, offset: int) -> types.Position:
        """Where an editor sees the character with this index."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._starts, offset) - 1
        before = self.text[self._starts[line] : min(offset, self._end(line))]
        return types.Position(line, len(before) if self._is_plain else self._units(before))

    def range(self, start: int, end: int) -> types.Range:
        """The same for a stretch ``start:end``."""
        return types.Range(self.position(start), self.position(end))

    def range_of(self, span: Span | None) -> types.Range:
        """Where an editor sees a problem; without a span, the beginning of the text."""
        if span is None:
            return self.range(0, 0)
        return self.range(self.offset_of(span.start), self.offset_of(span.end))

    def offset_of(self, position: Position) -> int:
        """The index of the character at a problem's line and column."""
        if self._line_feeds is None:
            self._line_feeds = [0, *(match.end() for match in re.finditer("\n", self.text))]
        if position.line > len(self._line_feeds):
            return len(self.text)
        start = self._line_feeds[position.line - 1] + (self._mark if position.line == 1 else 0)
        ends = self._line_feeds[position.line] if position.line < len(self._line_feeds) else len(self.text)
        return min(start + position.column - 1, ends)

    def _end(self, line: int) -> int:
        """Where a line ends, its line end left out."""
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self.text)
        while end > self._starts[line] and self.text[end - 1] in "\r\n":
            end -= 1
        return end


def path_of(uri: str, *, windows: bool = os.name == "nt") -> str | None:
    """The path that a file's URI names (RFC 8089, with appendix E for drives and shares); None for others.

    Editors on Windows write the colon of a drive as it is or as ``%3A``.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:  # such as unbalanced brackets of an IPv6 address
        return None
    if parts.scheme.lower() != "file":
        return None
    path = unquote(parts.path)
    if not path or "\0" in path:
        return None
    if not windows:
        return str(PurePosixPath(path))
    if parts.netloc and parts.netloc.lower() != "localhost":
        return str(PureWindowsPath(f"//{parts.netloc}{path}"))
    return str(PureWindowsPath(path[1:] if _DRIVE.match(path) else path))


def uri_of(path: Path) -> str:
    """The URI of an absolute path."""
    try:
        return path.as_uri()
    except UnicodeEncodeError:  # a name that holds bytes which are no UTF-8
        return "file://" + quote(os.fsencode(path))
