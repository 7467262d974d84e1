"""report.html: one page that carries all it needs, and that nothing in pki.toml can break."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup, escape

from ipmpki.diagnostics import tally
from ipmpki.render import report_words as words
from ipmpki.render.pages import inlined, page_environment, policy
from ipmpki.render.problem_cards import problem_cards
from ipmpki.render.problems import visible
from ipmpki.render.report_words import Code, Sentence, day, grouped, minute, timestamp
from ipmpki.render.timeline import draw_timeline
from ipmpki.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Template

    from ipmpki.render.report import Report, ReportedCertificate, ReportedHost
    from ipmpki.render.report_words import Census, InstallGroup

ROWS_A_TABLE = 100
"""A longer list is cut into tables of this many rows, as a browser skips the layout of those out of sight."""


class HostRow(NamedTuple):
    """A host as the page shows it."""

    name: str
    also: str
    role: str
    system: str
    tone: str
    symbol: str
    word: str
    published: str
    published_at: str
    has_certificate: bool
    until: str = ""
    until_at: str = ""
    renew: str = ""
    renew_at: str = ""
    common_name: str = ""
    names: str = ""
    key: str = ""
    since: str = ""
    serial: str = ""
    fingerprint: str = ""
    tools: str = ""
    installed: str = ""
    install_by: str = ""


@dataclass(frozen=True, slots=True)
class HostTable:
    """A table of at most ROWS_A_TABLE hosts."""

    caption: str
    rows: tuple[HostRow, ...]


def render_html(report: Report, census: Census) -> bytes:
    """The report as one HTML5 file, UTF-8, with a Content-Security-Policy that allows only its own parts."""
    hosts = words.order_hosts(report.hosts)
    style, script = inlined("report.css"), inlined("report.js")
    page = _template().render(
        policy=policy([style], [script]),
        style=Markup(style),  # noqa: S704 - a file of this package
        script=Markup(script),  # noqa: S704 - a file of this package
        report=report,
        declaration=visible(report.declaration),
        as_of=None if report.as_of is None else (timestamp(report.as_of), minute(report.as_of)),
        census=census,
        statuses=[(status, number) for status, number in census.statuses.items() if number],
        count=tally(located.problem for located in report.problems),
        headline=words.write_headline(report, census),
        problems=problem_cards(report.problems),
        stages=[] if report.refused else _stages(report),
        before=(*words.ordering(report), *words.taking_over(report), *words.before_installing(report)),
        after=words.after_installing(report),
        backup=words.backing_up(report),
        is_due=words.is_due(report, census),
        renewal=words.renewal(report, census),
        build=words.build_command(report),
        timeline=draw_timeline(report),
        tables=[
            table
            for role in Role
            for table in _host_tables(role, [host for host in hosts if host.role is role], report)
        ],
        trust=words.explain_trust(report),
        words=words.WORDS,
        limits=words.LIMITS,
    )
    return page.encode("utf-8", "backslashreplace")


@cache
def _template() -> Template:
    environment = page_environment()
    environment.filters.update(prose=_prose, day=day, minute=minute, timestamp=timestamp, grouped=grouped)
    return environment.get_template("report.html.j2")


def _prose(sentence: Sentence) -> Markup:
    """A sentence with its literal parts set as code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(str(part)) if isinstance(part, Code) else escape(part)
        for part in sentence
    )


def _stages(report: Report) -> list[tuple[str, list[InstallGroup]]]:
    groups = words.group_installs(report)
    stages = [
        (title, [group for group in groups if group.role is role]) for role, title in words.STAGES.items()
    ]
    return [stage for stage in stages if stage[1]]


def _host_tables(role: Role, hosts: Sequence[ReportedHost], report: Report) -> list[HostTable]:
    noun = words.ROLE_NAMES[role] + "s"
    parts = -(-len(hosts) // ROWS_A_TABLE)
    tables = []
    for part in range(parts):
        rows = hosts[part * ROWS_A_TABLE : (part + 1) * ROWS_A_TABLE]
        caption = f"{noun} ({len(hosts):,})" if parts == 1 else f"{noun}, part {part + 1} of {parts}"
        tables.append(HostTable(caption, tuple(_host_row(host, report) for host in rows)))
    return tables


def _host_row(host: ReportedHost, report: Report) -> HostRow:
    status = words.status_of(host, report)
    certificate = host.certificate
    first = min(host.certificates, key=lambda one: one.not_after, default=None)
    published = host.published_at
    common = (
        visible(host.name),
        visible(", ".join((*host.aliases, *host.addresses))),
        words.ROLE_NAMES[host.role],
        words.SYSTEM_NAMES[host.os],
        status.tone,
        status.symbol,
        status.word,
        "" if published is None else day(published),
        "" if published is None else timestamp(published),
    )
    if certificate is None or first is None:
        return HostRow(*common, has_certificate=False)
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
        since=day(certificate.not_before),
        serial=words.serial_number(certificate.serial),
        fingerprint=grouped(certificate.fingerprint),
        tools=_as_a_client(host.tools_certificate),
        installed="" if host.installed_at is None else day(host.installed_at),
        install_by="" if host.install_by is None else day(host.install_by),
    )


def _as_a_client(certificate: ReportedCertificate | None) -> str:
    """The certificate that a server's own programs show, in a line."""
    if certificate is None:
        return ""
    return f"another until {day(certificate.not_after)}, serial no. {words.serial_number(certificate.serial)}"
