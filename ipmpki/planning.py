"""What a build would change and why: a pure function of fleet, store, disk and clock."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki import specification
from ipmpki.changes import (
    CA_FOLDER,
    PLAYBOOK_FOLDER,
    REPORT_FOLDER,
    Action,
    Artifact,
    Change,
    Difference,
    Drift,
    Plan,
    Reason,
    ReasonCode,
    host_folder,
)
from ipmpki.fleet import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from ipmpki.fleet import Fleet, HostSpec
    from ipmpki.issued import Issued, IssuedCertificate


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the declaration asks for, in the texts the store keeps.

    ``authority`` is the authority's specification; ``encrypt_key`` whether its stored key is plain though
    a passphrase is declared; ``inputs`` what each folder would be rendered from if nothing were issued.
    """

    authority: str
    encrypt_key: bool
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class World:
    """All that a plan depends on: what is declared, what was issued, what lies on disk, what time it is."""

    fleet: Fleet
    wanted: Wanted
    issued: Issued
    drift: Drift
    now: datetime

    @property
    def needs_new_authority(self) -> bool:
        """Whether every certificate will have another issuer."""
        old = self.issued.authority
        return old is None or old.specification != self.wanted.authority or old.not_after <= self.now


def make_plan(world: World, *, allows_ca_replacement: bool = False) -> Plan:
    """Compare what is declared with what was issued and what lies on disk."""
    certificates, kept = _certificate_changes(world)
    revocations = tuple(_removed_hosts(world))
    authority = tuple(_authority_changes(world))
    crl = tuple(_revocation_list_changes(world, (*certificates, *revocations)))
    playbook = tuple(_playbook_changes(world))
    report = tuple(_report_changes(world))
    changes = (*authority, *certificates, *revocations, *crl, *playbook, *report)
    kept += sum(1 for group in (authority, crl, playbook) if not group)
    return Plan(world.now, changes, kept, _digest(world), allows_ca_replacement)


def _authority_changes(world: World) -> Iterator[Change]:
    old = world.issued.authority
    if old is None:
        reason = Reason(ReasonCode.ISSUER_CHANGED, "the store holds no authority yet")
        yield Change(
            Action.CREATE,
            None,
            Artifact.CA_CERTIFICATE,
            (reason,),
            _differences({}, specification.fields(world.wanted.authority)),
        )
        return
    if world.needs_new_authority:
        before, after = specification.fields(old.specification), specification.fields(world.wanted.authority)
        differences = _differences(before, after)
        reasons = [_authority_reason(difference) for difference in differences]
        if old.not_after <= world.now:
            reasons.append(Reason(ReasonCode.EXPIRED, f"ended on {_day(old.not_after)}"))
        yield Change(Action.REPLACE, None, Artifact.CA_CERTIFICATE, _distinct(reasons), differences)
        return
    if world.wanted.encrypt_key:
        reason = Reason(
            ReasonCode.SETTINGS_CHANGED, "a passphrase is declared and the stored key is not encrypted"
        )
        yield Change(Action.REPLACE, None, Artifact.CA_KEY, (reason,))
    missing = _unpublished(world, CA_FOLDER, "ca-cert.pem")
    if missing:
        yield Change(Action.RESTORE, None, Artifact.CA_CERTIFICATE, missing)


def _unpublished(world: World, folder: str, name: str) -> tuple[Reason, ...]:
    """Why a file of no host must be written again; a build that was killed may not have come to it."""
    published = world.issued.folders.get(folder)
    if published is None:
        return (Reason(ReasonCode.FILES_MISSING, f"{name} has not been published yet"),)
    if published.inputs != world.wanted.inputs[folder]:
        return (Reason(ReasonCode.FILES_CHANGED, f"the store holds a newer {name}"),)
    return world.drift.reasons(folder, name)


def _playbook_changes(world: World) -> Iterator[Change]:
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


def _report_changes(world: World) -> Iterator[Change]:
    """The report follows whatever a build does; it is a change by itself only where it is out of date."""
    if world.issued.authority is None:
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


def _authority_reason(difference: Difference) -> Reason:
    codes = {
        "key": ReasonCode.KEY_CHANGED,
        "lifetime": ReasonCode.PROFILE_CHANGED,
        "existing": ReasonCode.ISSUER_CHANGED,
    }
    return Reason(
        codes.get(difference.field, ReasonCode.NAMES_CHANGED), f"{difference.field} in [ca] changed"
    )


def _certificate_changes(world: World) -> tuple[tuple[Change, ...], int]:
    changes: list[Change] = []
    kept = 0
    crl_changes = _crl_must_change(world) or _loses_certificates(world)
    for host in world.fleet.hosts:
        own = _host_changes(world, host, crl_changes=crl_changes)
        changes += own
        kept += not own
    return tuple(changes), kept


def _host_changes(world: World, host: HostSpec, *, crl_changes: bool) -> list[Change]:
    """The change to a host's certificate, or else to its folder: a new certificate fills the folder anew."""
    current = world.issued.current.get(host.name)
    folder = host_folder(host.name)
    published = world.issued.folders.get(folder)
    if host.certificate is not None:
        artifact = Artifact.SERVER_CERTIFICATE if host.role is Role.SERVER else Artifact.CLIENT_CERTIFICATE
        if current is None:
            order = specification.fields(specification.of_certificate(host.certificate))
            reason = Reason(ReasonCode.NEW_HOST, "no certificate has been issued for it yet")
            return [Change(Action.CREATE, host.name, artifact, (reason,), _differences({}, order))]
        change = _certificate_change(world, host, current, artifact)
        if change is not None:
            return [change]
    changes = []
    if host.certificate is None and current is not None:
        reason = Reason(
            ReasonCode.PROFILE_CHANGED, "without mutual authentication a client needs no certificate"
        )
        changes.append(Change(Action.REVOKE, host.name, Artifact.CLIENT_CERTIFICATE, (reason,)))
    if published is None:
        if host.certificate is None and current is None:
            reason = Reason(ReasonCode.NEW_HOST, "its folder has not been published yet")
            return [Change(Action.CREATE, host.name, Artifact.FOLDER, (reason,))]
        reason = Reason(ReasonCode.FILES_MISSING, "its folder has not been published yet")
        return [*changes, Change(Action.RESTORE, host.name, Artifact.FOLDER, (reason,))]
    if world.needs_new_authority:
        reason = Reason(ReasonCode.ISSUER_CHANGED, "it gets the new authority's certificate")
        return [*changes, Change(Action.REPLACE, host.name, Artifact.FOLDER, (reason,))]
    reasons = []
    if published.inputs != world.wanted.inputs[folder]:
        reasons.append(
            Reason(ReasonCode.SETTINGS_CHANGED, "its settings, its certificate or the install script changed")
        )
    elif host.carries_revocation_list and crl_changes:
        reasons.append(Reason(ReasonCode.SETTINGS_CHANGED, "it gets the new revocation list"))
    restored = world.drift.reasons(folder)
    if reasons:
        changes.append(Change(Action.REPLACE, host.name, Artifact.FOLDER, (*reasons, *restored)))
    elif restored:
        changes.append(Change(Action.RESTORE, host.name, Artifact.FOLDER, restored))
    return changes


def _certificate_change(
    world: World, host: HostSpec, current: IssuedCertificate, artifact: Artifact
) -> Change | None:
    if host.certificate is None:
        return None
    order = specification.of_certificate(host.certificate)
    differences: tuple[Difference, ...] = ()
    replaced: list[Reason] = []
    if order != current.specification:
        differences = _differences(specification.fields(current.specification), specification.fields(order))
        replaced += [_certificate_reason(difference) for difference in differences]
    authority = world.issued.authority
    if world.needs_new_authority or (authority is not None and current.authority != authority.identity):
        replaced.append(Reason(ReasonCode.ISSUER_CHANGED, "it was issued by an authority that is replaced"))
    if current.revoked_at is not None:
        replaced.append(Reason(ReasonCode.REVOKED, f"revoked on {_day(current.revoked_at)}"))
    renewed: list[Reason] = []
    if current.not_after <= world.now:
        renewed.append(Reason(ReasonCode.EXPIRED, f"ended on {_day(current.not_after)}"))
    elif current.not_after - host.renew_before <= world.now and not _is_clipped(world, current):
        renewed.append(Reason(ReasonCode.EXPIRING, f"ends on {_day(current.not_after)}"))
    if not replaced and not renewed:
        return None
    action = Action.REPLACE if replaced else Action.RENEW
    return Change(action, host.name, artifact, _distinct([*replaced, *renewed]), differences)


def _is_clipped(world: World, current: IssuedCertificate) -> bool:
    """Whether a certificate ends with its issuer, so that renewing it under that issuer gains nothing."""
    authority = world.issued.authority
    return (
        not world.needs_new_authority and authority is not None and current.not_after >= authority.not_after
    )


def _certificate_reason(difference: Difference) -> Reason:
    if difference.field in specification.NAMES:
        return Reason(
            ReasonCode.NAMES_CHANGED,
            f"{difference.field}: {difference.old or '-'} -> {difference.new or '-'}",
        )
    if difference.field == "key":
        return Reason(ReasonCode.KEY_CHANGED, f"{difference.old} -> {difference.new}")
    return Reason(ReasonCode.PROFILE_CHANGED, f"{difference.field}: {difference.old} -> {difference.new}")


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
                reasons = (*reason, Reason(ReasonCode.EXPIRED, f"ended on {_day(current.not_after)}"))
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
        reasons.append(Reason(code, f"its next update is due on {_day(old.next_update)}"))
    missing = _unpublished(world, CA_FOLDER, "crl.pem")
    if reasons:
        yield Change(Action.RENEW, None, Artifact.CRL, (*reasons, *missing))
    elif missing:
        yield Change(Action.RESTORE, None, Artifact.CRL, missing)


def _is_removal(change: Change) -> bool:
    return any(reason.code is ReasonCode.HOST_REMOVED for reason in change.reasons)


def _differences(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Difference, ...]:
    names = dict.fromkeys((*new, *old))
    return tuple(
        Difference(name, old.get(name) or None, new.get(name) or None)
        for name in names
        if (old.get(name) or None) != (new.get(name) or None)
    )


def _distinct(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """One reason a code, their details joined."""
    joined: dict[ReasonCode, list[str]] = {}
    for reason in reasons:
        joined.setdefault(reason.code, []).append(reason.detail)
    return tuple(Reason(code, "; ".join(details)) for code, details in joined.items())


def _day(time: datetime) -> str:
    return f"{time:%Y-%m-%d}"


def _digest(world: World) -> str:
    """A digest of all that a plan depends on but the clock, to tell whether the world has moved."""
    digest = hashlib.sha256()
    digest.update(
        f"{world.issued.last_event}\n{world.wanted.authority}\n{world.wanted.encrypt_key}\n".encode()
    )
    digest.update(f"{world.wanted.inputs[PLAYBOOK_FOLDER]}\n".encode())
    for host in world.fleet.hosts:
        order = specification.of_certificate(host.certificate) if host.certificate else "none"
        renewal = host.renew_before.days
        digest.update(
            f"{host.name}\n{order}\n{renewal}\n{world.wanted.inputs[host_folder(host.name)]}\n".encode()
        )
    for drifted in (world.drift.missing, world.drift.changed):
        digest.update(repr(sorted(drifted.items())).encode())
    return digest.hexdigest()
