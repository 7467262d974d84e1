"""Rules about IP addresses that are well written and yet no computer's on a network of today."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from ipmpki.declaration.ip_addresses import AddressSort
from ipmpki.diagnostics.problem import Fix, Remove, Replace, Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.addresses import addresses_of_sort
from ipmpki.rules.registry import Finding, host_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Address, HostSpec

_REMEDY = "write the address that the network gave this computer"


@host_rule(Severity.WARNING, cites="RFC 4291, section 2.5.5.2; RFC 5280, section 4.2.1.6")
def ipv4_mapped_address(host: HostSpec) -> Iterator[Finding]:
    """An IPv4 address is written in the clothes of an IPv6 address.

    ## What it finds

    An address of ::ffff:0:0/96, such as "::ffff:10.1.2.3". Programs show IPv4 connections so in their logs.

    ## Who is hurt

    Clients that connect by the IPv4 address: a certificate holds IPv4 addresses in four octets and IPv6
    addresses in sixteen, and the two are never equal.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["::ffff:10.1.2.3"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3"]
    ```
    """
    told: set[Address] = set()
    for written, address, place in addresses_of_sort(host, AddressSort.MAPPED):
        if address in told:
            continue  # it stands there a second time, which another rule says
        told.add(address)
        plain = IPv4Address(int(address) & 0xFFFFFFFF)
        if plain in host.addresses:
            remedy, fix = f"take it out: {plain} is there already", Fix("take it out", (Remove(place),))
        else:
            remedy = f"write '{plain}'"
            fix = Fix(remedy, (Replace(place, str(plain)),))
        yield Finding(
            f"{quote(written)} is the IPv4 address {plain} written as IPv6, which no client compares with it",
            remedy,
            place,
            fix=fix,
        )


@host_rule(Severity.WARNING, cites="RFC 5737; RFC 3849; RFC 9637")
def documentation_address(host: HostSpec) -> Iterator[Finding]:
    """An address that exists in manuals only.

    ## What it finds

    An address of 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32 or 3fff::/20. They are set
    aside for examples, and no network has them.

    ## Who is hurt

    Clients that connect by the computer's real address: the certificate does not hold it.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["192.0.2.10"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3"]
    ```
    """
    for written, _, place in addresses_of_sort(host, AddressSort.DOCUMENTATION):
        yield Finding(f"{quote(written)} is an address for examples, which no network has", _REMEDY, place)


@host_rule(Severity.WARNING, cites="RFC 3879, section 4; RFC 4291, section 2.5.5.1")
def abandoned_address(host: HostSpec) -> Iterator[Finding]:
    """An IPv6 address of a sort that was given up.

    ## What it finds

    A site-local address (fec0::/10), given up in 2004 for fc00::/7; and an IPv4 address behind two colons
    ("::10.1.2.3"), given up in 2006.

    ## Who is hurt

    Clients that connect by it: current systems and routers need not know such addresses, so whether a
    connection comes about is a matter of luck.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["fec0::10"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["fd12:3456:789a::10"]
    ```
    """
    for written, address, place in addresses_of_sort(host, AddressSort.ABANDONED):
        bits = int(address)
        if bits >> 32:
            words, remedy = "a site-local address, a sort that IPv6 gave up", _REMEDY
        else:
            words = "an IPv4 address behind two colons, a sort that IPv6 gave up"
            remedy = f"if {IPv4Address(bits)} is meant, write that; else {_REMEDY}"
        yield Finding(f"{quote(written)} is {words}", remedy, place)


@host_rule(Severity.WARNING, cites="RFC 1112, section 4; RFC 1122, section 3.2.1.3; RFC 6890, section 2.2.2")
def reserved_address(host: HostSpec) -> Iterator[Finding]:
    """An IPv4 address that no computer can be given.

    ## What it finds

    An address of 0.0.0.0/8, which means the network one is in, or of 240.0.0.0/4, which is kept for a use
    that never came.

    ## Who is hurt

    Clients that connect by the computer's real address: the certificate does not hold it. Most likely a
    digit is wrong.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["240.1.2.3"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3"]
    ```
    """
    for written, _, place in addresses_of_sort(host, AddressSort.RESERVED):
        yield Finding(f"{quote(written)} is kept back, and no computer can have it", _REMEDY, place)
