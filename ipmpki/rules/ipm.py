"""Rules about what pki.toml says of InfoPrint Manager itself: its commands, its keywords, its rollout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ipmpki.declaration.vocabulary import OperatingSystem, Role
from ipmpki.diagnostics.problem import Fix, Related, Replace, Severity
from ipmpki.diagnostics.wording import counted, quote
from ipmpki.rules.registry import VENDOR, Finding, fleet_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration import tables
    from ipmpki.declaration.fleet import Fleet
    from ipmpki.diagnostics.problem import DocumentPath, Place

_FORCED = re.compile(r"\bstartsrv(?:\s+[^\s;&|]+)*?(?P<flag>\s+-F)(?=[\s;&|]|$)")

_KNOWN_KEYWORDS = {"enabletls": "EnableTLS", "certfile": "CertFile", "keyfile": "KeyFile"}
# How install.sh and install.ps1 read a line: quotes end at the next one, and a comment begins with its line,
# with its value, or behind a blank.
_NOT_WRITABLE = re.compile(r'"|(?:^|[ \t])[#;]')
_ROLES_OF_KEYWORDS = ("ca_file", "crl_file", "mutual_auth")


def _settings(fleet: Fleet) -> Iterator[tuple[tables.IpmSettings, DocumentPath]]:
    """[ipm], and the tables of the systems below it, each with its path."""
    ipm = fleet.declared.ipm
    yield ipm, ("ipm",)
    for system in OperatingSystem:
        own: tables.IpmSettings | None = getattr(ipm, system.value)
        if own is not None:
            yield own, ("ipm", system.value)


def site_value(fleet: Fleet, system: OperatingSystem, key: str) -> tuple[Any, Place]:
    """What [ipm] says for a system, and where: in the system's own table, or for all; None where it does not.

    None also where it could not be read.
    """
    own: tables.IpmSettings | None = getattr(fleet.declared.ipm, system.value)
    place = fleet.place.at("ipm", system.value, key)
    value = getattr(own, key) if own is not None else None
    if value is None and fleet.was_read(*place.path):
        place, value = fleet.place.at("ipm", key), getattr(fleet.declared.ipm, key)
    return (value if fleet.was_read(*place.path) else None), place


def _commands(fleet: Fleet) -> Iterator[tuple[str, Place]]:
    for settings, path in _settings(fleet):
        if settings.restart_command and fleet.was_read(*path, "restart_command"):
            yield settings.restart_command, fleet.place.at(*path, "restart_command")
    for host in fleet.hosts:
        if host.declared.restart_command and host.was_read("restart_command"):
            yield host.declared.restart_command, host.place.at("restart_command")


@fleet_rule(Severity.WARNING, cites="InfoPrint Manager: startsrv -F creates a server that does not exist yet")
def startsrv_creates_server(fleet: Fleet) -> Iterator[Finding]:
    """A restart command starts the server with -F, which makes a new one of a mistyped name.

    ## What it finds

    "startsrv -F" in restart_command, of [ipm], of a system or of a host.

    ## Who is hurt

    Whoever prints through that server: with one wrong letter in the name a new, empty server starts in its
    place, and the real one stays down.

    ## Example

    ```toml
    [ipm]
    restart_command = "pdshutdown ipm1 && startsrv -F ipm1"

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```

    ## Instead

    ```toml
    [ipm]
    restart_command = "pdshutdown ipm1 && startsrv ipm1"

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```
    """
    for command, place in _commands(fleet):
        match = _FORCED.search(command)
        if match is None:
            continue
        plain = command
        while match is not None:
            plain = plain[: match.start("flag")] + plain[match.end("flag") :]
            match = _FORCED.search(plain)
        yield Finding(
            "'startsrv -F' makes a new server where the name is mistyped",
            f"leave -F out: {quote(plain)}",
            place,
            fix=Fix("leave -F out", (Replace(place, plain),)),
        )


@fleet_rule(Severity.WARNING, cites=f"{VENDOR}: EnableTLS, CertFile and KeyFile in ipmssl.cfg")
def keyword_taken(fleet: Fleet) -> Iterator[Finding]:
    """One keyword of ipmssl.cfg is to hold two things.

    ## What it finds

    In [ipm] keywords: EnableTLS, CertFile or KeyFile, which ipmpki sets anyway; or the same keyword given
    for two purposes.

    ## Who is hurt

    The hosts it is installed on: one setting takes the other's place, such as the CA's file that of the
    certificate, and TLS does not come up.

    ## Example

    ```toml
    [ipm]
    keywords = { ca_file = "CertFile" }

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```

    ## Instead

    ```toml
    [ipm]
    keywords = { ca_file = "NameReadOffTheSample" }

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```
    """
    for settings, path in _settings(fleet):
        first: dict[str, Place] = {}
        for purpose in _ROLES_OF_KEYWORDS:
            written: str | None = getattr(settings.keywords, purpose)
            if not written or not fleet.was_read(*path, "keywords", purpose):
                continue
            keyword = written.partition("=")[0].strip()
            place = fleet.place.at(*path, "keywords", purpose)
            known = _KNOWN_KEYWORDS.get(keyword.casefold())
            earlier = first.setdefault(keyword.casefold(), place)
            remedy = "copy the keyword from the comment in the sample ipmssl.cfg that speaks of this"
            if known is not None:
                yield Finding(f"the keyword {quote(known)} is set to something else already", remedy, place)
            elif earlier != place:
                yield Finding(
                    f"the keyword {quote(keyword)} is given for two purposes",
                    remedy,
                    place,
                    (Related("first given here", earlier),),
                )


@fleet_rule(
    Severity.ERROR, cites=f"{VENDOR}: the shipped sample of ipmssl.cfg, whose form an installer follows"
)
def value_not_writable(fleet: Fleet) -> Iterator[Finding]:
    """A value for ipmssl.cfg would not be read back as it was written.

    ## What it finds

    In [ipm] keywords, mutual_auth = "NAME=VALUE": a value with a double quote in it, or with a # or ; where a
    comment may begin, at its start or behind a blank.

    ## Who is hurt

    The hosts it is installed on: the rest of the value would be a comment to whoever reads the file, and each
    run of the install script would find another value there and write it anew.

    ## Example

    ```toml
    [ipm]
    keywords = { mutual_auth = "VerifyClient=yes #always" }

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```

    ## Instead

    ```toml
    [ipm]
    keywords = { mutual_auth = "VerifyClient=yes" }

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```
    """
    for settings, path in _settings(fleet):
        written = settings.keywords.mutual_auth
        if not written or not fleet.was_read(*path, "keywords", "mutual_auth"):
            continue
        value = written.partition("=")[2].strip()
        if _NOT_WRITABLE.search(value):
            yield Finding(
                f"{quote(value)} cannot stand in ipmssl.cfg",
                'write the value without ", and without a # or ; that would begin a comment',
                fleet.place.at(*path, "keywords", "mutual_auth"),
            )


@fleet_rule(Severity.INFO, cites="Ansible, Controlling playbook execution: batch size with serial")
def rollout_all_at_once(fleet: Fleet) -> Iterator[Finding]:
    """The first batch of the rollout holds every host.

    ## What it finds

    A first [rollout] batch of 100%, or of at least as many hosts as there are, where there are two servers
    or more.

    ## Who is hurt

    Everybody who prints, if something is wrong with what is installed: no server is left as it was.

    ## Example

    ```toml
    [rollout]
    batch = "100%"

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"

    [[hosts]]
    name = "ipm2.example.com"
    role = "server"
    ```

    ## Instead

    ```toml
    [rollout]
    batch = [1, "100%"]

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"

    [[hosts]]
    name = "ipm2.example.com"
    role = "server"
    ```
    """
    first = fleet.batches[0]
    if first == 1 or not fleet.is_whole or not fleet.was_read("rollout", "batch"):
        return
    is_everything = first == "100%" if isinstance(first, str) else first >= len(fleet.hosts)
    servers = sum(host.role is Role.SERVER for host in fleet.hosts)
    if is_everything and servers > 1:
        place = fleet.place.at("rollout", "batch")
        yield Finding(
            f"the first batch holds all {counted(len(fleet.hosts), 'host')}, with every server",
            'begin with one host, such as batch = [1, "25%"]',
            place.at(0) if len(fleet.batches) > 1 else place,
        )
