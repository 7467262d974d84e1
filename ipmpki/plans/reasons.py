"""Reasons and differences, in the words of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.plans.plan import Difference, Reason, ReasonCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


def certificate_reason(difference: Difference) -> Reason:
    if difference.field in specification.NAMES:
        return Reason(
            ReasonCode.NAMES_CHANGED,
            f"{difference.field}: {difference.old or '-'} -> {difference.new or '-'}",
        )
    if difference.field == "key":
        return Reason(ReasonCode.KEY_CHANGED, f"{difference.old} -> {difference.new}")
    return Reason(ReasonCode.PROFILE_CHANGED, f"{difference.field}: {difference.old} -> {difference.new}")


def differences_between(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Difference, ...]:
    names = dict.fromkeys((*new, *old))
    return tuple(
        Difference(name, old.get(name) or None, new.get(name) or None)
        for name in names
        if (old.get(name) or None) != (new.get(name) or None)
    )


def distinct(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """One reason a code, their details joined."""
    joined: dict[ReasonCode, list[str]] = {}
    for reason in reasons:
        joined.setdefault(reason.code, []).append(reason.detail)
    return tuple(Reason(code, "; ".join(details)) for code, details in joined.items())


def day(time: datetime) -> str:
    return f"{time:%Y-%m-%d}"
