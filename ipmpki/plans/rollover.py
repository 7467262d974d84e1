"""Which authority signs, which are trusted beside it, and how one takes over from another.

An authority that is replaced in one step locks out the fleet: whoever has the new certificates is not
believed by those who have not. So a successor is made beside its predecessor, and takes over in three
stages: first every host gets both to trust, then the certificates are issued anew, then the predecessor
goes. At no moment do two hosts meet of which one shows what the other does not trust. A stage begins when
the hosts are known to have installed the one before.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ipmpki.declaration import renewal, specification
from ipmpki.plans.plan import Difference, Reason, ReasonCode, Rollover, Stage
from ipmpki.plans.reasons import day, differences_between, distinct
from ipmpki.plans.trust import may_be_installed, trusts_signers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ipmpki.declaration.fleet import HostSpec
    from ipmpki.declaration.renewal import Renewal
    from ipmpki.plans.world import World
    from ipmpki.store.records import Issued, StoredAuthority


@dataclass(frozen=True, slots=True)
class Succession:
    """What a plan does about authorities that sign here.

    ``makes`` is true where one is made, ``replaces`` where it takes the place of all others at once.
    ``issuer`` signs the leaves; None stands for the one that this build makes. ``trusted`` are the others
    that go on being trusted, and ``retires`` those that do not. ``renewals`` says of each authority that
    there is when it is due, by its identity.
    """

    makes: bool = False
    replaces: bool = False
    issuer: StoredAuthority | None = None
    trusted: tuple[StoredAuthority, ...] = ()
    retires: tuple[StoredAuthority, ...] = ()
    rollover: Rollover | None = None
    reasons: tuple[Reason, ...] = ()
    differences: tuple[Difference, ...] = ()
    renewals: Mapping[int, Renewal] = field(default_factory=dict)

    @property
    def changes_trust(self) -> bool:
        """Whether hosts will trust others than before."""
        return self.makes or bool(self.retires)

    def accepts(self, authority: int) -> bool:
        """Whether a certificate of an authority may stay as it is."""
        if self.issuer is not None and authority == self.issuer.identity:
            return True
        if self.replaces or (self.rollover is not None and self.rollover.stage is not Stage.TRUST_BOTH):
            return False
        return any(authority == one.identity for one in self.trusted)


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """The world, with what a plan has settled for all hosts before it comes to each."""

    world: World
    succession: Succession
    crl_changes: bool

    def new_trust_of(self, host: HostSpec) -> str:
        """What changes in whom a host is to trust, in words; empty where nothing does."""
        if self.succession.changes_trust and trusts_signers(host, self.world.fleet):
            if not self.succession.makes:
                return "the old authority is taken out of its files"
            beside = "" if self.succession.replaces else ", beside the one before"
            return f"it gets the new authority's certificate{beside}"
        return "it gets the new trust bundle" if self.world.needs_new_bundle else ""


def plan_succession(world: World, *, allows_replacement: bool) -> Succession:
    """Compare the declared authority with those there are, and with what hosts have installed."""
    if not world.fleet.signs_here:
        return Succession()
    live = world.issued.signers
    if not live:
        return _first(world)
    renewals = renewal.of_authorities(live, world.fleet)
    fitting = [one for one in live if _fits(one, renewals[one.identity], world)]
    if fitting:
        target = fitting[-1]
        found = _takes_over(world, target, tuple(one for one in live if one is not target))
    else:
        found = _without_fitting(world, live, allows_replacement=allows_replacement)
    return replace(found, renewals=renewals)


def _fits(authority: StoredAuthority, its: Renewal, world: World) -> bool:
    """Whether an authority is as declared and goes on; of one not made here the successor is brought."""
    return (
        authority.specification == world.wanted.authority
        and not its.has_ended(world.now)
        and (authority.is_existing or not (its.is_due(world.now) or _is_early(authority, world)))
    )


def _is_early(authority: StoredAuthority, world: World) -> bool:
    """Whether nobody believes an authority yet, nor anything that it issues (RFC 5280, section 6.1.3)."""
    return authority.not_before > world.now


def _first(world: World) -> Succession:
    reason = Reason(ReasonCode.ISSUER_CHANGED, "the store holds no authority yet")
    wanted = specification.fields(world.wanted.authority)
    return Succession(
        makes=True, replaces=True, reasons=(reason,), differences=differences_between({}, wanted)
    )


def _without_fitting(
    world: World, live: tuple[StoredAuthority, ...], *, allows_replacement: bool
) -> Succession:
    """None of the authorities is as declared: another is made, beside the one there is or in its place."""
    newest = live[-1]
    before = specification.fields(newest.specification)
    differences = differences_between(before, specification.fields(world.wanted.authority))
    reasons = [_reason(difference, world.fleet.signing_table) for difference in differences]
    if newest.not_after <= world.now:
        reasons.append(Reason(ReasonCode.EXPIRED, f"ended on {day(newest.not_after)}"))
    elif _is_early(newest, world):
        begin = f"{newest.not_before:%Y-%m-%d %H:%M} UTC"
        detail = f"valid from {begin} only: it was made while the clock was ahead, or the clock is behind now"
        reasons.append(Reason(ReasonCode.NOT_YET_VALID, detail))
    elif not differences:
        reasons.append(Reason(ReasonCode.EXPIRING, f"ends on {day(newest.not_after)}"))
    is_valid = newest.not_before <= world.now < newest.not_after
    is_staged = len(live) == 1 and is_valid and _is_meant(differences)
    if len(live) > 1:
        detail = "one authority is taking over from another: with a third, that ends at once"
        reasons.append(Reason(ReasonCode.ISSUER_CHANGED, detail))
    if not is_staged or allows_replacement:
        return Succession(
            makes=True, replaces=True, retires=live, reasons=distinct(reasons), differences=differences
        )
    rollover = Rollover(Stage.TRUST_BOTH, newest.fingerprint, (), _waiting_for_trust(world, None))
    return Succession(
        makes=True,
        issuer=newest,
        trusted=live,
        rollover=rollover,
        reasons=distinct(reasons),
        differences=differences,
    )


def _is_meant(differences: tuple[Difference, ...]) -> bool:
    """Whether a successor is meant: a higher generation, another key or scope, or the end of the one before.

    Another name alone may as well be a slip of the pen, and needs leave.
    """
    changed = {difference.field for difference in differences}
    for difference in differences:
        if difference.field == "generation":
            return int(difference.new or "1") > int(difference.old or "1")
    return changed <= {"key", specification.PERMITTED_DOMAINS, specification.PERMITTED_ADDRESSES}


def _takes_over(world: World, target: StoredAuthority, others: tuple[StoredAuthority, ...]) -> Succession:
    ended = tuple(one for one in others if one.not_after <= world.now)
    alive = tuple(one for one in others if one not in ended)
    if not alive:
        return Succession(issuer=target, retires=ended)
    waiting = _waiting_for_trust(world, target)
    if waiting:
        rollover = Rollover(Stage.TRUST_BOTH, alive[-1].fingerprint, (), waiting)
        return Succession(issuer=alive[-1], trusted=(target, *alive), retires=ended, rollover=rollover)
    waiting = _waiting_for_certificates(world, target)
    if waiting:
        rollover = Rollover(Stage.REISSUE, target.fingerprint, (), waiting)
        return Succession(issuer=target, trusted=alive, retires=ended, rollover=rollover)
    gone = tuple(one.fingerprint for one in others)
    return Succession(
        issuer=target, retires=others, rollover=Rollover(Stage.RETIRE, target.fingerprint, gone, ())
    )


def _waiting_for_trust(world: World, target: StoredAuthority | None) -> tuple[str, ...]:
    """The hosts that are not known to trust an authority; all, where it has yet to be made."""
    return tuple(
        host.name
        for host in world.fleet.hosts
        if trusts_signers(host, world.fleet)
        and may_be_installed(host, world.issued)
        and host.name not in world.issued.skipped
        and not _has_trust(host.name, target, world.issued)
    )


def _has_trust(name: str, target: StoredAuthority | None, issued: Issued) -> bool:
    known = issued.installed.get(name)
    return target is not None and known is not None and target.fingerprint in known.trusted


def _waiting_for_certificates(world: World, target: StoredAuthority) -> tuple[str, ...]:
    """The hosts that are not known to have the certificates which an authority issued for them."""
    waiting = []
    for host in world.fleet.hosts:
        if host.name in world.issued.skipped:
            continue
        known = world.issued.installed.get(host.name)
        for holder, spec in host.certificates:
            if spec.is_bought:
                continue
            current = world.issued.current.get(holder)
            if current is None:
                continue  # it has none of the authority before, either
            is_new = current.authority == target.identity
            if not is_new or known is None or current.serial not in known.serials:
                waiting.append(host.name)
                break
    return tuple(waiting)


def _reason(difference: Difference, table: str) -> Reason:
    codes = {
        "key": ReasonCode.KEY_CHANGED,
        "lifetime": ReasonCode.PROFILE_CHANGED,
        specification.PERMITTED_DOMAINS: ReasonCode.PROFILE_CHANGED,
        specification.PERMITTED_ADDRESSES: ReasonCode.PROFILE_CHANGED,
        "existing": ReasonCode.ISSUER_CHANGED,
        "generation": ReasonCode.ISSUER_CHANGED,
    }
    return Reason(
        codes.get(difference.field, ReasonCode.NAMES_CHANGED), f"{difference.field} in [{table}] changed"
    )
