"""A file of the declaration as text, and as the values that were read from it."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ipmpki.diagnostics.problem import DocumentPath, Place, Position, Problem, Severity, Span


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the declaration: its name as shown to people and its text, without a byte-order mark.

    ``readable`` is the text its values were read from: the same lines, with those blanked that could
    not be read. ``damaged`` are the lines (from 1) that hold bytes which are not UTF-8, or too long a key.
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
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as fault:
        before = content[: fault.start].decode("utf-8").removeprefix("\ufeff")
        start = Position(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        words = f"the file is not UTF-8: byte 0x{content[fault.start]:02x}"
    else:
        return _without_overlong_keys(Source(name, text))
    text = content.decode("utf-8", errors="replace").removeprefix("\ufeff")
    # What stood there is not known: its line is left out, so that no rule judges a mangled name.
    damaged = tuple(
        number
        for number, line in enumerate(content.split(b"\n"), start=1)
        if "\ufffd" in line.decode("utf-8", errors="replace")
    )
    return Source(name, text, damaged=damaged), (_not_utf8(name, words, start),)


MOST_PARTS = 100
"""Of a dotted key: pki.toml has none of more than four, and reading one takes the square of their number."""
_OVERLONG_KEY = re.compile(
    rf"""(?<![\w.-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{MOST_PARTS},}}"""
)


def _without_overlong_keys(source: Source) -> tuple[Source, tuple[Problem, ...]]:
    """The source with the lines marked as damaged whose key nobody wrote by hand, and what is wrong there."""
    problems: dict[int, Problem] = {}
    for number, line in enumerate(source.text.split("\n"), start=1):
        key = _OVERLONG_KEY.search(line) if len(line) >= 2 * MOST_PARTS else None
        if key is not None:
            span = Span(Position(number, key.start() + 1), Position(number, key.start() + 2))
            words = f"a key of more than {MOST_PARTS} parts"
            remedy = "a key of pki.toml has four at most, as in ipm.aix.keywords.ca_file"
            problems[number] = Problem(
                "toml-syntax", Severity.ERROR, words, remedy, Place(source.name), span=span
            )
    return replace(source, damaged=tuple(problems)) if problems else source, tuple(problems.values())


def _not_utf8(name: str, words: str, start: Position) -> Problem:
    span = Span(start, Position(start.line, start.column + 1))
    remedy = "save the file as UTF-8, which TOML requires"
    return Problem("toml-syntax", Severity.ERROR, words, remedy, Place(name), span=span)
