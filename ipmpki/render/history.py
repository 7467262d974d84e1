"""What happened, for people and for programs: the ledger's log, and the history of a host's certificates."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from ipmpki.declaration.key_types import kind_of
from ipmpki.diagnostics.escape import visible, visible_lines
from ipmpki.diagnostics.wording import (
    counted,
    day,
    days_left,
    fingerprint_digits,
    grouped,
    left,
    minute,
    serial_number,
    timestamp,
    utc,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ipmpki.store.events import CertificateRecord, Event, HostHistory

_PURPOSES = {"serverAuth": "server (serverAuth)", "clientAuth": "client (clientAuth)"}
_LABEL = 13
_WIDTH = 80
_NARROWEST = 30
_PAIRS_A_LINE = 48


def what_happened(kind: str) -> str:
    """An entry's kind in words: ``certificate issued``."""
    return visible(kind.replace("-", " "))


# --- The log --------------------------------------------------------------------------------------


def render_log(events: Sequence[Event], *, width: int | None = None) -> str:
    """One line an entry, the newest last; on a terminal too narrow for it, why stands on lines of its own."""
    hosts = max((len(visible(event.host or "")) for event in events), default=0)
    kinds = max((len(what_happened(event.kind)) for event in events), default=0)
    users = max((len(visible(event.user)) for event in events), default=0)
    lines: list[str] = []
    for event in events:
        head = (
            f"{_second(event.at)}  {visible(event.user):<{users}}  {what_happened(event.kind):<{kinds}}"
            f"  {visible(event.host or ''):<{hosts}}"
        )
        why = visible(event.detail)
        if width is None or len(head) + 2 + len(why) <= width:
            lines.append(f"{head}  {why}".rstrip())
        else:
            indent = "    "
            lines.append(head.rstrip())
            lines += textwrap.wrap(
                why,
                max(width, _NARROWEST),
                initial_indent=indent,
                subsequent_indent=indent,
                break_on_hyphens=False,
            )
    return visible_lines("".join(f"{line}\n" for line in lines))


def _second(moment: datetime) -> str:
    return timestamp(moment).rstrip("Z").replace("T", " ")


def render_log_json(events: Sequence[Event]) -> str:
    """The entries as one object, the newest last."""
    return _json({"version": 1, "events": [_event(event) for event in events]})


def _event(event: Event) -> dict[str, Any]:
    return {
        "at": timestamp(event.at),
        "what": event.kind,
        "host": event.host,
        "serial": None if event.serial is None else serial_number(event.serial),
        "why": event.detail,
        "user": event.user,
    }


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


# --- The history of a host --------------------------------------------------------------------------


def state_of(one: CertificateRecord, at: datetime) -> str:
    """How a certificate stands, in one word a program can compare."""
    certificate = one.history.kept.certificate
    if certificate.revoked_at is not None:
        return "revoked"
    if utc(certificate.not_after) <= at:
        return "expired"
    return "valid" if certificate.retired_at is None else "retired"


def render_story(host_history: HostHistory, *, width: int | None = None) -> str:
    """The certificate in words, and a paragraph for each that came before it."""
    width = max(min(width or _WIDTH, 100), _NARROWEST)
    return visible_lines("\n".join(line.rstrip() for line in _story(host_history, width))) + "\n"


def _story(host_history: HostHistory, width: int) -> Iterator[str]:
    one = host_history.shown
    facts, certificate = one.facts, one.history.kept.certificate
    kind = "server" if certificate.profile.value != "client" else "client"
    yield f"{visible(host_history.host)}: {kind} certificate, {state_of(one, host_history.at)}"
    if host_history.later:
        verb = "is a newer one" if host_history.later == 1 else f"are {host_history.later} newer ones"
        yield from _wrapped(f"There {verb}: ipmpki show {visible(host_history.host)}", "  ", width)
    if host_history.also is not None:
        yield from _wrapped(
            "Its own programs show another one where they are clients: ipmpki show"
            f" {visible(host_history.also)}",
            "  ",
            width,
        )
    yield ""
    fields = (
        ("Subject", facts.subject or "-"),
        ("Names", ", ".join(facts.dns_names) or facts.common_name or "-"),
        ("Addresses", ", ".join(map(str, facts.addresses)) or "-"),
        ("Valid from", minute(facts.not_before)),
        ("Valid until", f"{minute(facts.not_after)}, {left(facts.not_after, host_history.at)}"),
        ("May act as", ", ".join(_PURPOSES.get(name, name) for name in facts.extended_key_usage) or "-"),
        ("Key", kind_of(facts.key_type).words),
        ("Issued by", facts.issuer),
        ("Issued", _told(one.history.began, certificate.issued_at)),
    )
    for label, value in fields:
        yield from _field(label, visible(value), width)
    is_current = certificate.retired_at is None
    yield from _field("Current", "yes", width) if is_current else _field("No longer used", _ended(one), width)
    yield from _field("Revoked", _revoked(one), width)
    yield from _field("Serial", serial_number(facts.serial), width)
    pairs = grouped(facts.fingerprint)
    for at in range(0, len(pairs), _PAIRS_A_LINE):
        yield f"  {'' if at else 'SHA-256':<{_LABEL}} {pairs[at : at + _PAIRS_A_LINE]}"
    yield ""
    if not host_history.before:
        yield "No certificate of this host came before it."
        return
    yield f"Before it, {counted(len(host_history.before), 'certificate')}:"
    for older in host_history.before:
        yield ""
        yield from _older(older, host_history.at, width)


def _older(one: CertificateRecord, at: datetime, width: int) -> Iterator[str]:
    certificate = one.history.kept.certificate
    names = ", ".join((*one.facts.dns_names, *map(str, one.facts.addresses)))
    yield f"  {serial_number(certificate.serial)}"
    for label, value in (
        ("Valid", f"{day(certificate.not_before)} to {day(certificate.not_after)}, {state_of(one, at)}"),
        ("Names", names),
        ("Issued", _told(one.history.began, certificate.issued_at)),
        ("No longer used", _ended(one)),
        ("Revoked", _revoked(one)),
    ):
        if value != "no":
            yield from _field(label, visible(value), width, indent="    ")


def _told(event: Event | None, at: datetime) -> str:
    if event is None:
        return minute(at)
    return f"{minute(event.at)} by {event.user}; {event.detail}"


def _ended(one: CertificateRecord) -> str:
    retired_at = one.history.kept.certificate.retired_at
    if retired_at is None:
        return "no"
    ended = one.history.ended
    return f"since {minute(retired_at)}" + (f"; {ended.detail}" if ended is not None else "")


def _revoked(one: CertificateRecord) -> str:
    certificate = one.history.kept.certificate
    if certificate.revoked_at is None:
        return "no"
    reason = f", {certificate.revocation_reason}" if certificate.revocation_reason else ""
    return f"{minute(certificate.revoked_at)}{reason}"


def _field(label: str, value: str, width: int, indent: str = "  ") -> list[str]:
    lead = f"{indent}{label:<{_LABEL}} "
    return _wrapped(value, " " * len(f"{indent}{'':<{_LABEL}} "), width, lead)


def _wrapped(text: str, indent: str, width: int, lead: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent if lead is None else lead,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def render_story_json(host_history: HostHistory) -> str:
    """The same as one object."""
    return _json(
        {
            "version": 1,
            "host": host_history.host,
            "at": timestamp(host_history.at),
            "certificate": _certificate(host_history.shown, host_history.at),
            "before": [_certificate(one, host_history.at) for one in host_history.before],
            "later": host_history.later,
            "also": host_history.also,
        }
    )


def _certificate(one: CertificateRecord, at: datetime) -> dict[str, Any]:
    facts, certificate, history = one.facts, one.history.kept.certificate, one.history
    return {
        "serial": serial_number(certificate.serial),
        "state": state_of(one, at),
        "profile": certificate.profile.value,
        "common_name": facts.common_name,
        "dns_names": list(facts.dns_names),
        "addresses": [str(address) for address in facts.addresses],
        "not_before": timestamp(facts.not_before),
        "not_after": timestamp(facts.not_after),
        "key": facts.key_type,
        "key_usage": list(facts.key_usage),
        "extended_key_usage": list(facts.extended_key_usage),
        "subject": facts.subject,
        "issuer": facts.issuer,
        "fingerprint": fingerprint_digits(facts.fingerprint),
        "days_left": days_left(facts.not_after, at),
        "is_current": certificate.retired_at is None,
        "issued": _event(history.began) if history.began is not None else None,
        "retired_at": None if certificate.retired_at is None else timestamp(certificate.retired_at),
        "retired_by": _event(history.ended) if history.ended is not None else None,
        "revoked_at": None if certificate.revoked_at is None else timestamp(certificate.revoked_at),
        "revocation_reason": certificate.revocation_reason,
    }
