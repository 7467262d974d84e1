"""``ipmpki explain``: one rule's page."""

from __future__ import annotations

import click

from ipmpki.cli import console
from ipmpki.diagnostics.fault import WrongUse


@click.command(epilog="Example: ipmpki explain partial-wildcard")
@click.argument("rule")
def command(rule: str) -> int:
    """Explain RULE: what it finds, who is hurt, what to write instead."""
    from ipmpki.diagnostics.wording import closest
    from ipmpki.rules.catalog import registered
    from ipmpki.rules.registry import page

    rules = registered()
    if rule not in rules:
        near = closest(rule, list(rules))
        remedy = f"did you mean '{near}'?" if near else "see 'ipmpki rules' for all of them"
        raise WrongUse(f"there is no rule '{rule}'", remedy)
    console.say(page(rules[rule]))
    return 0


__all__ = ["command"]
