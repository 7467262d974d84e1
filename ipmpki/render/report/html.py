"""report.html: one page that carries all it needs, and that nothing in pki.toml can break."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from ipmpki.diagnostics.escape import visible, visible_lines
from ipmpki.diagnostics.problem import tally
from ipmpki.diagnostics.wording import day, grouped, minute, timestamp
from ipmpki.plans.installation import roles_in_order
from ipmpki.render.problems.cards import problem_cards
from ipmpki.render.problems.page import inlined, page_environment, policy
from ipmpki.render.problems.rule_pages import rule_pages
from ipmpki.render.report import next_steps, words
from ipmpki.render.report.due import due_work, progress_of
from ipmpki.render.report.host_table import host_tables
from ipmpki.render.report.timeline import draw_timeline
from ipmpki.render.report.trust_map import draw_trust
from ipmpki.render.report.words import Installing

if TYPE_CHECKING:
    from jinja2 import Template

    from ipmpki.render.report.document import Report
    from ipmpki.render.report.next_steps import InstallGroup
    from ipmpki.render.report.words import Census


_PARTS = ("report-hosts.html.j2", "report-trust.html.j2")
"""The templates that nearly every page includes."""


def render_html(report: Report, census: Census) -> bytes:
    """The report as one HTML5 file, UTF-8, with a Content-Security-Policy that allows only its own parts."""
    tables = host_tables(words.order_hosts(report), report)
    rows = [row for table in tables for row in table.rows]
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
        rule_pages=rule_pages(report.problems),
        stages=[] if report.refused else _stages(report),
        pending=(
            *next_steps.ordering(report),
            *next_steps.taking_over(report),
            *next_steps.turning(report),
            *next_steps.nothing_to_install(report),
        ),
        before=next_steps.before_installing(report),
        after=next_steps.after_installing(report),
        backup=next_steps.backing_up(report),
        is_due=words.is_due(report, census),
        renewal=next_steps.renewal(report, census),
        build=words.build_command(report),
        authorities=words.authorities(report),
        timeline=draw_timeline(report),
        tables=tables,
        anchors={row.name: row.anchor for row in rows},
        installing=sorted({row.installing for row in rows}, key=list(Installing).index),
        trust=draw_trust(report, census),
        due=due_work(report, census),
        progress=progress_of(report),
        is_split=len({table.group for table in tables}) < len(tables),
        words=words.WORDS,
        limits=words.LIMITS,
    )
    return visible_lines(page).encode()


def prepare_report() -> None:
    """Compile the page's templates, which takes as long as hundreds of hosts' folders do."""
    _template()
    for part in _PARTS:
        _template().environment.get_template(part)


@cache
def _template() -> Template:
    environment = page_environment()
    environment.filters.update(day=day, minute=minute, timestamp=timestamp, grouped=grouped)
    return environment.get_template("report.html.j2")


def _stages(report: Report) -> list[tuple[str, list[InstallGroup]]]:
    groups = next_steps.group_installs(report)
    stages = [
        (next_steps.stage_title(role, report), [group for group in groups if group.role is role])
        for role in roles_in_order(mutual_auth=report.mutual_auth)
    ]
    return [stage for stage in stages if stage[1]]
