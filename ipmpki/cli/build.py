"""``ipmpki build``: check, plan, issue, publish."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.options import declaration_argument, strict_option
from ipmpki.cli.problems import exit_status, show_what_hurts

if TYPE_CHECKING:
    from ipmpki.operations.build import Built
    from ipmpki.operations.project import Project
    from ipmpki.plans.plan import Plan


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
@strict_option
def command(file: Path, saved: Path | None, *, replace_ca: bool, strict: bool) -> int:
    """Check and plan FILE, issue what is due, and publish it to dist/ beside FILE."""
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
    with console.progress_bar() as progress:
        built = build(project, saved=_read_plan(saved), replace_ca=replace_ca, progress=progress)
    show_what_hurts(built.problems, str(file))
    tell_outcome(project, built)
    return exit_status(built.problems, strict=strict)


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
