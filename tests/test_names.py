"""Names and addresses as people write them."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipmpki.names import (
    AddressFault,
    AddressSort,
    NameFault,
    read_address,
    read_name,
    sort_of_address,
    wildcard_covers,
)


@pytest.mark.parametrize(
    ("written", "ascii_form"),
    [
        ("ipm1.example.com", "ipm1.example.com"),
        ("IPM1.Example.COM", "ipm1.example.com"),
        ("ipm1", "ipm1"),
        ("1.example.com", "1.example.com"),
        ("3com.example", "3com.example"),
        ("a--b.example.com", "a--b.example.com"),
        ("drücker.example.com", "xn--drcker-4ya.example.com"),
        ("DRÜCKER.example.com", "xn--drcker-4ya.example.com"),
        ("xn--drcker-4ya.example.com", "xn--drcker-4ya.example.com"),
        ("日本語.example", "xn--wgv71a119e.example"),
        (f"{'a' * 63}.example", f"{'a' * 63}.example"),
    ],
)
def test_a_name_is_read_as_its_lower_case_a_label(written: str, ascii_form: str) -> None:
    name = read_name(written)
    assert (name.ascii, name.fault) == (ascii_form, None)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("", NameFault.EMPTY),
        ("10.1.2.3", NameFault.ADDRESS),
        ("999.1.2.3", NameFault.ADDRESS),
        ("10.1.2.3/24", NameFault.ADDRESS),
        ("fc00::1", NameFault.ADDRESS),
        ("[fc00::1]", NameFault.ADDRESS),
        ("fe80::1%eth0", NameFault.ADDRESS),
        ("*.example.com", NameFault.WILDCARD),
        ("print*.example.com", NameFault.WILDCARD),
        ("ipm 1.example.com", NameFault.SPACE),
        ("ipm1.example.com\n", NameFault.SPACE),
        ("ipm1.example.com.", NameFault.TRAILING_DOT),
        ("ipm1..example.com", NameFault.EMPTY_LABEL),
        (".example.com", NameFault.EMPTY_LABEL),
        ("ipm1.\ufeff.com", NameFault.UNICODE),
        ("ipm1.example.\ufeff", NameFault.EMPTY_LABEL),
        ("\u00ad", NameFault.UNICODE),
        (f"{'a' * 64}.example", NameFault.LABEL_TOO_LONG),
        (".".join(["a" * 60] * 5), NameFault.NAME_TOO_LONG),
        ("-ipm.example.com", NameFault.HYPHEN),
        ("ipm-.example.com", NameFault.HYPHEN),
        ("ipm_1.example.com", NameFault.UNDERSCORE),
        ("ipm1.example.com:6874", NameFault.CHARACTER),
        ("https://ipm1.example.com", NameFault.CHARACTER),
        ("ipm☃.example.com", NameFault.CHARACTER),
        ("xn--a.example.com", NameFault.UNICODE),
        ("ipm1.example.1", NameFault.NUMERIC),
        ("12345", NameFault.NUMERIC),
    ],
)
def test_a_name_that_dns_cannot_hold_says_why(written: str, fault: NameFault) -> None:
    assert read_name(written).fault is fault


@given(st.text())
def test_reading_a_name_never_fails_and_never_lets_an_odd_one_through(written: str) -> None:
    name = read_name(written)
    if name.fault is None:
        assert name.ascii.isascii()
        assert 0 < len(name.ascii) <= 253
        assert all(0 < len(label) <= 63 for label in name.ascii.split("."))
        assert set(name.ascii) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")


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


@pytest.mark.parametrize(
    ("wildcard", "name", "covered"),
    [
        ("*.example.com", "ipm1.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "ipm1.print.example.com", False),
        ("*.print.example.com", "ipm1.print.example.com", True),
        ("*.com", "example.com", True),
        ("print*.example.com", "print1.example.com", False),
        ("*", "ipm1", False),
    ],
)
def test_a_wildcard_stands_for_exactly_one_part(wildcard: str, name: str, covered: bool) -> None:
    assert wildcard_covers(wildcard, name) is covered
