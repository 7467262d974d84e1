"""Addresses as people write them."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipmpki.declaration.ip_addresses import AddressFault, AddressSort, read_address, sort_of_address


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("", AddressFault.EMPTY),
        ("ipm1.example.com", AddressFault.NAME),
        ("10.1.2.0/24", AddressFault.NETWORK),
        ("fc00::/7", AddressFault.NETWORK),
        ("fe80::1%eth0", AddressFault.ZONE),
        ("010.1.2.3", AddressFault.LEADING_ZEROS),
        ("10.1.2.00", AddressFault.LEADING_ZEROS),
        ("[fc00::1]", AddressFault.BRACKETS),
        ("10.1.2.3:6874", AddressFault.PORT),
        (" 10.1.2.3", AddressFault.SPACE),
        ("10.1.2.3\n", AddressFault.SPACE),
        ("10.1.2", AddressFault.SHAPE),
        ("10.1.2.256", AddressFault.SHAPE),
        ("fc00:::1", AddressFault.SHAPE),
        ("1.2.3.4.5", AddressFault.SHAPE),
        ("167837955", AddressFault.SHAPE),
    ],
)
def test_a_text_that_is_no_address_says_why(written: str, fault: AddressFault) -> None:
    assert read_address(written) is fault


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_an_address_reads_as_itself(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert read_address(str(address)) == address
    assert read_address(address.exploded) == address


@given(st.one_of(st.text(), st.text("0123456789.:abcdefF%/[] ", max_size=20)))
def test_only_what_is_an_address_is_read_as_one(written: str) -> None:
    read = read_address(written)
    if not isinstance(read, AddressFault):
        assert ipaddress.ip_address(written) == read


NETWORKS = {
    sort: [ipaddress.ip_network(written) for written in networks.split()]
    for sort, networks in {
        AddressSort.RESERVED: "0.0.0.0/8 240.0.0.0/4",
        AddressSort.DOCUMENTATION: "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20",
        AddressSort.MAPPED: "::ffff:0:0/96",
        AddressSort.ABANDONED: "fec0::/10 ::/96",
    }.items()
}


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_sorts_of_addresses_are_those_of_the_standard_library(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    expected = AddressSort.ORDINARY
    if address.is_unspecified:
        expected = AddressSort.UNSPECIFIED
    elif address.is_loopback:
        expected = AddressSort.LOOPBACK
    elif address.is_link_local:
        expected = AddressSort.LINK_LOCAL
    elif address.is_multicast:
        expected = AddressSort.MULTICAST
    elif str(address) == "255.255.255.255":
        expected = AddressSort.BROADCAST
    else:
        among = (sort for sort, networks in NETWORKS.items() for network in networks if address in network)
        expected = next(among, AddressSort.ORDINARY)
    assert sort_of_address(address) is expected


@pytest.mark.parametrize(
    ("written", "sort"),
    [
        ("0.0.0.0", AddressSort.UNSPECIFIED),  # noqa: S104 -- declared, not bound to
        ("::", AddressSort.UNSPECIFIED),
        ("127.255.255.255", AddressSort.LOOPBACK),
        ("128.0.0.0", AddressSort.ORDINARY),
        ("::1", AddressSort.LOOPBACK),
        ("169.253.255.255", AddressSort.ORDINARY),
        ("169.254.0.0", AddressSort.LINK_LOCAL),
        ("febf::1", AddressSort.LINK_LOCAL),
        ("fec0::1", AddressSort.ABANDONED),
        ("feff::1", AddressSort.ABANDONED),
        ("::10.1.2.3", AddressSort.ABANDONED),
        ("::ffff:10.1.2.3", AddressSort.MAPPED),
        ("::fffe:10.1.2.3", AddressSort.ORDINARY),
        ("2001:db8::1", AddressSort.DOCUMENTATION),
        ("2001:db9::1", AddressSort.ORDINARY),
        ("3fff:fff::1", AddressSort.DOCUMENTATION),
        ("3fff:1000::1", AddressSort.ORDINARY),
        ("192.0.2.255", AddressSort.DOCUMENTATION),
        ("198.51.100.1", AddressSort.DOCUMENTATION),
        ("203.0.113.1", AddressSort.DOCUMENTATION),
        ("203.0.114.1", AddressSort.ORDINARY),
        ("0.0.0.1", AddressSort.RESERVED),
        ("240.0.0.1", AddressSort.RESERVED),
        ("255.255.255.254", AddressSort.RESERVED),
        ("223.255.255.255", AddressSort.ORDINARY),
        ("224.0.0.0", AddressSort.MULTICAST),
        ("239.255.255.255", AddressSort.MULTICAST),
        ("240.0.0.0", AddressSort.RESERVED),
        ("255.255.255.255", AddressSort.BROADCAST),
        ("ff02::1", AddressSort.MULTICAST),
        ("fe00::1", AddressSort.ORDINARY),
    ],
)
def test_the_sort_of(written: str, sort: AddressSort) -> None:
    address = read_address(written)
    assert not isinstance(address, AddressFault)
    assert sort_of_address(address) is sort
