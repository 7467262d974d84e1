"""The CRL: complete, in a fixed order, and refused rather than wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ipmpki.declaration.key_types import KeyType
from ipmpki.x509.crl import REASONS, RevokedEntry, make_crl
from ipmpki.x509.issuer import Issuer, load_issuer, self_signed
from tests.x509.expected import extension, key_identifier, tlv
from tests.x509.matrix import authority_spec

if TYPE_CHECKING:
    from tests.x509.conftest import KeyRing

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def issuer(authority_keys: KeyRing) -> Issuer:
    return _issuer(authority_keys, KeyType.RSA_2048)


def _issuer(authority_keys: KeyRing, key_type: KeyType, now: datetime = NOW - DAY) -> Issuer:
    key = authority_keys[key_type]
    return load_issuer(self_signed(authority_spec(key_type), key, now=now, serial=1), key)


def crl(issuer: Issuer, *revocations: RevokedEntry, number: int = 1) -> x509.CertificateRevocationList:
    pem = make_crl(issuer, revocations, number=number, now=NOW, next_update=NOW + 30 * DAY)
    return x509.load_pem_x509_crl(pem)


@pytest.mark.parametrize("key_type", KeyType)
def test_a_crl_is_signed_by_its_authority_and_carries_its_identifier_and_number(
    key_type: KeyType, authority_keys: KeyRing
) -> None:
    issuer = _issuer(authority_keys, key_type)
    made = crl(issuer, number=5)
    public_key = authority_keys[key_type].public_key()
    assert made.is_signature_valid(public_key)
    assert made.issuer.public_bytes() == issuer.name.public_bytes()
    assert isinstance(made.signature_hash_algorithm, hashes.SHA384 if "384" in key_type else hashes.SHA256)
    # Version 2 comes first in the list, the extensions come last.
    assert b"\x02\x01\x01" in made.tbs_certlist_bytes[:8]
    block = tlv(
        0xA0,
        tlv(
            0x30,
            extension(b"\x55\x1d\x23", tlv(0x30, tlv(0x80, key_identifier(public_key)))),
            extension(b"\x55\x1d\x14", b"\x02\x01\x05"),
        ),
    )
    assert made.tbs_certlist_bytes.endswith(block)


def test_a_crl_begins_an_hour_early_and_ends_when_told(issuer: Issuer) -> None:
    zone = timezone(timedelta(hours=-3))
    pem = make_crl(
        issuer,
        [],
        number=1,
        now=(NOW + timedelta(milliseconds=999)).astimezone(zone),
        next_update=(NOW + 30 * DAY + timedelta(milliseconds=999)).astimezone(zone),
    )
    made = x509.load_pem_x509_crl(pem)
    assert made.last_update_utc == NOW - HOUR
    assert made.next_update_utc == NOW + 30 * DAY


def test_a_crl_does_not_begin_before_its_authority(authority_keys: KeyRing) -> None:
    issuer = _issuer(authority_keys, KeyType.EC_P256, now=NOW + HOUR)
    assert crl(issuer).last_update_utc == NOW


def test_entries_stand_by_serial_number_whatever_order_they_come_in(issuer: Issuer) -> None:
    revocations = [
        RevokedEntry(300, NOW, "superseded"),
        RevokedEntry(2, NOW - 2 * HOUR),
        RevokedEntry((1 << 159) - 1, NOW, "unspecified"),
        RevokedEntry(7, NOW - 7 * HOUR + timedelta(microseconds=5)),
    ]
    one, other = crl(issuer, *revocations), crl(issuer, *reversed(revocations))
    assert one.tbs_certlist_bytes == other.tbs_certlist_bytes
    assert [entry.serial_number for entry in one] == [2, 7, 300, (1 << 159) - 1]
    assert [entry.revocation_date_utc for entry in one][:2] == [NOW - 2 * HOUR, NOW - 7 * HOUR]


def test_every_reason_is_carried_but_unspecified_which_is_left_out(issuer: Issuer) -> None:
    # RFC 5280, section 5.3.1: codes 0 to 10 without 7; 0 should be absent, 8 is for delta CRLs only.
    codes = {
        "key-compromise": 1,
        "ca-compromise": 2,
        "affiliation-changed": 3,
        "superseded": 4,
        "cessation-of-operation": 5,
        "certificate-hold": 6,
        "privilege-withdrawn": 9,
        "aa-compromise": 10,
    }
    assert set(codes) | {"unspecified"} == REASONS
    for reason, code in codes.items():
        (entry,) = crl(issuer, RevokedEntry(5, NOW, reason))
        (only,) = entry.extensions
        assert not only.critical
        assert only.value.public_bytes() == bytes([0x0A, 1, code])
    for absent in ("unspecified", None):
        (entry,) = crl(issuer, RevokedEntry(5, NOW, absent))
        assert list(entry.extensions) == []


def test_an_empty_crl_has_no_list_at_all(issuer: Issuer) -> None:
    # RFC 5280, section 5.1.2.6: without revoked certificates the list must be absent.
    made = crl(issuer)
    assert len(made) == 0
    # The next update is directly followed by the extensions, tagged [0].
    assert b"\x17\x0d261224120000Z\xa0" in made.tbs_certlist_bytes


def test_ten_thousand_entries_are_all_listed(authority_keys: KeyRing) -> None:
    issuer = _issuer(authority_keys, KeyType.EC_P256)
    made = crl(issuer, *(RevokedEntry(serial, NOW, "superseded") for serial in range(1, 10_001)))
    assert len(made) == 10_000


@pytest.mark.parametrize(
    ("revocation", "message"),
    [
        (RevokedEntry(5, NOW, "remove-from-crl"), "'remove-from-crl' is no reason"),
        (RevokedEntry(5, NOW, "keyCompromise"), "there are aa-compromise, "),
        (RevokedEntry(0, NOW), "serial number is positive"),
        (RevokedEntry(1 << 159, NOW), "at most 159 bits"),
        (RevokedEntry(5, NOW.replace(tzinfo=None)), "without a zone"),
    ],
)
def test_a_revocation_that_makes_no_sense_is_refused(
    revocation: RevokedEntry, message: str, issuer: Issuer
) -> None:
    with pytest.raises(ValueError, match=message):
        crl(issuer, revocation)


def test_a_certificate_is_revoked_once(issuer: Issuer) -> None:
    with pytest.raises(ValueError, match="serial number ff is revoked twice"):
        crl(issuer, RevokedEntry(255, NOW), RevokedEntry(3, NOW), RevokedEntry(255, NOW - DAY))


@pytest.mark.parametrize("number", [-1, 1 << 159])
def test_a_crl_number_out_of_range_is_refused(number: int, issuer: Issuer) -> None:
    with pytest.raises(ValueError, match="CRL number"):
        crl(issuer, number=number)


def test_a_next_update_that_is_not_later_is_refused(issuer: Issuer) -> None:
    with pytest.raises(ValueError, match="must come after"):
        make_crl(issuer, [], number=1, now=NOW, next_update=NOW - HOUR)
