"""When the authority's revocation list is due, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration import renewal
from ipmpki.plans.dist_layout import CA_FOLDER
from ipmpki.plans.folders import unpublished
from ipmpki.plans.plan import Action, Artifact, Change, Reason, ReasonCode
from ipmpki.plans.reasons import day, distinct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipmpki.plans.rollover import FleetPlan, Succession
    from ipmpki.plans.world import World
    from ipmpki.store.records import StoredAuthority, StoredRevocationList


def must_renew_revocation_list(world: World, succession: Succession) -> bool:
    """Whether new lists are due by themselves, whatever this plan revokes."""
    return (
        succession.changes_trust
        or bool(_without_list(world, succession))
        or world.issued.unlisted_revocations > 0
        or bool(_expiring_lists(world, succession))
    )


def _in_force(world: World, succession: Succession) -> Iterator[StoredAuthority]:
    """The authorities that there are and that go on being trusted."""
    gone = {one.identity for one in succession.retires}
    return (one for one in world.issued.signers if one.identity not in gone)


def _without_list(world: World, succession: Succession) -> list[StoredAuthority]:
    lists = world.issued.revocation_lists
    return [one for one in _in_force(world, succession) if one.identity not in lists]


def _expiring_lists(world: World, succession: Succession) -> list[StoredRevocationList]:
    """Those that are due, or ended; one that ends with its authority cannot be renewed for longer."""
    found = []
    for authority in _in_force(world, succession):
        crl = world.issued.revocation_lists.get(authority.identity)
        if crl is None:
            continue
        window, issuer = world.fleet.crl_renew_before, succession.renewals[authority.identity]
        its = renewal.of_issued(crl.next_update, window, issuer)
        if its.due <= world.now and not its.needs_successor:
            found.append(crl)
    return found


def revocation_list_changes(fleet_plan: FleetPlan, others: Sequence[Change]) -> Iterator[Change]:
    """The change to the lists of the authorities that sign here; ``others`` are the plan's so far.

    While one takes over from another there are two lists, in one file, which are renewed together.
    """
    world, succession = fleet_plan.world, fleet_plan.succession
    reasons: list[Reason] = []
    if succession.makes:
        reasons.append(Reason(ReasonCode.ISSUER_CHANGED, "the authority is new"))
    elif succession.retires:
        reasons.append(
            Reason(ReasonCode.ISSUER_CHANGED, "the old authority is withdrawn, and its list with it")
        )
    elif _without_list(world, succession):
        reasons.append(Reason(ReasonCode.FILES_MISSING, "the authority has no revocation list yet"))
    if not world.issued.revocation_lists or succession.replaces:
        action = Action.REPLACE if world.issued.revocation_lists else Action.CREATE
        yield Change(action, None, Artifact.CRL, tuple(reasons))
        return
    revoked = sum(1 for change in others if change.action is Action.REVOKE)
    if revoked:
        code = (
            ReasonCode.HOST_REMOVED if any(_is_removal(change) for change in others) else ReasonCode.REVOKED
        )
        reasons.append(Reason(code, f"{revoked} more revoked"))
    if world.issued.unlisted_revocations:
        reasons.append(Reason(ReasonCode.REVOKED, f"{world.issued.unlisted_revocations} not listed yet"))
    for old in _expiring_lists(world, succession):
        code = ReasonCode.EXPIRED if old.next_update <= world.now else ReasonCode.EXPIRING
        reasons.append(Reason(code, f"its next update is due on {day(old.next_update)}"))
    missing = unpublished(world, CA_FOLDER, "crl.pem")
    if reasons:
        yield Change(Action.RENEW, None, Artifact.CRL, distinct([*reasons, *missing]))
    elif missing:
        yield Change(Action.RESTORE, None, Artifact.CRL, missing)


def _is_removal(change: Change) -> bool:
    return any(reason.code is ReasonCode.HOST_REMOVED for reason in change.reasons)
