"""How messages are put into words: quoting what was written, listing choices, guessing what was meant."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST_QUOTE = 100
"""A message is read on one line; a name longer than this is cut, as its place shows the whole of it."""

_LONGEST_GUESS = 64
_LIKENESS = 0.6
_SEPARATORS = re.compile(r"[\s_.-]+")


def quote(written: str) -> str:
    """What was written, in single quotes and short enough for a sentence."""
    if len(written) > LONGEST_QUOTE:
        written = f"{written[: LONGEST_QUOTE - 20]}…{written[-19:]}"
    return f"'{written}'"


def either(choices: Iterable[str]) -> str:
    """``'a'``, ``'a' or 'b'``, ``'a', 'b' or 'c'``."""
    quoted = [quote(choice) for choice in choices]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def counted(number: int, thing: str) -> str:
    """``1 host``, ``2 hosts``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def days(number: int) -> str:
    """``1 day``, ``397 days``."""
    return counted(number, "day")


def closest(written: str, choices: Sequence[str]) -> str | None:
    """The choice that was most likely meant, or None. Case, '-', '_' and spaces do not count."""
    if len(written) > _LONGEST_GUESS:
        return None
    plain = {_plain(choice): choice for choice in reversed(choices)}
    found = difflib.get_close_matches(_plain(written), list(plain), n=1, cutoff=_LIKENESS)
    return plain[found[0]] if found else None


def certain(written: str, choices: Iterable[str]) -> str | None:
    """The choice that alone can have been meant, or None: near by edit distance, and no other nearly as near.

    Case, '-', '_' and spaces do not count; of what is left, a third may be wrong.
    """
    if len(written) > _LONGEST_GUESS:
        return None
    plain = _plain(written)
    near = sorted(
        (distance, choice)
        for choice in choices
        if (distance := _distance(plain, _plain(choice))) <= max(len(plain), len(_plain(choice))) // 3
    )
    if not near or (len(near) > 1 and near[1][0] <= near[0][0] + 1):
        return None
    return near[0][1]


def _distance(one: str, other: str) -> int:
    """How many letters to add, leave out, change or swap with a neighbour (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        older, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _plain(written: str) -> str:
    return _SEPARATORS.sub("", written.lower())
