"""The work of the years ahead: what will be due when, if each thing is done on the day it is due.

The operator is taken to come at the same time of every day, so that things of one day are one errand.
Nothing is planned in detail here: a plan of that day says what a build would do. This says when to come.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from ipmpki.declaration import renewal
from ipmpki.plans.trust import trusts_signers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.declaration.renewal import Renewal
    from ipmpki.plans.world import World

_DAY = timedelta(days=1)
_BACK_DATED = timedelta(hours=1, seconds=1)
"""A certificate begins an hour before it is made, and ends a second before its lifetime is over."""


class Task(StrEnum):
    """What there is to do. ``replace-authority`` brings the successor of one that was not made here."""

    RENEW = "renew"
    ORDER = "order"
    LIST = "revocation-list"
    SUCCESSION = "succession"
    REPLACE_AUTHORITY = "replace-authority"
    BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to do: due from ``due`` on, done by ``by``, after which something stops to work.

    ``hosts`` are those to be installed afterwards.
    """

    task: Task
    due: datetime
    by: datetime
    hosts: tuple[str, ...]


def calendar(world: World, until: datetime, *, bundle_since: datetime | None = None) -> tuple[Work, ...]:
    """All that becomes due from now to ``until``, in order of the days.

    ``bundle_since`` is when the file of the trust bundle last changed. What a build of today would do, such
    as for a host that is new, is in a plan and not in here.
    """
    found = [*_successions(world, until), *_lists(world, until), *_bundles(world, until, bundle_since)]
    successions = [one.due for one in found if one.task is Task.SUCCESSION]
    authorities = renewal.of_authorities(world.issued.signers, world.fleet)
    last = _last_issuer(world)
    renewals: dict[tuple[Task, datetime], list[tuple[str, datetime]]] = defaultdict(list)
    for host in world.fleet.hosts:
        for holder, spec in host.certificates:
            current = world.issued.current.get(holder)
            if current is not None:
                task = Task.ORDER if spec.is_bought else Task.RENEW
                starts = [] if spec.is_bought else successions
                life = spec.lifetime if not spec.is_bought else current.not_after - current.not_before
                its = renewal.of_certificate(current, host, spec, authorities)
                issuer = None if spec.is_bought else last
                for due, by in _renewals(its, _Life(life, host.renew_before, issuer), starts, world.now):
                    if due > until:
                        break
                    renewals[task, due].append((host.name, by))
    for (task, due), hosts in renewals.items():
        names = tuple(dict.fromkeys(name for name, _ in hosts))
        found.append(Work(task, due, min(by for _, by in hosts), names))
    return tuple(sorted(found, key=lambda one: (one.due, one.task, one.by)))


def _last_issuer(world: World) -> Renewal | None:
    """The authority with which all ends that is issued here, where no build can make its successor."""
    signer = world.issued.signer
    if signer is None or not signer.is_existing:
        return None
    return renewal.of_authority(signer.not_before, signer.not_after, world.fleet)


def _visit(moment: datetime, now: datetime) -> datetime:
    """When the operator comes next: at the same time of day as now, not before ``moment``."""
    return now + max(-(-(moment - now) // _DAY), 0) * _DAY


@dataclass(frozen=True, slots=True)
class _Life:
    """How long a host's certificates hold, and how long before its end each is renewed.

    ``issuer`` is the authority that they end with, where that has no successor by itself.
    """

    lifetime: timedelta
    renew_before: timedelta
    issuer: Renewal | None

    def next_after(self, made: datetime) -> Renewal:
        """When a certificate is due that is made at a moment."""
        return renewal.of_issued(made + self.lifetime - _BACK_DATED, self.renew_before, self.issuer)


def _renewals(
    its: Renewal, life: _Life, successions: Sequence[datetime], now: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """When a certificate is due, and when the one before ends; without what is past.

    On each of ``turns`` it is issued anew by another authority, which is work of its own.
    """
    ahead = list(successions)
    while True:
        due = _visit(its.due, now)
        if ahead and ahead[0] <= due:
            its = life.next_after(ahead.pop(0))
        elif its.needs_successor:
            return
        else:
            yield due, its.end
            its = life.next_after(due)


def _lists(world: World, until: datetime) -> Iterator[Work]:
    crl = world.issued.revocation_list
    if crl is None or not world.fleet.signs_here:
        return
    carriers = tuple(host.name for host in world.fleet.hosts if host.carries_revocation_list)
    window, issuer = world.fleet.crl_renew_before, _last_issuer(world)
    its = renewal.of_issued(crl.next_update, window, issuer)
    while not its.needs_successor and (due := _visit(its.due, world.now)) <= until:
        yield Work(Task.LIST, due, its.end, carriers)
        its = renewal.of_issued(due + world.fleet.crl_lifetime, window, issuer)


def _successions(world: World, until: datetime) -> Iterator[Work]:
    signer = world.issued.signer
    if signer is None or not world.fleet.signs_here:
        return
    hosts = tuple(host.name for host in world.fleet.hosts if trusts_signers(host, world.fleet))
    begin, end = signer.not_before, signer.not_after
    while (due := _visit(renewal.of_authority(begin, end, world.fleet).due, world.now)) <= until:
        if signer.is_existing:
            yield Work(Task.REPLACE_AUTHORITY, due, end, hosts)
            return
        yield Work(Task.SUCCESSION, due, end, hosts)
        begin, end = due - _BACK_DATED, due + world.fleet.authority.lifetime - _BACK_DATED


def _bundles(world: World, until: datetime, since: datetime | None) -> Iterator[Work]:
    source = world.fleet.bundle
    if since is None or source is None or not world.fleet.is_third_party:
        return
    hosts = tuple(_bundle_holders(world.fleet))
    while (due := _visit(since + source.longest_age, world.now)) <= until:
        yield Work(Task.BUNDLE, due, due, hosts)
        since = due


def _bundle_holders(fleet: Fleet) -> Iterator[str]:
    return (host.name for host in fleet.hosts if not fleet.is_mixed or not trusts_signers(host, fleet))
