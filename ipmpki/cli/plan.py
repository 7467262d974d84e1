"""``ipmpki plan``: what a build would change, and why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.options import Moment, declaration_argument, strict_option
from ipmpki.cli.problems import exit_status, show_what_hurts
from ipmpki.source.write_file import create

if TYPE_CHECKING:
    from datetime import datetime

    from ipmpki.operations.project import Project

PENDING = 3


@click.command(
    epilog="""\b
Examples:
  ipmpki plan pki.toml
  ipmpki plan pki.toml --at 2027-06-01          what will be due by then
  ipmpki plan pki.toml --until 2030-01-01       when there will be something to do
  ipmpki plan pki.toml --out tonight.plan       then: ipmpki build pki.toml --plan tonight.plan
"""
)
@declaration_argument
@click.option("--at", type=Moment(), help="Plan as of another day, such as 2027-06-01.")
@click.option(
    "--until", type=Moment(), help="Show a calendar of the work from now, or from --at, to that day."
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan for build --plan."
)
@click.option("--replace-ca", is_flag=True, help="Allow the plan to replace the certificate authority.")
@click.option("--exit-code", is_flag=True, help="End with status 3 when changes are pending.")
@click.option(
    "--format", "format_", type=click.Choice(("text", "json")), default="text", help="How it is written."
)
@strict_option
def command(  # noqa: PLR0913 -- one parameter an option
    file: Path,
    at: datetime | None,
    until: datetime | None,
    out: Path | None,
    *,
    replace_ca: bool,
    exit_code: bool,
    format_: str,
    strict: bool,
) -> int:
    """Show what a build of FILE would change, and why; change nothing."""
    from ipmpki.operations.load import load
    from ipmpki.operations.plan import plan as make_plan
    from ipmpki.plans.saved_plan import render_plan_json
    from ipmpki.render.plan.text import render_plan_text

    if until is not None and (out is not None or replace_ca or exit_code):
        raise click.UsageError("--until shows a calendar: it goes with --at, --format and --strict alone")
    project = load(file)
    show_what_hurts(project.problems, str(file))
    if until is not None:
        _show_calendar(project, at or project.now, until, format_)
        return exit_status(project.problems, strict=strict)
    plan = make_plan(project, at=at, replace_ca=replace_ca)
    if out is not None:
        create(out, render_plan_json(plan).encode(), overwrite=True)
    if format_ == "json":
        console.say(render_plan_json(plan))
    else:
        colour = console.wants_colour(sys.stdout)
        console.say(render_plan_text(plan, colour=colour), coloured=colour)
    if exit_code and plan.changes:
        return PENDING
    return exit_status(project.problems, strict=strict)


def _show_calendar(project: Project, start: datetime, until: datetime, format_: str) -> None:
    from ipmpki.operations.plan import calendar
    from ipmpki.render.plan.forecast import render_calendar_json, render_calendar_text

    if until <= start:
        raise click.UsageError(f"--until is to come after {start:%Y-%m-%d}")
    work = calendar(project, until, at=start)
    render = render_calendar_json if format_ == "json" else render_calendar_text
    console.say(render(work, start, until))


__all__ = ["command"]
