"""``ipmpki schema``: JSON Schemas of what ipmpki reads and writes."""

from __future__ import annotations

import click

from ipmpki.cli import console

NAMES = ("pki", "problems", "plan", "status", "show", "log", "manifest", "adoption")


@click.command(
    epilog="Example: ipmpki schema > pki.schema.json, then '#:schema ./pki.schema.json' in pki.toml"
)
@click.argument("name", type=click.Choice(NAMES), default="pki")
def command(name: str) -> int:
    """Print the JSON Schema of pki.toml, or of another of ipmpki's files."""
    from ipmpki.render.json_schemas import schema_text

    console.say(schema_text(name))
    return 0


__all__ = ["command"]
