"""What the report says is to be done: what to order, what to install and how, when to build again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import OperatingSystem, Role
from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.wording import counted, day, minute, utc
from ipmpki.plans.installation import roles_in_order
from ipmpki.plans.plan import MutualAuthStage, Stage
from ipmpki.render.platforms import Dialect, platform_of
from ipmpki.render.prose import Code, Sentence
from ipmpki.render.report.words import Installing, build_command, installing_of, is_due

if TYPE_CHECKING:
    from ipmpki.render.report.document import Report, ReportedHost
    from ipmpki.render.report.words import Census

MOST_NAMES_LISTED = 100
"""In one group of hosts to install; the list of hosts holds the rest, with dates."""


@dataclass(frozen=True, slots=True)
class Wave:
    """Hosts whose folders changed at the same moment. ``more`` counts those that are not listed.

    ``lines`` are what copies each one's folder to it.
    """

    published: str
    names: tuple[str, ...]
    more: int
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstallGroup:
    """Hosts of one role on one system, which are installed in the same way; newest folders first."""

    role: Role
    system: str
    how: Sentence
    waves: tuple[Wave, ...]


def lines_to_copy(host: ReportedHost) -> tuple[str, str]:
    """What carries a host's folder there, by its name, and what is to be run there then."""
    name = visible(host.name)
    if platform_of(host.os).dialect is Dialect.POWERSHELL:
        # C:\\ipmpki is the folder that README.txt has made for it, as an administrator.
        return f"scp -r dist/hosts/{name} {name}:C:/ipmpki/", f"C:\\ipmpki\\{name}\\install.cmd"
    # sudo comes with the AIX Toolbox, where that is installed.
    command = "sh install.sh" if host.os is OperatingSystem.AIX else "sudo sh install.sh"
    return f"scp -r dist/hosts/{name} {name}:", f"cd {name} && {command}"


def run_by(host: ReportedHost) -> str:
    """Who has to run the second of these lines, in two words."""
    return "As root" if platform_of(host.os).dialect is Dialect.SH else "As admin."


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


_TURNS = {
    MutualAuthStage.HAND_OUT: (
        "on",
        "every host gets a certificate that it shows where it is a client, and no server asks for one yet",
        "servers ask for them",
    ),
    MutualAuthStage.RELEASE: (
        "off",
        "servers stop asking clients for certificates, and what clients show stays valid",
        "what clients show is taken back",
    ),
}


def turning(report: Report) -> tuple[Sentence, ...]:
    """How far mutual authentication is turned on or off, and what has to be said for it to go on."""
    turn = report.turn
    if turn is None or turn.stage not in _TURNS:
        return ()
    way, what, then = _TURNS[turn.stage]
    return (
        (
            f"Mutual authentication is turned {way} without an outage, and this is the first of two steps: "
            f"{what}. Install every folder that changed, in any order.",
        ),
        (
            f"In the second step {then}: it begins when all have installed this one. It is not known of"
            f" {counted(len(turn.waiting), 'host')} yet: say it with ",
            Code(f"ipmpki installed {visible(report.declaration)} HOST..."),
            ", or ",
            Code("--all"),
            " for every host, and build again. Nothing breaks if that takes weeks.",
        ),
    )


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


_NOUNS = {Role.SERVER: "servers", Role.CLIENT: "clients"}


def stage_title(role: Role, report: Report) -> str:
    """When the hosts of a role are installed; while one authority takes over from another, at any time."""
    if report.is_staged:
        return _NOUNS[role].capitalize()
    is_first = roles_in_order(mutual_auth=report.mutual_auth)[0] is role
    return f"{'First' if is_first else 'Then'} the {_NOUNS[role]}"


def group_installs(report: Report) -> tuple[InstallGroup, ...]:
    """Which hosts are to be installed, and how: who comes first, then by system, newest folders first.

    Hosts that are known to have what is published for them are left out.
    """
    groups: dict[tuple[Role, OperatingSystem], list[ReportedHost]] = {}
    for host in report.hosts:
        if installing_of(host, report) not in {Installing.NOTHING, Installing.DONE}:
            groups.setdefault((host.role, host.os), []).append(host)
    roles = roles_in_order(mutual_auth=report.mutual_auth)
    order = [(role, system) for role in roles for system in OperatingSystem if (role, system) in groups]
    return tuple(
        InstallGroup(
            role,
            system.label,
            ("Copy the folder to its host. ", *platform_of(system).how_to_install),
            _waves(groups[role, system]),
        )
        for role, system in order
    )


def _waves(hosts: list[ReportedHost]) -> tuple[Wave, ...]:
    dated = sorted(
        ((utc(host.published_at), host) for host in hosts if host.published_at is not None),
        key=lambda pair: pair[0],
        reverse=True,
    )
    waves: list[Wave] = []
    left = MOST_NAMES_LISTED
    for published, pairs in groupby(dated, key=lambda pair: pair[0]):
        found = [host for _, host in pairs]
        shown = found[:left]
        left -= len(shown)
        names = tuple(visible(host.name) for host in shown)
        lines = tuple(lines_to_copy(host)[0] for host in shown)
        waves.append(Wave(minute(published), names, len(found) - len(shown), lines))
        if left == 0:
            listed_so_far = sum(len(wave.names) + wave.more for wave in waves)
            waves[-1] = replace(waves[-1], more=waves[-1].more + len(dated) - listed_so_far)
            break
    return tuple(waves)


def nothing_to_install(report: Report) -> tuple[Sentence, ...]:
    """Why no host is listed to be installed; empty where one is."""
    found = {installing_of(host, report) for host in report.hosts}
    if not found <= {Installing.NOTHING, Installing.DONE}:
        return ()
    if Installing.DONE not in found:
        return (("There is nothing to install yet.",),)
    return (
        (
            "Nothing is left to install: every host has what is published for it, as was told with ",
            Code("ipmpki installed"),
            ".",
        ),
    )


def before_installing(report: Report) -> tuple[Sentence, ...]:
    """What to know before the first folder is carried over."""
    first, then = (_NOUNS[role] for role in roles_in_order(mutual_auth=report.mutual_auth))
    order = f" Install the {first} first, then the {then}." if not report.is_staged else ""
    sentences: list[Sentence] = [
        (
            "Each host has its own folder, ",
            Code("dist/hosts/NAME"),
            f".{order} Folders that changed last stand first.",
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
            "ipmpki cannot see what was installed: tell it with ",
            Code(f"ipmpki installed {visible(report.declaration)} HOST..."),
            ", and the host is no longer listed here. Running a script once more does "
            "no harm: it says “already up to date” and touches nothing.",
        ),
        (
            "Servers and clients alike need the file ",
            Code("ca-cert.pem"),
            ": with it they check the certificates they are shown. It is in every folder.",
        ),
    ]
    if report.mutual_auth and not report.is_staged:
        sentences.append(
            (
                "Mutual authentication is required: a server lets in only clients that show a certificate "
                "of this authority. That is why every client comes before the servers: those left out are "
                "turned away.",
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
