"""How TOML is written into a text that somebody else wrote.

tomlkit writes what is new: values, arrays, keys, a whole host. It does not change the text itself: as of
0.15.2 it moves a table that stands between two ``[[hosts]]`` behind the last of them, and takes the comment
above a host for the end of the host before, with which it goes. So a text is cut, what is new is put into the
gap, and all of it is read again by tomllib. A test fails on the day that tomlkit leaves both where they are.

tomlkit is imported where something is written, as that takes as long as checking ten hosts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tomlkit.items import String

Value: TypeAlias = "str | Sequence[str]"


def write_value(value: Value | int, *, is_literal: bool = False) -> str:
    """A string, a number, true, false or a list of strings; in single quotes where wished and possible."""
    import tomlkit

    if isinstance(value, int):
        return tomlkit.item(value).as_string()
    if isinstance(value, str):
        return _string(value, is_literal=is_literal).as_string()
    array = tomlkit.array()
    array.extend(_string(one, is_literal=is_literal) for one in value)
    return array.as_string()


def _string(value: str, *, is_literal: bool) -> String:
    import tomlkit

    return tomlkit.string(value, literal=is_literal and "'" not in value and value.isprintable())


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
