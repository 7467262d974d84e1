"""``ipmpki explain``: one rule's page."""

from __future__ import annotations

import difflib

import click

from ipmpki.cli import console
from ipmpki.faults import WrongUse


@click.command(epilog="Example: ipmpki explain partial-wildcard")
@click.argument("rule")
def command(rule: str) -> int:
    """Explain RULE: what it finds, who is hurt, what to write instead."""
    from ipmpki.rules.registry import registered

    rules = registered()
    if rule not in rules:
        near = difflib.get_close_matches(rule, rules, n=1)
        remedy = f"did you mean '{near[0]}'?" if near else "see 'ipmpki rules' for all of them"
        raise WrongUse(f"there is no rule '{rule}'", remedy)
    found = rules[rule]
    console.say(f"{found.name} ({found.severity})\n\n{found.page}\n\nSource: {found.citation}")
    return 0


__all__ = ["command"]
