"""What is due, by its day, and how far what takes several builds has come: the top of the report."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.wording import counted, day, timestamp, utc
from ipmpki.plans.plan import MutualAuthStage, Stage
from ipmpki.render.report.words import Installing, authorities, installing_of, left_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ipmpki.render.report.document import Report, ReportedHost
    from ipmpki.render.report.words import Census

_MOST_DAYS = 6
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class DueWork:
    """A row: when (empty where nothing fails on a day), how long that is, what is to be done, and where."""

    tone: str
    symbol: str
    day: str
    moment: str
    left: str
    what: str
    where: str


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What takes several builds: its steps, each with whether it is done, and whom the present one awaits."""

    title: str
    steps: tuple[tuple[str, str], ...]
    done: int
    total: int
    waiting: str


def due_work(report: Report, census: Census) -> tuple[DueWork, ...]:
    """What is to be done, the first day first; what has no day stands after what fails already."""
    if report.refused or report.as_of is None:
        return ()
    rows = [*_installing(report), *_building(report, census)]
    return tuple(sorted(rows, key=lambda one: (_ORDER[one.tone], one.day or "9")))


_ORDER = {"error": 0, "warning": 1, "quiet": 2}


def _row(report: Report, tone: str, moment: datetime | None, what: str, where: str) -> DueWork:
    symbol = {"error": "✕", "warning": "▲", "quiet": "◇"}[tone]
    if moment is None:
        return DueWork(tone, symbol, "", "", "", what, where)
    return DueWork(tone, symbol, day(moment), timestamp(moment), left_of(moment, report), what, where)


def _installing(report: Report) -> Iterator[DueWork]:
    dated: dict[tuple[str, str], list[ReportedHost]] = defaultdict(list)
    behind, unknown = [], []
    for host in report.hosts:
        how = installing_of(host, report)
        if how in {Installing.OVERDUE, Installing.BY} and host.install_by is not None:
            dated[day(host.install_by), host.effect].append(host)
        elif how is Installing.BEHIND:
            behind.append(host)
        elif how is Installing.UNKNOWN:
            unknown.append(host)
    for number, (_, hosts) in enumerate(sorted(dated.items())):
        first = hosts[0]
        is_late = installing_of(first, report) is Installing.OVERDUE
        effect = f": {first.effect}" if first.effect else ""
        if number == _MOST_DAYS:
            others = [one for _, found in sorted(dated.items())[number:] for one in found]
            yield _row(report, "warning", first.install_by, "Install, on this day and later", _named(others))
            break
        tone, verb = ("error", "Overdue, install") if is_late else ("warning", "Install")
        yield _row(report, tone, first.install_by, f"{verb}{effect}", _named(hosts))
    if behind:
        yield _row(report, "warning", None, "Install: what is there is older", _named(behind))
    if unknown:
        yield _row(report, "warning", None, "Install, or say that it is: nobody has told", _named(unknown))


def _building(report: Report, census: Census) -> Iterator[DueWork]:
    assert report.as_of is not None  # noqa: S101 -- the caller looks
    renewal = census.next_renewal
    if renewal is not None:
        due = [
            host
            for host in report.hosts
            if any(day(one.renew_from) <= day(renewal) for one in host.certificates)
        ]
        tone = "warning" if utc(renewal) <= utc(report.as_of) else "quiet"
        yield _row(report, tone, renewal, "Build, which renews certificates, then install", _named(due))
    if report.revocation_list is not None:
        end = report.revocation_list.next_update
        tone = "error" if utc(end) <= utc(report.as_of) else "quiet"
        yield _row(report, tone, end, "The revocation list runs out: build before", "")
    for authority, title in authorities(report):
        tone = "error" if utc(authority.not_after) <= utc(report.as_of) else "quiet"
        what = f"The {title.lower() or 'authority'} ends"
        yield _row(report, tone, authority.not_after, what, visible(authority.subject))


def _named(hosts: Sequence[ReportedHost]) -> str:
    names = [visible(host.name) for host in hosts[:_MOST_NAMED]]
    more = f" and {len(hosts) - len(names):,} more" if len(hosts) > len(names) else ""
    return f"{', '.join(names)}{more}"


_ROLLOVER = (
    (Stage.TRUST_BOTH, "Every host trusts the old and the new authority"),
    (Stage.REISSUE, "Every certificate is issued anew, by the new authority"),
    (Stage.RETIRE, "Hosts cease to trust the old authority"),
)
_TURNS = {
    MutualAuthStage.HAND_OUT: (
        "Mutual authentication is turned on",
        0,
        ("Every host gets a certificate that it shows where it is a client", "Servers ask for it"),
    ),
    MutualAuthStage.ASK: (
        "Mutual authentication is turned on",
        1,
        ("Every host gets a certificate that it shows where it is a client", "Servers ask for it"),
    ),
    MutualAuthStage.RELEASE: (
        "Mutual authentication is turned off",
        0,
        ("Servers stop asking clients for certificates", "What clients show is taken back"),
    ),
    MutualAuthStage.WITHDRAW: (
        "Mutual authentication is turned off",
        1,
        ("Servers stop asking clients for certificates", "What clients show is taken back"),
    ),
}


def progress_of(report: Report) -> tuple[UnderWay, ...]:
    """What is under way; empty where nothing is."""
    found = []
    if report.rollover is not None:
        at = [stage for stage, _ in _ROLLOVER].index(report.rollover.stage)
        steps = [words for _, words in _ROLLOVER]
        found.append(_progress(report, "The authority is replaced", at, steps, report.rollover.waiting))
    if report.turn is not None:
        title, at, words = _TURNS[report.turn.stage]
        found.append(_progress(report, title, at, words, report.turn.waiting))
    return tuple(found)


def _progress(report: Report, title: str, at: int, steps: Sequence[str], waiting: Sequence[str]) -> UnderWay:
    states = ["Done" if number < at else "Now" if number == at else "Then" for number in range(len(steps))]
    named = ", ".join(map(visible, waiting[:_MOST_NAMED]))
    more = f" and {len(waiting) - _MOST_NAMED:,} more" if len(waiting) > _MOST_NAMED else ""
    awaited = (
        f"Waits for {counted(len(waiting), 'host')}: {named}{more}" if waiting else "Waits for nobody: build"
    )
    total = len(report.hosts)
    return UnderWay(title, tuple(zip(states, steps, strict=True)), total - len(waiting), total, awaited)
