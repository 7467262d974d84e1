"""Who may issue, for how long, under which names and numbers."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ipmpki.declaration.fleet import AuthoritySpec, CertificateSpec, DistinguishedName
from ipmpki.declaration.key_types import KeyType
from ipmpki.declaration.vocabulary import Profile
from ipmpki.x509 import keys
from ipmpki.x509.certificate import CertificateUnreadable, read_certificate
from ipmpki.x509.issuer import Issuer, IssuerFault, issue, load_issuer, new_serial, objection, self_signed
from tests.tools import require
from tests.x509.expected import assert_is_client

if TYPE_CHECKING:
    from pathlib import Path

    from tests.x509.conftest import KeyRing

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)
AUTHORITY = AuthoritySpec(DistinguishedName("Acme Print CA"), KeyType.EC_P256, 3650 * DAY)
CLIENT = CertificateSpec(
    profile=Profile.CLIENT,
    common_name="c.example.com",
    dns_names=("c.example.com",),
    addresses=(ip_address("10.1.2.3"),),
    key=KeyType.EC_P256,
    lifetime=397 * DAY,
)
CERTIFIES = x509.KeyUsage(False, False, False, False, False, True, True, False, False)


@pytest.fixture
def authority_key(authority_keys: KeyRing) -> keys.PrivateKey:
    return authority_keys[KeyType.EC_P256]


@pytest.fixture
def leaf_key(leaf_keys: KeyRing) -> keys.PublicKey:
    return leaf_keys[KeyType.EC_P256].public_key()


@pytest.fixture
def issuer(authority_key: keys.PrivateKey) -> Issuer:
    return load_issuer(self_signed(AUTHORITY, authority_key, now=NOW, serial=1), authority_key)


def foreign(
    key: keys.PrivateKey,
    *extensions: x509.ExtensionType,
    common_name: str = "Foreign CA",
    not_after: datetime = NOW + 100 * DAY,
    critical: bool = True,
) -> bytes:
    """A certificate as some other authority's software may have made it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - 100 * DAY)
        .not_valid_after(not_after)
    )
    for value in extensions:
        builder = builder.add_extension(value, critical=critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


# The builder's constructor, unlike its methods, takes naive UTC.
NAIVE_YEAR = (datetime(2026, 1, 1), datetime(2027, 1, 1))  # noqa: DTZ001
IS_CA = x509.BasicConstraints(ca=True, path_length=None)


# Validity


def test_a_leaf_begins_an_hour_early_and_holds_for_its_lifetime_to_the_second(
    issuer: Issuer, leaf_key: keys.PublicKey
) -> None:
    # Apple refuses a server's certificate valid for longer than 825 days, the last second counted.
    spec = replace(CLIENT, lifetime=825 * DAY)
    facts = read_certificate(issue(issuer, spec, leaf_key, now=NOW, serial=2))
    assert facts.not_before == NOW - HOUR
    assert facts.not_after - facts.not_before + SECOND == 825 * DAY


def test_an_authority_begins_an_hour_early_and_holds_for_its_lifetime(authority_key: keys.PrivateKey) -> None:
    facts = read_certificate(self_signed(AUTHORITY, authority_key, now=NOW, serial=1))
    assert facts.not_before == NOW - HOUR
    assert facts.not_after == NOW - HOUR + 3650 * DAY - SECOND


def test_fractions_of_a_second_are_dropped_and_zones_do_not_matter(
    issuer: Issuer, leaf_key: keys.PublicKey
) -> None:
    now = NOW.astimezone(timezone(timedelta(hours=5, minutes=30))) + timedelta(microseconds=999_999)
    facts = read_certificate(issue(issuer, CLIENT, leaf_key, now=now, serial=2))
    assert facts.not_before == NOW - HOUR


def test_a_time_without_a_zone_is_refused(issuer: Issuer, leaf_key: keys.PublicKey) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        issue(issuer, CLIENT, leaf_key, now=NOW.replace(tzinfo=None), serial=2)


@pytest.mark.parametrize("lifetime", [3650 * DAY + SECOND, 9000 * DAY, timedelta.max])
def test_a_leaf_never_outlives_its_issuer(
    lifetime: timedelta, issuer: Issuer, leaf_key: keys.PublicKey
) -> None:
    facts = read_certificate(issue(issuer, replace(CLIENT, lifetime=lifetime), leaf_key, now=NOW, serial=2))
    assert facts.not_after == issuer.not_after


def test_a_leaf_does_not_begin_before_its_issuer(
    authority_key: keys.PrivateKey, leaf_key: keys.PublicKey
) -> None:
    later = load_issuer(self_signed(AUTHORITY, authority_key, now=NOW + HOUR, serial=1), authority_key)
    facts = read_certificate(issue(later, CLIENT, leaf_key, now=NOW, serial=2))
    assert facts.not_before == later.not_before == NOW
    assert facts.not_after == NOW + CLIENT.lifetime - SECOND


def test_an_issuer_may_sign_until_its_last_second_and_no_longer(
    issuer: Issuer, leaf_key: keys.PublicKey
) -> None:
    last = issuer.not_after + HOUR
    facts = read_certificate(issue(issuer, CLIENT, leaf_key, now=last, serial=2))
    assert facts.not_before == facts.not_after == issuer.not_after
    with pytest.raises(
        IssuerFault, match=r"CN=Acme Print CA has expired: it ended at 2036-11-21 10:59:59 UTC"
    ):
        issue(issuer, CLIENT, leaf_key, now=last + SECOND, serial=2)


def test_a_lifetime_without_end_stops_with_the_calendar(authority_key: keys.PrivateKey) -> None:
    endless = replace(AUTHORITY, lifetime=timedelta.max)
    facts = read_certificate(self_signed(endless, authority_key, now=NOW, serial=1))
    assert facts.not_after == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_a_certificate_beyond_2049_is_written_as_generalized_time(authority_key: keys.PrivateKey) -> None:
    # RFC 5280, section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on.
    pem = self_signed(replace(AUTHORITY, lifetime=10_000 * DAY), authority_key, now=NOW, serial=1)
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    assert b"\x17\x0d261124110000Z\x18\x0f20540411105959Z" in der


def test_a_lifetime_of_nothing_is_refused(authority_key: keys.PrivateKey) -> None:
    with pytest.raises(ValueError, match="at least a second"):
        self_signed(replace(AUTHORITY, lifetime=timedelta()), authority_key, now=NOW, serial=1)


# Names


def test_the_country_is_printable_and_the_rest_utf8(authority_key: keys.PrivateKey) -> None:
    name = DistinguishedName("Zürich CA", "Acme", "Print", "CH", "ZH", "Zürich")
    pem = self_signed(replace(AUTHORITY, subject=name), authority_key, now=NOW, serial=1)
    assert read_certificate(pem).subject == "CN=Zürich CA,OU=Print,O=Acme,L=Zürich,ST=ZH,C=CH"
    der = x509.load_pem_x509_certificate(pem).subject.public_bytes()
    assert b"\x06\x03\x55\x04\x06\x13\x02CH" in der
    assert b"\x06\x03\x55\x04\x0a\x0c\x04Acme" in der
    assert b"\x06\x03\x55\x04\x03\x0c\x0aZ\xc3\xbcrich CA" in der


def test_the_issuer_of_a_leaf_is_its_authority_octet_by_octet(
    leaf_key: keys.PublicKey, authority_key: keys.PrivateKey, tmp_path: Path
) -> None:
    # Older tools wrote PrintableString; re-encoded as UTF8String, strict eyes see another name.
    (tmp_path / "key.pem").write_bytes(keys.to_pem(authority_key))
    subject = "/C=DE/O=Acme/CN=Old CA"
    openssl, key = require("openssl"), tmp_path / "key.pem"
    config = tmp_path / "openssl.cnf"
    config.write_text(
        "[req]\ndistinguished_name=dn\nx509_extensions=ca\nstring_mask=default\n[dn]\n"
        "[ca]\nbasicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n"
    )
    made = subprocess.run(
        [openssl, "req", "-x509", "-new", "-key", key, "-subj", subject, "-config", config],
        capture_output=True,
        check=True,
    ).stdout
    assert b"\x13\x04Acme" in x509.load_pem_x509_certificate(made).subject.public_bytes()
    old = load_issuer(made, authority_key)
    leaf = issue(old, CLIENT, leaf_key, now=datetime.now(UTC), serial=2)
    assert_is_client(leaf, made, CLIENT, leaf_key)


def test_a_name_is_listed_once_and_in_the_order_declared(issuer: Issuer, leaf_key: keys.PublicKey) -> None:
    addresses = (ip_address("fc00::1"), ip_address("10.1.2.3"), ip_address("fc00:0::1"))
    spec = replace(CLIENT, dns_names=("b.example.com", "a", "b.example.com"), addresses=addresses)
    facts = read_certificate(issue(issuer, spec, leaf_key, now=NOW, serial=2))
    assert facts.dns_names == ("b.example.com", "a")
    assert facts.addresses == addresses[:2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"common_name": "a" * 65}, "has 65 characters where 1 to 64 are allowed"),
        ({"common_name": ""}, "has 0 characters"),
        ({"dns_names": (), "addresses": ()}, "at least one alternative name"),
        ({"dns_names": ("",)}, "must not be empty"),
        ({"dns_names": ("drücker.example",)}, "A-label"),
    ],
)
def test_names_no_rule_lets_through_are_refused(
    change: dict[str, object], message: str, issuer: Issuer, leaf_key: keys.PublicKey
) -> None:
    with pytest.raises(ValueError, match=message):
        issue(issuer, replace(CLIENT, **change), leaf_key, now=NOW, serial=2)  # type: ignore[arg-type]


def test_a_common_name_of_64_characters_is_the_longest(issuer: Issuer, leaf_key: keys.PublicKey) -> None:
    longest = "a" * 60 + ".com"
    facts = read_certificate(issue(issuer, replace(CLIENT, common_name=longest), leaf_key, now=NOW, serial=2))
    assert facts.common_name == longest


@pytest.mark.parametrize(
    ("attribute", "limit"),
    [
        ("common_name", 64),
        ("organization", 64),
        ("organizational_unit", 64),
        ("state", 128),
        ("locality", 128),
        ("country", 2),
    ],
)
def test_an_authority_needs_a_subject_that_rfc_5280_allows(
    attribute: str, limit: int, authority_key: keys.PrivateKey
) -> None:
    def sign(value: str) -> bytes:
        subject = AUTHORITY.subject._replace(**{attribute: value})
        return self_signed(replace(AUTHORITY, subject=subject), authority_key, now=NOW, serial=1)

    assert "a" * limit in read_certificate(sign("a" * limit)).subject
    with pytest.raises(
        ValueError, match=f"the {attribute.replace('_', ' ')} 'a*' has {limit + 1} characters"
    ):
        sign("a" * (limit + 1))
    with pytest.raises(ValueError, match=f"the {attribute.replace('_', ' ')} ''"):
        sign("")


def test_a_common_name_outside_ascii_is_measured_in_octets_as_the_library_does(
    authority_key: keys.PrivateKey,
) -> None:
    # A newer library that counts characters, as RFC 5280 does, would let us do so, too.
    for name in ("é" * 32, "é" * 33):
        spec = replace(AUTHORITY, subject=AUTHORITY.subject._replace(common_name=name))
        if len(name) <= 32:
            assert read_certificate(self_signed(spec, authority_key, now=NOW, serial=1)).common_name == name
            continue
        with pytest.raises(ValueError, match="has 66 octets of UTF-8 where 1 to 64 are allowed"):
            self_signed(spec, authority_key, now=NOW, serial=1)


def test_an_old_authority_with_an_overlong_name_issues_without_a_warning(
    authority_key: keys.PrivateKey, leaf_key: keys.PublicKey, tmp_path: Path
) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(keys.to_pem(authority_key))
    subject = f"/CN={'é' * 40}"
    command = [require("openssl"), "req", "-x509", "-new", "-utf8", "-subj", subject, "-key"]
    pem = subprocess.run([*command, key], capture_output=True, check=True).stdout
    issuer = load_issuer(pem, authority_key)
    assert read_certificate(pem).common_name == "é" * 40
    leaf = issue(issuer, CLIENT, leaf_key, now=datetime.now(UTC), serial=2)
    assert read_certificate(leaf).issuer == f"CN={'é' * 40}"


@pytest.mark.parametrize("country", ["ÄÖ", "D3"])
def test_a_country_is_two_ascii_letters(country: str, authority_key: keys.PrivateKey) -> None:
    subject = AUTHORITY.subject._replace(country=country)
    with pytest.raises(ValueError, match="not a code of two letters"):
        self_signed(replace(AUTHORITY, subject=subject), authority_key, now=NOW, serial=1)


def test_an_ec_key_is_never_given_key_encipherment(issuer: Issuer, leaf_key: keys.PublicKey) -> None:
    for profile in (Profile.SERVER, Profile.SERVER_MUTUAL):
        with pytest.raises(ValueError, match="RFC 8813"):
            issue(issuer, replace(CLIENT, profile=profile), leaf_key, now=NOW, serial=2)


# Serial numbers


def test_a_serial_number_keeps_159_of_the_160_bits_drawn() -> None:
    assert new_serial(lambda count: b"\xff" * count) == (1 << 159) - 1


def test_a_serial_number_of_zero_is_drawn_again() -> None:
    draws = iter([b"\x00" * 20, b"\x00" * 19 + b"\x01", b"\x00" * 19 + b"\x02"])
    assert new_serial(lambda _: next(draws)) == 1


@pytest.mark.parametrize("serial", [0, -1, 1 << 159])
def test_a_serial_number_out_of_range_is_refused(
    serial: int, issuer: Issuer, leaf_key: keys.PublicKey, authority_key: keys.PrivateKey
) -> None:
    with pytest.raises(ValueError, match="at most 159 bits"):
        issue(issuer, CLIENT, leaf_key, now=NOW, serial=serial)
    with pytest.raises(ValueError, match="at most 159 bits"):
        self_signed(AUTHORITY, authority_key, now=NOW, serial=serial)


# The short way to the signature


def test_what_is_signed_is_what_the_builders_methods_make(
    leaf_keys: KeyRing, authority_keys: KeyRing
) -> None:
    key = authority_keys[KeyType.RSA_2048]
    issuer = load_issuer(self_signed(AUTHORITY, key, now=NOW, serial=1), key)
    public_key = leaf_keys[KeyType.EC_P256].public_key()
    identifier = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    signs = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    names = [x509.DNSName("c.example.com"), x509.IPAddress(ip_address("10.1.2.3"))]
    certificate = (
        x509.CertificateBuilder()
        .issuer_name(issuer.certificate.subject)
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "c.example.com")]))
        .public_key(public_key)
        .serial_number(2)
        .not_valid_before(NOW - HOUR)
        .not_valid_after(NOW - HOUR + CLIENT.lifetime - SECOND)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(signs, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    # PKCS #1 v1.5 signatures have no randomness, so even they agree.
    expected = certificate.public_bytes(serialization.Encoding.PEM)
    assert issue(issuer, CLIENT, public_key, now=NOW, serial=2) == expected


# Choosing the issuer


def test_the_certificate_of_the_key_is_found_in_a_chain_of_any_order(authority_keys: KeyRing) -> None:
    own, other = authority_keys[KeyType.EC_P256], authority_keys[KeyType.RSA_2048]
    mine, root = foreign(own, IS_CA, CERTIFIES), foreign(other, IS_CA, common_name="Root")
    for order in (mine + root, root + mine, root + b"\nremarks\n" + mine + root):
        issuer = load_issuer(order, own)
        assert [each.subject.rfc4514_string() for each in issuer.certificates] == ["CN=Foreign CA", "CN=Root"]
        assert issuer.certificate == issuer.certificates[0]


def test_of_several_certificates_for_the_key_the_one_that_ends_last_issues(
    authority_key: keys.PrivateKey,
) -> None:
    old = foreign(authority_key, IS_CA, CERTIFIES, not_after=NOW)
    new = foreign(authority_key, IS_CA, CERTIFIES, not_after=NOW + DAY)
    for order in (old + new, new + old):
        assert load_issuer(order, authority_key).not_after == NOW + DAY
    no_authority = foreign(authority_key, not_after=NOW + 2 * DAY)
    assert load_issuer(no_authority + old, authority_key).not_after == NOW


def test_an_expired_authority_is_loaded_as_its_ledger_must_stay_readable(
    authority_key: keys.PrivateKey,
) -> None:
    pem = foreign(authority_key, IS_CA, CERTIFIES, not_after=NOW - 10 * DAY)
    assert load_issuer(pem, authority_key).not_after == NOW - 10 * DAY


def test_the_key_of_another_authority_is_refused_and_the_certificate_named(authority_keys: KeyRing) -> None:
    pem = foreign(authority_keys[KeyType.EC_P256], IS_CA)
    with pytest.raises(IssuerFault, match="does not belong to the certificate given with it: CN=Foreign CA"):
        load_issuer(pem, authority_keys[KeyType.EC_P384])
    two = pem + foreign(authority_keys[KeyType.RSA_2048], IS_CA, common_name="Root")
    with pytest.raises(IssuerFault, match="belongs to no certificate given with it: CN=Foreign CA; CN=Root"):
        load_issuer(two, authority_keys[KeyType.EC_P384])


def key_usage(**granted: bool) -> x509.KeyUsage:
    absent = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**(absent | granted))


@pytest.mark.parametrize(
    ("extensions", "reason"),
    [
        ((), "not a CA certificate"),
        ((x509.BasicConstraints(ca=False, path_length=None),), "not a CA certificate"),
        ((IS_CA, key_usage(crl_sign=True)), "no keyCertSign"),
        ((IS_CA, key_usage(key_cert_sign=True)), "no cRLSign"),
        (
            (IS_CA, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])),
            "neither TLS servers nor TLS clients",
        ),
        (
            (IS_CA, x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")),
            r"critical extension that verifiers do not know \(1\.2\.3\.4\)",
        ),
    ],
)
def test_an_authority_that_may_not_sign_is_refused_with_the_reason(
    extensions: tuple[x509.ExtensionType, ...], reason: str, authority_key: keys.PrivateKey
) -> None:
    with pytest.raises(IssuerFault, match=f"CN=Foreign CA cannot be the authority: .*{reason}") as caught:
        load_issuer(foreign(authority_key, *extensions), authority_key)
    assert caught.value.remedy


def test_an_authority_whose_extensions_cannot_be_read_is_refused(authority_key: keys.PrivateKey) -> None:
    twice: list[x509.Extension[x509.ExtensionType]] = [x509.Extension(IS_CA.oid, True, IS_CA)] * 2
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Twice")])
    pem = (
        x509.CertificateBuilder(name, name, authority_key.public_key(), 1, *NAIVE_YEAR, twice)
        .sign(authority_key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    with pytest.raises(IssuerFault, match="its extensions cannot be read"):
        load_issuer(pem, authority_key)
    with pytest.raises(CertificateUnreadable):
        read_certificate(pem)


def test_certificates_for_keys_of_other_kinds_may_stand_in_the_chain(authority_key: keys.PrivateKey) -> None:
    other = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ed")])
    builder = x509.CertificateBuilder(name, name, other.public_key(), 1, *NAIVE_YEAR, [])
    pem = builder.sign(other, None).public_bytes(serialization.Encoding.PEM)
    issuer = load_issuer(pem + foreign(authority_key, IS_CA), authority_key)
    assert [each.subject.rfc4514_string() for each in issuer.certificates] == ["CN=Foreign CA", "CN=Ed"]


def test_a_certificate_for_a_key_of_an_unknown_kind_is_passed_over(authority_key: keys.PrivateKey) -> None:
    own = foreign(authority_key, IS_CA)
    der = x509.load_pem_x509_certificate(own).public_bytes(serialization.Encoding.DER)
    # id-ecPublicKey (1.2.840.10045.2.1) becomes a key of no known kind.
    unknown = der.replace(bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d0209"))
    body = base64.encodebytes(unknown)
    pem = b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"
    assert len(load_issuer(pem + own, authority_key).certificates) == 2
    assert read_certificate(pem).key_type == "unknown"


def test_an_authority_bound_to_pss_is_refused(tmp_path: Path) -> None:
    openssl = require("openssl")
    key = tmp_path / "key.pem"
    subprocess.run(
        [openssl, "genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key],
        capture_output=True,
        check=True,
    )
    pem = subprocess.run(
        [openssl, "req", "-x509", "-new", "-key", key, "-subj", "/CN=PSS"], capture_output=True, check=True
    ).stdout
    with pytest.raises(IssuerFault, match="RSASSA-PSS"):
        load_issuer(pem, keys.load(key.read_bytes()))


def test_an_authority_without_key_usage_or_identifier_still_issues(
    authority_key: keys.PrivateKey, leaf_key: keys.PublicKey
) -> None:
    # RFC 5280, section 4.2.1.3 and RFC 3279: an absent key usage restricts nothing.
    pem = foreign(authority_key, IS_CA)
    assert_is_client(
        issue(load_issuer(pem, authority_key), CLIENT, leaf_key, now=NOW, serial=2), pem, CLIENT, leaf_key
    )


def test_an_identifier_of_the_authoritys_own_making_is_copied(
    authority_key: keys.PrivateKey, leaf_key: keys.PublicKey
) -> None:
    pem = foreign(authority_key, IS_CA, x509.SubjectKeyIdentifier(b"\x01\x02\x03"), critical=False)
    leaf = issue(load_issuer(pem, authority_key), CLIENT, leaf_key, now=NOW, serial=2)
    certificate = x509.load_pem_x509_certificate(leaf)
    identifier = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert identifier == x509.AuthorityKeyIdentifier(b"\x01\x02\x03", None, None)


def test_a_garbled_certificate_file_is_no_authority(authority_key: keys.PrivateKey) -> None:
    with pytest.raises(CertificateUnreadable):
        load_issuer(b"nothing", authority_key)


def test_an_issuer_shows_its_name_and_not_its_key(issuer: Issuer) -> None:
    assert repr(issuer) == "<Issuer CN=Acme Print CA>"


# Authorities confined to purposes or names


@pytest.mark.parametrize(
    ("purposes", "allowed"),
    [
        ([ExtendedKeyUsageOID.SERVER_AUTH], {Profile.SERVER}),
        ([ExtendedKeyUsageOID.CLIENT_AUTH], {Profile.CLIENT}),
        ([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH], set(Profile)),
        ([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], set(Profile)),
    ],
)
def test_an_authority_issues_only_for_the_purposes_it_is_confined_to(
    purposes: list[x509.ObjectIdentifier],
    allowed: set[Profile],
    authority_key: keys.PrivateKey,
    leaf_keys: KeyRing,
) -> None:
    issuer = load_issuer(foreign(authority_key, IS_CA, x509.ExtendedKeyUsage(purposes)), authority_key)
    public_key = leaf_keys[KeyType.RSA_2048].public_key()
    for profile in Profile:
        spec = replace(CLIENT, profile=profile)
        if profile in allowed:
            issue(issuer, spec, public_key, now=NOW, serial=2)
            continue
        with pytest.raises(IssuerFault, match=f"does not cover a {profile.value} certificate"):
            issue(issuer, spec, public_key, now=NOW, serial=2)


def dns(*names: str) -> list[x509.GeneralName]:
    return [x509.DNSName(name) for name in names]


def networks(*texts: str) -> list[x509.GeneralName]:
    return [x509.IPAddress(ip_network(text)) for text in texts]


def directory(*common_names: str) -> list[x509.GeneralName]:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in common_names]
    return [x509.DirectoryName(x509.Name(attributes))]


@pytest.mark.parametrize(
    ("permitted", "excluded", "outside"),
    [
        (dns("example.com"), None, None),
        (dns("EXAMPLE.com"), None, None),
        (dns(".example.com"), None, None),
        (dns("c.example.com"), None, None),
        (dns(""), None, None),
        (dns("ample.com"), None, "c.example.com"),
        (dns("example.org", "example.com"), None, None),
        (dns("example.org"), None, "c.example.com"),
        (None, dns("example.com"), "c.example.com"),
        (None, dns("example.org"), None),
        (networks("10.0.0.0/8"), None, None),
        (networks("192.0.2.0/24"), None, "10.1.2.3"),
        (networks("fc00::/7"), None, "10.1.2.3"),
        (None, networks("0.0.0.0/0"), "10.1.2.3"),
        (dns("example.com"), networks("::/0"), None),
        (directory(), None, None),
        (directory("c.example.com"), None, None),
        (directory("Acme"), None, "CN=c.example.com"),
        ([x509.RFC822Name("example.com")], None, None),
    ],
)
def test_an_authority_issues_only_names_it_is_confined_to_and_openssl_agrees(  # noqa: PLR0913, PLR0917 - fixtures
    permitted: list[x509.GeneralName] | None,
    excluded: list[x509.GeneralName] | None,
    outside: str | None,
    authority_key: keys.PrivateKey,
    leaf_key: keys.PublicKey,
    tmp_path: Path,
) -> None:
    free, confined = tmp_path / "free.pem", tmp_path / "confined.pem"
    free.write_bytes(foreign(authority_key, IS_CA, CERTIFIES))
    confined.write_bytes(foreign(authority_key, IS_CA, CERTIFIES, x509.NameConstraints(permitted, excluded)))
    issuer = load_issuer(confined.read_bytes(), authority_key)
    if outside is not None:
        assert objection(issuer, CLIENT) == (
            f"CN=Foreign CA is confined by its name constraints, which do not let through {outside}"
        )
        with pytest.raises(IssuerFault, match="name constraints"):
            issue(issuer, CLIENT, leaf_key, now=NOW, serial=2)
    else:
        assert objection(issuer, CLIENT) is None
        issue(issuer, CLIENT, leaf_key, now=NOW, serial=2)
    leaf = tmp_path / "leaf.pem"
    # Signed by the same key under the same name, so the leaf also belongs to the confined certificate.
    leaf.write_bytes(
        issue(load_issuer(free.read_bytes(), authority_key), CLIENT, leaf_key, now=NOW, serial=2)
    )
    openssl, moment = require("openssl"), str(int(NOW.timestamp()))
    verified = subprocess.run(
        [openssl, "verify", "-attime", moment, "-CAfile", confined, leaf], capture_output=True, check=False
    )
    assert (verified.returncode == 0) == (outside is None), verified.stderr


def test_an_authority_that_ipmpki_made_has_no_objection(issuer: Issuer) -> None:
    assert objection(issuer, CLIENT) is None
