"""Rules about mutual authentication that is declared and not in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.problem import Severity
from ipmpki.diagnostics.wording import counted, quote
from ipmpki.rules.registry import VENDOR, Finding, fleet_rule, state_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.rules.context import Surroundings

_SAMPLE = "ipmssl.cfg as shipped (the sample names its keywords)"


def _servers(fleet: Fleet) -> list[HostSpec]:
    return [host for host in fleet.hosts if host.role is Role.SERVER]


def _is_unread(fleet: Fleet) -> bool:
    """Whether something in [ipm] could not be read, so that what it lacks may well stand there."""
    return any(path[:1] == ("ipm",) for path in fleet.unread)


def _named(hosts: list[HostSpec], all_of_them: int) -> str:
    if len(hosts) == all_of_them:
        return "no server asks" if all_of_them > 1 else f"{quote(hosts[0].name)} asks no client"
    others = f" and {counted(len(hosts) - 1, 'other')}" if len(hosts) > 1 else ""
    return (
        f"{quote(hosts[0].name)}{others} ask no client"
        if others
        else f"{quote(hosts[0].name)} asks no client"
    )


@fleet_rule(Severity.WARNING, cites=f"{VENDOR}: Mutual Authentication; {_SAMPLE}")
def mutual_auth_not_in_force(fleet: Fleet) -> Iterator[Finding]:
    """Mutual authentication is declared, and nothing has servers ask clients for certificates.

    ## What it finds

    mutual_auth = "required", and a server for which [ipm.keywords] names no keyword for it. The vendor does
    not publish that keyword, so ipmpki cannot set what it is not told.

    ## Who is hurt

    Whoever relies on it: every client has a certificate and shows it, and the servers let in anybody.

    ## Example

    ```toml
    [ca]
    common_name = "Acme Print CA"

    [tls]
    mutual_auth = "required"

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```

    ## Instead

    Read the keyword off the sample, which ipmpki keywords helps with, and name it, so that install.sh sets
    it: mutual_auth = "NAME". Where you set it by hand on each server, say so:

    ```toml
    [ca]
    common_name = "Acme Print CA"

    [tls]
    mutual_auth = "required"

    [ipm.keywords]
    by_hand = ["mutual_auth"]

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```
    """
    if not fleet.mutual_auth or _is_unread(fleet):
        return
    servers = _servers(fleet)
    silent = [host for host in servers if not host.site.keywords.is_settled("mutual_auth")]
    if silent:
        yield Finding(
            f"{_named(silent, len(servers))} for a certificate: [ipm.keywords] names no keyword for it",
            "read the keyword off the sample ('ipmpki keywords ipmssl.cfg' helps) and name it in"
            ' [ipm.keywords] mutual_auth; or, if you set it by hand: by_hand = ["mutual_auth"]',
            fleet.place.at("tls", "mutual_auth"),
        )


@state_rule(Severity.WARNING, cites=f"{VENDOR}: Mutual Authentication; {_SAMPLE}")
def revocation_reaches_no_server(fleet: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """A certificate was revoked, and no server gets the list that says so.

    ## What it finds

    Mutual authentication, a certificate that was revoked, and [ipm.keywords] that names no keyword for the
    revocation list on any server.

    ## Who is hurt

    Whoever relies on the revocation: with the stolen key, or the certificate of the computer that was given
    away, one is let in as before.

    ## Example

    It comes of a host that is removed, or a certificate that is revoked, where crl_file is not named.

    ## Instead

    Read the keyword off the server's sample, name it in [ipm.keywords] crl_file, build, and install on the
    servers. Where you set it by hand, say so there: by_hand = ["crl_file"]; the servers' folders bring the
    list then.
    """
    issued = surroundings.issued
    if issued is None or not fleet.mutual_auth or not fleet.signs_here or _is_unread(fleet):
        return
    servers = _servers(fleet)
    number = issued.listed_revocations + issued.unlisted_revocations
    if not number or not servers or any(host.carries_revocation_list for host in servers):
        return
    yield Finding(
        f"{counted(number, 'certificate')} {'was' if number == 1 else 'were'} revoked, and no server gets the"
        " list that says so: who shows one is let in as before",
        "name the keyword for the list in [ipm.keywords] crl_file, build, and install on the servers; or, if"
        ' you set it by hand: by_hand = ["crl_file"]',
        fleet.place.at("tls", "mutual_auth"),
    )
