"""Sentences for people, whose literal parts are marked."""

from __future__ import annotations

from typing import TypeAlias


class Code(str):
    """A part of a sentence to be typed or read literally: a command, a file name."""

    __slots__ = ()


Sentence: TypeAlias = tuple[str | Code, ...]
