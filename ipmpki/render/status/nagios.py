"""The status as one line for Nagios, Icinga, Naemon and their like.

https://www.monitoring-plugins.org/doc/guidelines.html: the service's state and text, a bar, performance data
as ``label=value;warn;crit;min;max``; exit status 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.wording import counted
from ipmpki.plans.status import Kind, Standing, State
from ipmpki.render.status import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ipmpki.plans.status import Status

SERVICE = "IPMPKI"
_MOST_NAMED = 3
_PART_OF_WINDOW = 2
"""A renewal has half its window for the build and the way to the host; then it is time to ask after it."""
_AWKWARD = str.maketrans("|\n\r", "/  ")
"""A bar would begin the performance data, and a line end the line."""


class Level(IntEnum):
    """A service's state, which is the exit status, too."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Days before an end from which on it counts; None for the declared renewal windows, and for the end.

    ``backup_age`` is for how long the store may hold what no backup has; None for ever.
    """

    warning: int | None = None
    critical: int | None = None
    backup_age: timedelta | None = None


def render_nagios(status: Status, thresholds: Thresholds) -> tuple[str, Level]:
    """The line and the level."""
    levels = [(_level(one, status, thresholds), one) for one in status.standings]
    worst = max((level for level, _ in levels), default=Level.OK)
    if status.unknown:
        worst = max(worst, Level.WARNING)
    bad = [one for level, one in sorted(levels, key=lambda pair: -pair[0]) if level is not Level.OK]
    text = _told(bad, status) if bad else ""
    if status.unknown:
        others = f" and {len(status.unknown) - 1:,} more" if len(status.unknown) > 1 else ""
        text += f"{'; ' if text else ''}not known to be installed: {status.unknown[0]}{others}"
    if status.backup.is_due(status.at, thresholds.backup_age):
        worst = max(worst, Level.WARNING)
        text += f"{'; ' if text else ''}store {words.backup_words(status)}"
    text = text or _well(status)
    if status.errors:
        text += f"; {status.declaration} has {counted(status.errors, 'error')}"
    measures = " ".join(_measures(status, thresholds))
    return f"{SERVICE} {worst.name} - {clean(text)} | {measures}", worst


def render_unknown(reason: str) -> str:
    """The line where nothing could be found out."""
    return f"{SERVICE} {Level.UNKNOWN.name} - {clean(reason)}"


def clean(text: str) -> str:
    return visible(text.translate(_AWKWARD))


def _level(one: Standing, status: Status, thresholds: Thresholds) -> Level:
    if one.state.is_broken or one.is_overdue(status.at) or _is_within(one, status, thresholds.critical):
        return Level.CRITICAL
    if one.state in {State.AWAITED, State.NOT_ISSUED} or _is_within(one, status, thresholds.warning):
        return Level.WARNING
    if thresholds.warning is None and (one.state is State.RENEW_SOON or _nears(one, status)):
        return Level.WARNING
    return Level.OK


def _is_within(one: Standing, status: Status, days: int | None) -> bool:
    """Whether the end of the certificate, or the day by which it is to be installed, is so near."""
    dates = [moment for moment in (one.ends, one.install_by) if moment is not None]
    return days is not None and bool(dates) and min(dates) - status.at <= timedelta(days=days)


def _nears(one: Standing, status: Status) -> bool:
    """Whether the day by which to install is nearer than a certificate is renewed before its end."""
    if one.install_by is None or one.ends is None or one.renew_from is None:
        return False
    return one.install_by - (one.ends - one.renew_from) / _PART_OF_WINDOW <= status.at


def _told(bad: list[Standing], status: Status) -> str:
    named = ", ".join(words.sentence_of(one, status.at) for one in bad[:_MOST_NAMED])
    more = len(bad) - _MOST_NAMED
    return f"{named} and {more:,} more" if more > 0 else named


def _well(status: Status) -> str:
    dated = [one for one in status.hosts if one.ends is not None]
    if not dated:
        return "no host needs a certificate"
    return f"{counted(len(dated), 'certificate')} valid, {words.sentence_of(dated[0], status.at)}"


def _measures(status: Status, thresholds: Thresholds) -> Iterable[str]:
    """Days to the first end of each kind, then how many certificates there are in each state."""
    kinds = (
        ("certificate_days", {Kind.SERVER, Kind.CLIENT}),
        ("ca_days", {Kind.AUTHORITY}),
        ("crl_days", {Kind.REVOCATION_LIST}),
    )
    for label, wanted in kinds:
        ends = [one.ends for one in status.standings if one.kind in wanted and one.ends is not None]
        if ends:
            left = (min(ends) - status.at) / timedelta(days=1)
            yield f"{label}={left:.2f};{_from(thresholds.warning)};{_from(thresholds.critical)}".rstrip(";")
    yield f"overdue={len(status.overdue)};;;0"
    yield f"not_known_to_be_installed={len(status.unknown)};;;0"
    if status.backup.at is not None:
        yield f"backup_days={(status.at - status.backup.at) / timedelta(days=1):.2f};;;0"
    for state, number in status.tally().items():
        yield f"{state.value.replace('-', '_')}={number};;;0"


def _from(days: int | None) -> str:
    """The guidelines' range that alerts below a number."""
    return "" if days is None else f"{days}:"
