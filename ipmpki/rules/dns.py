"""Rules about names that are well formed, and that DNS or people still take for something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.dns_names import mixed_label, read_name
from ipmpki.diagnostics.problem import Related, Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.public_ca import is_not_sold
from ipmpki.rules.registry import Finding, fleet_rule, host_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.diagnostics.problem import Place

_MOST_SHOWN = 3
"""Names pointed at beside the first, where a whole fleet lies in one domain; the message counts them all."""

_NOWHERE = (".invalid", ".localhost", ".onion")
_MULTICAST = (".local",)
_UNREGISTERED = (".corp", ".home", ".intranet", ".lan", ".private")
"""RFC 6762, appendix G, without .internal, which ICANN set aside in 2024 (SAC113)."""


def _names(host: HostSpec) -> Iterator[tuple[str, str, Place]]:
    """The sound names of a host, as written and in their A-label form, with their places."""
    if host.was_read("name"):
        name = read_name(host.declared.name)
        if name.fault is None:
            yield name.written, name.ascii, host.place.at("name")
    for index, alias in enumerate(host.declared.aliases):
        name = read_name(alias)
        if name.fault is None and host.was_read("aliases", index):
            yield alias, name.ascii, host.place.at("aliases", index)


def _lies_in(host: HostSpec, suffixes: tuple[str, ...]) -> bool:
    if host.name.endswith(suffixes):
        return True
    for alias in host.aliases:  # noqa: SIM110 -- any() takes twice as long, for each host of the fleet
        if alias.endswith(suffixes):
            return True
    return False


def _by_domain(fleet: Fleet, suffixes: tuple[str, ...]) -> dict[str, list[tuple[str, Place]]]:
    """The names of a fleet that end so, as written, with their places, by their last label.

    Those that cannot be bought are told as such, unless that rule is ignored.
    """
    found: dict[str, list[tuple[str, Place]]] = {}
    is_told_else = fleet.is_third_party and "not-sold-for-this-name" not in fleet.ignored_rules
    for host in fleet.hosts:
        if _lies_in(host, suffixes):
            for written, name, place in _names(host):
                if name.endswith(suffixes) and not (is_told_else and is_not_sold(host, name)):
                    found.setdefault(f".{name.rpartition('.')[2]}", []).append((written, place))
    return found


def _findings(fleet: Fleet, suffixes: tuple[str, ...], words: str, remedy: str) -> Iterator[Finding]:
    for domain, names in _by_domain(fleet, suffixes).items():
        (written, place), others = names[0], names[1:]
        count = "" if not others else f" and {len(others)} other name{'s' if len(others) > 1 else ''}"
        verb = "lies" if not others else "lie"
        yield Finding(
            f"{quote(written)}{count} {verb} in {domain}, {words}",
            remedy,
            place,
            tuple(Related("and this one", other) for _, other in others[:_MOST_SHOWN]),
        )


@fleet_rule(Severity.WARNING, cites="RFC 6761, sections 6.3 and 6.4; RFC 7686, section 2")
def name_never_found(fleet: Fleet) -> Iterator[Finding]:
    """A name lies in a domain that DNS never answers for.

    ## What it finds

    A name or alias that ends in .invalid or .onion, which have no addresses in DNS, or in .localhost, which
    every computer takes for itself.

    ## Who is hurt

    Whoever connects by that name: it is not found, or leads back to the client itself.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.print.invalid"
    role = "server"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.print.example.com"
    role = "server"
    ```
    """
    words = "where no computer is found by its name"
    yield from _findings(fleet, _NOWHERE, words, "write the name that clients connect by")


@fleet_rule(Severity.WARNING, cites="RFC 6762, sections 3 and 12; appendix G")
def multicast_dns_name(fleet: Fleet) -> Iterator[Finding]:
    """A name lies in .local, which belongs to multicast DNS.

    ## What it finds

    A name or alias that ends in .local. Macs, and Linux with Avahi, ask the computers of their own network
    segment for such a name, and not your DNS server.

    ## Who is hurt

    Those clients, as soon as a router lies between them and the server: the name is not found, or only
    after a wait of some seconds.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.local"
    role = "server"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.print.example.com"
    role = "server"
    ```
    """
    yield from _findings(
        fleet,
        _MULTICAST,
        "for which Macs and many Linux systems do not ask a DNS server",
        "use a name in a domain of your DNS; leave it if all clients are on the server's network segment",
    )


@fleet_rule(Severity.INFO, cites="RFC 6762, appendix G; ICANN, SAC113 (a domain for private use)")
def unregistered_domain(fleet: Fleet) -> Iterator[Finding]:
    """A name lies in a top-level domain that nobody gave you, and that is not set aside for private use.

    ## What it finds

    A name or alias that ends in .corp, .home, .intranet, .lan or .private. Set aside for private networks
    are .internal and .home.arpa; your own are the domains you registered.

    ## Who is hurt

    Nobody today. A laptop away from the office asks the Internet for such a name, and after a merger two
    networks may have the same one: a certificate for it does not say whose computer it is.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.print.corp"
    role = "server"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.print.internal"
    role = "server"
    ```
    """
    words = "a domain that is neither registered nor set aside for private use"
    yield from _findings(
        fleet, _UNREGISTERED, words, "new names are better in a domain of yours, or .internal"
    )


@host_rule(
    Severity.WARNING, cites="Unicode UTS 39, section 5.2; RFC 5891, section 4.3; RFC 5890, section 4.4"
)
def mixed_alphabets(host: HostSpec) -> Iterator[Finding]:
    """One part of a name mixes alphabets whose letters look alike.

    ## What it finds

    A name or alias with Latin beside Cyrillic or Greek letters between two dots, as when a letter was
    typed on another keyboard layout. Also where it is written in its "xn--" form.

    ## Who is hurt

    Clients that connect by the name as it looks: for DNS and for the certificate it is another name, and
    nobody can see why.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["xn--prnt-m9d.example.com"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["print.example.com"]
    ```
    """
    if "xn--" not in host.name:
        for alias in host.aliases:
            if "xn--" in alias:
                break
        else:
            return
    for written, name, place in _names(host):
        mixed = mixed_label(name)
        if mixed is None:
            continue
        meant = f"; did you mean {quote(mixed.meant)}, all in Latin letters?" if mixed.meant else ""
        yield Finding(
            f"{quote(written)} mixes {' and '.join(mixed.alphabets)} letters in {quote(mixed.label)}",
            f"write it in one alphabet{meant}",
            place,
        )


@host_rule(Severity.WARNING, cites="RFC 5890, section 2.3.1; RFC 5891, section 4.2.3.1")
def reserved_label(host: HostSpec) -> Iterator[Finding]:
    """A part of a name has two hyphens where only encoded names may have them.

    ## What it finds

    Two hyphens as third and fourth character between two dots, without the "xn" of an encoded Unicode name
    before them.

    ## Who is hurt

    Clients whose programs know international names: they refuse such a name before they connect. Globally
    known authorities do not certify it.

    ## Example

    ```toml
    [[hosts]]
    name = "pr--1.example.com"
    role = "server"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "pr-1.example.com"
    role = "server"
    ```
    """
    if "--" not in host.name:
        for alias in host.aliases:
            if "--" in alias:
                break
        else:
            return
    for written, name, place in _names(host):
        for label in name.split("."):
            if label[2:4] == "--" and not label.startswith("xn--"):
                yield Finding(
                    f"{quote(written)} has two hyphens as third and fourth character of {quote(label)},"
                    " which are reserved for encoded names",
                    "give the computer a name without them in DNS, and write that",
                    place,
                )
                break
