"""``ipmpki installed``: say which hosts have installed what is published for them."""

from __future__ import annotations

from pathlib import Path

import click

from ipmpki.cli import console


@click.command(
    epilog="""\b
Examples:
  ipmpki installed pki.toml ipm1.example.com desk1.example.com
  ipmpki installed pki.toml --all
"""
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.argument("hosts", nargs=-1, metavar="[HOST]...")
@click.option("--all", "everywhere", is_flag=True, help="Every host that has something to install.")
@click.pass_context
def command(ctx: click.Context, file: Path, hosts: tuple[str, ...], *, everywhere: bool) -> int:
    """Record that hosts of FILE have installed what dist/ holds for them now.

    An authority that takes over from another goes on to its next step when every host has, and a certificate
    that was replaced is revoked then, where revoke_replaced says so.
    """
    if bool(hosts) == everywhere:
        raise click.UsageError("name the hosts, or say --all", ctx)
    from ipmpki import project as projects
    from ipmpki.installing import record_installed
    from ipmpki.render.plan import render_rollover

    done = record_installed(projects.load(file), None if everywhere else hosts)
    console.say(f"recorded as installed: {len(done)} host{'' if len(done) == 1 else 's'}")
    project = projects.load(file)
    if not project.errors:
        plan = projects.plan(project)
        told = render_rollover(plan)
        if told:
            console.say(told)
        elif plan.changes:
            console.say(f"next: ipmpki plan {file}")
    return 0


__all__ = ["command"]
