"""``ipmpki schema``: JSON Schemas of what ipmpki reads and writes."""

from __future__ import annotations

import click

from ipmpki.cli import console

NAMES = ("pki", "problems", "plan", "status", "show", "log", "manifest", "adoption")


@click.command(
    epilog="Example: ipmpki schema > pki.schema.json, then '#:schema ./pki.schema.json' in pki.toml"
)
@click.argument("name", type=click.Choice(NAMES), default="pki")
@click.option(
    "--format",
    "format_",
    type=click.Choice(("json", "markdown")),
    default="json",
    help="A JSON Schema, for editors and programs; or, of pki.toml, a reference to read.",
)
def command(name: str, format_: str) -> int:
    """Print the JSON Schema of pki.toml, or of another of ipmpki's files."""
    from ipmpki.render.json_schemas import schema_text

    if format_ == "markdown":
        import json

        from ipmpki.render.pki_toml_reference import render_pki_reference
        from ipmpki.version import __version__

        if name != "pki":
            raise click.UsageError(f"there is a reference of pki.toml only; '{name}' has a schema alone")
        console.say(render_pki_reference(json.loads(schema_text(name)), __version__))
        return 0
    console.say(schema_text(name))
    return 0


__all__ = ["command"]
