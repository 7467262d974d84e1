"""Revoke what a plan takes back, and make the lists that say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.fleet import tools_holder
from ipmpki.declaration.vocabulary import Profile, RevocationReason
from ipmpki.diagnostics.fault import Fault
from ipmpki.issue.authorities import open_issuer
from ipmpki.plans.plan import Action, Artifact, why
from ipmpki.store.records import StoredRevocationList
from ipmpki.x509 import crl

if TYPE_CHECKING:
    from datetime import datetime

    from ipmpki.issue.context import BuildContext
    from ipmpki.plans.plan import Change, Plan
    from ipmpki.store.records import Issued, StoredAuthority
    from ipmpki.store.sqlite.writer import Store


def holder_of(change: Change, issued: Issued) -> str:
    """Whose certificate a change ends: a host's own, or what a server's own programs show as clients."""
    name = change.host or ""
    own = issued.current.get(name)
    is_client = change.artifact is Artifact.CLIENT_CERTIFICATE
    if own is not None and (own.profile is Profile.CLIENT) == is_client:
        return name
    return tools_holder(name)


def revoke_certificates(plan: Plan, store: Store, issued: Issued) -> None:
    """Record every revocation that a plan asks for."""
    revoked = []
    for change in plan.changes:
        if change.action is Action.REVOKE and change.host is not None:
            serial = next((one.old for one in change.differences if one.field == "serial"), None)
            if serial is not None:  # one that was replaced, and is not current any more
                reason, one = RevocationReason.SUPERSEDED, store.certificate(int(serial, 16))
            else:
                reason = RevocationReason.CESSATION_OF_OPERATION
                one = issued.current.get(holder_of(change, issued))
            if one is not None:
                revoked.append((one, reason.value, why(change)))
    if revoked:
        store.revoke(revoked)


def end_of_next_list(context: BuildContext, authority: StoredAuthority) -> datetime:
    """How long a revocation list made now would hold; Fault where the authority does not hold now."""
    now = context.now
    next_update = min(now + context.fleet.crl_lifetime, authority.not_after)
    if next_update <= now:
        raise Fault(
            f"the authority has expired, on {authority.not_after:%Y-%m-%d}",
            "declare another one, then say: ipmpki build --replace-ca",
        )
    if next_update <= authority.not_before:
        raise Fault(
            f"this computer's clock says {now:%Y-%m-%d}, long before the authority began, on"
            f" {authority.not_before:%Y-%m-%d}",
            "set the clock right, then build again",
        )
    return next_update


def issue_revocation_lists(context: BuildContext, store: Store, issued: Issued) -> None:
    """One for each authority that is trusted: a list names no other's certificates (RFC 5280, section 5)."""
    for authority in issued.signers:
        _issue_revocation_list(context, store, authority, issued.revocation_lists.get(authority.identity))


def _next_number(old: StoredRevocationList | None, now: datetime, *, is_put_back: bool) -> int:
    """Higher than any list's before, also of one that a store from a backup has forgotten: numbers must
    only rise (RFC 5280, section 5.2.3), and no list is made more often than once a second.
    """
    following = old.number + 1 if old is not None else 1
    return max(following, int(now.timestamp())) if is_put_back else following


def _issue_revocation_list(
    context: BuildContext, store: Store, authority: StoredAuthority, old: StoredRevocationList | None
) -> None:
    now = context.now
    issuer = open_issuer(authority, context)
    number = _next_number(old, now, is_put_back=store.is_put_back())
    revoked = store.revocations(authority.identity)
    next_update = end_of_next_list(context, authority)
    pem = crl.make_crl(
        issuer,
        [crl.RevokedEntry(one.serial, one.revoked_at, one.reason) for one in revoked],
        number=number,
        now=now,
        next_update=next_update,
    )
    store.add_revocation_list(
        StoredRevocationList(authority.identity, number, now, next_update, pem),
        [one.serial for one in revoked],
    )
