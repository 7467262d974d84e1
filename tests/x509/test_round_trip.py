"""Properties of whatever is issued, read back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipmpki.declaration.fleet import CertificateSpec
from ipmpki.declaration.key_types import KeyType
from ipmpki.declaration.vocabulary import Profile
from ipmpki.x509.certificate import read_certificate
from ipmpki.x509.issuer import Issuer, issue, load_issuer, new_serial, self_signed
from tests.x509.matrix import authority_spec

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from tests.x509.conftest import KeyRing

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
# Fixtures of session scope are the same for every example; speed on a busy machine is no matter here.
lenient = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

LABELS = st.text("abcxyz019-_", min_size=1, max_size=20)
DNS_NAMES = st.builds(
    lambda wildcard, labels: ("*." if wildcard else "") + ".".join(labels),
    st.booleans(),
    st.lists(LABELS, min_size=1, max_size=4),
)


@pytest.fixture(scope="session")
def issuer(authority_keys: KeyRing) -> Issuer:
    key = authority_keys[KeyType.EC_P256]
    return load_issuer(self_signed(authority_spec(KeyType.EC_P256), key, now=NOW, serial=1), key)


@lenient
@given(
    dns_names=st.lists(DNS_NAMES, max_size=6),
    addresses=st.lists(st.ip_addresses(), max_size=6),
    common_name=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=64),
)
def test_names_survive_in_order_and_once(
    dns_names: list[str],
    addresses: list[IPv4Address | IPv6Address],
    common_name: str,
    issuer: Issuer,
    leaf_keys: KeyRing,
) -> None:
    dns_names = dns_names or [common_name]
    spec = CertificateSpec(
        profile=Profile.CLIENT,
        common_name=common_name,
        dns_names=tuple(dns_names),
        addresses=tuple(addresses),
        key=KeyType.EC_P256,
        lifetime=timedelta(days=1),
    )
    facts = read_certificate(issue(issuer, spec, leaf_keys[KeyType.EC_P256].public_key(), now=NOW, serial=2))
    assert facts.common_name == common_name
    assert facts.dns_names == tuple(dict.fromkeys(dns_names))
    assert facts.addresses == tuple(dict.fromkeys(addresses))


@lenient
@given(
    lifetime=st.timedeltas(min_value=SECOND, max_value=timedelta(days=40_000)).map(
        lambda lifetime: lifetime - timedelta(microseconds=lifetime.microseconds)
    ),
    elapsed=st.timedeltas(min_value=timedelta(days=-2), max_value=timedelta(days=3649)),
)
def test_validity_is_exact_and_within_that_of_the_issuer(
    lifetime: timedelta, elapsed: timedelta, issuer: Issuer, leaf_keys: KeyRing
) -> None:
    spec = CertificateSpec(Profile.CLIENT, "a", ("a",), (), KeyType.EC_P256, lifetime)
    public_key = leaf_keys[KeyType.EC_P256].public_key()
    facts = read_certificate(issue(issuer, spec, public_key, now=NOW + elapsed, serial=2))
    assert issuer.not_before <= facts.not_before <= facts.not_after <= issuer.not_after
    assert facts.not_before == max(
        (NOW + elapsed).replace(microsecond=0) - timedelta(hours=1), issuer.not_before
    )
    assert facts.not_after - facts.not_before + SECOND == lifetime or facts.not_after == issuer.not_after


@given(octets=st.binary(min_size=20, max_size=20))
def test_a_serial_number_is_positive_and_has_159_bits_at_most(octets: bytes) -> None:
    draws = iter([octets, b"\x01" * 20])
    assert 0 < new_serial(lambda count: next(draws)[:count]) < 1 << 159


@lenient
@given(serial=st.integers(min_value=1, max_value=(1 << 159) - 1))
def test_a_serial_number_survives(serial: int, issuer: Issuer, leaf_keys: KeyRing) -> None:
    spec = CertificateSpec(Profile.CLIENT, "a", ("a",), (), KeyType.EC_P256, timedelta(days=1))
    public_key = leaf_keys[KeyType.EC_P256].public_key()
    assert read_certificate(issue(issuer, spec, public_key, now=NOW, serial=serial)).serial == serial
