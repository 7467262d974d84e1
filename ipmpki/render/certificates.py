"""The certificates that were seen, as text for people and as JSON for programs."""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import TYPE_CHECKING

from ipmpki.declaration.key_types import kind_of
from ipmpki.diagnostics.escape import to_json, visible
from ipmpki.diagnostics.wording import (
    counted,
    day,
    days_left,
    fingerprint_digits,
    grouped,
    left,
    serial_number,
    timestamp,
)
from ipmpki.render.json_outputs import Balance
from ipmpki.render.problems.json import problems_output
from ipmpki.store.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ipmpki.diagnostics.problem import LocatedProblem
    from ipmpki.render.json_outputs import SeenCertificateOutput, VerifiedOutput
    from ipmpki.store.origin import Seen

_WIDTH = 80
_NARROWEST = 30
_WIDEST = 100
_LABEL = 9
_MOST_TOLD = 5
"""Certificates of one file that are told each; of a bundle, people want to know that it is one."""
_PAIRS_A_LINE = 48
_ORIGINS = {
    Origin.CURRENT: "the current certificate of {host}",
    Origin.REPLACED: "issued here for {host}, and no longer its current one",
    Origin.REVOKED: "issued here for {host}, and revoked",
    Origin.AUTHORITY: "an authority of this store",
    Origin.FORMER_AUTHORITY: "an authority of this store that is no longer trusted",
    Origin.UNKNOWN: "not issued from this store",
}


def render_seen(seen: Sequence[Seen], now: datetime, *, width: int | None = None) -> str:
    """A paragraph for each certificate, in lines that fit a terminal; empty where there is none."""
    width = max(min(width or _WIDTH, _WIDEST), _NARROWEST)
    return "\n".join(line.rstrip() for line in _lines(seen, now, width))


def _lines(seen: Sequence[Seen], now: datetime, width: int) -> Iterator[str]:
    for file, group in groupby(seen, key=lambda one: one.certificate.place.file):
        held = list(group)
        if len(held) > _MOST_TOLD:
            yield f"{visible(file)}: {counted(len(held), 'certificate')} (--format json tells each)"
            continue
        for one in held:
            yield f"{visible(file)}: {visible(one.certificate.title)}"
            for label, value in _fields(one, now):
                yield from _field(label, value, width)


def _fields(one: Seen, now: datetime) -> Iterator[tuple[str, str]]:
    held = one.certificate
    yield "Subject", visible(held.subject) or "none"
    names = (*held.dns_names, *map(str, held.addresses))
    if names:
        yield "Names", ", ".join(map(visible, names))
    elif not held.is_authority:
        yield "Names", "none"
    yield "Issuer", "itself" if held.is_self_issued else visible(held.issuer)
    yield "Valid", f"{day(held.not_before)} to {day(held.not_after)}, {left(held.not_after, now)}"
    yield "Key", kind_of(held.key_type).words
    yield "Serial", serial_number(held.serial)
    yield "SHA-256", grouped(held.fingerprint)
    if one.origin is not None:
        yield "Store", _ORIGINS[one.origin].format(host=visible(one.host or ""))


def _field(label: str, value: str, width: int) -> list[str]:
    lead = f"  {label:<{_LABEL}}"
    if label == "SHA-256":
        parts = [value[at : at + _PAIRS_A_LINE] for at in range(0, len(value), _PAIRS_A_LINE)]
        return [f"{lead if not at else ' ' * len(lead)}{part}" for at, part in enumerate(parts)]
    return textwrap.wrap(
        value,
        width,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_on_hyphens=False,
        break_long_words=False,
    )


def render_verified_json(
    seen: Sequence[Seen], problems: Sequence[LocatedProblem], file: str, now: datetime
) -> str:
    """What was seen and what is wrong with it, as one object; ``file`` is what was asked about."""
    document: VerifiedOutput = {
        **problems_output(problems, file),
        "certificates": [_certificate_output(one, now) for one in seen],
    }
    return to_json(document)


def _certificate_output(one: Seen, now: datetime) -> SeenCertificateOutput:
    held = one.certificate
    number = next((step for step in held.place.path if isinstance(step, int)), 0)
    return {
        "file": held.place.file,
        "number": number,
        "subject": held.subject,
        "issuer": held.issuer,
        "common_name": held.common_names[-1] if held.common_names else None,
        "dns_names": list(held.dns_names),
        "addresses": [str(address) for address in held.addresses],
        "is_authority": held.is_authority,
        "not_before": timestamp(held.not_before),
        "not_after": timestamp(held.not_after),
        "days_left": Balance(days_left(held.not_after, now)),
        "key": held.key_type,
        "key_usage": None if held.key_usage is None else list(held.key_usage),
        "extended_key_usage": None if held.extended_key_usage is None else list(held.extended_key_usage),
        "serial": serial_number(held.serial),
        "fingerprint": fingerprint_digits(held.fingerprint),
        "origin": None if one.origin is None else one.origin.value,
        "host": one.host,
    }
