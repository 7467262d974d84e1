"""``ipmpki log``: what was done, when, why and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.arguments import HostName, remembered_hosts
from ipmpki.cli.options import Moment, declaration_argument

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


@click.command(
    epilog="""\b
Examples:
  ipmpki log pki.toml
  ipmpki log pki.toml --host ipm1.example.com
  ipmpki log pki.toml --since 2026-11-01 -n 20
"""
)
@declaration_argument
@click.option(
    "--host",
    type=HostName(remembered_hosts, follows_file=False),
    metavar="NAME",
    help="Only what was done for one host, be it declared or gone.",
)
@click.option("--since", type=Moment(), help="Only from a day on, such as 2026-11-01 (UTC).")
@click.option("-n", "last", type=click.IntRange(1, 1 << 40), metavar="N", help="Only the last N entries.")
@click.option(
    "--format", "format_", type=click.Choice(("text", "json")), default="text", help="How it is written."
)
def command(file: Path, *, host: str | None, since: datetime | None, last: int | None, format_: str) -> int:
    """Show the ledger of FILE's store: when (UTC), who, what, for which host, and why; the newest last."""
    from ipmpki.operations.history import remember
    from ipmpki.render.history import render_log, render_log_json

    events = remember(file, host=host, since=since, last=last)
    if format_ == "json":
        console.say(render_log_json(events))
    elif events:
        console.say(render_log(events, width=console.output_width()))
    else:
        console.tell(
            f"nothing was done since {since:%Y-%m-%d %H:%M} UTC" if since else "nothing was done yet"
        )
    return 0


__all__ = ["command"]
