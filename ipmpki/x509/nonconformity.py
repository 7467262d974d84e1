"""Certificates that break a rule of RFC 5280's form, and that OpenSSL and GnuTLS use all the same.

The library that reads all others refuses a whole certificate for one odd field. Here what a verdict needs is
read field by field by asn1crypto, which forgives, and the odd fields are named. Only what the library has
refused comes here, so that nobody else waits for asn1crypto to load.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from asn1crypto import csr as asn1_csr
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from ipmpki.declaration.key_types import rsa_key
from ipmpki.x509.certificate import NETSCAPE_TYPE, PURPOSE_NAMES, USAGE_NAMES, netscape_types_of, quietly
from ipmpki.x509.key_flaws import RsaNumbers
from ipmpki.x509.keys import PublicKey, key_type_of, rsa_numbers
from ipmpki.x509.presented_certificates import PresentedCertificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ipmpki.declaration.fleet import Address
    from ipmpki.diagnostics.problem import Place

_VERSION_3: Final = 2
_BOUND_TO_PSS: Final = bytes.fromhex("06092a864886f70d01010a")
"""The object identifier id-RSASSA-PSS in DER (RFC 4055, section 1.2), with which a key's algorithm begins."""
_LONGEST_ALGORITHM: Final = 24
_ADDRESS_OCTETS: Final = (4, 16)


class NoCertificate(ValueError):
    """The octets are no certificate, or one without a readable field that nothing can be said without."""


def read_nonconforming(
    octets: bytes, place: Place, *, is_explained: bool = True
) -> tuple[PresentedCertificate, tuple[str, ...]]:
    """What a certificate says, and its odd fields, in words. Raises NoCertificate, with the field.

    Without ``is_explained`` the odd fields are not looked for, which takes long.
    """
    try:
        certificate = asn1.Certificate.load(octets, strict=True)
        signed = certificate["tbs_certificate"]
        key_type, digest, numbers = _key(signed["subject_public_key_info"].dump())
        names = _value(signed, "subject_alt_name") or ()
        presented = PresentedCertificate(
            place=place,
            subject=_name_text(signed["subject"]),
            issuer=_name_text(signed["issuer"]),
            common_names=tuple(_common_names(signed["subject"])),
            not_before=_moment(signed["validity"]["not_before"]),
            not_after=_moment(signed["validity"]["not_after"]),
            key_type=key_type,
            public_key_digest=digest,
            dns_names=tuple(_dns_names(names)),
            addresses=tuple(_addresses(names)),
            key_usage=_usage(_value(signed, "key_usage")),
            extended_key_usage=_purposes(_value(signed, "extended_key_usage")),
            is_authority=_is_authority(_value(signed, "basic_constraints")),
            is_self_issued=signed["subject"].dump() == signed["issuer"].dump(),
            signature_hash=_or_none(lambda: str(signed["signature"].hash_algo)),
            fingerprint=hashlib.sha256(octets).hexdigest(),
            serial=signed["serial_number"].native,
            objections=tuple(_objections(signed)),
            rsa=numbers,
            netscape_types=_netscape_types(signed),
        )
    except NoCertificate:
        raise
    except Exception as fault:
        raise NoCertificate("it is not built as a certificate is (RFC 5280, section 4.1)") from fault
    return presented, tuple(_odd_fields(certificate)) if is_explained else ()


# --- Fields -------------------------------------------------------------------------------------------


def _name_text(name: Any) -> str:
    return x509.Name(_relative_names(name)).rfc4514_string()


def _relative_names(name: Any) -> Iterator[x509.RelativeDistinguishedName]:
    for relative in name.chosen:
        attributes = []
        for attribute in relative:
            kind = x509.ObjectIdentifier(attribute["type"].dotted)
            try:
                attributes.append(x509.NameAttribute(kind, _attribute_text(attribute)))
            except ValueError:  # a country of three letters, or nothing at all
                attributes.append(x509.NameAttribute(NameOID.DN_QUALIFIER, _attribute_text(attribute) or "?"))
        yield x509.RelativeDistinguishedName(attributes)


def _attribute_text(attribute: Any) -> str:
    try:
        return str(attribute["value"].native)
    except Exception:  # noqa: BLE001 -- characters that the declared type of string does not have
        return str(attribute["value"].chosen.contents.decode("latin-1"))


def _common_names(name: Any) -> Iterator[str]:
    for relative in name.chosen:
        for attribute in relative:
            if attribute["type"].dotted == NameOID.COMMON_NAME.dotted_string:
                yield _attribute_text(attribute)


def _moment(time: Any) -> datetime:
    try:
        moment = time.native
    except Exception as fault:
        raise NoCertificate("its validity is no pair of times (RFC 5280, section 4.1.2.5)") from fault
    # The year 0, of which asn1crypto knows and datetime does not.
    return moment if isinstance(moment, datetime) else datetime.min.replace(tzinfo=UTC)


def _key(info: bytes) -> tuple[str, str, RsaNumbers | None]:
    digest = hashlib.sha256(info).hexdigest()
    try:
        key = serialization.load_der_public_key(info)
    except Exception:  # noqa: BLE001 -- of a kind, or coded in a way, that the library does not know
        numbers = refused_numbers(info)
        return (rsa_key(numbers.modulus.bit_length()), digest, numbers) if numbers else ("unknown", "", None)
    kind = key_type_of(key) if isinstance(key, PublicKey) else type(key).__name__
    if _BOUND_TO_PSS in info[:_LONGEST_ALGORITHM] and isinstance(key, rsa.RSAPublicKey):
        kind = rsa_key(key.key_size, is_bound=True)
    return kind.removesuffix("PublicKey").lower(), digest, rsa_numbers(key)


def refused_numbers(info: bytes) -> RsaNumbers | None:
    """The numbers of an RSA key that the library refuses, as one with an even exponent (RFC 8017, 3.1)."""
    try:
        read = asn1_keys.PublicKeyInfo.load(info, strict=True)
        held = read["public_key"].parsed
        return RsaNumbers(held["modulus"].native, held["public_exponent"].native)
    except Exception:  # noqa: BLE001 -- it is no RSA key, or not built as one
        return None


def refused_numbers_of_request(request: bytes) -> RsaNumbers | None:
    """The same of the key in a request, in DER."""

    def info() -> Any:
        asked = asn1_csr.CertificationRequest.load(request, strict=True)["certification_request_info"]
        return asked["subject_pk_info"].dump()

    found = _or_none(info)
    return refused_numbers(found) if found is not None else None


def _value(signed: Any, name: str) -> Any:
    """The value of an extension by asn1crypto's name; None where it is absent or cannot be read."""

    def parsed() -> Any:
        named = (one for one in signed["extensions"] if one["extn_id"].native == name)
        return next((one["extn_value"].parsed for one in named), None)

    return _or_none(parsed)


def _or_none(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Exception:  # noqa: BLE001 -- an odd field is named elsewhere; here it says nothing
        return None


def _dns_names(names: Any) -> Iterator[str]:
    yield from (one.chosen.contents.decode("latin-1") for one in names if one.name == "dns_name")


def _addresses(names: Any) -> Iterator[Address]:
    """An address written out as text has other lengths than four and sixteen; no program compares it."""
    for one in names:
        if one.name == "ip_address" and len(one.chosen.contents) in _ADDRESS_OCTETS:
            yield ip_address(one.chosen.contents)


def _usage(usage: Any) -> tuple[str, ...] | None:
    if usage is None:
        return None
    # asn1crypto calls the second bit by its old name.
    named = {"content_commitment" if one == "non_repudiation" else one for one in usage.native}
    return tuple(name for attribute, name in USAGE_NAMES if attribute in named)


def _netscape_types(signed: Any) -> tuple[str, ...] | None:
    held = (one for one in signed["extensions"] if one["extn_id"].dotted == NETSCAPE_TYPE.dotted_string)
    return next((netscape_types_of(one["extn_value"].contents) for one in held), None)


def _purposes(purposes: Any) -> tuple[str, ...] | None:
    if purposes is None:
        return None
    return tuple(PURPOSE_NAMES.get(x509.ObjectIdentifier(one.dotted), one.dotted) for one in purposes)


def _is_authority(constraints: Any) -> bool:
    return constraints is not None and bool(_or_none(lambda: constraints["ca"].native))


def _objections(signed: Any) -> Iterator[str]:
    """RFC 5280, sections 4.2.1.4 and 4.2.1.9: what a verifier must not overlook."""
    constraints = _value(signed, "basic_constraints")
    length = _or_none(lambda: constraints["path_len_constraint"].native)
    if length and not _is_authority(constraints):  # OpenSSL lets a length of 0 pass
        yield "it limits the length of paths below it, but is no authority"
    confined = [one for one in signed["extensions"] if one["extn_id"].native == "name_constraints"]
    if any(not _is_read(_with("extensions", asn1.Extensions([one])), "extensions") for one in confined):
        yield "its name constraints cannot be read, so that nobody knows for what it may certify"
    unknown = _or_none(lambda: list(_unknown_qualifiers(_value(signed, "certificate_policies") or ())))
    if unknown:
        yield f"its certificate policies have a qualifier that nobody here knows ({', '.join(unknown)})"


def _unknown_qualifiers(policies: Any) -> Iterator[str]:
    for policy in policies:
        for one in policy["policy_qualifiers"] or ():
            kind = one["policy_qualifier_id"]
            if kind.native not in {"certification_practice_statement", "user_notice"}:
                yield kind.dotted


# --- What is odd --------------------------------------------------------------------------------------

_FIELDS: Final = (
    ("serial_number", "its serial number", "serial_number"),
    ("issuer", "its issuer's name", "issuer"),
    ("validity", "its validity", "not_valid_after_utc"),
    ("subject", "its subject", "subject"),
)


def _odd_fields(certificate: Any) -> Iterator[str]:
    """Each field that the library refuses, tried by itself in a certificate that is sound otherwise."""
    signed = certificate["tbs_certificate"]
    for field, words, attribute in _FIELDS:
        if not _is_read(_with(field, signed[field]), attribute):
            yield words
    for one in _or_none(lambda: list(signed["extensions"])) or ():
        if not _is_read(_with("extensions", asn1.Extensions([one])), "extensions"):
            yield f"its extension {_camel_case(one['extn_id'].native)}"


def _with(field: str, value: Any) -> bytes:
    """A sound certificate with one field of another."""
    name = asn1.Name.build({"common_name": "x"})
    time = asn1.Time({"utc_time": asn1.UTCTime("300101000000Z")})
    key = asn1_keys.PublicKeyInfo(
        {
            "algorithm": {"algorithm": "rsa"},
            "public_key": asn1_keys.RSAPublicKey({"modulus": (1 << 2047) + 1, "public_exponent": 65537}),
        }
    )
    fields = {
        "version": _VERSION_3,
        "serial_number": 1,
        "signature": {"algorithm": "sha256_rsa"},
        "issuer": name,
        "validity": asn1.Validity({"not_before": time, "not_after": time}),
        "subject": name,
        "subject_public_key_info": key,
        field: value,
    }
    sound = {"tbs_certificate": fields, "signature_algorithm": {"algorithm": "sha256_rsa"}}
    made = asn1.Certificate({**sound, "signature_value": b"\0"})
    encoded: bytes = made.dump()
    return encoded


def _is_read(encoded: bytes, attribute: str) -> bool:
    try:
        with quietly():
            getattr(x509.load_der_x509_certificate(encoded), attribute)
    except Exception:  # noqa: BLE001 -- whatever the library raises, it does not take the field
        return False
    return True


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
