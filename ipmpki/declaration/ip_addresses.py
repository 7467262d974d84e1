"""IP addresses as people write them: what they mean and are good for, or what is wrong with them."""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"

_REMEMBERED = 1 << 17
"""Addresses are read by several stages; a fleet of 10,000 hosts has some 20,000."""

_DIGITS_AND_DOTS = re.compile(r"[0-9.]+")


def is_address(written: str) -> bool:
    """Whether a text is an IP address, or something that can only be meant as one."""
    if _DIGITS_AND_DOTS.fullmatch(written) and written.count(".") == 3:  # noqa: PLR2004 -- four octets
        return True
    try:
        ipaddress.ip_address(written.strip("[]").partition("%")[0].partition("/")[0])
    except ValueError:
        return False
    return ":" in written or "." in written


class AddressFault(StrEnum):
    """Why a text is not a usable IP address."""

    EMPTY = "empty"
    NAME = "name"
    NETWORK = "network"
    ZONE = "zone"
    LEADING_ZEROS = "leading-zeros"
    BRACKETS = "brackets"
    PORT = "port"
    SPACE = "space"
    SHAPE = "shape"


_QUAD = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}", re.ASCII)
_LARGEST_OCTET = 255
_PADDED_QUAD = re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,8}){3}", re.ASCII)


@lru_cache(maxsize=_REMEMBERED)
def read_address(written: str) -> Address | AddressFault:  # noqa: PLR0911 -- one for each fault
    """Read an IPv4 or IPv6 address as it stands in an iPAddress SAN (RFC 5280, 4.2.1.6): no mask, no zone."""
    if _QUAD.fullmatch(written):
        octets = [int(octet) for octet in written.split(".")]
        if max(octets) <= _LARGEST_OCTET:  # read here, as ipaddress takes three times as long
            return ipaddress.IPv4Address(int.from_bytes(octets, "big"))
        return AddressFault.SHAPE
    faults = (
        (not written, AddressFault.EMPTY),
        (written != written.strip() or " " in written, AddressFault.SPACE),
        ("/" in written, AddressFault.NETWORK),
        ("%" in written, AddressFault.ZONE),
        ("[" in written or "]" in written, AddressFault.BRACKETS),
    )
    for found, fault in faults:
        if found:
            return fault
    try:
        return ipaddress.IPv6Address(written)
    except ValueError:
        pass
    if _PADDED_QUAD.fullmatch(written):
        return AddressFault.LEADING_ZEROS
    if _QUAD.fullmatch(written.partition(":")[0]):
        return AddressFault.PORT
    if any(character.isalpha() for character in written) and ":" not in written:
        return AddressFault.NAME
    return AddressFault.SHAPE


def intended_address(written: str) -> str | None:
    """The address that alone can be meant by a faulty one; None if there is none.

    Leading zeros are passed over only where they change nothing: "010" is ten to some and eight to others
    (RFC 6943, section 3.1.1).
    """
    match read_address(written):
        case AddressFault.SPACE:
            inner = written.strip()
        case AddressFault.BRACKETS:
            inner = written.removeprefix("[").removesuffix("]")
        case AddressFault.PORT:
            inner, _, port = written.partition(":")
            if not port.isdecimal():
                return None
        case AddressFault.NETWORK:
            inner = written.partition("/")[0]
            if end_of_network(written) is not NetworkEnd.NEITHER:
                return None
        case AddressFault.LEADING_ZEROS:
            parts = written.split(".")
            if not all(re.fullmatch("0*[0-7]", part) or not part.startswith("0") for part in parts):
                return None
            inner = ".".join(str(int(part)) for part in parts)
        case _:
            return None
    return None if isinstance(read_address(inner), AddressFault) else inner


class NetworkEnd(StrEnum):
    """Which of the two addresses of a network that no computer in it has."""

    FIRST = "network"
    LAST = "broadcast"
    UNKNOWN = "unknown"
    NEITHER = "neither"


def end_of_network(written: str) -> NetworkEnd:
    """Whether an address with a prefix behind it is the network's own, or its broadcast address.

    RFC 919, section 7, and RFC 950; networks of two addresses and of one have neither (RFC 3021), and of
    IPv6's last address nothing is said (RFC 4291, section 2.6.1). Unknown where it cannot be read.
    """
    try:
        interface = ipaddress.ip_interface(written)
    except ValueError:
        return NetworkEnd.UNKNOWN
    network = interface.network
    is_ipv4 = isinstance(interface, ipaddress.IPv4Interface)
    if network.num_addresses > (2 if is_ipv4 else 1) and interface.ip == network.network_address:
        return NetworkEnd.FIRST
    if is_ipv4 and network.num_addresses > 2 and interface.ip == network.broadcast_address:  # noqa: PLR2004 -- as said
        return NetworkEnd.LAST
    return NetworkEnd.NEITHER


class AddressSort(StrEnum):
    """What an address is good for."""

    ORDINARY = "ordinary"
    UNSPECIFIED = "unspecified"
    LOOPBACK = "loopback"
    LINK_LOCAL = "link-local"
    MULTICAST = "multicast"
    BROADCAST = "broadcast"
    RESERVED = "reserved"
    DOCUMENTATION = "documentation"
    MAPPED = "mapped"
    ABANDONED = "abandoned"


_LOOPBACK_4, _LINK_LOCAL_4, _MULTICAST_4, _BROADCAST_4 = 127, 0xA9FE, 0xE, 0xFFFFFFFF
_THIS_NETWORK_4, _RESERVED_4 = 0, 0xF
_DOCUMENTATION_4 = frozenset({0xC00002, 0xC63364, 0xCB0071})
_LINK_LOCAL_6, _MULTICAST_6 = 0xFE80 >> 6, 0xFF
_SITE_LOCAL_6, _MAPPED_6, _COMPATIBLE_6 = 0xFEC0 >> 6, 0xFFFF, 0
_DOCUMENTATION_6, _NEWER_DOCUMENTATION_6 = 0x20010DB8, 0x3FFF0


def sort_of_address(address: Address) -> AddressSort:
    """What sort an address is: IPv4 by RFC 1122 (3.2.1.3), 3927 and 5771, IPv6 by RFC 4291 (2.4).

    Those of documentation are RFC 5737's, 3849's and 9637's; RFC 4291 (2.5.5.1) and 3879 abandon two sorts.
    """
    # Compared as numbers, as the properties of ipaddress take ten times as long.
    bits = int(address)
    if bits == 0:
        return AddressSort.UNSPECIFIED
    return _sort_of_ipv4(bits) if isinstance(address, ipaddress.IPv4Address) else _sort_of_ipv6(bits)


def _sort_of_ipv4(bits: int) -> AddressSort:
    if bits >> 24 == _LOOPBACK_4:
        return AddressSort.LOOPBACK
    if bits >> 16 == _LINK_LOCAL_4:
        return AddressSort.LINK_LOCAL
    if bits >> 28 == _MULTICAST_4:
        return AddressSort.MULTICAST
    if bits >> 28 == _RESERVED_4:
        return AddressSort.BROADCAST if bits == _BROADCAST_4 else AddressSort.RESERVED
    if bits >> 24 == _THIS_NETWORK_4:
        return AddressSort.RESERVED
    return AddressSort.DOCUMENTATION if bits >> 8 in _DOCUMENTATION_4 else AddressSort.ORDINARY


def _sort_of_ipv6(bits: int) -> AddressSort:
    if bits == 1:
        return AddressSort.LOOPBACK
    if bits >> 118 == _LINK_LOCAL_6:
        return AddressSort.LINK_LOCAL
    if bits >> 120 == _MULTICAST_6:
        return AddressSort.MULTICAST
    if bits >> 32 == _MAPPED_6:
        return AddressSort.MAPPED
    if bits >> 118 == _SITE_LOCAL_6 or bits >> 32 == _COMPATIBLE_6:
        return AddressSort.ABANDONED
    is_of_documents = bits >> 96 == _DOCUMENTATION_6 or bits >> 108 == _NEWER_DOCUMENTATION_6
    return AddressSort.DOCUMENTATION if is_of_documents else AddressSort.ORDINARY


@lru_cache(maxsize=_REMEMBERED)
def are_ordinary(written: tuple[str, ...]) -> bool:
    """Whether every readable address of a host's list is one that a computer may well have."""
    read = map(read_address, written)
    return all(
        isinstance(address, AddressFault) or sort_of_address(address) is AddressSort.ORDINARY
        for address in read
    )
