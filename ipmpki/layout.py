"""Where things stand in a TOML text that tomllib has accepted: statements, hosts, values within brackets."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# --- Cutting a text into statements ---------------------------------------------------------------

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
      | (?P<string>\"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\])*" | '[^']*')
      | (?P<open>[\[{])
      | (?P<close>[\]}])
      | (?P<comma>,)
      | (?P<equals>=)
      | (?P<newline>\n)
      | (?P<space>[ \t\r]+)
      | (?P<word>[^\s\#"'\[\]{},=]+)""",
    re.VERBOSE | re.DOTALL,
)
"""The tokens of a text that tomllib has accepted; of no other text."""


class Kind(Enum):
    BLANK = auto()
    COMMENT = auto()
    HEADER = auto()
    PAIR = auto()


@dataclass(frozen=True, slots=True)
class Statement:
    """Whole lines ``start:end``; ``first:last`` is the statement without blanks, comment and line end."""

    kind: Kind
    start: int
    end: int
    first: int
    last: int
    equals: int


def statements(text: str) -> Iterator[Statement]:
    start = first = last = equals = depth = 0
    kind = Kind.BLANK
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "newline" and depth == 0:
            yield Statement(kind, start, match.end(), first, last, equals)
            start, kind = match.end(), Kind.BLANK
            continue
        if kind in {"newline", "space"}:
            continue
        if kind == "comment":
            if kind is Kind.BLANK:
                kind, first = Kind.COMMENT, match.start()
            continue
        if kind is Kind.BLANK:
            kind, first, equals = Kind.HEADER if kind == "open" else Kind.PAIR, match.start(), -1
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
        elif kind == "equals" and equals < 0:
            equals = match.start()
        last = match.end()
    if start < len(text):
        yield Statement(kind, start, len(text), first, last, equals)


@lru_cache(maxsize=1024)
def steps(key: str) -> tuple[str, ...]:
    """The steps of a key as written: bare, quoted or dotted."""
    steps: list[str] = []
    values: Any = tomllib.loads(f"{key} = 0")
    while isinstance(values, dict):
        step, values = next(iter(values.items()))
        steps.append(step)
    return tuple(steps)


@dataclass(frozen=True, slots=True)
class Block:
    """The statements of one ``[[hosts]]``: its comment lines above, its header, its last line."""

    lead: int
    header: int
    tail: int


class Layout:
    """Where the hosts stand in a text: as ``[[hosts]]`` blocks, or within one inline array."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.statements = list(statements(text))
        self.inline: tuple[int, int] | None = None
        self.blocks: list[Block] = []
        headers = [at for at, one in enumerate(self.statements) if one.kind is Kind.HEADER]
        for one in self.statements[: headers[0] if headers else None]:
            if one.kind is Kind.PAIR and steps(text[one.first : one.equals]) == ("hosts",):
                self.inline = (value_start(text, one.equals), one.last)
        own = [at for at in headers if self._steps(at) == ("hosts",)]
        ends = {at: end for at, end in zip(headers, [*headers[1:], len(self.statements)], strict=True)}
        for at in own:
            end = ends[at]
            # A table below the host, such as [hosts.ipm], belongs to it.
            while end < len(self.statements) and self._steps(end)[:1] == ("hosts",) and end not in own:
                end = ends[end]
            self.blocks.append(Block(self._lead(at), at, self._tail(at, end)))

    def host(self, index: int) -> tuple[int, int]:
        """The stretch of one host's own lines (without the comments above), or of its inline table."""
        if self.inline is not None:
            start, end = self.inline
            member = members(self.text[start:end])[index]
            return start + member.start, start + member.end
        block = self.blocks[index]
        return self.statements[block.header].start, self.statements[block.tail - 1].end

    def count(self) -> int:
        if self.inline is not None:
            return len(members(self.text[slice(*self.inline)]))
        return len(self.blocks)

    def is_blank(self, at: int) -> bool:
        return self.statements[at].kind is Kind.BLANK

    def steps(self, at: int) -> tuple[str, ...]:
        one = self.statements[at]
        return steps(self.text[one.first : one.last].strip("[]"))

    def _lead(self, header: int) -> int:
        """The first of the comment lines directly above a header, which speak of its host.

        A directive such as ``#:schema`` is the file's, and so are the lines a file opens with.
        """
        lead = header
        while lead > 0 and self.statements[lead - 1].kind is Kind.COMMENT:
            one = self.statements[lead - 1]
            if self.text.startswith("#:", one.first):
                return lead
            lead -= 1
        return lead if lead > 0 else header

    def _tail(self, header: int, end: int) -> int:
        """One past a block's last line: comment lines right below its last key are its own.

        Unless they stand right above the next header, whose they are then.
        """
        last = end
        while last - 1 > header and self.statements[last - 1].kind in {Kind.BLANK, Kind.COMMENT}:
            last -= 1
        tail = last
        while tail < end and self.statements[tail].kind is Kind.COMMENT:
            tail += 1
        return last if tail == end < len(self.statements) else tail


def spliced(text: str, start: int, end: int, replacement: str) -> str:
    return f"{text[:start]}{replacement}{text[end:]}"


def line_end(text: str) -> str:
    """The line end most lines have."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def value_start(text: str, equals: int) -> int:
    start = equals + 1
    while text[start] in " \t":
        start += 1
    return start


# --- Arrays and inline tables ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Member:
    """One value of an array, or one pair of an inline table; ``comma`` is where the comma after it stands."""

    start: int
    end: int
    equals: int
    comma: int | None


def members(text: str) -> list[Member]:
    """What stands between the brackets of an array or an inline table."""
    members: list[Member] = []
    start = end = equals = -1
    depth = 0
    for match in _TOKEN.finditer(text, 1, len(text) - 1):
        kind = match.lastgroup
        if kind in {"comment", "newline", "space"}:
            continue
        if kind == "comma" and depth == 0:
            members.append(Member(start, end, equals, match.start()))
            start = equals = -1
            continue
        if start < 0:
            start = match.start()
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
        elif kind == "equals" and depth == 0 and equals < 0:
            equals = match.start()
        end = match.end()
    if start >= 0:
        members.append(Member(start, end, equals, None))
    return members


