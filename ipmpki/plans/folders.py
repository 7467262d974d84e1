"""What is out of date or missing under dist/, where nothing has to be issued for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.fleet import Role
from ipmpki.plans.dist_layout import PLAYBOOK_FOLDER, REPORT_FOLDER, host_folder
from ipmpki.plans.folder_inputs import changed_inputs
from ipmpki.plans.installation import list_needed_by
from ipmpki.plans.plan import Action, Artifact, Awaited, Change, Reason, ReasonCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import CertificateSpec, HostSpec
    from ipmpki.plans.rollover import FleetPlan
    from ipmpki.plans.world import World


def certificate_of(host: HostSpec) -> Artifact:
    """Which of the two kinds of certificate a host has."""
    return Artifact.SERVER_CERTIFICATE if host.role is Role.SERVER else Artifact.CLIENT_CERTIFICATE


def awaited_request(host: HostSpec, spec: CertificateSpec) -> Awaited:
    """The certificate of a host whose own request is not there yet; whatever it has stays in force."""
    path = spec.kept_key.path if spec.kept_key is not None else None
    return Awaited(host.name, certificate_of(host), None, path)


def folder_changes(fleet_plan: FleetPlan, host: HostSpec) -> Iterator[Change]:
    """The change to a host's folder, where its certificate stays as it is."""
    world, crl_changes = fleet_plan.world, fleet_plan.crl_changes
    current = world.issued.current.get(host.name)
    folder = host_folder(host.name)
    published = world.issued.folders.get(folder)
    if published is None:
        if current is None:
            reason = Reason(ReasonCode.NEW_HOST, "its folder has not been published yet")
            yield Change(Action.CREATE, host.name, Artifact.FOLDER, (reason,))
            return
        reason = Reason(ReasonCode.FILES_MISSING, "its folder has not been published yet")
        yield Change(Action.RESTORE, host.name, Artifact.FOLDER, (reason,))
        return
    what = fleet_plan.new_trust_of(host)
    if what:
        reason = Reason(ReasonCode.ISSUER_CHANGED, what)
        yield Change(Action.REPLACE, host.name, Artifact.FOLDER, (reason,))
        return
    reasons = []
    if host.role is Role.SERVER and published.asks_clients != world.fleet.asks_clients:
        reasons.append(Reason(ReasonCode.SETTINGS_CHANGED, _asking(host, starts=world.fleet.asks_clients)))
    elif published.inputs != world.wanted.inputs[folder]:
        words = changed_inputs(published.inputs, world.wanted.inputs[folder])
        reasons.append(Reason(ReasonCode.SETTINGS_CHANGED, words))
    elif host.carries_revocation_list and crl_changes:
        reasons.append(Reason(ReasonCode.SETTINGS_CHANGED, "it gets the new revocation list"))
    restored = world.drift.reasons(folder)
    if reasons:
        known = world.issued.installed.get(host.name)
        gets_list = host.carries_revocation_list and crl_changes
        install_by = list_needed_by(world.issued, known, world.now) if gets_list else None
        yield Change(Action.REPLACE, host.name, Artifact.FOLDER, (*reasons, *restored), install_by=install_by)
    elif restored:
        yield Change(Action.RESTORE, host.name, Artifact.FOLDER, restored)


def _asking(host: HostSpec, *, starts: bool) -> str:
    is_told = host.site.keywords.mutual_auth is not None
    if starts:
        by_hand = "" if is_told else ": set by hand in its ipmssl.cfg what has it ask"
        return f"it asks clients for certificates from now on{by_hand}"
    by_hand = "" if is_told else ": take out by hand what has it ask in its ipmssl.cfg"
    return f"it no longer asks clients for certificates{by_hand}"


def unpublished(world: World, folder: str, name: str) -> tuple[Reason, ...]:
    """Why a file of no host must be written again; a build that was killed may not have come to it."""
    published = world.issued.folders.get(folder)
    if published is None:
        return (Reason(ReasonCode.FILES_MISSING, f"{name} has not been published yet"),)
    if published.inputs != world.wanted.inputs[folder]:
        return (Reason(ReasonCode.FILES_CHANGED, f"the store holds a newer {name}"),)
    return world.drift.reasons(folder, name)


def playbook_changes(world: World) -> Iterator[Change]:
    """The inventory names every host, so it follows the declaration and not what was issued."""
    published = world.issued.folders.get(PLAYBOOK_FOLDER)
    drifted = world.drift.reasons(PLAYBOOK_FOLDER)
    if published is None:
        reason = Reason(ReasonCode.FILES_MISSING, "it has not been published yet")
        yield Change(Action.CREATE, None, Artifact.PLAYBOOK, (reason,))
    elif published.inputs != world.wanted.inputs[PLAYBOOK_FOLDER]:
        reason = Reason(
            ReasonCode.SETTINGS_CHANGED, "the hosts, their batches or the playbook itself changed"
        )
        yield Change(Action.REPLACE, None, Artifact.PLAYBOOK, (reason, *drifted))
    elif drifted:
        yield Change(Action.RESTORE, None, Artifact.PLAYBOOK, drifted)


def report_changes(world: World) -> Iterator[Change]:
    """The report follows whatever a build does; it is a change by itself only where it is out of date."""
    if world.issued.last_event == 0:
        return
    published = world.issued.folders.get(REPORT_FOLDER)
    if published is None:
        reasons: tuple[Reason, ...] = (Reason(ReasonCode.FILES_MISSING, "it has not been published yet"),)
    elif published.inputs != world.wanted.inputs[REPORT_FOLDER]:
        reasons = (Reason(ReasonCode.FILES_CHANGED, "it tells of an older state of the store"),)
    else:
        reasons = world.drift.reasons(REPORT_FOLDER)
    if reasons:
        yield Change(Action.RESTORE, None, Artifact.REPORT, reasons)
