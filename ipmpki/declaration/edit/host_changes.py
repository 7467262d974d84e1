"""The changes that can be made to one host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Put:
    """Give a key this value, whatever it had before. Values of a list that stay keep their comments."""

    key: str
    value: str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unset:
    """Remove a key with its line, so that the default holds again."""

    key: str


@dataclass(frozen=True, slots=True)
class Extend:
    """Add a value to a list; one that is there already, however written, is not added twice."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Reduce:
    """Remove a value from a list, however it is written there."""

    key: str
    value: str


Change: TypeAlias = Put | Unset | Extend | Reduce
