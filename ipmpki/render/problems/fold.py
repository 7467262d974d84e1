"""One mistake made in many places is told once, with all its places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from ipmpki.diagnostics.problem import LocatedProblem

LEAST = 3
"""Fewer problems of a kind are shown each by itself, which is as quickly read."""

_QUOTED = re.compile(r"'[^']*'")


@dataclass(frozen=True, slots=True)
class Folded:
    """A problem as it is shown, and those that differ from it by place and by the text quoted there."""

    shown: LocatedProblem
    others: tuple[LocatedProblem, ...] = ()


def fold(problems: Sequence[LocatedProblem]) -> tuple[Folded, ...]:
    """Put together what is the same mistake; each group stands where the first of it stood.

    The same is what has the same rule, words (but for what they quote), remedy and related places: were the
    remedy another, or another place pointed at, something would be left untold.
    """
    groups: dict[Hashable, list[LocatedProblem]] = {}
    for one in problems:
        groups.setdefault(_kind(one), []).append(one)
    folded: list[Folded] = []
    for one in problems:
        group = groups[_kind(one)]
        if len(group) < LEAST:
            folded.append(Folded(one))
        elif group[0] is one:
            folded.append(Folded(one, tuple(group[1:])))
    return tuple(folded)


def _kind(one: LocatedProblem) -> Hashable:
    problem = one.problem
    words = _QUOTED.sub("''", problem.message)
    fix = one.fix.message if one.fix else None
    return problem.rule, problem.severity, words, problem.help, problem.related, fix
