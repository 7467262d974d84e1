"""Rules about the IP addresses of a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.dns_names import read_name
from ipmpki.declaration.ip_addresses import (
    AddressFault,
    AddressSort,
    NetworkEnd,
    are_ordinary,
    end_of_network,
    intended_address,
    read_address,
    sort_of_address,
)
from ipmpki.diagnostics.problem import Append, Fix, Related, Remove, Replace, Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.registry import VENDOR, Finding, fleet_rule, host_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Address, Fleet, HostSpec
    from ipmpki.diagnostics.problem import Place

_NOT_AN_ENDPOINT = {
    AddressSort.UNSPECIFIED: "stands for every address of a computer, so clients cannot connect to it",
    AddressSort.MULTICAST: "is a multicast address, which stands for a group of computers",
    AddressSort.BROADCAST: "is the broadcast address, which stands for every computer",
}


def addresses_of_sort(host: HostSpec, *sorts: AddressSort) -> Iterator[tuple[str, Address, Place]]:
    """The addresses of a host that are of some sorts, as written and as read, with their places."""
    if are_ordinary(host.declared.ips):
        return
    for written, address, place in _addresses(host):
        if sort_of_address(address) in sorts:
            yield written, address, place


@host_rule(Severity.ERROR, cites="RFC 5280, section 4.2.1.6; RFC 4291, section 2.2; RFC 6874")
def ip_invalid(host: HostSpec) -> Iterator[Finding]:
    """An entry of ips is not an IP address.

    ## What it finds

    A name, a network ("10.1.2.0/24"), an address with a zone ("fe80::1%eth0"), with a port, with leading
    zeros or with a number above 255.

    ## Who is hurt

    Clients that connect by the address: the certificate could not hold it. Leading zeros are worse: some
    programs read "010" as eight.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3/24"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3"]
    ```
    """
    if len(host.addresses) == len(host.declared.ips):
        return
    for index, written in enumerate(host.declared.ips):
        fault = read_address(written)
        if isinstance(fault, AddressFault) and host.was_read("ips", index):
            fix = _fix(host, index, fault)
            yield Finding(*_what_is_wrong(written, fault), host.place.at("ips", index), fix=fix)


def _fix(host: HostSpec, index: int, fault: AddressFault) -> Fix | None:
    written, place = host.declared.ips[index], host.place.at("ips", index)
    if fault is not AddressFault.NAME:
        meant = intended_address(written)
        return None if meant is None else Fix(f"write {quote(meant)}", (Replace(place, meant),))
    name = read_name(written)
    if name.fault is not None or not (host.was_read("aliases") and host.was_read("name")):
        return None
    if name.ascii == host.name or name.ascii in host.aliases:
        return Fix("take it out: the host has this name anyway", (Remove(place),))
    append = Append(host.place.at("aliases"), written, host.place.at("ips"))
    return Fix("move it to aliases", (Remove(place), append))


def _what_is_wrong(  # noqa: PLR0911 -- one for each fault
    written: str, fault: AddressFault
) -> tuple[str, str]:
    shown = quote(written)
    example = "write an address such as '10.1.2.3' or 'fc00::1'"
    match fault:
        case AddressFault.EMPTY:
            return "the address is empty", "leave it out, or " + example
        case AddressFault.NAME:
            return f"{shown} is a name, not an IP address", f'move it: aliases = ["{written[:80]}"]'
        case AddressFault.NETWORK:
            what = "a network"
            if end_of_network(written) is NetworkEnd.LAST:
                what = "the broadcast address of a network"
            return f"{shown} is {what}, not one computer's address", _without(written, "/", "the '/…'")
        case AddressFault.ZONE:
            return (
                f"{shown} holds a zone, which means something on one computer only",
                _without(written, "%", "the '%…'"),
            )
        case AddressFault.LEADING_ZEROS:
            parts = written.split(".")
            plain = ".".join(str(int(part)) for part in parts)
            meant = f"write {quote(plain)}" if all(int(part) < 256 for part in parts) else example  # noqa: PLR2004 -- an octet
            return f"{shown} has leading zeros, which some programs read as octal numbers", meant
        case AddressFault.BRACKETS:
            return f"{shown} has brackets, as in a web address", f"write {quote(written.strip('[]'))}"
        case AddressFault.PORT:
            return f"{shown} holds a port", f"write {quote(written.partition(':')[0])}"
        case AddressFault.SPACE:
            return f"{shown} holds a space", f"write {quote(''.join(written.split()))}"
        case AddressFault.SHAPE:
            return f"{shown} is not an IP address", example


def _without(written: str, mark: str, rest: str) -> str:
    address = written.partition(mark)[0]
    read = read_address(address)
    if isinstance(read, AddressFault) or end_of_network(written) in {NetworkEnd.FIRST, NetworkEnd.LAST}:
        return "write the computer's own address"
    return f"write the computer's own address, without {rest}: such as {quote(address)}"


@host_rule(
    Severity.ERROR,
    cites="RFC 1112, section 4; RFC 5771; RFC 919, section 7; RFC 4291, sections 2.5.2 and 2.7",
)
def ip_not_an_endpoint(host: HostSpec) -> Iterator[Finding]:
    """An address that no single computer can have.

    ## What it finds

    The unspecified address (0.0.0.0 or ::), a multicast address, the broadcast address 255.255.255.255.

    ## Who is hurt

    Clients that connect by the computer's real address: the certificate does not hold it.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["0.0.0.0"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3"]
    ```
    """
    for written, address, place in addresses_of_sort(host, *_NOT_AN_ENDPOINT):
        what = _NOT_AN_ENDPOINT[sort_of_address(address)]
        yield Finding(f"{quote(written)} {what}", "write the computer's own address", place)


def _addresses(host: HostSpec) -> Iterator[tuple[str, Address, Place]]:
    """The readable addresses of a host, as written, with their places."""
    for index, written in enumerate(host.declared.ips):
        address = read_address(written)
        if not isinstance(address, AddressFault) and host.was_read("ips", index):
            yield written, address, host.place.at("ips", index)


@host_rule(Severity.WARNING, cites="RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3")
def loopback_address(host: HostSpec) -> Iterator[Finding]:
    """An address by which a computer reaches only itself.

    ## What it finds

    An address of 127.0.0.0/8, or ::1.

    ## Who is hurt

    Every computer calls itself so: a certificate that holds it says nothing about which computer it is
    for, and clients on other computers gain nothing.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["127.0.0.1"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3"]
    ```
    """
    for written, _, place in addresses_of_sort(host, AddressSort.LOOPBACK):
        yield Finding(
            f"{quote(written)} is every computer's address for itself",
            "write the address by which others reach this computer",
            place,
        )


@host_rule(Severity.WARNING, cites="RFC 3927, section 2; RFC 4291, section 2.5.6")
def link_local_address(host: HostSpec) -> Iterator[Finding]:
    """An address that a computer gives itself when no other is configured.

    ## What it finds

    An address of 169.254.0.0/16, or fe80::/10.

    ## Who is hurt

    Clients behind a router cannot reach it, it may change at every start, and for IPv6 a client needs a
    zone beside it, which no certificate can hold.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["169.254.10.20"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3"]
    ```
    """
    for written, _, place in addresses_of_sort(host, AddressSort.LINK_LOCAL):
        yield Finding(
            f"{quote(written)} is an address a computer gives itself; it is not routed and may change",
            "write the address the network gave this computer",
            place,
        )


@host_rule(Severity.WARNING, cites="RFC 5952, section 1; RFC 5280, section 4.2.1.6")
def repeated_ip(host: HostSpec) -> Iterator[Finding]:
    """A host has the same address twice.

    ## What it finds

    An address that stands twice in one list, also where IPv6 is written in two ways.

    ## Who is hurt

    Nobody directly; but another address may have been meant, and clients that use it will be refused.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["fc00::1", "fc00:0:0:0:0:0:0:1"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["fc00::1", "fc00::2"]
    ```
    """
    if len(host.addresses) == len(host.declared.ips):
        return
    first: dict[Address, Place] = {}
    for written, address, place in _addresses(host):
        if first.setdefault(address, place) != place:
            yield Finding(
                f"the address {quote(written)} stands here a second time",
                "keep one of the two",
                place,
                (Related("first declared here", first[address]),),
                Fix("take this one out", (Remove(place),)),
            )


@fleet_rule(Severity.WARNING, cites=f"{VENDOR}: the IP addresses associated with the computer name")
def shared_ip(fleet: Fleet) -> Iterator[Finding]:
    """Two hosts have the same IP address.

    ## What it finds

    An address on two or more hosts: a cluster's address, or a mistake of copying.

    ## Who is hurt

    If it is a mistake: clients that connect by the address reach one computer only, and the other could
    pass for it. If it is a cluster's address, ignore this rule.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3"]

    [[hosts]]
    name = "ipm2.example.com"
    role = "server"
    ips = ["10.1.2.3"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3"]

    [[hosts]]
    name = "ipm2.example.com"
    role = "server"
    ips = ["10.1.2.4"]
    ```
    """
    first: dict[Address, HostSpec] = {}
    sharing: dict[Address, dict[str, HostSpec]] = {}
    for host in fleet.hosts:
        for address in host.addresses:
            if first.setdefault(address, host).name != host.name:
                sharing.setdefault(address, {first[address].name: first[address]}).setdefault(host.name, host)
    for address, hosts in sharing.items():
        if sort_of_address(address) is not AddressSort.ORDINARY:
            continue  # no computer's own address: another rule says so on each host
        places = [
            next(place for _, found, place in _addresses(host) if found == address)
            for host in hosts.values()
            if host.was_read("ips")
        ]
        if len(places) < 2:  # noqa: PLR2004 -- it takes two to share
            continue
        yield Finding(
            f"the address {quote(str(address))} is declared on {len(places)} hosts",
            "give it to one of them, unless it is the address of a cluster",
            places[1],
            (
                Related("first declared here", places[0]),
                *(Related("and here", place) for place in places[2:]),
            ),
        )
