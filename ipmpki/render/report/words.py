"""What the report says, in words: the same sentences for the browser and for the terminal.

Written for people who know printing, not X.509. Every text that comes from the declaration passes
through ``visible`` before it is shown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.problem import tally
from ipmpki.diagnostics.wording import counted, day, days, days_left, utc
from ipmpki.render.prose import Code, Sentence

if TYPE_CHECKING:
    from datetime import datetime

    from ipmpki.diagnostics.problem import Tally
    from ipmpki.render.report.document import Report, ReportedAuthority, ReportedHost

_TONE_SYMBOLS = {"ok": "✓", "warning": "▲", "error": "✕"}
ROLE_NAMES = {Role.SERVER: "Server", Role.CLIENT: "Client"}


class Sign(Enum):
    """A state as the report shows it: by a symbol and a word, never by the colour of its tone alone."""

    def __init__(self, tone: str, symbol: str, word: str) -> None:
        self.tone = tone
        self.symbol = symbol
        self.word = word


class HostStatus(Sign):
    """How a host's certificate stands at the time of the report."""

    VALID = ("ok", "✓", "Valid")
    RENEWAL_DUE = ("warning", "▲", "Renewal due")
    RENEWAL_AWAITED = ("warning", "○", "Renewal awaited")
    EXPIRED = ("error", "✕", "Expired")
    REVOKED = ("error", "✕", "Revoked")
    AWAITED = ("warning", "○", "No certificate yet")
    NOT_NEEDED = ("quiet", "◇", "None needed")


class Installing(Sign):
    """Whether what is published for a host is on it, the most urgent first."""

    OVERDUE = ("error", "✕", "Overdue")
    BY = ("warning", "▲", "Install by")
    BEHIND = ("warning", "▲", "To install")
    UNKNOWN = ("quiet", "○", "Not known")
    DONE = ("ok", "✓", "Installed")
    NOTHING = ("quiet", "◇", "Nothing to install")


@dataclass(frozen=True, slots=True)
class Headline:
    """The first thing the report says: how bad it is, the title, and one or two sentences."""

    tone: str
    symbol: str
    title: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Census:
    """The figures of the summary. The dates are None where there is no certificate."""

    hosts: int
    servers: int
    clients: int
    certificates: int
    statuses: dict[HostStatus, int]
    first_expiry: datetime | None
    next_renewal: datetime | None


def status_of(host: ReportedHost, report: Report) -> HostStatus:
    """How a host's certificates stand at the time of the report; of two, the one that ends first decides."""
    if host.certificate is None:
        needed = host.role is Role.SERVER or report.mutual_auth
        return HostStatus.AWAITED if needed else HostStatus.NOT_NEEDED
    if any(one.revoked_at is not None for one in host.certificates):
        return HostStatus.REVOKED
    certificate = min(host.certificates, key=lambda one: one.renew_from)
    as_of = report.as_of
    if as_of is not None and as_of >= certificate.not_after:
        return HostStatus.EXPIRED
    if host.awaited_since is not None:
        return HostStatus.RENEWAL_AWAITED
    return HostStatus.VALID if as_of is None or as_of < certificate.renew_from else HostStatus.RENEWAL_DUE


def is_waiting(host: ReportedHost) -> bool:
    """Whether there is nothing to install on a host before its first certificate comes."""
    return host.certificate is None and host.awaited_since is not None


def installing_of(host: ReportedHost, report: Report) -> Installing:
    """Whether what is published for a host is on it, as far as was told."""
    if host.published_at is None or is_waiting(host):
        return Installing.NOTHING
    if host.installed_at is not None:
        return Installing.DONE
    if host.install_by is not None:
        late = report.as_of is not None and host.install_by <= report.as_of
        return Installing.OVERDUE if late else Installing.BY
    return Installing.BEHIND if host.is_behind else Installing.UNKNOWN


def is_urgent(host: ReportedHost, report: Report) -> bool:
    """Whether something fails already for want of a build, or of installing what was built."""
    if installing_of(host, report) is Installing.OVERDUE:
        return True
    return status_of(host, report) in {HostStatus.EXPIRED, HostStatus.REVOKED}


def left_of(end: datetime, report: Report) -> str:
    """The days that are left at the time of the report; empty before the first build."""
    if report.as_of is None:
        return ""
    if utc(end) <= utc(report.as_of):
        gone = (utc(report.as_of) - utc(end)).days
        return f"{days(gone)} ago" if gone else "today"
    return f"{days(days_left(end, report.as_of))} left"


def take_census(report: Report) -> Census:
    """Count the hosts and find the two dates everybody asks for."""
    counts = Counter([status_of(host, report) for host in report.hosts])
    certificates = [certificate for host in report.hosts for certificate in host.certificates]
    servers = sum(host.role is Role.SERVER for host in report.hosts)
    return Census(
        hosts=len(report.hosts),
        servers=servers,
        clients=len(report.hosts) - servers,
        certificates=len(certificates),
        statuses={status: counts[status] for status in HostStatus},
        first_expiry=min((certificate.not_after for certificate in certificates), default=None),
        next_renewal=min((certificate.renew_from for certificate in certificates), default=None),
    )


def write_headline(report: Report, census: Census) -> Headline:
    """Say in one breath how things stand. A refusal says first that nothing was built or touched."""
    count = tally(located.problem for located in report.problems)
    declaration = Code(visible(report.declaration))
    if report.refused:
        faults = counted(count.errors, "error") if count.errors else "faults"
        refusal: Sentence = (
            "Nothing was built and nothing else was touched: ",
            declaration,
            f" has {faults}, and apart from the three report files everything is as it was.",
        )
        remedy: Sentence = ("Mend what is listed under Problems, then run ", *build_command(report), ".")
        return Headline("error", _TONE_SYMBOLS["error"], "Nothing was built", (refusal, remedy))
    return _headline_of_build(report, census, count)


_TO_INSTALL = {Installing.OVERDUE, Installing.BY, Installing.BEHIND}
_INSTALL: Sentence = (
    "What to do next shows which and how. Tell what is installed with ",
    Code("ipmpki installed"),
    ", and build again.",
)


def _headline_of_build(report: Report, census: Census, count: Tally) -> Headline:
    """The gravest thing to say of a build that took place."""
    again: Sentence = ("Run ", *build_command(report), " to renew.")
    well: Sentence = (
        "Everything declared in ",
        Code(visible(report.declaration)),
        " is issued and published.",
    )
    read: Sentence = ("Read what is listed under Problems.",)
    revoked, expired, due, awaited = (
        census.statuses[status]
        for status in (HostStatus.REVOKED, HostStatus.EXPIRED, HostStatus.RENEWAL_DUE, HostStatus.AWAITED)
    )
    rules = {located.problem.rule for located in report.problems}
    left = [host for host in report.hosts if installing_of(host, report) in _TO_INSTALL]
    late = sum(installing_of(host, report) is Installing.OVERDUE and host.is_behind for host in left)
    unknown = sum(installing_of(host, report) is Installing.UNKNOWN for host in report.hosts)
    said = (
        (count.errors, "error", f"Built, with {counted(count.errors, 'error')}", (read,)),
        (
            revoked,
            "error",
            f"{counted(revoked, 'host')} with a revoked certificate",
            (("The list of hosts shows which. Servers that read the revocation list turn them away.",),),
        ),
        (expired, "error", f"{counted(expired, 'certificate')} expired", (again,)),
        (
            late,
            "error",
            f"{counted(late, 'host')} not installed in time",
            (("What is due says what fails there for want of it. ", *_INSTALL),),
        ),
        (
            "mutual-auth-not-in-force" in rules,
            "warning",
            "Servers let in anybody",
            (("Mutual authentication is declared, and nothing has servers ask for certificates.",), read),
        ),
        (
            "revocation-reaches-no-server" in rules,
            "warning",
            "Revoked certificates are let in",
            (("No server gets the list that names them.",), read),
        ),
        (due, "warning", f"{counted(due, 'certificate')} due for renewal", (again,)),
        (
            awaited,
            "warning",
            f"{counted(awaited, 'host')} without a certificate yet",
            (("The list of hosts shows which.",),),
        ),
        (
            len(left),
            "warning",
            f"{counted(len(left), 'host')} to be installed",
            (well, _INSTALL, *((read,) if count.warnings else ())),
        ),
        (count.warnings, "warning", f"Built, with {counted(count.warnings, 'warning')}", (well, read)),
        (
            unknown,
            "warning",
            f"{counted(unknown, 'host')} not known to be installed",
            (well, _INSTALL),
        ),
        (1, "ok", "All is well", (well,)),
    )
    _, tone, title, sentences = next(line for line in said if line[0])
    return Headline(tone, _TONE_SYMBOLS[tone], title, sentences)


def build_command(report: Report) -> Sentence:
    """The command that builds this declaration."""
    return (Code(f"ipmpki build {visible(report.declaration)}"),)


def is_due(report: Report, census: Census) -> bool:
    """Whether at the time of the report there is something to renew."""
    return (
        report.as_of is not None and census.next_renewal is not None and census.next_renewal <= report.as_of
    )


def authorities(report: Report) -> list[tuple[ReportedAuthority, str]]:
    """The authorities that are trusted, with a title where there are several: the one that stays first."""
    if report.authority is None:
        return []
    if not report.outgoing:
        return [(report.authority, "")]
    return [(report.authority, "New authority"), *((one, "Old authority") for one in report.outgoing)]


def order_hosts(report: Report) -> tuple[ReportedHost, ...]:
    """What fails already first, whatever its role; then servers, then clients; of each those first that lack
    what they need, then what ends first.

    Certificates that end on one day keep the order of the declaration, as do hosts that need none.
    """

    def urgency(host: ReportedHost) -> tuple[bool, bool, bool, str]:
        lacks = status_of(host, report) in {HostStatus.AWAITED, HostStatus.REVOKED}
        ends = min([day(one.not_after) for one in host.certificates], default="9999-12-31")
        urgent = is_urgent(host, report)
        return not urgent, not urgent and host.role is not Role.SERVER, not lacks, "" if lacks else ends

    return tuple(sorted(report.hosts, key=urgency))


LIMITS: Sentence = ("Of these, Mozilla trusts some only for certificates that they issued until a day:",)


WORDS: tuple[tuple[str, str], ...] = (
    (
        "Certificate",
        "A host's proof of identity. It lists the names and addresses the host may be called by.",
    ),
    ("Key", "The secret that belongs to a certificate. It stays on its host."),
    ("Authority (CA)", "Signs the certificates. Whoever trusts the authority trusts what it has signed."),
    (
        "Revocation list (CRL)",
        "Names certificates that are no longer to be trusted, though not yet expired.",
    ),
    ("Fingerprint", "A short code that differs for any two certificates. Use it to compare two copies."),
    ("Mutual authentication", "The client checks the server, and the server checks the client too."),
    ("Alias", "Another name that people or programs call the host by."),
)
"""The few words of X.509 the report cannot do without."""
