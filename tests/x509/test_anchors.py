"""Roots of other authorities, old and odd ones among them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipmpki.x509.trust_anchors import AnchorUnreadable, is_trusted_when_issued, read_anchor, read_time
from tests.x509.mozilla.writing import EXCERPT, certificate, element, name_of, roots_of

ROOTS = roots_of(EXCERPT.read_text(encoding="utf-8")).roots


def test_a_root_says_who_it_is_and_how_long_it_is_valid() -> None:
    anchor = read_anchor(ROOTS[0].der)
    assert anchor.subject == "CN=ISRG Root X2,O=Internet Security Research Group,C=US"
    assert anchor.not_before == datetime(2020, 9, 4, tzinfo=UTC)
    assert anchor.not_after == datetime(2040, 9, 17, 16, tzinfo=UTC)
    assert anchor.sha1 == "bdb1b93cd5978d45c6261455f8db95c75ad153af"
    assert (anchor.issuer, anchor.serial) == (ROOTS[0].issuer, ROOTS[0].serial)


@pytest.mark.parametrize("serial", [b"\xff\x01", b"\x00", b"\x00\x00\x01", b"\x01" * 40])
def test_a_serial_number_against_the_rules_is_read_octet_for_octet(serial: bytes) -> None:
    assert read_anchor(certificate(serial=serial)).serial == element(2, serial)


def test_a_version_1_certificate_is_read() -> None:
    assert read_anchor(certificate("Old", version=b"")).issuer == name_of("Old")


def test_a_certificate_the_library_cannot_read_has_no_subject_but_a_validity() -> None:
    anchor = read_anchor(certificate(version=b"\xa0\x03\x02\x01\x09"))
    assert anchor.subject == ""
    assert anchor.not_after.year == 2049


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"491231235959Z", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"500101000000Z", datetime(1950, 1, 1, tzinfo=UTC)),
        (b"9901020304Z", datetime(1999, 1, 2, 3, 4, tzinfo=UTC)),
        (b"20500101000000Z", datetime(2050, 1, 1, tzinfo=UTC)),
        (b"99991231235959Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_rfc_5280_has_them(written: bytes, meant: datetime) -> None:
    assert read_time(written) == meant


@pytest.mark.parametrize("written", [b"", b"2020", b"201301000000Z", b"200101000000+0100", b"\xff" * 13])
def test_what_is_no_time_is_refused(written: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_time(written)
    with pytest.raises(AnchorUnreadable):
        read_anchor(certificate(not_after=written))


def test_a_generalized_time_is_read() -> None:
    anchor = read_anchor(
        certificate(not_before=b"20000101000000Z", not_after=b"20600101000000Z", time_tag=0x18)
    )
    assert anchor.not_after == datetime(2060, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",
        b"\x30\x85\x00\x00\x00\x00\x00",
        b"\x31\x00",
        b"\x30\x00",
        b"\x30\x02\x02\x00",
        b"\x30\x02\x30\x00",
        b"\x1f\x00",
        certificate() + b"\x30\x00",
        certificate()[:-1],
        certificate(time_tag=0x04),
        element(0x30, element(0x30, b"\x02\x01\x01", *[b"\x30\x00"] * 4)),
        b"-----BEGIN CERTIFICATE-----",
    ],
)
def test_what_is_no_certificate_is_refused(der: bytes) -> None:
    with pytest.raises(AnchorUnreadable, match=r"it is no certificate|its validity"):
        read_anchor(der)


@given(st.integers(0, len(certificate()) - 1), st.integers(0, 255))
def test_a_changed_octet_is_read_or_refused(place: int, octet: int) -> None:
    changed = bytearray(certificate())
    changed[place] = octet
    try:
        anchor = read_anchor(bytes(changed))
    except AnchorUnreadable:
        return
    assert anchor.not_after.tzinfo is UTC


def test_a_root_with_a_last_day_vouches_for_what_was_issued_until_then() -> None:
    day = datetime(2024, 11, 30, 23, 59, 59, tzinfo=UTC)
    assert is_trusted_when_issued(day, day)
    assert not is_trusted_when_issued(day + timedelta(seconds=1), day)
    assert is_trusted_when_issued(day + timedelta(days=999), None)
