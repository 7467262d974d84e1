"""The status as a calendar (RFC 5545): what is to be renewed on which day, what ends on which, with alarms.

Written here rather than with a library: a calendar of all-day events with an alarm each takes the two rules
below, folding and escaping, and a library would bring four packages for them.
"""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.diagnostics.escape import visible_lines
from ipmpki.diagnostics.wording import counted
from ipmpki.plans.status import Kind, Standing, State
from ipmpki.render.status import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.plans.status import Status

_LONGEST_LINE = 75
"""Octets without the line end (RFC 5545, section 3.1)."""
_MOST_LISTED = 100
_MORNING = "PT9H"
"""At nine o'clock on the day, where the reader is."""
_WEEK_AHEAD = "-P7D"
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": ""})


class _Work(NamedTuple):
    """A kind of event: its title, what to do, and when its alarm sounds."""

    name: str
    title: str
    advice: str
    alarm: str


_RENEWAL = _Work(
    "renewal", "Renew certificates", "Run 'ipmpki build {file}', then install again on:", _MORNING
)
_SUCCESSION = _Work(
    "succession",
    "Make a new CA",
    "From now on new certificates end with the CA, earlier than declared. See 'ipmpki status {file}':",
    _MORNING,
)
_EXPIRY = _Work("expiry", "Certificates expire", "What is not renewed by then stops working:", _WEEK_AHEAD)
_INSTALLING = _Work(
    "install",
    "Install certificates",
    "What they have in use ends. Install their folders, then run 'ipmpki installed {file} HOST...':",
    _WEEK_AHEAD,
)
_WAITING = _Work(
    "awaited", "Certificates are missing", "'ipmpki status {file}' shows what each one waits for:", _MORNING
)


def render_calendar(status: Status) -> str:
    """An iCalendar object with CRLF line ends. What is overdue stands on the day of the status."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//ipmpki//ipmpki status//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{_text(_title(status))}",  # RFC 7986, section 5.1
        f"X-WR-CALNAME:{_text(_title(status))}",  # for programs older than that
        "REFRESH-INTERVAL;VALUE=DURATION:P1D",
    ]
    for (day, work), standings in sorted(_events(status).items(), key=lambda item: item[0]):
        lines += _event(status, day, work, standings)
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _title(status: Status) -> str:
    return f"Certificates of {status.pki}"


def _events(status: Status) -> dict[tuple[date, _Work], list[Standing]]:
    """Hosts that share a day share an event: fleets are built, and so renewed, on one day."""
    today = status.at.date()
    events: dict[tuple[date, _Work], list[Standing]] = {}
    for one in status.standings:
        if one.state in {State.AWAITED, State.NOT_ISSUED}:
            events.setdefault((today, _WAITING), []).append(one)
        elif one.renew_from is not None and not one.state.is_broken:
            work = _SUCCESSION if one.kind is Kind.AUTHORITY else _RENEWAL
            events.setdefault((max(one.renew_from.date(), today), work), []).append(one)
        if one.install_by is not None:
            events.setdefault((max(one.install_by.date(), today), _INSTALLING), []).append(one)
        if one.ends is not None:
            events.setdefault((max(one.ends.date(), today), _EXPIRY), []).append(one)
    return events


def _event(status: Status, day: date, work: _Work, standings: list[Standing]) -> Iterator[str]:
    summary = _summary(work, standings)
    names = list(dict.fromkeys(map(words.name_of, standings)))  # a host may have two certificates
    listed = names[:_MOST_LISTED]
    if len(names) > _MOST_LISTED:
        listed.append(f"and {len(names) - _MOST_LISTED:,} more")
    advice = work.advice.format(file=status.declaration)
    # The same day's event keeps its UID (RFC 7986, section 5.3), so that importing again replaces it.
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"ipmpki:{status.pki}:{work.name}:{day}")
    yield "BEGIN:VEVENT"
    yield f"UID:{identity}"
    yield f"DTSTAMP:{status.at:%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{day:%Y%m%d}"
    if day < date.max:  # without an end it lasts the day (RFC 5545, section 3.6.1); some programs want one
        yield f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{_text(summary)}"
    yield f"DESCRIPTION:{_text(chr(10).join([advice, *listed]))}"
    yield "TRANSP:TRANSPARENT"
    yield "BEGIN:VALARM"
    yield "ACTION:DISPLAY"
    yield f"DESCRIPTION:{_text(summary)}"
    yield f"TRIGGER:{work.alarm}"
    yield "END:VALARM"
    yield "END:VEVENT"


def _summary(work: _Work, standings: list[Standing]) -> str:
    hosts = list(dict.fromkeys(words.name_of(one) for one in standings if one.kind.is_host))
    parts = [counted(len(hosts), "host")] if len(hosts) > 1 else hosts
    parts += [_shared(one) for one in standings if not one.kind.is_host]
    return f"{work.title}: {', '.join(parts)}"


def _shared(one: Standing) -> str:
    return "the revocation list" if one.kind is Kind.REVOCATION_LIST else words.name_of(one)


def _text(value: str) -> str:
    """RFC 5545, section 3.3.11: TEXT holds no control character, and a line end as two characters."""
    return visible_lines(value).translate(_ESCAPES)


def _folded(line: str) -> str:
    """Broken where it is too long, never within a character (RFC 5545, section 3.1)."""
    if len(line.encode()) <= _LONGEST_LINE:
        return line
    pieces, piece, size = [], "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > _LONGEST_LINE:
            pieces.append(piece)
            piece, size = " ", 1
        piece += character
        size += octets
    return "\r\n".join([*pieces, piece])
