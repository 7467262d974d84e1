"""What is to be ordered from a globally known authority, and what of it is awaited.

Nothing is issued here: a build makes a key and a request for each certificate that is due, and an import
brings what the authority made of it. Until then whatever the host has stays in force.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration import renewal, specification
from ipmpki.plans.dist_layout import CA_FOLDER
from ipmpki.plans.folders import certificate_of, unpublished
from ipmpki.plans.installation import certificate_in_use, replacement_of
from ipmpki.plans.plan import Action, Artifact, Awaited, Change, Difference, Reason, ReasonCode
from ipmpki.plans.reasons import certificate_reason, day, differences_between, distinct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import CertificateSpec, HostSpec
    from ipmpki.plans.world import World


def bundle_changes(world: World) -> Iterator[Change]:
    """The change to the trust bundle, naming the authorities that come and go."""
    old, wanted = world.issued.bundle, world.wanted.bundle
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
        differences = (
            *(Difference("authority", None, _shown(one)) for one in world.wanted.coming),
            *(Difference("authority", _shown(one), None) for one in world.wanted.going),
        )
        yield Change(
            Action.REPLACE,
            None,
            Artifact.BUNDLE,
            (Reason(ReasonCode.ISSUER_CHANGED, "its file changed"),),
            differences,
        )
    elif missing := unpublished(world, CA_FOLDER, "ca-cert.pem"):
        yield Change(Action.RESTORE, None, Artifact.BUNDLE, missing)


def _shown(authority: tuple[str, str]) -> str:
    name, fingerprint = authority
    return f"{name} (SHA-256 {bytes.fromhex(fingerprint).hex(':').upper()})"


def request_changes(
    world: World, host: HostSpec, spec: CertificateSpec, awaited: list[Awaited]
) -> Iterator[Change]:
    """The change to a host's request; the certificate it waits for is added to ``awaited``."""
    reasons, differences = _grounds(world, host, spec)
    request = world.issued.requests.get(host.name)
    if reasons and (request is None or request.specification != specification.of_request(spec)):
        awaited.append(Awaited(host.name, certificate_of(host), None))
        action = Action.CREATE if request is None else Action.REPLACE
        current = world.issued.current.get(host.name)
        install_by = None
        if current is not None:
            in_use = certificate_in_use(current, world.issued)
            order = specification.of_request(spec)
            install_by = replacement_of(in_use, order, current.authority, world.now).by
        yield Change(action, host.name, Artifact.REQUEST, reasons, differences, install_by)
    elif reasons and request is not None:
        awaited.append(Awaited(host.name, certificate_of(host), request.made_at))
    elif request is not None:
        yield Change(
            Action.REMOVE,
            host.name,
            Artifact.REQUEST,
            (Reason(ReasonCode.SETTINGS_CHANGED, "the certificate it has is as declared again"),),
        )


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
    if current.revoked_at is not None:
        reasons.append(Reason(ReasonCode.REVOKED, f"revoked on {day(current.revoked_at)}"))
    its = renewal.of_issued(current.not_after, host.renew_before)
    if its.has_ended(world.now):
        reasons.append(Reason(ReasonCode.EXPIRED, f"ended on {day(current.not_after)}"))
    elif its.is_due(world.now):
        reasons.append(Reason(ReasonCode.EXPIRING, f"ends on {day(current.not_after)}"))
    return distinct(reasons), differences
