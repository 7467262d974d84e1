"""``ipmpki show``: a certificate in words, and every one that came before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.arguments import remembered_hosts, target_argument

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    epilog="""\b
Examples:
  ipmpki show pki.toml ipm1.example.com
  ipmpki show pki.toml 5F:21:0C:77       a serial number, in hexadecimal or decimal
"""
)
@target_argument(remembered_hosts, "HOST|SERIAL")
@click.option(
    "--format", "format_", type=click.Choice(("text", "json")), default="text", help="How it is written."
)
def command(target: tuple[Path, str], format_: str) -> int:
    """Show a host's certificate, or the one with a serial number, and every one that came before it.

    It is read from the store, so hosts that are no longer declared are shown, too. No key is ever shown.
    """
    from ipmpki.operations.history import recall
    from ipmpki.render.history import render_story, render_story_json

    host_history = recall(*target)
    if format_ == "json":
        console.say(render_story_json(host_history))
    else:
        console.say(render_story(host_history, width=console.output_width()))
    return 0


__all__ = ["command"]
