"""The declaration as meant: defaults applied, names normalised, one specification a certificate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import timedelta
    from ipaddress import IPv4Address, IPv6Address

    from ipmpki.diagnostics import Place

Address: TypeAlias = "IPv4Address | IPv6Address"


class Role(StrEnum):
    """What a host is to InfoPrint Manager."""

    SERVER = "server"
    CLIENT = "client"


class OperatingSystem(StrEnum):
    """The systems InfoPrint Manager runs on."""

    AIX = "aix"
    LINUX = "linux"
    WINDOWS = "windows"
    MACOS = "macos"


class KeyType(StrEnum):
    """The keys ipmpki makes."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"

    @property
    def is_elliptic(self) -> bool:
        """Whether this is an EC key, which must not carry keyEncipherment (RFC 8813, section 3)."""
        return self in {KeyType.EC_P256, KeyType.EC_P384}


class Profile(StrEnum):
    """A kind of leaf certificate: its key usage and extended key usage."""

    SERVER = "server"
    SERVER_MUTUAL = "server-mutual"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class DistinguishedName:
    """The authority's subject; None where an attribute is not declared."""

    common_name: str
    organization: str | None = None
    organizational_unit: str | None = None
    country: str | None = None
    state: str | None = None
    locality: str | None = None


@dataclass(frozen=True, slots=True)
class AuthoritySpec:
    """The authority ipmpki makes itself."""

    subject: DistinguishedName
    key: KeyType
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class CertificateSpec:
    """One leaf certificate as it should be. Names are lower-case A-labels in SAN order."""

    profile: Profile
    common_name: str
    dns_names: tuple[str, ...]
    addresses: tuple[Address, ...]
    key: KeyType
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class KeywordNames:
    """Names of ipmssl.cfg keywords that only the site knows; None where it has not told.

    ``mutual_auth`` is a keyword's name, or ``NAME=VALUE`` where the sample shows another value than 1.
    """

    ca_file: str | None = None
    crl_file: str | None = None
    mutual_auth: str | None = None


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What only the site knows of InfoPrint Manager on one operating system."""

    server_account: str | None = None
    restart_command: str | None = None
    keywords: KeywordNames = KeywordNames()


@dataclass(frozen=True, slots=True)
class HostSpec:
    """One host as meant. ``certificate`` is None for a client that does not authenticate itself."""

    name: str
    role: Role
    os: OperatingSystem
    aliases: tuple[str, ...]
    addresses: tuple[Address, ...]
    certificate: CertificateSpec | None
    renew_before: timedelta
    site: SiteSettings
    place: Place
