"""What a build would change and why: a pure function of fleet, store, disk and clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.planning.issuing import plan_issuing
from ipmpki.planning.ordering import plan_ordering
from ipmpki.planning.world import Wanted, World

if TYPE_CHECKING:
    from ipmpki.changes import Plan

__all__ = ["Wanted", "World", "make_plan"]


def make_plan(world: World, *, allows_ca_replacement: bool = False) -> Plan:
    """Compare what is declared with what was issued and what lies on disk."""
    if world.fleet.is_third_party:
        return plan_ordering(world)
    return plan_issuing(world, allows_ca_replacement=allows_ca_replacement)
