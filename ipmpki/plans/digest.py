"""A digest of a value of any kind, to tell whether the world has moved since a plan was made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network


class Digest:
    """The digest of a value, made when it is first asked for: that of a large fleet takes a while.

    It is made of whatever fields the value has, and those of what it holds, so that none can be forgotten. A
    field that is declared with ``compare=False`` stays out.
    """

    def __init__(self, value: object) -> None:
        """``value`` is made of dataclasses, tuples, mappings and frozen sets, down to texts and numbers."""
        self._value = value

    @classmethod
    def read(cls, text: str) -> Digest:
        """The digest that was written as a text."""
        found = cls(None)
        found.text = text
        return found

    @cached_property
    def text(self) -> str:
        """SHA-256 in hexadecimal, the same in every run. Raises TypeError on a value it knows no order of."""
        return hashlib.sha256(repr(_plain(self._value)).encode()).hexdigest()

    def __str__(self) -> str:
        """The text to write."""
        return self.text

    def __eq__(self, other: object) -> bool:
        """Whether both are of equal values."""
        return isinstance(other, Digest) and self.text == other.text

    def __hash__(self) -> int:
        """As of the text."""
        return hash(self.text)


_WRITTEN_ALIKE = frozenset(
    {str, int, float, bool, bytes, type(None), datetime, timedelta}
    | {IPv4Address, IPv6Address, IPv4Network, IPv6Network}
)
"""Types of which repr writes equal values alike in every run."""


def _plain(value: object) -> object:
    """A value as nested lists, in an order that is the same in every run, unlike that of a set of texts."""
    if type(value) in _WRITTEN_ALIKE:
        return value
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return [_plain(getattr(value, one.name)) for one in fields(value) if one.compare]
    if isinstance(value, Mapping):
        return [(key, _plain(value[key])) for key in sorted(value)]
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    message = f"nothing says how two values of {type(value).__name__} differ"
    raise TypeError(message)
