"""What an authority of one's own is to issue, renew and revoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki import specification
from ipmpki.changes import (
    CA_FOLDER,
    Action,
    Artifact,
    Change,
    Difference,
    Plan,
    Reason,
    ReasonCode,
    host_folder,
)
from ipmpki.planning.folders import (
    awaited_request,
    certificate_of,
    folder_changes,
    playbook_changes,
    report_changes,
    unpublished,
)
from ipmpki.planning.reasons import certificate_reason, day, differences_between, distinct
from ipmpki.planning.world import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipmpki.changes import Awaited
    from ipmpki.fleet import HostSpec
    from ipmpki.issued import IssuedCertificate
    from ipmpki.planning.world import World


def plan_issuing(world: World, *, allows_ca_replacement: bool) -> Plan:
    """The plan of a fleet whose certificates are issued here."""
    awaited: list[Awaited] = []
    certificates, kept = _certificate_changes(world, awaited)
    revocations = tuple(_removed_hosts(world))
    authority = tuple(_authority_changes(world))
    crl = tuple(_revocation_list_changes(world, (*certificates, *revocations)))
    playbook = tuple(playbook_changes(world))
    report = tuple(report_changes(world))
    changes = (*authority, *certificates, *revocations, *crl, *playbook, *report)
    kept += sum(1 for group in (authority, crl, playbook) if not group)
    return Plan(world.now, changes, kept, digest_of(world), allows_ca_replacement, tuple(awaited))


def _authority_changes(world: World) -> Iterator[Change]:
    old = world.issued.authority
    if old is None:
        reason = Reason(ReasonCode.ISSUER_CHANGED, "the store holds no authority yet")
        yield Change(
            Action.CREATE,
            None,
            Artifact.CA_CERTIFICATE,
            (reason,),
            differences_between({}, specification.fields(world.wanted.authority)),
        )
        return
    if world.needs_new_authority:
        before, after = specification.fields(old.specification), specification.fields(world.wanted.authority)
        differences = differences_between(before, after)
        reasons = [_authority_reason(difference) for difference in differences]
        if old.not_after <= world.now:
            reasons.append(Reason(ReasonCode.EXPIRED, f"ended on {day(old.not_after)}"))
        yield Change(Action.REPLACE, None, Artifact.CA_CERTIFICATE, distinct(reasons), differences)
        return
    if world.wanted.encrypt_key:
        reason = Reason(
            ReasonCode.SETTINGS_CHANGED, "a passphrase is declared and the stored key is not encrypted"
        )
        yield Change(Action.REPLACE, None, Artifact.CA_KEY, (reason,))
    missing = unpublished(world, CA_FOLDER, "ca-cert.pem")
    if missing:
        yield Change(Action.RESTORE, None, Artifact.CA_CERTIFICATE, missing)


def _authority_reason(difference: Difference) -> Reason:
    codes = {
        "key": ReasonCode.KEY_CHANGED,
        "lifetime": ReasonCode.PROFILE_CHANGED,
        "existing": ReasonCode.ISSUER_CHANGED,
    }
    return Reason(
        codes.get(difference.field, ReasonCode.NAMES_CHANGED), f"{difference.field} in [ca] changed"
    )


def _certificate_changes(world: World, awaited: list[Awaited]) -> tuple[tuple[Change, ...], int]:
    changes: list[Change] = []
    kept = 0
    crl_changes = _crl_must_change(world) or _loses_certificates(world)
    for host in world.fleet.hosts:
        if host.certificate is not None and host.certificate.awaits_request:
            awaited.append(awaited_request(host, host.certificate))
            changes += folder_changes(world, host, crl_changes=crl_changes)
            continue
        own = _host_changes(world, host, crl_changes=crl_changes)
        changes += own
        kept += not own
    return tuple(changes), kept


def _host_changes(world: World, host: HostSpec, *, crl_changes: bool) -> list[Change]:
    """The change to a host's certificate, or else to its folder: a new certificate fills the folder anew."""
    current = world.issued.current.get(host.name)
    if host.certificate is not None:
        artifact = certificate_of(host)
        if current is None:
            order = specification.fields(specification.of_certificate(host.certificate))
            reason = Reason(ReasonCode.NEW_HOST, "no certificate has been issued for it yet")
            return [Change(Action.CREATE, host.name, artifact, (reason,), differences_between({}, order))]
        change = _certificate_change(world, host, current, artifact)
        if change is not None:
            return [change]
    changes = []
    if host.certificate is None and current is not None:
        reason = Reason(
            ReasonCode.PROFILE_CHANGED, "without mutual authentication a client needs no certificate"
        )
        changes.append(Change(Action.REVOKE, host.name, Artifact.CLIENT_CERTIFICATE, (reason,)))
    return [*changes, *folder_changes(world, host, crl_changes=crl_changes)]


def _certificate_change(
    world: World, host: HostSpec, current: IssuedCertificate, artifact: Artifact
) -> Change | None:
    if host.certificate is None:
        return None
    order = specification.of_certificate(host.certificate)
    differences: tuple[Difference, ...] = ()
    replaced: list[Reason] = []
    if order != current.specification:
        differences = differences_between(
            specification.fields(current.specification), specification.fields(order)
        )
        replaced += [certificate_reason(difference) for difference in differences]
    authority = world.issued.authority
    if world.needs_new_authority or (authority is not None and current.authority != authority.identity):
        replaced.append(Reason(ReasonCode.ISSUER_CHANGED, "it was issued by an authority that is replaced"))
    if current.revoked_at is not None:
        replaced.append(Reason(ReasonCode.REVOKED, f"revoked on {day(current.revoked_at)}"))
    renewed: list[Reason] = []
    if current.not_after <= world.now:
        renewed.append(Reason(ReasonCode.EXPIRED, f"ended on {day(current.not_after)}"))
    elif current.not_after - host.renew_before <= world.now and not _is_clipped(world, current):
        renewed.append(Reason(ReasonCode.EXPIRING, f"ends on {day(current.not_after)}"))
    if not replaced and not renewed:
        return None
    action = Action.REPLACE if replaced else Action.RENEW
    return Change(action, host.name, artifact, distinct([*replaced, *renewed]), differences)


def _is_clipped(world: World, current: IssuedCertificate) -> bool:
    """Whether a certificate ends with its issuer, so that renewing it under that issuer gains nothing."""
    authority = world.issued.authority
    return (
        not world.needs_new_authority and authority is not None and current.not_after >= authority.not_after
    )


def _loses_certificates(world: World) -> bool:
    """Whether a certificate that was issued is to be revoked."""
    certified = {host.name for host in world.fleet.hosts if host.certificate is not None}
    return any(name not in certified for name in world.issued.current)


def _removed_hosts(world: World) -> Iterator[Change]:
    declared = {host.name for host in world.fleet.hosts}
    reason = (Reason(ReasonCode.HOST_REMOVED, "it is no longer declared"),)
    prefix = host_folder("")
    published = (path.removeprefix(prefix) for path in world.issued.folders if path.startswith(prefix))
    for name in sorted({*world.issued.current, *published} - declared):
        current = world.issued.current.get(name)
        if current is not None:
            is_client = specification.fields(current.specification)["profile"] == "client"
            artifact = Artifact.CLIENT_CERTIFICATE if is_client else Artifact.SERVER_CERTIFICATE
            reasons: tuple[Reason, ...] = reason
            if current.not_after <= world.now:
                reasons = (*reason, Reason(ReasonCode.EXPIRED, f"ended on {day(current.not_after)}"))
            yield Change(Action.REVOKE, name, artifact, reasons)
        if host_folder(name) in world.issued.folders:
            yield Change(Action.REMOVE, name, Artifact.FOLDER, reason)


def _crl_must_change(world: World) -> bool:
    old = world.issued.revocation_list
    return (
        old is None
        or world.needs_new_authority
        or world.issued.unlisted_revocations > 0
        or _crl_is_expiring(world)
    )


def _crl_is_expiring(world: World) -> bool:
    old, authority = world.issued.revocation_list, world.issued.authority
    if old is None or authority is None or old.next_update >= authority.not_after:
        return False
    return old.next_update - world.fleet.crl_renew_before <= world.now


def _revocation_list_changes(world: World, others: Sequence[Change]) -> Iterator[Change]:
    old = world.issued.revocation_list
    if old is None or world.needs_new_authority:
        action = Action.CREATE if old is None else Action.REPLACE
        reason = Reason(ReasonCode.ISSUER_CHANGED, "the authority is new")
        if world.issued.authority is not None and not world.needs_new_authority:
            reason = Reason(ReasonCode.FILES_MISSING, "the authority has no revocation list yet")
        yield Change(action, None, Artifact.CRL, (reason,))
        return
    reasons = []
    revoked = sum(1 for change in others if change.action is Action.REVOKE)
    if revoked:
        code = (
            ReasonCode.HOST_REMOVED if any(_is_removal(change) for change in others) else ReasonCode.REVOKED
        )
        reasons.append(Reason(code, f"{revoked} more revoked"))
    if world.issued.unlisted_revocations:
        reasons.append(Reason(ReasonCode.REVOKED, f"{world.issued.unlisted_revocations} not listed yet"))
    if _crl_is_expiring(world):
        code = ReasonCode.EXPIRED if old.next_update <= world.now else ReasonCode.EXPIRING
        reasons.append(Reason(code, f"its next update is due on {day(old.next_update)}"))
    missing = unpublished(world, CA_FOLDER, "crl.pem")
    if reasons:
        yield Change(Action.RENEW, None, Artifact.CRL, (*reasons, *missing))
    elif missing:
        yield Change(Action.RESTORE, None, Artifact.CRL, missing)


def _is_removal(change: Change) -> bool:
    return any(reason.code is ReasonCode.HOST_REMOVED for reason in change.reasons)
