"""How TOML is written into a text that somebody else wrote.

tomlkit writes what is new: values, arrays, keys, a whole host. It does not change the text itself: as of
0.15.2 it moves a table that stands between two ``[[hosts]]`` behind the last of them, and takes the comment
above a host for the end of the host before, with which it goes. So a text is cut, what is new is put into the
gap, and all of it is read again by tomllib. A test fails on the day that tomlkit leaves both where they are.

tomlkit is imported where something is written, as that takes as long as checking ten hosts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from tomlkit.items import Item

Value: TypeAlias = "str | int | Sequence[str]"


def write_value(value: object, *, is_literal: bool = False) -> str:
    """A value as TOML; strings, and those of a list, in single quotes where wished and possible."""
    if isinstance(value, Mapping):
        pairs = (f"{write_key([key])} = {write_value(one)}" for key, one in value.items())
        return f"{{ {', '.join(pairs)} }}"  # tomlkit leaves no room within the braces
    return _item(value, is_literal=is_literal).as_string()


def _item(value: object, *, is_literal: bool) -> Item:
    import tomlkit

    if isinstance(value, str):
        return tomlkit.string(value, literal=is_literal and "'" not in value and value.isprintable())
    if isinstance(value, Sequence):
        array = tomlkit.array()
        array.extend(_item(one, is_literal=is_literal) for one in value)
        return array
    return tomlkit.item(value)


def write_key(steps: Sequence[str]) -> str:
    """A key of these steps, in quotes where it has to be."""
    import tomlkit

    return tomlkit.key(steps).as_string()


def line_end(text: str) -> str:
    """The line end most lines have."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def splice(text: str, start: int, end: int, replacement: str) -> str:
    """The text with ``start:end`` replaced, and nothing else."""
    return f"{text[:start]}{replacement}{text[end:]}"
