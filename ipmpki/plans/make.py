"""What a build would change and why: a pure function of fleet, store, disk and clock."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from ipmpki.plans.certificates import authority_changes, certificate_changes
from ipmpki.plans.digest import Digest
from ipmpki.plans.folders import (
    awaited_request,
    certificate_of,
    folder_changes,
    playbook_changes,
    report_changes,
)
from ipmpki.plans.mutual_auth import change_of
from ipmpki.plans.plan import Action, Artifact, Plan
from ipmpki.plans.removals import loses_certificates, removed_hosts, superseded, unneeded
from ipmpki.plans.requests import bundle_changes, request_changes
from ipmpki.plans.revocation_list import must_renew_revocation_list, revocation_list_changes
from ipmpki.plans.rollover import FleetPlan, plan_succession
from ipmpki.plans.world import Wanted, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import HostSpec
    from ipmpki.plans.plan import Awaited, Change

__all__ = ["Wanted", "World", "make_plan"]


def make_plan(world: World, *, allows_ca_replacement: bool = False) -> Plan:
    """Compare what is declared with what was issued and what lies on disk."""
    fleet = world.fleet
    awaited: list[Awaited] = []
    succession = plan_succession(world, allows_replacement=allows_ca_replacement)
    ended = tuple(superseded(world))
    revokes = bool(ended) or loses_certificates(world)
    crl_changes = fleet.signs_here and (must_renew_revocation_list(world, succession) or revokes)
    fleet_plan = FleetPlan(world, succession, crl_changes)
    authority = tuple(authority_changes(fleet_plan)) if fleet.signs_here else ()
    bundle = tuple(bundle_changes(world))
    groups = [tuple(_host_changes(fleet_plan, host, awaited)) for host in fleet.hosts]
    removed = tuple(removed_hosts(world))
    before = (*authority, *bundle, *chain.from_iterable(groups), *removed, *ended)
    crl = tuple(revocation_list_changes(fleet_plan, before)) if fleet.signs_here else ()
    playbook = tuple(playbook_changes(world))
    changes = (*before, *crl, *playbook, *report_changes(world))
    waiting = {one.host for one in awaited}
    kept = sum(
        not group and host.name not in waiting and _has_something_to_install(world, host)
        for host, group in zip(fleet.hosts, groups, strict=True)
    )
    kept += fleet.signs_here * ((not authority) + (not crl)) + (not playbook)
    kept += bool(world.wanted.bundle) and not bundle
    return Plan(
        world.now,
        changes,
        kept,
        Digest(world),
        allows_ca_replacement,
        tuple(awaited),
        succession.rollover,
        change_of(fleet, world.issued),
    )


def _host_changes(fleet_plan: FleetPlan, host: HostSpec, awaited: list[Awaited]) -> Iterator[Change]:
    """The changes to a host's certificates, or else to its folder: a new certificate fills the folder anew.

    What the host waits for is added to ``awaited``.
    """
    is_filled = False
    world = fleet_plan.world
    for change in (*_certificates(fleet_plan, host, awaited), *unneeded(world, host)):
        is_filled = is_filled or _fills_folder(change)
        yield change
    if not is_filled and _has_something_to_install(world, host):
        yield from folder_changes(fleet_plan, host)


def _certificates(fleet_plan: FleetPlan, host: HostSpec, awaited: list[Awaited]) -> Iterator[Change]:
    world = fleet_plan.world
    for holder, spec in host.certificates:
        is_tools = spec is host.tools_certificate
        artifact = Artifact.CLIENT_CERTIFICATE if is_tools else certificate_of(host)
        current = world.issued.current.get(holder)
        if spec.awaits_request or (current is not None and current.is_compromised(spec)):
            awaited.append(awaited_request(host, spec))
        elif spec.is_bought:
            yield from request_changes(world, host, spec, awaited)
        else:
            yield from certificate_changes(fleet_plan, host, holder, spec, artifact)


def _fills_folder(change: Change) -> bool:
    return change.action is not Action.REVOKE and not (
        change.action is Action.REMOVE and change.artifact is not Artifact.REQUEST
    )


def _has_something_to_install(world: World, host: HostSpec) -> bool:
    """Without a bundle, a client that shows no certificate needs no file at all."""
    return bool(host.certificates) or not world.fleet.is_third_party or bool(world.wanted.bundle)
