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
    Reason,
    ReasonCode,
    authority_file,
)
from ipmpki.planning.folders import unpublished
from ipmpki.planning.reasons import certificate_reason, day, differences_between, distinct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipmpki.fleet import CertificateSpec, HostSpec
    from ipmpki.issued import IssuedCertificate
    from ipmpki.planning.world import World


def authority_changes(world: World) -> Iterator[Change]:
    """The change to the authority that signs here, or to its key or its published certificate."""
    old = world.issued.signer
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
    if world.needs_new_signer:
        before, after = specification.fields(old.specification), specification.fields(world.wanted.authority)
        differences = differences_between(before, after)
        reasons = [_authority_reason(difference, world.fleet.signing_table) for difference in differences]
        if old.not_after <= world.now:
            reasons.append(Reason(ReasonCode.EXPIRED, f"ended on {day(old.not_after)}"))
        yield Change(Action.REPLACE, None, Artifact.CA_CERTIFICATE, distinct(reasons), differences)
        return
    if world.wanted.encrypt_key:
        reason = Reason(
            ReasonCode.SETTINGS_CHANGED, "a passphrase is declared and the stored key is not encrypted"
        )
        yield Change(Action.REPLACE, None, Artifact.CA_KEY, (reason,))
    missing = unpublished(world, CA_FOLDER, authority_file(world.fleet))
    if missing:
        yield Change(Action.RESTORE, None, Artifact.CA_CERTIFICATE, missing)


def _authority_reason(difference: Difference, table: str) -> Reason:
    codes = {
        "key": ReasonCode.KEY_CHANGED,
        "lifetime": ReasonCode.PROFILE_CHANGED,
        "existing": ReasonCode.ISSUER_CHANGED,
    }
    return Reason(
        codes.get(difference.field, ReasonCode.NAMES_CHANGED), f"{difference.field} in [{table}] changed"
    )


def certificate_changes(
    world: World, host: HostSpec, holder: str, spec: CertificateSpec, artifact: Artifact
) -> Iterator[Change]:
    """The change to a certificate that is issued here; none where the one there is will do."""
    current = world.issued.current.get(holder)
    order = specification.of_certificate(spec)
    if current is None:
        reason = Reason(ReasonCode.NEW_HOST, "no certificate has been issued for it yet")
        differences = differences_between({}, specification.fields(order))
        yield Change(Action.CREATE, host.name, artifact, (reason,), differences)
        return
    change = _certificate_change(world, host, current, order, artifact)
    if change is not None:
        yield change


def _certificate_change(
    world: World, host: HostSpec, current: IssuedCertificate, order: str, artifact: Artifact
) -> Change | None:
    differences: tuple[Difference, ...] = ()
    replaced: list[Reason] = []
    if order != current.specification:
        differences = differences_between(
            specification.fields(current.specification), specification.fields(order)
        )
        replaced += [certificate_reason(difference) for difference in differences]
    signer = world.issued.signer
    if world.needs_new_signer or (signer is not None and current.authority != signer.identity):
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
    install_by = current.not_after if current.revoked_at is None else None
    return Change(action, host.name, artifact, distinct([*replaced, *renewed]), differences, install_by)


def _is_clipped(world: World, current: IssuedCertificate) -> bool:
    """Whether a certificate ends with its issuer, so that renewing it under that issuer gains nothing."""
    signer = world.issued.signer
    return not world.needs_new_signer and signer is not None and current.not_after >= signer.not_after


def must_renew_revocation_list(world: World) -> bool:
    """Whether a new list is due by itself, whatever this plan revokes."""
    old = world.issued.revocation_list
    return (
        old is None
        or world.needs_new_signer
        or world.issued.unlisted_revocations > 0
        or _crl_is_expiring(world)
    )


def _crl_is_expiring(world: World) -> bool:
    old, signer = world.issued.revocation_list, world.issued.signer
    if old is None or signer is None or old.next_update >= signer.not_after:
        return False
    return old.next_update - world.fleet.crl_renew_before <= world.now


def revocation_list_changes(world: World, others: Sequence[Change]) -> Iterator[Change]:
    """The change to the list of the authority that signs here; ``others`` are the plan's so far."""
    old = world.issued.revocation_list
    if old is None or world.needs_new_signer:
        action = Action.CREATE if old is None else Action.REPLACE
        reason = Reason(ReasonCode.ISSUER_CHANGED, "the authority is new")
        if world.issued.signer is not None and not world.needs_new_signer:
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
