"""What the report says, in words: the same sentences for the browser and for the terminal.

Written for people who know printing, not X.509. Every text that comes from the declaration passes
through ``visible`` before it is shown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from ipmpki.changes import Stage
from ipmpki.diagnostics import tally
from ipmpki.render.problems import visible
from ipmpki.vocabulary import OperatingSystem, Role

if TYPE_CHECKING:
    from ipmpki.diagnostics import Tally
    from ipmpki.render.report import Report, ReportedHost

SYSTEM_NAMES = {
    OperatingSystem.AIX: "AIX",
    OperatingSystem.LINUX: "Linux",
    OperatingSystem.WINDOWS: "Windows",
    OperatingSystem.MACOS: "macOS",
}
_TONE_SYMBOLS = {"ok": "✓", "warning": "▲", "error": "✕"}
ROLE_NAMES = {Role.SERVER: "Server", Role.CLIENT: "Client"}

MOST_NAMES_LISTED = 100
"""In one group of hosts to install; the list of hosts holds the rest, with dates."""


class Code(str):
    """A part of a sentence to be typed or read literally: a command, a file name."""

    __slots__ = ()


Sentence: TypeAlias = tuple[str | Code, ...]


class Status(Enum):
    """How a host's certificate stands at the time of the report: a symbol and a word, never colour alone."""

    VALID = ("ok", "✓", "Valid")
    RENEWAL_DUE = ("warning", "▲", "Renewal due")
    RENEWAL_AWAITED = ("warning", "○", "Renewal awaited")
    EXPIRED = ("error", "✕", "Expired")
    REVOKED = ("error", "✕", "Revoked")
    AWAITED = ("warning", "○", "No certificate yet")
    NOT_NEEDED = ("quiet", "◇", "None needed")

    def __init__(self, tone: str, symbol: str, word: str) -> None:
        self.tone = tone
        self.symbol = symbol
        self.word = word


@dataclass(frozen=True, slots=True)
class Headline:
    """The first thing the report says: how bad it is, the title, and one or two sentences."""

    tone: str
    symbol: str
    title: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Wave:
    """Hosts whose folders changed at the same moment. ``more`` counts those that are not listed."""

    published: str
    names: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class InstallGroup:
    """Hosts of one role on one system, which are installed in the same way; newest folders first."""

    role: Role
    system: str
    how: Sentence
    waves: tuple[Wave, ...]


@dataclass(frozen=True, slots=True)
class Census:
    """The figures of the summary. The dates are None where there is no certificate."""

    hosts: int
    servers: int
    clients: int
    certificates: int
    statuses: dict[Status, int]
    first_expiry: datetime | None
    next_renewal: datetime | None


def utc(moment: datetime) -> datetime:
    """A moment in UTC; one without a zone is UTC already."""
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@lru_cache(maxsize=100_000)
def timestamp(moment: datetime) -> str:
    """A moment as a program reads it, such as ``2027-12-26T09:30:00Z``.

    Three files show each moment, and hosts of one build share theirs; the cache spares most of the work.
    """
    return utc(moment).isoformat(timespec="seconds")[:19] + "Z"


def minute(moment: datetime) -> str:
    """A moment as a person reads it, such as ``2027-12-26 09:30 UTC``."""
    written = timestamp(moment)
    return f"{written[:10]} {written[11:16]} UTC"


def day(moment: datetime) -> str:
    """The day of a moment, in UTC."""
    return timestamp(moment)[:10]


def serial_number(serial: int) -> str:
    """A serial number as ``openssl x509 -serial`` prints it: upper-case hexadecimal, whole bytes."""
    digits = f"{serial:X}"
    return digits if len(digits) % 2 == 0 else "0" + digits


def fingerprint_digits(fingerprint: str) -> str:
    """A fingerprint's bare digits, whether or not it came with colons."""
    return fingerprint.replace(":", "").replace(" ", "").upper()


def grouped(fingerprint: str) -> str:
    """A fingerprint in pairs, as ``openssl x509 -fingerprint`` and browsers show it."""
    return bytes.fromhex(fingerprint_digits(fingerprint)).hex(":").upper()


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as ``1 host`` and ``10,000 hosts``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def status_of(host: ReportedHost, report: Report) -> Status:
    """How a host's certificates stand at the time of the report; of two, the one that ends first decides."""
    if host.certificate is None:
        needed = host.role is Role.SERVER or report.mutual_auth
        return Status.AWAITED if needed else Status.NOT_NEEDED
    if any(one.revoked_at is not None for one in host.certificates):
        return Status.REVOKED
    certificate = min(host.certificates, key=lambda one: one.renew_from)
    as_of = report.as_of
    if as_of is not None and as_of >= certificate.not_after:
        return Status.EXPIRED
    if host.awaited_since is not None:
        return Status.RENEWAL_AWAITED
    return Status.VALID if as_of is None or as_of < certificate.renew_from else Status.RENEWAL_DUE


def is_waiting(host: ReportedHost) -> bool:
    """Whether there is nothing to install on a host before its first certificate comes."""
    return host.certificate is None and host.awaited_since is not None


def ordering(report: Report) -> tuple[Sentence, ...]:
    """What is to be bought, or was ordered and has yet to come."""
    since = [host.awaited_since for host in report.hosts if host.awaited_since is not None]
    if not since:
        return ()
    verb = "is" if len(since) == 1 else "are"
    return (
        (
            f"{counted(len(since), 'certificate')} {verb} awaited, since {day(min(since))}: order each as ",
            Code("dist/requests.txt"),
            " says, and when it has come, run ",
            Code(f"ipmpki import {visible(report.declaration)} FILE..."),
            ".",
        ),
    )


_STEPS = {
    Stage.TRUST_BOTH: ("first", "every host gets both authorities to trust"),
    Stage.REISSUE: ("second", "every certificate is issued anew, by the new authority"),
}


def taking_over(report: Report) -> tuple[Sentence, ...]:
    """How far an authority has taken over from another, and what has to be said for it to go on."""
    rollover = report.rollover
    if rollover is None or rollover.stage not in _STEPS:
        return ()
    number, what = _STEPS[rollover.stage]
    waiting = counted(len(rollover.waiting), "host")
    return (
        (
            f"The authority is replaced without an outage, and this is the {number} of three steps: {what}. "
            "Install every folder that changed, in any order.",
        ),
        (
            f"The next step begins when all have installed this one. It is not known of {waiting} yet: say it"
            " with ",
            Code(f"ipmpki installed {visible(report.declaration)} HOST..."),
            ", or ",
            Code("--all"),
            " for every host, and build again. Nothing breaks if that takes weeks.",
        ),
    )


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
        statuses={status: counts[status] for status in Status},
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
        for status in (Status.REVOKED, Status.EXPIRED, Status.RENEWAL_DUE, Status.AWAITED)
    )
    said = (
        (count.errors, "error", f"Built, with {counted(count.errors, 'error')}", (read,)),
        (
            revoked,
            "error",
            f"{counted(revoked, 'host')} with a revoked certificate",
            (("The list of hosts shows which. Servers that read the revocation list turn them away.",),),
        ),
        (expired, "error", f"{counted(expired, 'certificate')} expired", (again,)),
        (due, "warning", f"{counted(due, 'certificate')} due for renewal", (again,)),
        (
            awaited,
            "warning",
            f"{counted(awaited, 'host')} without a certificate yet",
            (("The list of hosts shows which.",),),
        ),
        (count.warnings, "warning", f"Built, with {counted(count.warnings, 'warning')}", (well, read)),
        (1, "ok", "All is well", (well,)),
    )
    _, tone, title, sentences = next(line for line in said if line[0])
    return Headline(tone, _TONE_SYMBOLS[tone], title, sentences)


def build_command(report: Report) -> Sentence:
    """The command that builds this declaration."""
    return (Code(f"ipmpki build {visible(report.declaration)}"),)


def order_hosts(report: Report) -> tuple[ReportedHost, ...]:
    """Servers first, then clients; of each those first that lack what they need, then what ends first.

    Certificates that end on one day keep the order of the declaration, as do hosts that need none.
    """

    def urgency(host: ReportedHost) -> tuple[bool, bool, str]:
        lacks = status_of(host, report) in {Status.AWAITED, Status.REVOKED}
        ends = min([day(one.not_after) for one in host.certificates], default="9999-12-31")
        return host.role is not Role.SERVER, not lacks, "" if lacks else ends

    return tuple(sorted(report.hosts, key=urgency))


_HOW = {
    OperatingSystem.WINDOWS: (
        "Copy the folder to its host. There, right-click ",
        Code("install.cmd"),
        " and choose Run as administrator.",
    ),
    OperatingSystem.AIX: (
        "Copy the folder to its host. There, run ",
        Code("sh install.sh"),
        " as root, or ",
        Code("sudo sh install.sh"),
        ".",
    ),
}
STAGES = {Role.SERVER: "First the servers", Role.CLIENT: "Then the clients"}
"""The order of installation."""
_HOW_ELSE: Sentence = (
    "Copy the folder to its host. There, run ",
    Code("sudo sh install.sh"),
    ".",
)


def group_installs(report: Report) -> tuple[InstallGroup, ...]:
    """Which hosts are to be installed, and how: servers first, then by system, newest folders first."""
    groups: dict[tuple[Role, OperatingSystem], list[ReportedHost]] = {}
    for host in report.hosts:
        if host.published_at is not None and not is_waiting(host):
            groups.setdefault((host.role, host.os), []).append(host)
    order = [(role, system) for role in Role for system in OperatingSystem if (role, system) in groups]
    return tuple(
        InstallGroup(
            role,
            SYSTEM_NAMES[system],
            _HOW.get(system, _HOW_ELSE),
            _waves(groups[role, system]),
        )
        for role, system in order
    )


def _waves(hosts: list[ReportedHost]) -> tuple[Wave, ...]:
    dated = sorted(
        ((utc(host.published_at), host.name) for host in hosts if host.published_at is not None),
        key=lambda pair: pair[0],
        reverse=True,
    )
    waves = []
    left = MOST_NAMES_LISTED
    for published, pairs in groupby(dated, key=lambda pair: pair[0]):
        names = [name for _, name in pairs]
        shown = tuple(visible(name) for name in names[:left])
        left -= len(shown)
        waves.append(Wave(minute(published), shown, len(names) - len(shown)))
        if left == 0:
            listed_so_far = sum(len(wave.names) + wave.more for wave in waves)
            waves[-1] = Wave(
                waves[-1].published, waves[-1].names, waves[-1].more + len(dated) - listed_so_far
            )
            break
    return tuple(waves)


def before_installing(report: Report) -> tuple[Sentence, ...]:
    """What to know before the first folder is carried over."""
    sentences: list[Sentence] = [
        (
            "Each host has its own folder, ",
            Code("dist/hosts/NAME"),
            ". Install the servers first, then the clients. Folders that changed last stand first.",
        ),
        (
            "Carry a folder over a channel that nobody else can read, and delete the copies when you are "
            "done: most folders hold a secret key.",
        ),
        (
            "To see first what a script would change, add ",
            Code("--dry-run"),
            ", on Windows ",
            Code("-DryRun"),
            ".",
        ),
        (
            "ipmpki cannot see whether a folder was installed. Running the script once more does no harm: "
            "it says “already up to date” and touches nothing.",
        ),
        (
            "Servers and clients alike need the file ",
            Code("ca-cert.pem"),
            ": with it they check the certificates they are shown. It is in every folder.",
        ),
    ]
    if report.mutual_auth:
        sentences.append(
            (
                "Mutual authentication is required: a server lets in only clients that show a certificate "
                "of this authority. Install every client before you restart the servers, or the clients "
                "left out are turned away.",
            )
        )
    return tuple(sentences)


def after_installing(report: Report) -> tuple[Sentence, ...]:
    """How to bring the new files into use, as the vendor's pages say."""
    systems = {host.os for host in report.hosts if host.role is Role.SERVER}
    sentences: list[Sentence] = [
        (
            "Restart each computer that received ",
            Code("ca-cert.pem"),
            ", as the InfoPrint Manager page asks.",
        )
    ]
    if systems & {OperatingSystem.AIX, OperatingSystem.LINUX}:
        sentences.append(
            (
                "On AIX and Linux, ",
                Code("pdshutdown ServerName"),
                " stops a server and ",
                Code("startsrv ServerName"),
                " starts it. Never use ",
                Code("startsrv -F"),
                ": with a mistyped name it creates a new server.",
            )
        )
    if OperatingSystem.WINDOWS in systems:
        sentences.append(
            (
                "On Windows, stop the server in the InfoPrint Manager Management Console (File, Stop Server) "
                "and start it again.",
            )
        )
    return tuple(sentences)


def backing_up(report: Report) -> tuple[Sentence, ...]:
    """What must be kept safe, and what need not be."""
    return (
        (
            "Back up ",
            Code("pki.db"),
            " after every build that changed something, and ",
            Code(visible(report.declaration)),
            " with it. ",
            Code("pki.db"),
            " holds the authority, every key, every certificate; without it all hosts must be set up anew.",
        ),
        (
            "Make the copy with ",
            Code("ipmpki backup"),
            ", which encrypts it and may run beside a build. Whoever has ",
            Code("pki.db"),
            " itself can pose as any of your hosts.",
        ),
        ("Everything under ", Code("dist/"), " can be made from it again and needs no backup."),
    )


def is_due(report: Report, census: Census) -> bool:
    """Whether at the time of the report there is something to renew."""
    return (
        report.as_of is not None and census.next_renewal is not None and census.next_renewal <= report.as_of
    )


def renewal(report: Report, census: Census) -> tuple[Sentence, ...]:
    """When to build again."""
    sentences: list[Sentence] = []
    run: Sentence = ("run ", *build_command(report), ", and install the folders that changed.")
    if is_due(report, census):
        sentences.append(("Certificates are due for renewal now: ", *run))
    elif census.next_renewal is not None and census.first_expiry is not None:
        days = f"Between {day(census.next_renewal)} and {day(census.first_expiry)} "
        sentences.append(("No certificate needs renewing yet. ", days, *run))
    if report.revocation_list is not None:
        sentences.append(
            (
                f"The revocation list runs out on {day(report.revocation_list.next_update)}. "
                "A build before that day renews it.",
            )
        )
    return tuple(sentences)


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
