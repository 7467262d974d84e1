"""``ipmpki explain``: one rule's page."""

from __future__ import annotations

import click

from ipmpki.cli import console
from ipmpki.diagnostics.fault import WrongUse


@click.command(
    epilog="""\b
Examples:
  ipmpki explain partial-wildcard
  ipmpki explain mutual
"""
)
@click.argument("rule")
def command(rule: str) -> int:
    """Explain RULE: what it finds, who is hurt, what to write instead.

    For a word that is no rule's name, the rules about it are listed.
    """
    from ipmpki.diagnostics.wording import closest
    from ipmpki.render.problems.rules_reference import render_list
    from ipmpki.rules.catalog import registered
    from ipmpki.rules.registry import about, page

    rules = registered()
    if rule not in rules:
        found = about(rule, rules.values())
        if len(found) > 1:
            console.say(render_list(found, console.output_width()))
            console.say("\nFor the page of one: ipmpki explain RULE")
            return 0
        if found:
            console.say(page(found[0]))
            return 0
        near = closest(rule, list(rules))
        remedy = f"did you mean '{near}'?" if near else "see 'ipmpki rules' for all of them"
        raise WrongUse(f"there is no rule '{rule}'", remedy)
    console.say(page(rules[rule]))
    return 0


__all__ = ["command"]
