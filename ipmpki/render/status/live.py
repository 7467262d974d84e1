"""What servers show now, in the formats of the status."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from ipmpki.diagnostics.escape import visible, visible_lines
from ipmpki.diagnostics.wording import counted, days, minute, serial_number, timestamp
from ipmpki.plans.sight import Comparison, Word
from ipmpki.render.status.nagios import SERVICE, Level, Thresholds, clean
from ipmpki.render.status.prometheus import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

SAID = {
    Word.CURRENT: "the one that was issued",
    Word.OLDER: "an older one of its own",
    Word.UNKNOWN: "one that the store lacks",
    Word.EXPIRED: "one that has ended",
    Word.NOT_YET_VALID: "one that is not valid yet",
    Word.REVOKED: "one that is revoked",
    Word.ANOTHER_HOST: "another host's",
    Word.WRONG_HOST: "one for another name",
    Word.ANOTHER_AUTHORITY: "another authority's",
    Word.NO_TLS: "no TLS",
    Word.NO_ANSWER: "no answer",
}
_MARKS = {Word.CURRENT: "✓", Word.OLDER: "▲"}
_LETTERS = {"✓": " ", "▲": "!", "✕": "X"}
_MOST_NAMED = 3


def render_live_table(
    declaration: str, verdicts: Sequence[Comparison], at: datetime, *, shows_pictures: bool = True
) -> str:
    """A line for each server: what it shows, how long that holds, and what is known of it."""
    rows = [("SERVER", "SHOWS", "ENDS IN", "")]
    rows += [(visible(one.host), SAID[one.word], _left(one, at), visible(one.detail)) for one in verdicts]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"Seen at {minute(at)}:", ""]
    marks = ["  ", *(f"{_mark(one.word, shows_pictures=shows_pictures)} " for one in verdicts)]
    for mark, row in zip(marks, rows, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)]
        lines.append("  ".join([mark + cells[0], *cells[1:], row[3]]).rstrip())
    current = sum(one.word is Word.CURRENT for one in verdicts)
    lines += ["", f"{counted(len(verdicts), 'server')} asked: {current:,} as issued."]
    if any(one.holder is not None for one in verdicts):
        lines.append(f"To record what was seen: ipmpki installed {visible(declaration)} --live")
    return visible_lines("\n".join(lines)) + "\n"


def _mark(word: Word, *, shows_pictures: bool) -> str:
    mark = _MARKS.get(word, "✕")
    return mark if shows_pictures else _LETTERS[mark]


def _left(one: Comparison, at: datetime) -> str:
    if one.sight is None:
        return "-"
    left = one.sight.not_after - at
    if left > timedelta(0):
        return days(left.days)
    return f"{days(-left // timedelta(days=1))} ago" if -left >= timedelta(days=1) else "today"


def render_live_json(declaration: str, verdicts: Sequence[Comparison], at: datetime) -> str:
    """One object, the servers in the order of the declaration; times in UTC."""
    counts = Counter(one.word for one in verdicts)
    document = {
        "version": 1,
        "declaration": declaration,
        "at": timestamp(at),
        "servers": [
            {
                "host": one.host,
                "shows": one.word.value,
                "detail": one.detail,
                "serial": None if one.sight is None else serial_number(one.sight.serial),
                "ends": None if one.sight is None else timestamp(one.sight.not_after),
                "issuer": None if one.sight is None else one.sight.issuer,
                "certificate_of": one.holder,
            }
            for one in verdicts
        ],
        "summary": {word.value: counts[word] for word in Word},
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def render_live_nagios(
    verdicts: Sequence[Comparison], at: datetime, thresholds: Thresholds
) -> tuple[str, Level]:
    """The line and the level: an older certificate that still holds is a warning, whatever else is grave."""
    levels = [(_level(one, at, thresholds), one) for one in verdicts]
    highest = max((level for level, _ in levels), default=Level.OK)
    bad = [one for level, one in sorted(levels, key=lambda pair: -pair[0]) if level is not Level.OK]
    text = f"{counted(len(verdicts), 'server')} asked, each shows what was issued"
    if bad:
        text = ", ".join(_sentence(one, at) for one in bad[:_MOST_NAMED])
        text += f" and {len(bad) - _MOST_NAMED:,} more" if len(bad) > _MOST_NAMED else ""
    counts = Counter(one.word for one in verdicts)
    measures = " ".join(f"{word.value.replace('-', '_')}={counts[word]};;;0" for word in Word)
    return f"{SERVICE} {highest.name} - {clean(text)} | {measures}", highest


def _sentence(one: Comparison, at: datetime) -> str:
    if one.word is Word.CURRENT:
        return f"{one.host} ends in {_left(one, at)}"
    return f"{one.host} shows {SAID[one.word]}"


def _level(one: Comparison, at: datetime, thresholds: Thresholds) -> Level:
    if one.word not in {Word.CURRENT, Word.OLDER} or _is_within(one, at, thresholds.critical):
        return Level.CRITICAL
    if one.word is Word.OLDER or _is_within(one, at, thresholds.warning):
        return Level.WARNING
    return Level.OK


def _is_within(one: Comparison, at: datetime, number: int | None) -> bool:
    return number is not None and one.sight is not None and one.sight.not_after - at <= timedelta(days=number)


def render_live_prometheus(verdicts: Sequence[Comparison]) -> str:
    """Gauges for the textfile collector, labelled by host."""
    return "\n".join(_metrics(verdicts)) + "\n"


def _metrics(verdicts: Sequence[Comparison]) -> Iterator[str]:
    yield "# HELP ipmpki_live_shows What a server was seen to show; always 1."
    yield "# TYPE ipmpki_live_shows gauge"
    for one in verdicts:
        yield f'ipmpki_live_shows{{host="{escaped(one.host)}",shows="{one.word.value}"}} 1'
    dated = [(one.host, one.sight.not_after) for one in verdicts if one.sight is not None]
    if dated:
        yield "# HELP ipmpki_live_not_after_timestamp_seconds When the certificate ends that a server shows."
        yield "# TYPE ipmpki_live_not_after_timestamp_seconds gauge"
        for host, end in dated:
            yield f'ipmpki_live_not_after_timestamp_seconds{{host="{escaped(host)}"}} {end.timestamp():.0f}'
