"""The status as a table for a terminal, 80 columns wide or more."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration.dns_names import shared_domain
from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.wording import counted, day, minute
from ipmpki.plans.status import Standing, State, Step
from ipmpki.render.status import words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from ipmpki.plans.status import Status

_HEADINGS = ("HOST", "ROLE", "STATE", "ENDS IN", "ON HOST", "NEXT STEP")
_GAP = 2
_SHORTEST_NAME = 10
_CALM, _WARNING, _GRAVE = range(3)
_COLOURS = (None, "33", "31")
PICTURES = ("✓", "▲", "✕")
LETTERS = (" ", "!", "X")
"""Marks for a terminal whose character set has no other."""


def _grade(one: Standing, status: Status) -> int:
    if one.state.is_broken or one.is_overdue(status.at):
        return _GRAVE
    return _CALM if one.state is State.VALID and one.step is not Step.WITHDRAW else _WARNING


class _Row(NamedTuple):
    grade: int
    cells: tuple[str, ...]


def render_table(
    status: Status,
    *,
    width: int | None = None,
    colour: bool = False,
    marks: tuple[str, str, str] = PICTURES,
    backup_age: timedelta | None = None,
) -> str:
    """The table, and a line that sums it up. ``width`` is the terminal's, None for lines of any length.

    A state is told by a mark and a word; colour only repeats it. ``backup_age`` is for how long the store may
    hold what no backup has; None where nobody counts on backups.
    """
    rows = [_row(one, status) for one in status.standings]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *(row.cells for row in rows), strict=True)]
    lines = [f"As of {minute(status.at)}:", ""]
    if width is not None:
        others = len(marks[0]) + 1 + sum(widths[1:]) + _GAP * (len(widths) - 1)
        room = max(width - others, _SHORTEST_NAME)
        hosts = [one.name for one in status.hosts]
        domain = shared_domain(hosts)
        if domain and max(map(len, hosts)) > room:
            rows = [
                row._replace(cells=(row.cells[0].removesuffix(f".{domain}"), *row.cells[1:]))
                if one.kind.is_host
                else row
                for one, row in zip(status.standings, rows, strict=True)
            ]
            lines = [f"As of {minute(status.at)}, hosts of {domain}:", ""]
        widths[0] = min(max(len(_HEADINGS[0]), *(len(row.cells[0]) for row in rows)), room)
    lines.append(_line("  ", _HEADINGS, widths))
    for row in rows:
        lines += _lines(marks[row.grade], row, widths, _COLOURS[row.grade] if colour else None)
    return "\n".join([*lines, "", *_summary(status, backup_age)]) + "\n"


def _row(one: Standing, status: Status) -> _Row:
    # In brackets, what is no host's; no host's name can hold any.
    name = visible(one.name) if one.kind.is_host else f"({visible(one.name)})"
    cells = (
        name,
        words.KINDS[one.kind],
        words.STATES[one.state],
        words.time_left(one, status.at),
        words.installed(one),
        words.step_of(one, status.at),
    )
    return _Row(_grade(one, status), cells)


def _lines(mark: str, row: _Row, widths: list[int], colour: str | None) -> Iterator[str]:
    """The line of a row, or two where its name is too long for the terminal."""
    cells = row.cells
    lead = f"{mark} "
    if len(cells[0]) > widths[0]:
        yield _painted(f"{mark} {cells[0]}", colour)
        lead, cells = "  ", ("", *cells[1:])
    yield _painted(_line(lead, cells, widths), colour)


def _line(lead: str, cells: tuple[str, ...], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return (lead + (" " * _GAP).join(padded)).rstrip()


def _painted(text: str, colour: str | None) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def _summary(status: Status, backup_age: timedelta | None) -> Iterator[str]:
    tally = status.tally()
    parts = [f"{number:,} {words.COUNTED_STATES[state]}" for state, number in tally.items() if number]
    line = f"{counted(sum(tally.values()), 'certificate')}: {', '.join(parts)}" if parts else "no certificate"
    if status.without:
        verb = "needs" if status.without == 1 else "need"
        line += f"; {counted(status.without, 'host')} {verb} none"
    yield f"{line}."
    if status.overdue:
        yield f"Not installed in time: {counted(len({one.name for one in status.overdue}), 'host')}."
    if status.unknown:
        others = f" and {len(status.unknown) - 1:,} more" if len(status.unknown) > 1 else ""
        yield f"Not known to be installed: {visible(status.unknown[0])}{others}."
    for name, skip in status.skipped:
        yield f"No stage waits for {visible(name)} since {day(skip.at)}: {visible(skip.reason)}."
    if status.waiting:
        others = f" and {len(status.waiting) - 1:,} more" if len(status.waiting) > 1 else ""
        yield f"Not known to trust both CAs yet: {visible(status.waiting[0])}{others}."
    if status.mutual_auth is not None and status.mutual_auth.waiting:
        waiting = status.mutual_auth.waiting
        way = words.TURNS[status.mutual_auth.stage]
        others = f" and {len(waiting) - 1:,} more" if len(waiting) > 1 else ""
        yield f"Mutual authentication is turned {way}."
        yield f"Not known to be ready for that: {visible(waiting[0])}{others}."
    last = status.backup
    if (last.changed_since and last.at is not None) or last.is_due(status.at, backup_age):
        yield f"The store was {words.backup_words(status)}."
    steps = {one.step for one in status.standings}
    if steps & {Step.BUILD, Step.ORDER, Step.WITHDRAW} or status.awaits_build:
        yield f"Next: ipmpki plan {visible(status.declaration)}, then build."
    if Step.INSTALL in steps or status.unknown:
        yield f"When a host has installed: ipmpki installed {visible(status.declaration)} HOST..."
    if Step.IMPORT in steps:
        yield f"When a certificate has come: ipmpki import {visible(status.declaration)} FILE..."
