"""How the lines of a host are written, so that a new one looks as if the same person had written it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.declaration.edit.toml import Value, write_value
from ipmpki.declaration.tables import Host
from ipmpki.source.syntax import Member, Statement, StatementKind, split_statements

if TYPE_CHECKING:
    from collections.abc import Sequence

KEYS = tuple(Host.model_fields)
"""The order in which a person reads a host; a new key is put where it belongs in it."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a host's keys are written: their indent, what stands around ``=``, quotes."""

    header: str = "[[hosts]]"
    indent: str = ""
    separator: str = " = "
    column: int = 0
    """Where values start, if a person lined them up; else 0."""
    is_literal: bool = False

    def line(self, key: str, value: Value) -> str:
        """A key and its value, without a line end."""
        separator = self.separator
        if self.column:
            behind = separator.partition("=")[2]
            padding = self.column - len(self.indent) - len(key) - 1 - len(behind)
            separator = f"{' ' * max(padding, 1)}={behind}"
        return f"{self.indent}{key}{separator}{write_value(value, is_literal=self.is_literal)}"


def style_of(text: str) -> Style:
    """The style of one host's lines."""
    statements = split_statements(text)
    header = text[statements[0].start : statements[0].last]
    pairs = own_pairs(statements)
    if not pairs:
        return Style(header)
    gaps = [text[one.first + len(one.key) : one.value] for one in pairs]
    columns = {one.value - one.start for one in pairs}
    is_aligned = len(columns) == 1 and len({len(one.key) for one in pairs}) > 1
    return Style(
        header=header,
        indent=text[pairs[0].start : pairs[0].first],
        separator=gaps[0] if is_aligned or len(set(gaps)) == 1 else " = ",
        column=columns.pop() if is_aligned else 0,
        is_literal=text[pairs[0].value] == "'",
    )


def inline_style(text: str, pair: Member) -> Style:
    """The style of one pair of an inline table."""
    return Style(separator=text[pair.start + len(pair.key) : pair.value], is_literal=text[pair.value] == "'")


def own_pairs(statements: Sequence[Statement]) -> list[Statement]:
    """The pairs of a block's first table, not of those below it."""
    pairs: list[Statement] = []
    for one in statements[1:]:
        if one.kind is StatementKind.HEADER:
            break
        if one.kind is StatementKind.PAIR:
            pairs.append(one)
    return pairs


def rank(key: str) -> int:
    """Where a key is read among those of a host; unknown ones come last."""
    return KEYS.index(key) if key in KEYS else len(KEYS)
