"""``ipmpki rules``: the rules by name."""

from __future__ import annotations

import click

from ipmpki.cli import console
from ipmpki.diagnostics.escape import to_json


@click.command(epilog="For one rule's page: ipmpki explain RULE")
@click.option(
    "--format",
    "format_",
    type=click.Choice(("text", "json", "markdown")),
    default="text",
    help="How they are listed; markdown is the whole reference, with every rule's page.",
)
def command(format_: str) -> int:
    """List the rules that declarations and certificates are judged by, with what each finds."""
    from ipmpki.rules.catalog import registered

    rules = sorted(registered().values(), key=lambda rule: rule.name)
    if format_ == "json":
        listed = [
            {
                "name": rule.name,
                "severity": rule.severity.value,
                "summary": rule.summary,
                "citation": rule.citation,
            }
            for rule in rules
        ]
        console.say(to_json({"version": 1, "rules": listed}))
        return 0
    if format_ == "markdown":
        from ipmpki.render.problems.rules_reference import render_reference
        from ipmpki.version import __version__

        console.say(render_reference(rules, __version__))
        return 0
    from ipmpki.render.problems.rules_reference import render_list

    console.say(render_list(rules, console.output_width()))
    return 0


__all__ = ["command"]
