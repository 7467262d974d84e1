"""report.html: one page that carries all it needs, and that nothing in pki.toml can break."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from ipmpki.diagnostics import Severity, tally
from ipmpki.render import report_words as words
from ipmpki.render.problems import visible
from ipmpki.render.report_words import Code, Sentence, day, grouped, minute, timestamp
from ipmpki.render.timeline import draw_timeline
from ipmpki.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Template

    from ipmpki.diagnostics import Label, LocatedProblem, Span
    from ipmpki.render.report import Report, ReportedCertificate, ReportedHost
    from ipmpki.render.report_words import Census, InstallGroup

TEMPLATES = Path(__file__).parent / "templates"

ROWS_A_TABLE = 100
"""A longer list is cut into tables of this many rows, as a browser skips the layout of those out of sight."""
MOST_LINES = 6
"""Lines of source shown for one place; a longer stretch is cut in its middle."""
MOST_CHARACTERS = 160
"""Characters of a source line shown on either side of what is marked."""

_SYMBOLS = {Severity.ERROR: "✕", Severity.WARNING: "▲", Severity.INFO: "i"}
_SEVERITY_NAMES = {Severity.ERROR: "Error", Severity.WARNING: "Warning", Severity.INFO: "Note"}


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


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of source: its number, and its text before, within and after the marked part."""

    number: str
    before: str
    marked: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A place in the declaration as the page shows it."""

    where: str
    message: str
    lines: tuple[SourceLine, ...]


@dataclass(frozen=True, slots=True)
class ProblemCard:
    """A problem as the page shows it."""

    rule: str
    tone: str
    symbol: str
    word: str
    message: str
    help: str
    excerpts: tuple[Excerpt, ...]


def render_html(report: Report, census: Census) -> bytes:
    """The report as one HTML5 file, UTF-8, with a Content-Security-Policy that allows only its own parts."""
    hosts = words.order_hosts(report.hosts)
    style, script = _part("report.css"), _part("report.js")
    page = _template().render(
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 - a file of this package
        script=Markup(script),  # noqa: S704 - a file of this package
        report=report,
        declaration=visible(report.declaration),
        as_of=None if report.as_of is None else (timestamp(report.as_of), minute(report.as_of)),
        census=census,
        statuses=[(status, number) for status, number in census.statuses.items() if number],
        count=tally(located.problem for located in report.problems),
        headline=words.write_headline(report, census),
        problems=[_problem_card(located) for located in report.problems],
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
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        prose=_prose,
        visible=visible,
        day=day,
        minute=minute,
        timestamp=timestamp,
        grouped=grouped,
        counted=words.counted,
    )
    return environment.get_template("report.html.j2")


@cache
def _part(name: str) -> str:
    """An inlined file. It must not close the element it stands in.

    It neither begins nor ends with a line end: checkers disagree with browsers whether those are hashed.
    """
    return (TEMPLATES / name).read_text(encoding="utf-8").strip()


def _policy(style: str, script: str) -> str:
    """A policy that lets in this page's own style and script and nothing else (CSP level 2, section 4.2)."""
    return (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; script-src 'sha256-{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


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


def _problem_card(located: LocatedProblem) -> ProblemCard:
    problem = located.problem
    return ProblemCard(
        visible(problem.rule),
        problem.severity.value,
        _SYMBOLS[problem.severity],
        _SEVERITY_NAMES[problem.severity],
        visible(problem.message),
        "" if problem.help is None else visible(problem.help),
        tuple(_excerpt(label) for label in (located.label, *located.related)),
    )


def _excerpt(label: Label) -> Excerpt:
    """A place with its lines. Tabs stay tabs; other characters that cannot be seen are written out."""
    file, span = visible(label.file), label.span
    if span is None:
        return Excerpt(file, visible(label.message), ())
    where = f"{file}, line {span.start.line:,}, column {span.start.column:,}"
    numbered = list(enumerate(label.lines, start=span.start.line))
    lines = [_source_line(number, text, span) for number, text in numbered[:MOST_LINES]]
    if len(numbered) > MOST_LINES:
        hidden = len(numbered) - MOST_LINES + 1
        lines[-2] = SourceLine("", f"… {words.counted(hidden, 'line')} more …", None, "")
        lines[-1] = _source_line(*numbered[-1], span)
    return Excerpt(where, visible(label.message), tuple(lines))


def _source_line(number: int, text: str, span: Span) -> SourceLine:
    """A line in three parts. A place between two characters is an empty mark; an empty line has none."""
    start = span.start.column - 1 if number == span.start.line else len(text) - len(text.lstrip())
    end = span.end.column - 1 if number == span.end.line else len(text)
    start = min(start, len(text))
    end = max(start, end)
    if start == end and span.start.line != span.end.line:
        return SourceLine(str(number), _source(text[: 2 * MOST_CHARACTERS]), None, "")
    before, marked, after = text[:start], text[start:end], text[end:]
    if len(before) > MOST_CHARACTERS:
        before = "…" + before[-MOST_CHARACTERS:]
    if len(marked) > 2 * MOST_CHARACTERS:
        marked = f"{marked[:MOST_CHARACTERS]}…{marked[-MOST_CHARACTERS:]}"
    if len(after) > MOST_CHARACTERS:
        after = after[:MOST_CHARACTERS] + "…"
    return SourceLine(str(number), _source(before), _source(marked), _source(after))


def _source(text: str) -> str:
    return "\t".join([visible(stretch) for stretch in text.split("\t")])
