"""What an authority of one's own is to issue, renew and revoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration import renewal, specification
from ipmpki.plans.dist_layout import CA_FOLDER, authority_file
from ipmpki.plans.folders import unpublished
from ipmpki.plans.installation import certificate_in_use, replacement_of
from ipmpki.plans.plan import Action, Artifact, Change, Difference, Reason, ReasonCode
from ipmpki.plans.reasons import certificate_reason, day, differences_between, distinct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import CertificateSpec, HostSpec
    from ipmpki.plans.rollover import FleetPlan
    from ipmpki.store.records import IssuedCertificate


def authority_changes(fleet_plan: FleetPlan) -> Iterator[Change]:
    """The change to the authorities that sign here, or to a key or a published certificate of theirs."""
    world, succession = fleet_plan.world, fleet_plan.succession
    if succession.makes:
        is_first = not world.issued.signers
        action = Action.REPLACE if succession.replaces and not is_first else Action.CREATE
        yield Change(action, None, Artifact.CA_CERTIFICATE, succession.reasons, succession.differences)
        return
    for retired in succession.retires:
        reason = Reason(
            ReasonCode.ISSUER_CHANGED, "another has taken over: no host uses a certificate that it issued"
        )
        if retired.not_after <= world.now:
            reason = Reason(ReasonCode.EXPIRED, f"ended on {day(retired.not_after)}")
        shown = f"{retired.subject} (SHA-256 {bytes.fromhex(retired.fingerprint).hex(':').upper()})"
        yield Change(
            Action.REMOVE, None, Artifact.CA_CERTIFICATE, (reason,), (Difference("authority", shown, None),)
        )
    if world.wanted.unprotected:
        reason = Reason(ReasonCode.SETTINGS_CHANGED, world.wanted.unprotected)
        yield Change(Action.REPLACE, None, Artifact.CA_KEY, (reason,))
    if world.wanted.rechained:
        reason = Reason(ReasonCode.SETTINGS_CHANGED, world.wanted.rechained)
        yield Change(Action.RESTORE, None, Artifact.CA_CERTIFICATE, (reason,))
        return
    missing = unpublished(world, CA_FOLDER, authority_file(world.fleet))
    if missing and not succession.retires:
        yield Change(Action.RESTORE, None, Artifact.CA_CERTIFICATE, missing)


def certificate_changes(
    fleet_plan: FleetPlan, host: HostSpec, holder: str, spec: CertificateSpec, artifact: Artifact
) -> Iterator[Change]:
    """The change to a certificate that is issued here; none where the one there is will do."""
    current = fleet_plan.world.issued.current.get(holder)
    if current is None:
        reason = Reason(ReasonCode.NEW_HOST, "no certificate has been issued for it yet")
        wanted = specification.fields(specification.of_certificate(spec))
        differences = differences_between({}, wanted)
        yield Change(Action.CREATE, host.name, artifact, (reason,), differences)
        return
    change = _certificate_change(fleet_plan, host, current, spec, artifact)
    if change is not None:
        yield change


def _certificate_change(
    fleet_plan: FleetPlan,
    host: HostSpec,
    current: IssuedCertificate,
    spec: CertificateSpec,
    artifact: Artifact,
) -> Change | None:
    world, succession = fleet_plan.world, fleet_plan.succession
    order = specification.of_certificate(spec)
    differences: tuple[Difference, ...] = ()
    replaced: list[Reason] = []
    if order != current.specification:
        differences = differences_between(
            specification.fields(current.specification), specification.fields(order)
        )
        replaced += [certificate_reason(difference) for difference in differences]
    if not succession.accepts(current.authority):
        replaced.append(Reason(ReasonCode.ISSUER_CHANGED, "it was issued by an authority that is replaced"))
    if current.revoked_at is not None:
        replaced.append(Reason(ReasonCode.REVOKED, f"revoked on {day(current.revoked_at)}"))
    renewed: list[Reason] = []
    its = renewal.of_certificate(current, host, spec, succession.renewals)
    if its.has_ended(world.now):
        renewed.append(Reason(ReasonCode.EXPIRED, f"ended on {day(current.not_after)}"))
    elif its.is_due(world.now) and not its.needs_successor:
        renewed.append(Reason(ReasonCode.EXPIRING, f"ends on {day(current.not_after)}"))
    if current.not_before > world.now:
        detail = f"valid from {day(current.not_before)} only: it was made while the clock was ahead"
        replaced.append(Reason(ReasonCode.NOT_YET_VALID, detail))
    if not replaced and not renewed:
        return None
    action = Action.REPLACE if replaced else Action.RENEW
    issuer = succession.issuer.identity if succession.issuer is not None else None
    in_use = certificate_in_use(current, world.issued)
    install_by = replacement_of(in_use, order, issuer, world.now).by
    return Change(action, host.name, artifact, distinct([*replaced, *renewed]), differences, install_by)
