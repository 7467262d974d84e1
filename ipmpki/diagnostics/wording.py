"""How messages are put into words: quoting what was written, listing choices, guessing what was meant."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime
from functools import lru_cache
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


def joined(parts: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    every = list(parts)
    return " and ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as ``1 host`` and ``10,000 hosts``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def days(number: int) -> str:
    """``1 day``, ``3650 days``: as lifetimes are written, without separators."""
    return f"{number} day" if number == 1 else f"{number} days"


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


def utc(moment: datetime) -> datetime:
    """A moment in UTC; one without a zone is UTC already."""
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@lru_cache(maxsize=100_000)
def timestamp(moment: datetime) -> str:
    """A moment as a program reads it, such as ``2027-12-26T09:30:00Z``.

    Three files show each moment, and hosts of one build share theirs; the cache spares most of the work.
    """
    return utc(moment).isoformat(timespec="seconds")[:19] + "Z"


def minute(moment: datetime) -> str:
    """A moment as a person reads it, such as ``2027-12-26 09:30 UTC``."""
    written = timestamp(moment)
    return f"{written[:10]} {written[11:16]} UTC"


def day(moment: datetime) -> str:
    """The day of a moment, in UTC."""
    return timestamp(moment)[:10]


def days_left(end: datetime, now: datetime) -> int:
    """Whole days until a moment; below 0 once it has passed."""
    return (utc(end) - utc(now)).days


def left(end: datetime, now: datetime) -> str:
    """How long something holds, such as ``397 days left``; ``ended 2 days ago`` afterwards."""
    number = days_left(end, now)
    if number >= 0:
        return f"{days(number)} left"
    past = days_left(now, end)
    return f"ended {days(past)} ago" if past else "ended today"


def serial_number(serial: int) -> str:
    """A serial number as ``openssl x509 -serial`` prints it: upper-case hexadecimal, whole bytes."""
    digits = f"{serial:X}"
    return digits if len(digits) % 2 == 0 else "0" + digits


def fingerprint_digits(fingerprint: str) -> str:
    """A fingerprint's bare digits, whether or not it came with colons."""
    return fingerprint.replace(":", "").replace(" ", "").upper()


def grouped(fingerprint: str) -> str:
    """A fingerprint in pairs, as ``openssl x509 -fingerprint`` and browsers show it."""
    return bytes.fromhex(fingerprint_digits(fingerprint)).hex(":").upper()
