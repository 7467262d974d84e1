"""The report of a build, as HTML for a browser, as text for a terminal, as JSON for a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.plans.plan import MutualAuthStage

if TYPE_CHECKING:
    from datetime import datetime

    from ipmpki.declaration.vocabulary import OperatingSystem, Profile, Role
    from ipmpki.diagnostics.problem import LocatedProblem
    from ipmpki.plans.plan import MutualAuthChange, Rollover

__all__ = [
    "Report",
    "ReportedAuthority",
    "ReportedBundle",
    "ReportedCertificate",
    "ReportedHost",
    "ReportedRevocationList",
    "ReportedWork",
]


@dataclass(frozen=True, slots=True)
class ReportedAuthority:
    """The certificate authority as the report shows it. ``fingerprint`` is SHA-256 in hexadecimal."""

    subject: str
    key: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    is_existing: bool


@dataclass(frozen=True, slots=True)
class ReportedCertificate:
    """A host's certificate. ``renew_from`` is when a build starts to renew it.

    ``revoked_at`` is set where it was revoked and another one cannot be issued yet.
    """

    profile: Profile
    common_name: str
    dns_names: tuple[str, ...]
    addresses: tuple[str, ...]
    key: str
    serial: int
    not_before: datetime
    not_after: datetime
    renew_from: datetime
    fingerprint: str
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReportedHost:
    """A host. ``published_at`` is when its folder last changed, so when it last needed installing.

    ``awaited_since`` is when the request was made whose certificate has yet to be brought. A server may have
    a second certificate, which its own programs show where they are clients. ``installed_at`` is when it was
    told to have all this installed, ``install_by`` otherwise when the certificate it had before ends, and
    ``is_behind`` whether it is known to have something older.
    """

    name: str
    role: Role
    os: OperatingSystem
    aliases: tuple[str, ...]
    addresses: tuple[str, ...]
    certificate: ReportedCertificate | None
    published_at: datetime | None
    awaited_since: datetime | None = None
    installed_at: datetime | None = None
    install_by: datetime | None = None
    is_behind: bool = False
    tools_certificate: ReportedCertificate | None = None
    effect: str = ""
    """What comes of it, from ``install_by`` on, that it has something older."""

    @property
    def certificates(self) -> tuple[ReportedCertificate, ...]:
        """Every certificate the host has."""
        return tuple(one for one in (self.certificate, self.tools_certificate) if one is not None)


@dataclass(frozen=True, slots=True)
class ReportedRevocationList:
    """The CRL as the report shows it."""

    number: int
    this_update: datetime
    next_update: datetime
    revoked: int


@dataclass(frozen=True, slots=True)
class ReportedBundle:
    """The authorities that hosts trust, where certificates are bought.

    ``source`` is the file as declared. ``limits`` are those that are trusted only for what they issued until
    a moment, by name, the earliest first.
    """

    source: str
    authorities: int
    sha256: str
    limits: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True, slots=True)
class ReportedWork:
    """What a build, or another command, did at a moment: ``what`` in words, to the hosts that are named."""

    at: datetime
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the three report files say.

    ``as_of`` is the time of the newest event in the ledger (None before the first build): it, not the
    wall clock, dates the report, so that a second build writes the same bytes. ``refused`` is true where
    errors kept the build from happening. ``is_bought``: servers' certificates are, and those of clients
    unless the mode ``is_mixed``, in which ``authority`` signs them. ``rollover``: it is taking over from
    those of ``outgoing``, which are trusted beside it.
    """

    declaration: str
    mutual_auth: bool
    refused: bool
    as_of: datetime | None
    authority: ReportedAuthority | None
    revocation_list: ReportedRevocationList | None
    hosts: tuple[ReportedHost, ...]
    problems: tuple[LocatedProblem, ...]
    bundle: ReportedBundle | None = None
    is_bought: bool = False
    is_mixed: bool = False
    outgoing: tuple[ReportedAuthority, ...] = ()
    rollover: Rollover | None = None
    turn: MutualAuthChange | None = None
    """Mutual authentication being turned on or off."""
    past: tuple[ReportedWork, ...] = ()
    """What was done last, the newest first."""

    @property
    def is_staged(self) -> bool:
        """Whether hosts may be installed in any order, as nobody makes a demand before all can meet it."""
        return self.rollover is not None or self.turn is not None

    @property
    def mutual_auth_words(self) -> tuple[str, str]:
        """Whether mutual authentication is in force, in a word, and what that means."""
        if self.turn is not None:
            way = "on" if self.turn.stage is MutualAuthStage.HAND_OUT else "off"
            return f"Being turned {way}", "no server is to ask clients for certificates meanwhile"
        if self.mutual_auth:
            return "Required", "servers check clients too"
        return "Off", "clients check servers"
