"""What is to be ordered from a globally known authority, and what of it is awaited.

Nothing is issued here: a build makes a key and a request for each certificate that is due, and an import
brings what the authority made of it. Until then whatever the host has stays in force.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from ipmpki import specification
from ipmpki.changes import (
    CA_FOLDER,
    Action,
    Artifact,
    Awaited,
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
    from collections.abc import Iterator

    from ipmpki.fleet import CertificateSpec, HostSpec
    from ipmpki.planning.world import World


def plan_ordering(world: World) -> Plan:
    """The plan of a fleet whose certificates are bought."""
    awaited: list[Awaited] = []
    bundle = tuple(_bundle_changes(world))
    groups = [tuple(_host_changes(world, host, awaited)) for host in world.fleet.hosts]
    removed = tuple(_removed_hosts(world))
    playbook = tuple(playbook_changes(world))
    report = tuple(report_changes(world))
    waiting = {one.host for one in awaited}
    kept = [
        host
        for host, changes in zip(world.fleet.hosts, groups, strict=True)
        if not changes and host.name not in waiting and _has_something_to_install(world, host)
    ]
    count = len(kept) + (not playbook) + (not bundle and bool(world.wanted.authority))
    changes = (*bundle, *chain.from_iterable(groups), *removed, *playbook, *report)
    return Plan(world.now, changes, count, digest_of(world), awaited=tuple(awaited))


def _bundle_changes(world: World) -> Iterator[Change]:
    old, wanted = world.issued.authority, world.wanted.authority
    if not wanted:
        return
    if old is None:
        yield Change(
            Action.CREATE,
            None,
            Artifact.BUNDLE,
            (Reason(ReasonCode.ISSUER_CHANGED, "the store holds no trust bundle yet"),),
        )
    elif old.specification != wanted:
        what = "its file changed" if old.is_bundle else "certificates are bought from now on"
        differences = (
            *(Difference("authority", None, _shown(one)) for one in world.wanted.coming),
            *(Difference("authority", _shown(one), None) for one in world.wanted.going),
        )
        yield Change(
            Action.REPLACE, None, Artifact.BUNDLE, (Reason(ReasonCode.ISSUER_CHANGED, what),), differences
        )
    elif missing := unpublished(world, CA_FOLDER, "ca-cert.pem"):
        yield Change(Action.RESTORE, None, Artifact.BUNDLE, missing)


def _shown(authority: tuple[str, str]) -> str:
    name, fingerprint = authority
    return f"{name} (SHA-256 {bytes.fromhex(fingerprint).hex(':').upper()})"


def _host_changes(world: World, host: HostSpec, awaited: list[Awaited]) -> Iterator[Change]:
    """The change to a host's request, or else to its folder; what it waits for is added to ``awaited``."""
    if host.certificate is not None and host.certificate.awaits_request:
        awaited.append(awaited_request(host, host.certificate))
    elif host.certificate is not None:
        reasons, differences = _grounds(world, host, host.certificate)
        request = world.issued.requests.get(host.name)
        if reasons and (
            request is None or request.specification != specification.of_request(host.certificate)
        ):
            awaited.append(Awaited(host.name, certificate_of(host), None))
            action = Action.CREATE if request is None else Action.REPLACE
            yield Change(action, host.name, Artifact.REQUEST, reasons, differences)
            return
        if reasons and request is not None:
            awaited.append(Awaited(host.name, certificate_of(host), request.made_at))
        elif request is not None:
            yield Change(
                Action.REMOVE,
                host.name,
                Artifact.REQUEST,
                (Reason(ReasonCode.SETTINGS_CHANGED, "the certificate it has is as declared again"),),
            )
            return
    if _has_something_to_install(world, host):
        yield from folder_changes(world, host)


def _has_something_to_install(world: World, host: HostSpec) -> bool:
    """Without a bundle, a client that shows no certificate needs no file at all."""
    return host.certificate is not None or bool(world.wanted.authority)


def _grounds(
    world: World, host: HostSpec, spec: CertificateSpec
) -> tuple[tuple[Reason, ...], tuple[Difference, ...]]:
    """Why another certificate has to be bought for a host; empty where the one it has will do."""
    order = specification.of_request(spec)
    current = world.issued.current.get(host.name)
    if current is None:
        reason = Reason(ReasonCode.NEW_HOST, "it has no certificate yet")
        return (reason,), differences_between({}, specification.fields(order))
    reasons: list[Reason] = []
    differences: tuple[Difference, ...] = ()
    if not specification.is_bought(current.specification):
        reasons.append(Reason(ReasonCode.ISSUER_CHANGED, "it was issued by an authority of your own"))
    elif current.specification != order:
        differences = differences_between(
            specification.fields(current.specification), specification.fields(order)
        )
        reasons += [certificate_reason(difference) for difference in differences]
    if current.not_after <= world.now:
        reasons.append(Reason(ReasonCode.EXPIRED, f"ended on {day(current.not_after)}"))
    elif current.not_after - host.renew_before <= world.now:
        reasons.append(Reason(ReasonCode.EXPIRING, f"ends on {day(current.not_after)}"))
    return distinct(reasons), differences


def _removed_hosts(world: World) -> Iterator[Change]:
    """What remains of hosts that are no longer declared. Only the authority can revoke what it has sold."""
    declared = {host.name for host in world.fleet.hosts}
    needing = {host.name for host in world.fleet.hosts if host.certificate is not None}
    prefix = host_folder("")
    published = {path.removeprefix(prefix) for path in world.issued.folders if path.startswith(prefix)}
    gone = Reason(ReasonCode.HOST_REMOVED, "it is no longer declared")
    for name in sorted({*world.issued.current, *world.issued.requests, *published}):
        if name in needing:
            continue
        reason = (
            gone if name not in declared else Reason(ReasonCode.PROFILE_CHANGED, "it needs none any more")
        )
        if name in world.issued.requests:
            yield Change(Action.REMOVE, name, Artifact.REQUEST, (reason,))
        current = world.issued.current.get(name)
        if current is not None:
            is_client = specification.fields(current.specification)["profile"] == "client"
            artifact = Artifact.CLIENT_CERTIFICATE if is_client else Artifact.SERVER_CERTIFICATE
            advice = Reason(reason.code, f"{reason.detail}; ask the authority to revoke it")
            yield Change(Action.REMOVE, name, artifact, (advice,))
        if name not in declared and name in published:
            yield Change(Action.REMOVE, name, Artifact.FOLDER, (reason,))
