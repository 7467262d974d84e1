"""What each kind of certificate says of itself: basic constraints, key usage, extended key usage, names.

The values follow the vendor's page "Server and Client certificates" and RFC 5280, section 4.2.1. Extensions
that are the same in every certificate of a kind are made once, here, since a fleet is issued in one go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ipmpki.declaration.vocabulary import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ipmpki.declaration.fleet import Address, DistinguishedName

Extension: TypeAlias = "x509.Extension[Any]"

COMMON_NAME_LIMIT: Final = 64
"""Octets of UTF-8 in a commonName: ub-common-name of RFC 5280, appendix A.1.

The RFC counts characters; ``cryptography`` counts octets, which tells on an authority's name outside ASCII.
"""


def extension(value: x509.ExtensionType, *, critical: bool) -> Extension:
    """The value with its object identifier, as a certificate or CRL carries it."""
    return x509.Extension(value.oid, critical, value)


def _key_usage(*, signs: bool = False, enciphers: bool = False, certifies: bool = False) -> Extension:
    """Critical, as RFC 5280, section 4.2.1.3 advises; an issuer signs certificates and CRLs alike."""
    value = x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=enciphers,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certifies,
        crl_sign=certifies,
        encipher_only=False,
        decipher_only=False,
    )
    return extension(value, critical=True)


# Path length 0: this authority certifies hosts and no further authority (RFC 5280, section 4.2.1.9).
AUTHORITY_EXTENSIONS: Final[tuple[Extension, ...]] = (
    extension(x509.BasicConstraints(ca=True, path_length=0), critical=True),
    _key_usage(certifies=True),
)
"""The authority's own certificate, before the extensions that name its key."""

PURPOSES: Final[Mapping[Profile, tuple[x509.ObjectIdentifier, ...]]] = {
    Profile.SERVER: (ExtendedKeyUsageOID.SERVER_AUTH,),
    Profile.SERVER_MUTUAL: (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
    Profile.CLIENT: (ExtendedKeyUsageOID.CLIENT_AUTH,),
}
"""Extended key usage, in order (RFC 5280, section 4.2.1.12)."""

_END_ENTITY: Final = extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
_SERVER_USAGE: Final = _key_usage(signs=True, enciphers=True)
_CLIENT_USAGE: Final = _key_usage(signs=True)

LEAF_EXTENSIONS: Final[Mapping[Profile, tuple[Extension, ...]]] = {
    profile: (
        _END_ENTITY,
        _CLIENT_USAGE if profile is Profile.CLIENT else _SERVER_USAGE,
        extension(x509.ExtendedKeyUsage(purposes), critical=False),
    )
    for profile, purposes in PURPOSES.items()
}
"""A leaf's extensions, before its names and the extensions that name keys."""


def enciphers(profile: Profile) -> bool:
    """Whether the profile has keyEncipherment, which an EC key must not have (RFC 8813, section 3)."""
    return profile is not Profile.CLIENT


def alternative_names(dns_names: Iterable[str], addresses: Iterable[Address]) -> x509.SubjectAlternativeName:
    """DNS names, then addresses, in the order given and each once (RFC 5280, section 4.2.1.6).

    Names must be A-labels. Raises ValueError when there is no name at all, an empty one, or one outside
    ASCII.
    """
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in dict.fromkeys(dns_names)]
    if any(not name.value for name in names):
        msg = "an alternative name must not be empty"
        raise ValueError(msg)
    names.extend(x509.IPAddress(address) for address in dict.fromkeys(addresses))
    if not names:
        msg = "a certificate needs at least one alternative name"
        raise ValueError(msg)
    return x509.SubjectAlternativeName(names)


def leaf_subject(common_name: str) -> x509.Name:
    """A subject of one commonName; raises ValueError where it is empty or exceeds COMMON_NAME_LIMIT."""
    return x509.Name([_attribute("common name", NameOID.COMMON_NAME, common_name, 1, COMMON_NAME_LIMIT)])


def authority_subject(name: DistinguishedName) -> x509.Name:
    """The declared attributes, widest first, as directories and every CA tool order them.

    The country is a PrintableString, everything else UTF8String (RFC 5280, section 4.1.2.4). Raises
    ValueError on a value longer or shorter than RFC 5280, appendix A.1 allows, or a country that is no code.
    """
    if name.country is not None and not (name.country.isascii() and name.country.isalpha()):
        msg = f"the country {name.country!r} is not a code of two letters"
        raise ValueError(msg)
    attributes = (
        ("country", NameOID.COUNTRY_NAME, name.country, 2, 2),
        ("state", NameOID.STATE_OR_PROVINCE_NAME, name.state, 1, 128),
        ("locality", NameOID.LOCALITY_NAME, name.locality, 1, 128),
        ("organization", NameOID.ORGANIZATION_NAME, name.organization, 1, 64),
        ("organizational unit", NameOID.ORGANIZATIONAL_UNIT_NAME, name.organizational_unit, 1, 64),
        ("common name", NameOID.COMMON_NAME, name.common_name, 1, COMMON_NAME_LIMIT),
    )
    return x509.Name(
        [
            _attribute(label, oid, value, shortest, longest)
            for label, oid, value, shortest, longest in attributes
            if value is not None
        ]
    )


def _attribute(
    label: str, oid: x509.ObjectIdentifier, value: str, shortest: int, longest: int
) -> x509.NameAttribute[str]:
    length, unit = len(value), "characters"
    if oid == NameOID.COMMON_NAME and not value.isascii():
        length, unit = len(value.encode()), "octets of UTF-8"
    if not shortest <= length <= longest:
        bounds = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
        msg = f"the {label} {value!r} has {length} {unit} where {bounds} are allowed"
        raise ValueError(msg)
    return x509.NameAttribute(oid, value)
