"""Carry a plan out: issue, record, publish."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import Fault, WrongUse
from ipmpki.operations.check import conclude
from ipmpki.operations.passphrase import read_passphrase
from ipmpki.operations.plan import authority_files, plan_of, rechained, sound_fleet, with_told
from ipmpki.operations.project import Project, Refused, in_force
from ipmpki.operations.recovery.authority import regained
from ipmpki.operations.recovery.forgotten import take_over
from ipmpki.operations.surroundings import surroundings_of
from ipmpki.plans.dist_layout import REPORT_FOLDER
from ipmpki.plans.plan import Artifact, Plan, Stage
from ipmpki.publish.dist import Publisher
from ipmpki.source.ownership import require_own
from ipmpki.store.sqlite.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.diagnostics.problem import LocatedProblem
    from ipmpki.issue.context import BuildContext, Progress
    from ipmpki.plans.plan import Change
    from ipmpki.publish.folders import Publication
    from ipmpki.store.records import Issued
    from ipmpki.store.sqlite.writer import Store


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did. ``problems`` are those that remain after it."""

    plan: Plan
    problems: tuple[LocatedProblem, ...]
    issued: Issued
    report_changed: bool


def build(
    project: Project,
    *,
    saved: Plan | None = None,
    replace_ca: bool = False,
    progress: Progress | None = None,
    approve: Callable[[Plan], None] | None = None,
) -> Built:
    """Plan, issue, publish. With ``saved``, do exactly that plan or refuse as the world has moved.

    ``approve`` is asked before anything is changed, where the plan holds what no later build can take back;
    what it raises ends the build.

    Raises Refused where the declaration has errors (the report says so, all else is untouched), WrongUse
    where the authority would be replaced without leave, and Fault where the work itself fails.
    """
    try:
        fleet = sound_fleet(project)
    except Refused:
        _publish_refusal(project)
        raise
    from ipmpki.issue.certificates import carry_out, preflight
    from ipmpki.issue.context import BuildContext
    from ipmpki.issue.requests import order
    from ipmpki.publish.folders import Publication, distribute

    context = BuildContext(
        fleet=fleet,
        passphrase=lambda: read_passphrase(project.root, fleet.passphrase),
        authority_files=lambda: authority_files(project, fleet),
        trust_bundle=project.trust_bundle,
        random_bytes=os.urandom,
        now=project.now,
        progress=progress or _no_progress,
    )
    allowed = replace_ca or (saved is not None and saved.allows_ca_replacement)
    agreed = _agreed_plan(project, fleet, project.issued, saved, allowed=allowed)
    preflight(agreed, context, project.issued)
    if approve is not None and agreed.irrevocable:
        approve(agreed)
    approved = agreed.irrevocable
    require_own(project.dist, what="the hosts' keys")
    with open_store(project.store, now=project.now) as store:
        told = _recover(store, project, context)
        held = store.issued()
        if held != project.issued:  # another build came between, or dist/ proved more than the store knew
            fleet = _fleet_now(project, fleet, held)
            context = replace(context, fleet=fleet)
            agreed = _agreed_plan(project, fleet, held, saved, allowed=allowed, told=told)
            if approve is not None and not agreed.irrevocable <= approved:
                raise WrongUse(
                    "another build came between: this one would revoke more than was agreed to",
                    "look at 'ipmpki plan' again, and build",
                )
        held = _rechain(store, project, fleet, held)
        publication = Publication(store, Publisher(project.dist), project.now)
        publication.publisher.recover()
        if agreed.changes:
            publication.publisher.prepare()
        issued = carry_out(agreed, context, store, order(agreed, context, store, held))
        distribute(agreed, context, publication, issued)
        built = _distribute_report(project, fleet, agreed, publication)
        publication.publisher.finish()
        return built


def _fleet_now(project: Project, fleet: Fleet, held: Issued) -> Fleet:
    """The fleet as it is in force by what the store holds now, not when the project was loaded."""
    declared = project.understood.fleet
    return in_force(project.root, declared, held) if declared is not None else fleet


def _rechain(store: Store, project: Project, fleet: Fleet, held: Issued) -> Issued:
    """Keep the certificates above the authority that its file has now; the plan has told of them."""
    found = rechained(project, fleet, held)
    if found is None or found.signer is None:
        return held
    brought = found.signer
    store.replace_authority_certificates(brought.identity, brought.certificates_pem, "as its file has them")
    return store.issued()


def _recover(store: Store, project: Project, context: BuildContext) -> tuple[Change, ...]:
    """Have the store know again what dist/ proves, before anything is issued."""
    fleet, issued = context.fleet, store.issued()
    if regained(project.dist, fleet, issued, project.store) is not None:
        from ipmpki.issue.authorities import existing_authority

        store.add_authority(existing_authority(context), "the store was lost; its certificate lies in dist/")
    return take_over(store, project.dist, fleet)


def _agreed_plan(  # noqa: PLR0913 -- what a plan is agreed on by
    project: Project,
    fleet: Fleet,
    issued: Issued,
    saved: Plan | None,
    *,
    allowed: bool,
    told: tuple[Change, ...] = (),
) -> Plan:
    found = with_told(plan_of(project, fleet, issued, project.now, replace_ca=allowed), told)
    if saved is not None and (found.world, found.changes) != (saved.world, saved.changes):
        raise WrongUse(
            "the world has moved since the plan was saved: a build would do something else now",
            "look at 'ipmpki plan' again, and save it anew",
        )
    if found.replaces_ca and not allowed:
        early = [one for one in issued.signers if one.not_before > project.now]
        if early:
            raise WrongUse(
                "the certificate authority is not valid yet, nor is anything that it issues: it begins on"
                f" {early[-1].not_before:%Y-%m-%d at %H:%M} UTC, and this computer's clock says"
                f" {project.now:%Y-%m-%d %H:%M} UTC",
                "where the clock is behind, set it; else the authority was made while it was ahead: wait"
                " until then, or make another with ipmpki build --replace-ca",
            )
        raise WrongUse(
            "this would replace the certificate authority, and with it every certificate",
            f"look at 'ipmpki plan'; undo the change in [{fleet.signing_table}]; or declare generation ="
            f" {fleet.authority.generation + 1} there, for a successor that takes over without an outage; or"
            " say: ipmpki build --replace-ca",
        )
    return found


def _no_progress(_work: str, _done: int, _total: int) -> None:
    pass


_MOMENTS_TOLD = 5
"""Of so many builds, and of what else was recorded, the report tells what they did."""


def _distribute_report(project: Project, fleet: Fleet, agreed: Plan, publication: Publication) -> Built:
    from ipmpki.publish.folders import distribute_report
    from ipmpki.render.report.collect import report_of
    from ipmpki.render.report.files import render_report

    issued = publication.store.issued()
    surroundings = surroundings_of(project.path, project.understood, project.store, issued, project.now)
    problems = conclude(project.understood, surroundings).problems
    bundle = project.trust_bundle() if fleet.is_third_party and fleet.bundle is not None else None
    rollover = agreed.rollover if agreed.rollover and agreed.rollover.stage is not Stage.RETIRE else None
    # As in the plan that was carried out, but for the last stage: after that, nothing is being turned.
    turn = agreed.mutual_auth if agreed.mutual_auth and agreed.mutual_auth.waiting else None
    report = report_of(
        project.path.name,
        fleet,
        issued,
        problems,
        refused=False,
        bundle=bundle,
        rollover=rollover,
        turn=turn,
        past=publication.store.recent_deeds(_MOMENTS_TOLD),
    )
    files = render_report(report)
    if fleet.is_third_party:
        from ipmpki.render.host_folder.order_form import render_orders

        files = (*files, render_orders(fleet.hosts, tuple(issued.requests.values())))
    changed = distribute_report(files, publication, issued)
    return Built(agreed, problems, issued, changed)


def renew_report(project: Project, store: Store) -> None:
    """Bring the report up to date after something was recorded, where a build would do nothing else.

    Where it cannot be written, or more is to be done, the next plan says so.
    """
    from ipmpki.publish.folders import Publication

    with suppress(Fault):
        issued = store.issued()
        fleet = _fleet_now(project, sound_fleet(project), issued)
        agreed = plan_of(project, fleet, issued, project.now, replace_ca=False)
        if {change.artifact for change in agreed.changes} == {Artifact.REPORT}:
            require_own(project.dist, what="the hosts' keys")
            publication = Publication(store, Publisher(project.dist), project.now)
            publication.publisher.recover()
            publication.publisher.prepare()
            _distribute_report(project, fleet, agreed, publication)
            publication.publisher.finish()


def _publish_refusal(project: Project) -> None:
    """Write the three report files, which say that the build was refused, and touch nothing else."""
    from ipmpki.render.report.collect import report_of
    from ipmpki.render.report.files import render_report

    report = report_of(project.path.name, project.fleet, project.issued, project.problems, refused=True)
    publisher = Publisher(project.dist)
    publisher.place_files(REPORT_FOLDER, render_report(report))
    publisher.finish()
