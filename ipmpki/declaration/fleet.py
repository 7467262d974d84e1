"""The declaration as meant: defaults applied, names normalised, one specification a certificate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration.ip_addresses import Address
from ipmpki.declaration.key_types import KeyType, kind_of
from ipmpki.declaration.name_scope import scope_of
from ipmpki.declaration.vocabulary import OperatingSystem, Profile, Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from ipmpki.declaration import tables
    from ipmpki.declaration.name_scope import Domains, NameScope, Networks
    from ipmpki.diagnostics.problem import DocumentPath, Place

__all__ = [
    "Address",
    "AuthoritySpec",
    "BundleSource",
    "CertificateSpec",
    "DistinguishedName",
    "ExistingAuthority",
    "Fleet",
    "GivenKey",
    "HostSpec",
    "KeptKey",
    "KeywordNames",
    "OperatingSystem",
    "PassphraseSource",
    "Profile",
    "Role",
    "SiteSettings",
    "host_of",
    "tools_holder",
]


class DistinguishedName(NamedTuple):
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
    generation: int = 1
    in_token: bool = False
    """Whether its key lies in a token already, of whatever type, rather than that one is made."""
    permitted_domains: Domains = None
    permitted_networks: Networks = None

    def scope_for(self, orders: Sequence[CertificateSpec]) -> NameScope | None:
        """What the authority is confined to if it is made today, for these; None where it is not."""
        return scope_of(
            self.permitted_domains,
            self.permitted_networks,
            (name for order in orders for name in order.dns_names),
            (address for order in orders for address in order.addresses),
        )


@dataclass(frozen=True, slots=True)
class CertificateSpec:
    """One leaf certificate as it should be. Names are lower-case A-labels in SAN order."""

    profile: Profile
    common_name: str
    dns_names: tuple[str, ...]
    addresses: tuple[Address, ...]
    key: KeyType
    lifetime: timedelta
    kept_key: KeptKey | None = None
    is_bought: bool = False
    """Whether an authority elsewhere sells it, rather than that it is issued here."""

    @property
    def key_words(self) -> str:
        """What identifies the wanted key: the type of one that is made here, or one that exists."""
        given = self.kept_key.given if self.kept_key is not None else None
        return self.key.value if given is None else f"{given.key_type} of the request, SHA-256 {given.digest}"

    @property
    def has_elliptic_key(self) -> bool:
        """Whether the key is on an elliptic curve, of what is known of it."""
        if self.kept_key is None:
            return self.key.is_elliptic
        return self.kept_key.given is not None and kind_of(self.kept_key.given.key_type).is_elliptic

    @property
    def awaits_request(self) -> bool:
        """Whether the host makes its key itself, and its request is not there yet."""
        return self.kept_key is not None and self.kept_key.given is None


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A key that never leaves its host; ``path`` is the file of its request, as declared."""

    path: str
    given: GivenKey | None = None


@dataclass(frozen=True, slots=True)
class GivenKey:
    """The public key of a request: its type, the SHA-256 of its SubjectPublicKeyInfo, the request in PEM."""

    key_type: str
    digest: str
    request: bytes


@dataclass(frozen=True, slots=True)
class KeywordNames:
    """Names of ipmssl.cfg keywords that only the site knows; None where it has not told.

    ``mutual_auth`` is a keyword's name, or ``NAME=VALUE`` where the sample shows another value than 1.
    ``by_hand`` names those of the three that somebody sets by hand, so that no script has to.
    """

    ca_file: str | None = None
    crl_file: str | None = None
    mutual_auth: str | None = None
    by_hand: tuple[str, ...] = ()

    def is_settled(self, purpose: str) -> bool:
        """Whether something sets the keyword for a purpose, be it a hand."""
        return getattr(self, purpose) is not None or purpose in self.by_hand


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What only the site knows of InfoPrint Manager on one operating system, or on one host."""

    server_account: str | None = None
    restart_command: str | None = None
    keywords: KeywordNames = KeywordNames()
    server_name: str | None = None


def tools_holder(name: str) -> str:
    """What the store calls the holder of a server's second certificate; no host's name holds a slash."""
    return f"{name}/client"


def host_of(holder: str) -> str:
    """The host that a certificate of the store is for."""
    return holder.partition("/")[0]


@dataclass(frozen=True, slots=True)
class HostSpec:
    """One host as meant. ``certificate`` is None for a client that does not authenticate itself.

    ``renew_before`` holds the host's own share of the declared spread, and ``keeps_key`` is whether a renewed
    certificate is for the key before. ``tools_certificate`` is what a server's own programs show where they
    are clients, given only where the server's certificate was bought and servers believe nothing but the
    authority for clients.
    """

    name: str
    role: Role
    os: OperatingSystem
    aliases: tuple[str, ...]
    addresses: tuple[Address, ...]
    certificate: CertificateSpec | None
    renew_before: timedelta
    site: SiteSettings
    place: Place = field(compare=False)
    declared: tables.Host = field(compare=False)
    tools_certificate: CertificateSpec | None = None
    keeps_key: bool = False
    tls_port: int | None = None
    """Where a server speaks TLS; None where it has not been declared."""
    formerly: str | None = None
    """The name that it had before, as declared."""
    unread: frozenset[DocumentPath] = field(default=frozenset(), compare=False)
    """What of this host could not be read, as paths below it; a stand-in holds its place in ``declared``."""

    @property
    def certificates(self) -> tuple[tuple[str, CertificateSpec], ...]:
        """Every certificate that this host is to have, each with the name it has in the store."""
        both = ((self.name, self.certificate), (tools_holder(self.name), self.tools_certificate))
        return tuple((holder, spec) for holder, spec in both if spec is not None)

    def was_read(self, *steps: str | int) -> bool:
        """Whether a value of this host, or its absence, is what was written: else no rule may judge it."""
        return not self.unread or not any(steps[:length] in self.unread for length in range(len(steps) + 1))

    @property
    def carries_revocation_list(self) -> bool:
        """Whether it is given the CRL: a server whose site told the keyword for it, or sets it by hand."""
        return self.role is Role.SERVER and self.site.keywords.is_settled("crl_file")


class ExistingAuthority(NamedTuple):
    """An authority that exists already: two PEM files, paths as declared, or a PKCS#11 URI for the key."""

    certificate: str
    key_file: str


class BundleSource(NamedTuple):
    """The file of the trust bundle, as ``key`` declares it: Mozilla's certdata.txt, or a PEM file."""

    path: str
    key: str
    longest_age: timedelta

    @property
    def is_certdata(self) -> bool:
        """Whether it is Mozilla's list rather than certificates in PEM."""
        return self.key == "certdata"


class PassphraseSource(NamedTuple):
    """Where the CA key's passphrase is read from: an environment variable or a file."""

    env: str | None
    file: str | None


@dataclass(frozen=True, slots=True)
class Fleet:
    """The whole declaration as meant.

    ``is_whole`` is False where a part of the declaration could not be read, so that a rule about the
    fleet as such (no server, no client) must not judge. ``crl_lifetime`` and ``crl_renew_before`` follow
    the defaults: an operator who comes to renew certificates renews the revocation list in one go.
    ``authority``, ``existing``, ``token_key`` and ``passphrase`` are of the authority that signs here, where
    there is one. ``token_key`` is the PKCS#11 URI of its key, where that lies in a token; ``passphrase`` says
    then where the PIN is.
    ``bundle`` is where the authorities come from that hosts trust, where certificates are bought.
    ``is_mixed`` is true where servers' certificates are bought and clients' are issued here.
    """

    authority: AuthoritySpec
    existing: ExistingAuthority | None
    token_key: str | None
    passphrase: PassphraseSource | None
    is_third_party: bool
    is_mixed: bool
    bundle: BundleSource | None
    mutual_auth: bool
    crl_lifetime: timedelta
    crl_renew_before: timedelta
    hosts: tuple[HostSpec, ...]
    ignored_rules: tuple[str, ...] = field(compare=False)
    place: Place = field(compare=False)
    declared: tables.Declaration = field(compare=False)
    is_whole: bool = field(default=True, compare=False)
    unread: frozenset[DocumentPath] = field(default=frozenset(), compare=False)
    """What of pki.toml beside its hosts could not be read."""
    revokes_replaced: bool = False
    """Whether a certificate is revoked once the one in its place is known to be installed."""
    asks_clients: bool = False
    """Whether servers ask clients for certificates: where that is being turned on or off, they do not yet, or
    no longer."""
    batches: tuple[int | str, ...] = (1,)
    """How many hosts, or what share of them ("25%"), a rollout takes at once; the last one is repeated."""

    @property
    def signs_here(self) -> bool:
        """Whether any certificate is issued here."""
        return self.is_mixed or not self.is_third_party

    @property
    def signing_table(self) -> str:
        """The table that declares the authority which signs here."""
        return "client_ca" if self.is_mixed else "ca"

    def was_read(self, *steps: str | int) -> bool:
        """Whether a value of pki.toml, or its absence, is what was written."""
        return not self.unread or not any(steps[:length] in self.unread for length in range(len(steps) + 1))
