"""The hosts of a report as rows of HTML tables: what each has, until when, and whether it is installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics import wording
from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.wording import day, grouped, timestamp
from ipmpki.render.report import words
from ipmpki.render.report.next_steps import lines_to_copy, run_by
from ipmpki.render.report.words import Installing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.render.report.document import Report, ReportedCertificate, ReportedHost

ROWS_A_TABLE = 100
"""A longer list is cut into tables of this many rows, as a browser skips the layout of those out of sight."""


_RANKS = {one: str(rank) for rank, one in enumerate(Installing)}


class HostRow(NamedTuple):
    """A host as the page shows it. ``install_key`` puts rows in the order of urgency to install."""

    anchor: str
    name: str
    also: str
    role: str
    system: str
    tone: str
    symbol: str
    word: str
    since: str
    published: str
    published_at: str
    installing: Installing
    install_day: str
    install_key: str
    has_certificate: bool
    until: str = ""
    until_at: str = ""
    renew: str = ""
    renew_at: str = ""
    common_name: str = ""
    names: str = ""
    key: str = ""
    valid_from: str = ""
    serial: str = ""
    fingerprint: str = ""
    tools: str = ""
    left: str = ""
    copy: str = ""
    run: str = ""
    run_by: str = ""


@dataclass(frozen=True, slots=True)
class HostTable:
    """A table of at most ROWS_A_TABLE hosts. ``spread`` names its first and its last.

    ``group`` is what all parts of one list have in common, within which they are sorted.
    """

    caption: str
    spread: str
    group: str
    rows: tuple[HostRow, ...]


def host_tables(hosts: Sequence[ReportedHost], report: Report) -> list[HostTable]:
    """The tables of hosts that are in order already, those of a role apart from the others."""
    numbered = [(f"h{number}", host) for number, host in enumerate(hosts, start=1)]
    urgent = [pair for pair in numbered if words.is_urgent(pair[1], report)]
    calm = numbered[len(urgent) :]  # they are in order
    tables = _tables_of("Overdue, expired or revoked", "urgent", urgent, report)
    for role in Role:
        own = [pair for pair in calm if pair[1].role is role]
        others = "Other " if urgent else ""
        noun = f"{others}{words.ROLE_NAMES[role]}s"
        tables += _tables_of(noun.capitalize(), role.value, own, report)
    return tables


def _tables_of(
    noun: str, group: str, hosts: Sequence[tuple[str, ReportedHost]], report: Report
) -> list[HostTable]:
    parts = -(-len(hosts) // ROWS_A_TABLE)
    tables = []
    for part in range(parts):
        rows = tuple(
            _row(anchor, host, report)
            for anchor, host in hosts[part * ROWS_A_TABLE : (part + 1) * ROWS_A_TABLE]
        )
        caption = f"{noun} ({len(hosts):,})" if parts == 1 else f"{noun}, part {part + 1} of {parts}"
        tables.append(HostTable(caption, f"{rows[0].name} to {rows[-1].name}", group, rows))
    return tables


def _row(anchor: str, host: ReportedHost, report: Report) -> HostRow:
    status = words.status_of(host, report)
    certificate = host.certificate
    first = min(host.certificates, key=lambda one: one.not_after, default=None)
    published = host.published_at
    installing = words.installing_of(host, report)
    install_day = "" if installing is Installing.NOTHING else _install_day(host)
    common = (
        anchor,
        visible(host.name),
        visible(", ".join((*host.aliases, *host.addresses))),
        words.ROLE_NAMES[host.role],
        host.os.label,
        status.tone,
        status.symbol,
        status.word,
        _since(host),
        "" if published is None else day(published),
        "" if published is None else timestamp(published),
        installing,
        install_day,
        _RANKS[installing] + install_day,
    )
    has_folder = installing is not Installing.NOTHING and not report.refused
    copy, run = lines_to_copy(host) if has_folder else ("", "")
    if certificate is None or first is None:
        return HostRow(*common, has_certificate=False, copy=copy, run=run, run_by=run_by(host))
    return HostRow(
        *common,
        has_certificate=True,
        until=day(first.not_after),
        until_at=timestamp(first.not_after),
        renew=day(first.renew_from),
        renew_at=timestamp(first.renew_from),
        common_name=visible(certificate.common_name),
        names=visible(", ".join((*certificate.dns_names, *certificate.addresses))),
        key=visible(certificate.key),
        valid_from=day(certificate.not_before),
        serial=wording.serial_number(certificate.serial),
        fingerprint=grouped(certificate.fingerprint),
        tools=_as_a_client(host.tools_certificate),
        left=words.left_of(first.not_after, report),
        copy=copy,
        run=run,
        run_by=run_by(host),
    )


def _since(host: ReportedHost) -> str:
    """Since when it is revoked, or something is awaited."""
    revoked = [one.revoked_at for one in host.certificates if one.revoked_at is not None]
    moment = min(revoked, default=host.awaited_since)
    return "" if moment is None else day(moment)


def _install_day(host: ReportedHost) -> str:
    """The day that belongs to whether a host has what is published for it."""
    moment = host.installed_at or host.install_by
    return "" if moment is None else day(moment)


def _as_a_client(certificate: ReportedCertificate | None) -> str:
    """The certificate that a server's own programs show, in a line."""
    if certificate is None:
        return ""
    return (
        f"another until {day(certificate.not_after)}, serial no. {wording.serial_number(certificate.serial)}"
    )
