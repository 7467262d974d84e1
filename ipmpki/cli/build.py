"""``ipmpki build``: check, plan, issue, publish."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.options import declaration_argument, strict_option
from ipmpki.cli.problems import exit_status, show_what_hurts
from ipmpki.diagnostics.fault import Fault
from ipmpki.diagnostics.wording import counted
from ipmpki.plans.plan import Action

if TYPE_CHECKING:
    from ipmpki.operations.build import Built
    from ipmpki.operations.project import Project
    from ipmpki.plans.plan import Plan


_MOST_NAMED = 20


class Declined(Fault):
    """The answer was no."""

    exit_status = 1


@click.command(
    epilog="""\b
Examples:
  ipmpki build pki.toml
  ipmpki build pki.toml --plan tonight.plan     exactly what that plan says, or nothing
"""
)
@declaration_argument
@click.option(
    "--plan",
    "saved",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Do exactly what a saved plan says; refuse if the world has moved.",
)
@click.option("--replace-ca", is_flag=True, help="Allow the build to replace the certificate authority.")
@click.option("--yes", is_flag=True, help="Do not ask before certificates are revoked or the CA is replaced.")
@strict_option
def command(file: Path, saved: Path | None, *, replace_ca: bool, yes: bool, strict: bool) -> int:
    """Check and plan FILE, issue what is due, and publish it to dist/ beside FILE.

    On a terminal it asks once before it revokes certificates or replaces the certificate authority, which no
    later build can take back.
    """
    from ipmpki.operations.build import build
    from ipmpki.operations.load import load

    project = load(file)
    if project.errors:
        show_what_hurts(project.problems, str(file))
    elif strict and exit_status(project.problems, strict=True):
        show_what_hurts(project.problems, str(file))
        console.say_error(
            "with --strict, warnings keep the build from happening", "mend them, then build again"
        )
        return 1
    approve = None if yes or not console.can_ask() else _approve
    with console.progress_bar() as progress:
        built = build(
            project, saved=_read_plan(saved), replace_ca=replace_ca, progress=progress, approve=approve
        )
    show_what_hurts(built.problems, str(file))
    tell_outcome(project, built)
    return exit_status(built.problems, strict=strict)


def _approve(plan: Plan) -> None:
    """Ask whether to do what cannot be taken back. Raises Fault where that is not wanted."""
    hosts = [change.host for change in plan.changes if change.action is Action.REVOKE and change.host]
    if plan.replaces_ca:
        console.tell("This build replaces the certificate authority, and with it every certificate.")
    if hosts:
        named = ", ".join(hosts[:_MOST_NAMED])
        more = f" and {len(hosts) - _MOST_NAMED:,} more" if len(hosts) > _MOST_NAMED else ""
        console.tell(f"This build revokes {counted(len(hosts), 'certificate')}, of {named}{more}.")
    if not console.confirm("No later build can take that back. Go on?"):
        raise Declined("nothing was changed", "see what would be done: ipmpki plan")


def _read_plan(saved: Path | None) -> Plan | None:
    if saved is None:
        return None
    from ipmpki.plans.saved_plan import read_plan_json
    from ipmpki.source.files import read_file

    return read_plan_json(read_file(saved, what="the plan", may_be_pipe=True), str(saved))


def tell_outcome(project: Project, built: Built) -> None:
    """Say what a build did, and what is to be done now."""
    from ipmpki.render.plan.outcome import render_outcome

    dist = project.dist
    shown = dist.relative_to(Path.cwd()) if dist.is_relative_to(Path.cwd()) else dist
    console.say(render_outcome(built.plan, project.fleet, built.issued, str(shown)))


__all__ = ["command", "tell_outcome"]
