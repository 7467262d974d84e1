"""What is issued or published and no longer wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.declaration.fleet import host_of, tools_holder
from ipmpki.declaration.vocabulary import Profile
from ipmpki.plans.dist_layout import host_folder
from ipmpki.plans.plan import Action, Artifact, Change, Difference, Reason, ReasonCode
from ipmpki.plans.reasons import day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import HostSpec
    from ipmpki.plans.world import World
    from ipmpki.store.records import IssuedCertificate


def removed_hosts(world: World) -> Iterator[Change]:
    """What remains of hosts that are no longer declared."""
    declared = {host.name for host in world.fleet.hosts}
    reason = Reason(ReasonCode.HOST_REMOVED, "it is no longer declared")
    prefix = host_folder("")
    published = {path.removeprefix(prefix) for path in world.issued.folders if path.startswith(prefix)}
    issued = {host_of(holder) for holder in world.issued.current}
    for name in sorted((issued | world.issued.requests.keys() | published) - declared - renamed(world)):
        successor = _successor(world, name)
        why = reason
        if successor is not None:
            why = Reason(ReasonCode.HOST_REMOVED, f"it is '{successor.name}' now, which is installed")
        yield from _given_up(world, name, frozenset(), why, needs_request=False)
        if name in published:
            yield Change(Action.REMOVE, name, Artifact.FOLDER, (reason,))


def _successor(world: World, name: str) -> HostSpec | None:
    """The host that had this name before."""
    return next((host for host in world.fleet.hosts if host.formerly == name), None)


def renamed(world: World) -> set[str]:
    """Former names under which hosts are still in use: what replaces them is not known to be installed."""
    declared = {host.name for host in world.fleet.hosts}
    return {
        host.formerly
        for host in world.fleet.hosts
        if host.formerly is not None and host.formerly not in declared and not _is_in_use(world, host)
    }


def _is_in_use(world: World, host: HostSpec) -> bool:
    """Whether a host is known to have what was issued under its new name, or nothing waits for it."""
    if host.name in world.issued.skipped:
        return True
    known = world.issued.installed.get(host.name)
    current = [world.issued.current.get(holder) for holder, _ in host.certificates]
    return known is not None and all(one is not None and one.serial in known.serials for one in current)


def unneeded(world: World, host: HostSpec) -> Iterator[Change]:
    """The request and the certificates that a host has and, as it is declared now, has no use for."""
    reason = Reason(ReasonCode.PROFILE_CHANGED, "it needs none any more")
    if not world.fleet.mutual_auth:
        reason = Reason(
            ReasonCode.PROFILE_CHANGED, "without mutual authentication a client needs no certificate"
        )
    needed = frozenset(holder for holder, _ in host.certificates)
    needs_request = host.certificate is not None and host.certificate.is_bought
    yield from _given_up(world, host.name, needed, reason, needs_request=needs_request)


def superseded(world: World) -> Iterator[Change]:
    """Certificates whose successors are known to be installed, so that nobody shows them any more."""
    for one in world.replaced:
        current = world.issued.current.get(one.host)
        known = world.issued.installed.get(host_of(one.host))
        if current is not None and known is not None and current.serial in known.serials:
            is_client = one.profile is Profile.CLIENT
            artifact = Artifact.CLIENT_CERTIFICATE if is_client else Artifact.SERVER_CERTIFICATE
            reason = Reason(ReasonCode.REVOKED, "the one in its place is installed")
            serial = Difference("serial", f"{one.serial:X}", None)
            yield Change(Action.REVOKE, host_of(one.host), artifact, (reason,), (serial,))


def loses_certificates(world: World) -> bool:
    """Whether a certificate that was issued here is to be revoked."""
    needed = {holder for host in world.fleet.hosts for holder, _ in host.certificates}
    kept = renamed(world)
    return any(
        holder not in needed
        and host_of(holder) not in kept
        and not specification.is_bought(one.specification)
        for holder, one in world.issued.current.items()
    )


def _given_up(
    world: World, name: str, needed: frozenset[str], reason: Reason, *, needs_request: bool
) -> Iterator[Change]:
    if name in world.issued.requests and not needs_request:
        yield Change(Action.REMOVE, name, Artifact.REQUEST, (reason,))
    for holder in (name, tools_holder(name)):
        current = world.issued.current.get(holder)
        if current is not None and holder not in needed:
            yield _ended(world, name, current, reason)


def _ended(world: World, name: str, current: IssuedCertificate, reason: Reason) -> Change:
    """Only who issued a certificate can revoke it."""
    is_client = current.profile is Profile.CLIENT
    artifact = Artifact.CLIENT_CERTIFICATE if is_client else Artifact.SERVER_CERTIFICATE
    if specification.is_bought(current.specification):
        advice = Reason(reason.code, f"{reason.detail}; ask the authority to revoke it")
        return Change(Action.REMOVE, name, artifact, (advice,))
    if not world.fleet.signs_here:
        advice = Reason(reason.code, f"{reason.detail}; the authority that could revoke it is not declared")
        return Change(Action.REMOVE, name, artifact, (advice,))
    reasons: tuple[Reason, ...] = (reason,)
    if current.not_after <= world.now:
        reasons = (reason, Reason(ReasonCode.EXPIRED, f"ended on {day(current.not_after)}"))
    return Change(Action.REVOKE, name, artifact, reasons)
