"""When certificates run out, drawn to scale: pure geometry in percent of the drawing's width.

Percentages rather than a view box let the drawing follow the width of the page, from a telephone to a
printed sheet, while its text keeps its size. With a few certificates each has a bar of its own; with many
they are counted by month, or by a longer period where the months would be too many to see.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from datetime import MINYEAR, UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.wording import counted, day, utc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.render.report.document import Report, ReportedCertificate, ReportedHost

MOST_BARS = 24
"""More certificates than this are counted by period."""
MOST_PERIODS = 36
_TICKS = 4
_PERIODS = (1, 3, 12, 60, 120, 600, 1200, 6000, 12000)
"""Lengths of a period in months; the shortest that gives at most MOST_PERIODS is taken."""
_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the time axis. ``anchor`` keeps the outer labels inside the drawing."""

    at: str
    label: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One certificate's life: from ``left`` over ``width``, the last part being the time to renew it."""

    name: str
    valid_from: str
    renew_from: str
    until: str
    left: str
    width: str
    renew_left: str
    renew_width: str


@dataclass(frozen=True, slots=True)
class Column:
    """How many certificates run out in one period. ``height`` is in percent of the plot's."""

    period: str
    count: int
    first: str
    left: str
    width: str
    middle: str
    height: str
    top: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Either bars or columns, with the axis, the mark of the report's day and the words for both."""

    bars: tuple[Bar, ...]
    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    as_of_at: str | None
    as_of_label: str
    title: str
    description: str


def draw_timeline(report: Report) -> Timeline | None:
    """Lay out the expiries of a report's certificates; None where there are none."""
    dated = sorted(
        (
            (utc(certificate.not_after), _name(host, certificate), certificate)
            for host in report.hosts
            for certificate in host.certificates
        ),
        key=lambda one: one[:2],
    )
    if not dated:
        return None
    ends = [end for end, _, _ in dated]
    description = f"The first expires on {day(ends[0])}, the last on {day(ends[-1])}."
    if len(dated) <= MOST_BARS:
        return _bars(report, [(name, certificate) for _, name, certificate in dated], description)
    return _columns(report, ends, description)


def _name(host: ReportedHost, certificate: ReportedCertificate) -> str:
    return f"{visible(host.name)}{' (as a client)' if certificate is host.tools_certificate else ''}"


def _percent(value: float) -> str:
    return f"{value:.2f}%"


class _Scale:
    """Moments to percentages of the width."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self.start = start
        self.length = max((end - start) / timedelta(days=1), 1.0)

    def __call__(self, moment: datetime) -> float:
        return min(max((moment - self.start) / timedelta(days=1) / self.length * 100, 0.0), 100.0)


def _bars(report: Report, named: Sequence[tuple[str, ReportedCertificate]], description: str) -> Timeline:
    start = min(utc(certificate.not_before) for _, certificate in named)
    end = max(utc(certificate.not_after) for _, certificate in named)
    scale = _Scale(start, end)
    bars = []
    for name, certificate in named:
        left, renew = scale(utc(certificate.not_before)), scale(utc(certificate.renew_from))
        right = scale(utc(certificate.not_after))
        bars.append(
            Bar(
                name,
                day(certificate.not_before),
                day(certificate.renew_from),
                day(certificate.not_after),
                _percent(left),
                _percent(right - left),
                _percent(renew),
                _percent(right - renew),
            )
        )
    return Timeline(
        tuple(bars),
        (),
        _ticks(start, end, scale),
        *_as_of(report, start, end, scale),
        f"When {counted(len(bars), 'certificate')} expire" + ("s" if len(bars) == 1 else ""),
        description,
    )


def _as_of(report: Report, start: datetime, end: datetime, scale: _Scale) -> tuple[str | None, str]:
    if report.as_of is None or not start <= utc(report.as_of) <= end:
        return None, ""
    return _percent(scale(utc(report.as_of))), day(report.as_of)


def _ticks(start: datetime, end: datetime, scale: _Scale) -> tuple[Tick, ...]:
    """Even marks from the first day to the last."""
    ticks = []
    for number in range(_TICKS + 1):
        moment = start + (end - start) * number / _TICKS
        anchor = "start" if number == 0 else "end" if number == _TICKS else "middle"
        ticks.append(Tick(_percent(scale(moment)), day(moment), anchor))
    return tuple(ticks)


def _month_number(moment: datetime) -> int:
    return moment.year * _MONTHS_A_YEAR + moment.month - 1


def _period_name(month: int, length: int) -> str:
    year, within = divmod(month, _MONTHS_A_YEAR)
    if length == 1:
        return f"{year:04}-{within + 1:02}"
    if length < _MONTHS_A_YEAR:
        return f"{year:04} Q{within // length + 1}"
    years = length // _MONTHS_A_YEAR
    return f"{year:04}" if years == 1 else f"{year:04} to {year + years - 1:04}"


def _columns(report: Report, ends: Sequence[datetime], description: str) -> Timeline:
    first, last = _month_number(ends[0]), _month_number(ends[-1])
    length = next(size for size in _PERIODS if last // size - first // size < MOST_PERIODS)
    counts = Counter(_month_number(end) // length for end in ends)
    lowest, periods = first // length, last // length - first // length + 1
    tallest = max(counts.values())
    share = 100 / periods
    columns = []
    for period in range(lowest, lowest + periods):
        left = (period - lowest) * share
        height = counts[period] / tallest * 100
        columns.append(
            Column(
                _period_name(period * length, length),
                counts[period],
                _first_in(ends, period, length) if counts[period] else "",
                _percent(left + share * 0.1),
                _percent(share * 0.8),
                _percent(left + share / 2),
                _percent(height),
                _percent(100 - height),
            )
        )
    unit = {1: "month", 3: "quarter", 12: "year"}.get(length, "period")
    return Timeline(
        (),
        tuple(columns),
        _column_ticks(columns),
        *_as_of_column(report, lowest, periods, length),
        f"How many of {counted(len(ends), 'certificate')} expire in each {unit}",
        f"{description} At most {tallest:,} expire in one {unit}.",
    )


def _first_in(ends: Sequence[datetime], period: int, length: int) -> str:
    year, month = divmod(period * length, _MONTHS_A_YEAR)
    return day(ends[bisect_left(ends, datetime(max(year, MINYEAR), month + 1, 1, tzinfo=UTC))])


def _column_ticks(columns: Sequence[Column]) -> tuple[Tick, ...]:
    """The first and the last period and a few between, so that labels never touch on a narrow page."""
    last = len(columns) - 1
    chosen = sorted({round(last * number / _TICKS) for number in range(_TICKS + 1)})
    return tuple(
        Tick(
            columns[index].middle,
            columns[index].period,
            "start" if index == 0 and last else "end" if index == last and last else "middle",
        )
        for index in chosen
    )


def _as_of_column(report: Report, lowest: int, periods: int, length: int) -> tuple[str | None, str]:
    if report.as_of is None:
        return None, ""
    as_of = utc(report.as_of)
    period = (_month_number(as_of) / length) - lowest
    if not 0 <= period <= periods:
        return None, ""
    return _percent(period / periods * 100), day(as_of)
