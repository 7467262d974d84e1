"""How every certificate stands on a day, and what is to be done next: pure, of declaration, store and clock.

A renewal window is declared, and the plan follows it from the moment it is written; so it is taken
from there, as in a plan, and not from what an earlier build may have noted.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration import renewal
from ipmpki.declaration.fleet import host_of
from ipmpki.declaration.vocabulary import Profile, RevocationReason
from ipmpki.plans.installation import in_use_of
from ipmpki.plans.mutual_auth import change_of
from ipmpki.plans.trust import installable, may_be_installed, trusts_signers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    from ipmpki.declaration.fleet import CertificateSpec, Fleet, HostSpec
    from ipmpki.declaration.renewal import Renewal
    from ipmpki.plans.installation import Cause
    from ipmpki.plans.plan import MutualAuthChange
    from ipmpki.store.records import InstallationSource, Issued, IssuedCertificate, Skip, StoredAuthority

_COMMON_NAME = re.compile(r"CN=((?:[^\\,+]|\\.)*)")


class Kind(StrEnum):
    """What a line of the status is about: a host's certificate, or what all hosts share."""

    AUTHORITY = "authority"
    BUNDLE = "trust-bundle"
    REVOCATION_LIST = "revocation-list"
    SERVER = "server"
    CLIENT = "client"

    @property
    def is_host(self) -> bool:
        """Whether it is one host's."""
        return self in {Kind.SERVER, Kind.CLIENT}


class State(StrEnum):
    """How something stands. ``awaited`` has to be brought, ``not-issued`` waits for the first build.

    ``not-yet-valid`` was made while the clock was ahead.
    """

    VALID = "valid"
    RENEW_SOON = "renew-soon"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    REVOKED = "revoked"
    AWAITED = "awaited"
    NOT_ISSUED = "not-issued"

    @property
    def is_broken(self) -> bool:
        """Whether connections fail now, or will as soon as the revocation list is there."""
        return self in {State.EXPIRED, State.NOT_YET_VALID, State.REVOKED}


class Step(StrEnum):
    """What is to be done next.

    ``build`` issues or renews; ``order`` is a build that makes a request, for the seller; ``import`` brings
    what came; ``bring-request`` is for a host that makes its own key; ``withdraw`` is a build that
    takes back the certificate of a host that is to have none; ``install`` is on the host, and to be told with
    "ipmpki installed"; ``replace-authority`` brings the successor of an authority that was not made here.
    """

    NONE = "none"
    BUILD = "build"
    ORDER = "order"
    IMPORT = "import"
    BRING_REQUEST = "bring-request"
    WITHDRAW = "withdraw"
    INSTALL = "install"
    REPLACE_AUTHORITY = "replace-authority"


class Standing(NamedTuple):
    """One line of the status: ``name`` is a host's, or the common name of the authority.

    ``ends`` and ``renew_from`` are None for what has no end, or is not there yet. ``awaited_since`` is when
    the open request was made, ``request_file`` where a host's own request is to be put. ``is_installed`` is
    whether the host is known to have what is published for it, None where nobody has told; ``installed_at``
    and ``source`` say since when and from where what it has is known. ``in_use_ends`` is when the certificate
    ends that it has, or may have, in use, ``install_by`` when something fails that installing would prevent,
    ``causes`` why it has to install.
    """

    kind: Kind
    name: str
    state: State
    step: Step
    ends: datetime | None = None
    renew_from: datetime | None = None
    serial: int | None = None
    awaited_since: datetime | None = None
    request_file: str | None = None
    is_installed: bool | None = None
    install_by: datetime | None = None
    installed_at: datetime | None = None
    source: InstallationSource | None = None
    in_use_ends: datetime | None = None
    causes: tuple[Cause, ...] = ()

    def is_overdue(self, at: datetime) -> bool:
        """Whether the host has not installed in time what is published for it."""
        return self.install_by is not None and self.install_by <= at


class LastBackup(NamedTuple):
    """When the store was last backed up, None where never; and whether it holds more by now."""

    at: datetime | None
    changed_since: bool

    def is_due(self, at: datetime, longest: timedelta | None) -> bool:
        """Whether what the store holds was not backed up for longer than it may be."""
        if longest is None or not self.changed_since:
            return False
        return self.at is None or at - self.at > longest


NEVER = LastBackup(None, changed_since=False)
"""Of a store that holds nothing yet."""


def last_backup(issued: Issued) -> LastBackup:
    """What is known of backups: that one was made, not that it can still be read."""
    if issued.backup is None:
        return LastBackup(None, changed_since=issued.last_event > 0)
    return LastBackup(issued.backup.at, changed_since=issued.last_event > issued.backup.last_event)


@dataclass(frozen=True, slots=True)
class Status:
    """How all stands ``at`` a moment; what ends first stands first, after what is not there at all.

    ``waiting`` are hosts that an authority's succession waits for, ``mutual_auth`` is a stage of turning that
    on or off, ``unknown`` those of which nobody has told
    for long that they have installed anything, ``skipped`` those that hold up no stage. ``pki`` names the
    whole for people and monitors, ``without`` counts hosts that need no certificate, and ``errors`` what of
    the declaration could not be understood.
    """

    declaration: str
    pki: str
    at: datetime
    standings: tuple[Standing, ...]
    without: int = 0
    errors: int = 0
    waiting: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    skipped: tuple[tuple[str, Skip], ...] = ()
    mutual_auth: MutualAuthChange | None = None
    backup: LastBackup = NEVER

    @property
    def overdue(self) -> tuple[Standing, ...]:
        """The hosts' certificates that should have been replaced on the host by now."""
        return tuple(one for one in self.hosts if one.is_overdue(self.at))

    @property
    def hosts(self) -> tuple[Standing, ...]:
        """The certificates of hosts alone."""
        return tuple(one for one in self.standings if one.kind.is_host)

    def tally(self) -> dict[State, int]:
        """How many certificates of hosts there are in each state."""
        counts = Counter(one.state for one in self.hosts)
        return {state: counts[state] for state in State}

    @property
    def awaits_build(self) -> bool:
        """Whether all have what the next stage of mutual authentication waited for."""
        return self.mutual_auth is not None and not self.mutual_auth.waiting

    @property
    def is_broken(self) -> bool:
        """Whether something fails already, here or on a host that has not installed in time."""
        return any(one.state.is_broken or one.is_overdue(self.at) for one in self.standings)


_NOTHING = datetime.min.replace(tzinfo=UTC)


def stand(
    fleet: Fleet | None, issued: Issued, now: datetime, *, is_sound: bool = True
) -> tuple[tuple[Standing, ...], int]:
    """How all stands, and how many hosts need no certificate.

    ``fleet`` may be None, or lack hosts where the declaration is not ``is_sound``: what the store holds is
    judged all the same.
    """
    hosts = fleet.hosts if fleet is not None else ()
    wanted = {holder: (host, spec) for host in hosts for holder, spec in host.certificates}
    authorities = renewal.of_authorities(issued.signers, fleet)
    turn = change_of(fleet, issued) if fleet is not None else None
    awaited = frozenset(turn.waiting if turn is not None else ())
    known = _Known(fleet, issued, now, authorities, bool(waited_for(fleet, issued)), awaited)
    found = list(_shared(known, is_sound=is_sound))
    if fleet is not None:
        found += [_of_holder(holder, meant, fleet, known) for holder, meant in wanted.items()]
    for holder, current in issued.current.items():
        if holder in wanted:
            continue
        window = renewal.UNDECLARED_WINDOW if fleet is None else fleet.crl_renew_before
        its = renewal.of_issued(current.not_after, window, authorities.get(current.authority))
        if is_sound:  # a build takes it back, however long it would hold: it is never renewed
            its = renewal.Renewal(its.end, its.end)
            one = _of_certificate(current, its, known, is_bought=False)
            found.append(one._replace(renew_from=None, step=Step.WITHDRAW))
        else:
            found.append(_of_certificate(current, its, known, is_bought=False))
    found.sort(key=lambda one: (one.ends or _NOTHING, one.name))
    found.sort(key=lambda one: one.kind is Kind.BUNDLE)  # it has no end, and is there
    return tuple(found), sum(not host.certificates for host in hosts)


def unknown_hosts(fleet: Fleet | None, issued: Issued, now: datetime) -> tuple[str, ...]:
    """The hosts of which nobody has told, for longer than it takes, that they have installed anything."""
    if fleet is None:
        return ()
    return tuple(
        host.name
        for host in installable(fleet, issued)
        if host.name not in issued.skipped and in_use_of(host, fleet, issued).is_unknown(now)
    )


def waited_for(fleet: Fleet | None, issued: Issued) -> tuple[str, ...]:
    """While one authority takes over from another: the hosts that are not known to trust both."""
    if fleet is None or len(issued.signers) < 2:  # noqa: PLR2004 -- one and another
        return ()
    every = {one.fingerprint for one in issued.signers}
    return tuple(
        host.name
        for host in fleet.hosts
        if trusts_signers(host, fleet)
        and may_be_installed(host, issued)
        and host.name not in issued.skipped
        and (host.name not in issued.installed or not every <= issued.installed[host.name].trusted)
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What all lines are judged by: ``authorities`` says when each that signs here is due, by its identity.

    ``awaits_trust`` is whether a successor waits for hosts that are not known to trust it, ``awaited`` are
    the hosts that the next stage of mutual authentication waits for.
    """

    fleet: Fleet | None
    issued: Issued
    now: datetime
    authorities: Mapping[int, Renewal]
    awaits_trust: bool
    awaited: frozenset[str]


def _of_holder(holder: str, meant: tuple[HostSpec, CertificateSpec], fleet: Fleet, known: _Known) -> Standing:
    host, spec = meant
    issued = known.issued
    current = issued.current.get(holder)
    if current is not None:
        its = renewal.of_certificate(current, host, spec, known.authorities)
        one = _of_certificate(current, its, known, is_bought=spec.is_bought)
        one = _with_installation(one, host, fleet, known)
        if spec.kept_key is not None and current.revocation_reason == RevocationReason.KEY_COMPROMISE:
            return one._replace(step=Step.BRING_REQUEST, request_file=spec.kept_key.path)
        return one
    kind = Kind.CLIENT if spec.profile is Profile.CLIENT else Kind.SERVER
    request = issued.requests.get(holder)
    if request is not None:
        return Standing(kind, host.name, State.AWAITED, Step.IMPORT, awaited_since=request.made_at)
    if spec.kept_key is not None:
        return Standing(kind, host.name, State.AWAITED, Step.BRING_REQUEST, request_file=spec.kept_key.path)
    return Standing(kind, host.name, State.NOT_ISSUED, Step.ORDER if spec.is_bought else Step.BUILD)


def _with_installation(one: Standing, host: HostSpec, fleet: Fleet, known: _Known) -> Standing:
    """Whether a host has what it is to have; where something waits for that, it is the next step."""
    used = in_use_of(host, fleet, known.issued)
    waits = bool(used.duties) or host.name in known.awaited
    waits = waits or (len(known.issued.signers) > 1 and not used.is_installed)
    return one._replace(
        is_installed=used.is_installed,
        install_by=used.install_by,
        installed_at=used.known_at,
        source=used.source,
        in_use_ends=used.in_use_end,
        causes=tuple(duty.cause for duty in used.duties),
        step=Step.INSTALL if waits and one.step is Step.NONE else one.step,
    )


def _of_certificate(current: IssuedCertificate, its: Renewal, known: _Known, *, is_bought: bool) -> Standing:
    request = known.issued.requests.get(current.host)
    state = _state(its, known.now)
    if current.not_before > known.now:
        state = State.NOT_YET_VALID
    if current.revoked_at is not None:
        state = State.REVOKED
    elif request is not None and state is not State.EXPIRED:
        state = State.AWAITED
    step = Step.NONE
    if request is not None:
        step = Step.IMPORT
    elif state is not State.VALID:
        step = Step.ORDER if is_bought else Step.BUILD
        if state is State.RENEW_SOON and its.needs_successor:
            step = _succession_step(current, known)
    return Standing(
        Kind.CLIENT if current.profile is Profile.CLIENT else Kind.SERVER,
        host_of(current.host),
        state,
        step,
        its.end,
        its.due,
        current.serial,
        request.made_at if request is not None else None,
    )


def _state(its: Renewal, now: datetime) -> State:
    if its.has_ended(now):
        return State.EXPIRED
    return State.RENEW_SOON if its.is_due(now) else State.VALID


def _succession_step(current: IssuedCertificate, known: _Known) -> Step:
    """What is next for a certificate that its issuer cannot renew for longer."""
    signer = known.issued.signer
    if signer is not None and current.authority == signer.identity:
        return Step.REPLACE_AUTHORITY if signer.is_existing else Step.BUILD
    return Step.NONE if known.awaits_trust else Step.BUILD


def _shared(known: _Known, *, is_sound: bool) -> Iterator[Standing]:
    """What all hosts share, as far as it is still declared."""
    fleet, issued, now = known.fleet, known.issued, known.now
    signer = issued.signer
    if issued.bundle is not None and (fleet is None or fleet.is_third_party or not is_sound):
        yield Standing(Kind.BUNDLE, issued.bundle.subject, State.VALID, Step.NONE)
    if signer is None or (fleet is not None and not fleet.signs_here and is_sound):
        return
    for older in issued.signers[:-1]:
        state = State.EXPIRED if older.not_after <= now else State.VALID
        step = Step.INSTALL if state is State.VALID else Step.BUILD
        yield Standing(Kind.AUTHORITY, _name_of_older(older, issued), state, step, older.not_after)
    its = known.authorities[signer.identity]
    state = _state(its, now)
    due = Step.REPLACE_AUTHORITY if signer.is_existing or state is State.EXPIRED else Step.BUILD
    yield Standing(
        Kind.AUTHORITY,
        shown_subject(signer.subject),
        state,
        Step.NONE if state is State.VALID else due,
        its.end,
        its.due,
    )
    listed = issued.revocation_list
    if listed is not None:
        window = renewal.UNDECLARED_WINDOW if fleet is None else fleet.crl_renew_before
        its = renewal.of_issued(listed.next_update, window, its)
        state = _state(its, now)
        step = Step.REPLACE_AUTHORITY if its.needs_successor and signer.is_existing else Step.BUILD
        yield Standing(
            Kind.REVOCATION_LIST,
            f"number {listed.number}",
            state,
            Step.NONE if state is State.VALID else step,
            its.end,
            its.due,
        )


def _name_of_older(older: StoredAuthority, issued: Issued) -> str:
    """What a predecessor is called, as its successor has its name most often."""
    name = shown_subject(older.subject)
    same = [one for one in issued.signers if shown_subject(one.subject) == name]
    if len(same) == 1:
        return name
    return f"{name}, old" if len(same) == 2 else f"{name}, old, of {older.not_before:%Y-%m-%d}"  # noqa: PLR2004 -- it and its successor


def shown_subject(subject: str) -> str:
    """The common name in an RFC 4514 subject, without its escapes; the whole where it has none."""
    found = _COMMON_NAME.search(subject)
    return re.sub(r"\\(.)", r"\1", found[1]) if found else subject
