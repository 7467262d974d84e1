"""A file of the declaration as text, and as the values that were read from it."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Any, NamedTuple

from ipmpki.diagnostics.problem import DocumentPath, Place, Position, Problem, Severity, Span


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the declaration: its name as shown to people and its text, without a byte-order mark.

    ``readable`` is the text its values were read from: the same lines, with those blanked that could
    not be read. ``damaged`` are the lines (from 1) that hold bytes which are not UTF-8.
    """

    name: str
    text: str
    readable: str | None = None
    damaged: tuple[int, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether all of it could be read."""
        return self.readable == self.text and not self.damaged


class Document(NamedTuple):
    """A parsed source: its values, and what a syntax error made unreadable.

    ``unread`` holds (first, last) lines counted from 1, both inclusive; ``unread_paths`` the keys and
    tables that stood there, as far as that is known.
    """

    source: Source
    values: dict[str, Any]
    unread: tuple[tuple[int, int], ...] = ()
    unread_paths: frozenset[DocumentPath] = frozenset()


def decode(name: str, content: bytes) -> tuple[Source, tuple[Problem, ...]]:
    """Turn a file's bytes into text. TOML is UTF-8; anything else is a problem with its place."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16", errors="replace")
        words = "the file is UTF-16, as some Windows editors write it"
        return Source(name, text), (_not_utf8(name, words, Position(1, 1)),)
    try:
        return Source(name, content.decode("utf-8").removeprefix("\ufeff")), ()
    except UnicodeDecodeError as fault:
        before = content[: fault.start].decode("utf-8").removeprefix("\ufeff")
        start = Position(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        words = f"the file is not UTF-8: byte 0x{content[fault.start]:02x}"
    text = content.decode("utf-8", errors="replace").removeprefix("\ufeff")
    # What stood there is not known: its line is left out, so that no rule judges a mangled name.
    damaged = tuple(
        number
        for number, line in enumerate(content.split(b"\n"), start=1)
        if "\ufffd" in line.decode("utf-8", errors="replace")
    )
    return Source(name, text, damaged=damaged), (_not_utf8(name, words, start),)


def _not_utf8(name: str, words: str, start: Position) -> Problem:
    span = Span(start, Position(start.line, start.column + 1))
    remedy = "save the file as UTF-8, which TOML requires"
    return Problem("toml-syntax", Severity.ERROR, words, remedy, Place(name), span=span)
