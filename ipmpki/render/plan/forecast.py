"""The work of the years ahead, as text for people and as JSON for programs."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from ipmpki.diagnostics.escape import to_json, visible_lines
from ipmpki.plans.forecast import Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ipmpki.plans.forecast import Work

_WIDTH = 96
_INDENT = " " * 12
_MOST_NAMED = 8


def render_calendar_text(work: Sequence[Work], start: datetime, until: datetime) -> str:
    """A list by day, in lines that fit a terminal, ending in a newline."""
    return visible_lines("\n".join(_lines(work, start, until))) + "\n"


def _lines(work: Sequence[Work], start: datetime, until: datetime) -> Iterator[str]:
    if not work:
        yield f"Nothing will be due from {start:%Y-%m-%d} to {until:%Y-%m-%d}."
        return
    yield f"What will be due from {start:%Y-%m-%d} to {until:%Y-%m-%d}, if each is done on its day:"
    last = ""
    for one in work:
        day = f"{one.due:%Y-%m-%d}"
        if day != last:
            yield ""
        opening = f"{'' if day == last else day:<{len(_INDENT)}}"
        last = day
        yield from wrap(
            _sentence(one), _WIDTH, initial_indent=opening, subsequent_indent=_INDENT, break_on_hyphens=False
        )


def _sentence(one: Work) -> str:
    by = f"{one.by:%Y-%m-%d}"
    where = _where(one.hosts)
    match one.task:
        case Task.RENEW:
            return f"build: {_count(len(one.hosts), 'host')} to be renewed; install by {by} on {where}"
        case Task.ORDER:
            return (
                f"build and order: {_count(len(one.hosts), 'host')} to be renewed; install by {by} on {where}"
            )
        case Task.LIST:
            install = f"; install by {by} on {where}" if one.hosts else f"; the one before ends on {by}"
            return f"build: the revocation list is renewed{install}"
        case Task.SUCCESSION:
            return (
                f"build: the authority's successor is made, which takes over in three rounds of installing on"
                f" {_count(len(one.hosts), 'host')}; all three are to be done by {by}"
            )
        case Task.REPLACE_AUTHORITY:
            return (
                "declare the certificate and key of your authority's successor, with a higher generation,"
                " and build: it takes over in three rounds of installing on"
                f" {_count(len(one.hosts), 'host')}; all three are to be done by {by}"
            )
        case Task.BUNDLE:
            return f"fetch a newer trust bundle and build; install on {_count(len(one.hosts), 'host')}"


def _where(hosts: Sequence[str]) -> str:
    if len(hosts) <= _MOST_NAMED:
        return ", ".join(hosts)
    return f"{', '.join(hosts[:_MOST_NAMED])} and {len(hosts) - _MOST_NAMED} more"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def render_calendar_json(work: Sequence[Work], start: datetime, until: datetime) -> str:
    """One JSON object, ending in a newline; times are UTC."""
    document = {
        "version": 1,
        "from": _time(start),
        "until": _time(until),
        "work": [
            {"task": one.task.value, "due": _time(one.due), "by": _time(one.by), "hosts": list(one.hosts)}
            for one in work
        ],
    }
    return to_json(document)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
