"""The declaration as meant: defaults applied, names normalised, one specification a certificate."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from ipmpki.diagnostics import Place
from ipmpki.names import AddressFault, read_address, read_name
from ipmpki.token_uri import UriFault, is_token_uri, parse_token_uri
from ipmpki.vocabulary import KeyType, OperatingSystem, Profile, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from ipaddress import IPv4Address, IPv6Address

    from ipmpki import model
    from ipmpki.diagnostics import DocumentPath

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
    "KeyType",
    "KeywordNames",
    "OperatingSystem",
    "PassphraseSource",
    "Profile",
    "Role",
    "SiteSettings",
    "host_of",
    "resolve",
    "tools_holder",
]

Address: TypeAlias = "IPv4Address | IPv6Address"


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
    generation: int = 1
    in_token: bool = False
    """Whether its key lies in a token already, of whatever type, rather than that one is made."""


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
    """

    ca_file: str | None = None
    crl_file: str | None = None
    mutual_auth: str | None = None


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What only the site knows of InfoPrint Manager on one operating system, or on one host."""

    server_account: str | None = None
    restart_command: str | None = None
    keywords: KeywordNames = KeywordNames()


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
    place: Place
    declared: model.Host
    tools_certificate: CertificateSpec | None = None
    keeps_key: bool = False
    unread: frozenset[DocumentPath] = frozenset()
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
        """Whether it is given the CRL: a server whose site told the keyword for it."""
        return self.role is Role.SERVER and self.site.keywords.crl_file is not None


@dataclass(frozen=True, slots=True)
class ExistingAuthority:
    """An authority that exists already: two PEM files, paths as declared, or a PKCS#11 URI for the key."""

    certificate: str
    key_file: str


@dataclass(frozen=True, slots=True)
class BundleSource:
    """The file of the trust bundle, as ``key`` declares it: Mozilla's certdata.txt, or a PEM file."""

    path: str
    key: str
    longest_age: timedelta

    @property
    def is_certdata(self) -> bool:
        """Whether it is Mozilla's list rather than certificates in PEM."""
        return self.key == "certdata"


@dataclass(frozen=True, slots=True)
class PassphraseSource:
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
    ignored_rules: tuple[str, ...]
    place: Place
    declared: model.Declaration
    is_whole: bool = True
    unread: frozenset[DocumentPath] = frozenset()
    """What of pki.toml beside its hosts could not be read."""
    revokes_replaced: bool = False
    """Whether a certificate is revoked once the one in its place is known to be installed."""
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


def resolve(
    declaration: model.Declaration,
    place: Place,
    hosts: Iterable[tuple[model.Host, Place]],
    *,
    is_whole: bool = True,
    unread: Mapping[str, frozenset[DocumentPath]] | None = None,
) -> Fleet:
    """Apply the defaults and normalise names; never fails, as the rules judge what is written.

    ``hosts`` brings each host with its place, from pki.toml and from included files alike. ``unread``
    holds, by file, the paths where a stand-in took the place of something that could not be read.
    """
    unread = unread or {}
    by_host = _by_host(unread)
    ca = declaration.ca
    mutual_auth = declaration.tls.mutual_auth == "required"
    is_third_party = ca.kind == "third-party"
    is_mixed = is_third_party and mutual_auth and declaration.client_ca is not None
    signing: model.SigningAuthority = ca
    if is_mixed and declaration.client_ca is not None:
        signing = declaration.client_ca
    sites = {system: _site_settings(declaration.ipm, system) for system in OperatingSystem}
    existing = None
    if signing.certificate is not None and signing.key_file is not None:
        existing = ExistingAuthority(signing.certificate, signing.key_file)
    token_key = signing.key_file if is_token_uri(signing.key_file or "") else None
    trust = _Trust(mutual_auth, is_third_party, is_mixed)
    return Fleet(
        authority=AuthoritySpec(
            DistinguishedName(
                signing.common_name or "",
                signing.organization,
                signing.organizational_unit,
                signing.country,
                signing.state,
                signing.locality,
            ),
            signing.key,
            signing.lifetime,
            signing.generation,
            in_token=token_key is not None and existing is None,
        ),
        existing=existing,
        token_key=token_key,
        passphrase=_passphrase(signing),
        is_third_party=is_third_party,
        is_mixed=is_mixed,
        bundle=_bundle(ca),
        mutual_auth=mutual_auth,
        crl_lifetime=declaration.defaults.lifetime,
        crl_renew_before=declaration.defaults.renew_before,
        hosts=tuple(_host(host, at, declaration.defaults, sites, by_host, trust) for host, at in hosts),
        ignored_rules=declaration.rules.ignore,
        place=place,
        declared=declaration,
        is_whole=is_whole,
        unread=unread.get(place.file, frozenset()),
        revokes_replaced=signing.revoke_replaced,
        batches=declaration.rollout.batch,
    )


@dataclass(frozen=True, slots=True)
class _Trust:
    """Who checks whom, and who issues."""

    mutual_auth: bool
    is_third_party: bool
    is_mixed: bool

    def profile(self, role: Role) -> Profile:
        """In the mixed mode a server's certificate is for servers alone, as it is never shown by a client."""
        if role is Role.CLIENT:
            return Profile.CLIENT
        return Profile.SERVER_MUTUAL if self.mutual_auth and not self.is_mixed else Profile.SERVER

    def is_bought(self, role: Role) -> bool:
        return self.is_third_party and (role is Role.SERVER or not self.is_mixed)


def _share(name: str, spread: timedelta | None) -> timedelta:
    """A host's part of the days that renewals are spread over: by its name, so that it never changes."""
    if spread is None:
        return timedelta(0)
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return timedelta(days=number % (spread.days + 1))


def _passphrase(authority: model.SigningAuthority) -> PassphraseSource | None:
    declared = authority.passphrase
    if declared is not None:
        return PassphraseSource(declared.env, declared.file)
    with contextlib.suppress(UriFault):  # validation tells what is wrong with it
        if authority.key_file is not None and is_token_uri(authority.key_file):
            pin_file = parse_token_uri(authority.key_file).pin_file
            return PassphraseSource(None, pin_file) if pin_file is not None else None
    return None


def _host(  # noqa: PLR0913, PLR0917 -- what is the same for all hosts is worked out once
    host: model.Host,
    place: Place,
    defaults: model.Defaults,
    sites: Mapping[OperatingSystem, SiteSettings],
    unread: Mapping[Place, frozenset[DocumentPath]],
    trust: _Trust,
) -> HostSpec:
    system = host.os or defaults.os
    name = read_name(host.name).ascii
    aliases = tuple(dict.fromkeys(read_name(alias).ascii for alias in host.aliases))
    read = dict.fromkeys(read_address(written) for written in host.ips)
    addresses = tuple(address for address in read if not isinstance(address, AddressFault))
    certificate = tools = None
    if host.role is Role.SERVER or trust.mutual_auth:
        subject = _subject(host.subject) if host.subject is not None else name
        certificate = CertificateSpec(
            profile=trust.profile(host.role),
            common_name=subject,
            dns_names=tuple(dict.fromkeys((name, subject, *aliases))),
            addresses=addresses,
            key=host.key or defaults.key,
            lifetime=host.lifetime or defaults.lifetime,
            kept_key=KeptKey(host.csr) if host.csr is not None else None,
            is_bought=trust.is_bought(host.role),
        )
        if trust.is_mixed and host.role is Role.SERVER and host.csr is None:
            tools = replace(certificate, profile=Profile.CLIENT, is_bought=False)
    return HostSpec(
        name=name,
        role=host.role,
        os=system,
        aliases=aliases,
        addresses=addresses,
        certificate=certificate,
        renew_before=(host.renew_before or defaults.renew_before) + _share(name, defaults.renew_spread),
        site=_site_of(host, sites[system]),
        place=place,
        declared=host,
        tools_certificate=tools,
        keeps_key=(host.renew_key or defaults.renew_key) == "keep",
        unread=unread.get(place, frozenset()) if unread else frozenset(),
    )


def _bundle(ca: model.CertificateAuthority) -> BundleSource | None:
    if ca.certdata is not None:
        return BundleSource(ca.certdata, "certdata", ca.bundle_age)
    return BundleSource(ca.bundle, "bundle", ca.bundle_age) if ca.bundle is not None else None


def _site_of(host: model.Host, site: SiteSettings) -> SiteSettings:
    """What holds for the host: the site's restart command shuts a server down, which no client is to do."""
    command = site.restart_command if host.role is Role.SERVER else None
    if host.restart_command is not None:
        command = host.restart_command or None
    return site if command == site.restart_command else replace(site, restart_command=command)


def _by_host(unread: Mapping[str, frozenset[DocumentPath]]) -> dict[Place, frozenset[DocumentPath]]:
    """What could not be read of each host, as paths below the host."""
    found: dict[Place, set[DocumentPath]] = {}
    for file, paths in unread.items():
        for path in paths:
            found.setdefault(Place(file, path[:2]), set()).add(path[2:])
    return {place: frozenset(paths) for place, paths in found.items()}


def _subject(written: str) -> str:
    star, dot, domain = written.partition(".")
    if star == "*" and dot:
        return f"*.{read_name(domain).ascii}"
    return read_name(written).ascii


def _site_settings(ipm: model.Ipm, system: OperatingSystem) -> SiteSettings:
    own: model.IpmSettings = getattr(ipm, system.value) or ipm

    def chosen(one: str | None, other: str | None) -> str | None:
        """What the system's own table says, even where it says nothing on purpose: \"\"."""
        return (one if one is not None else other) or None

    return SiteSettings(
        server_account=chosen(own.server_account, ipm.server_account),
        restart_command=chosen(own.restart_command, ipm.restart_command),
        keywords=KeywordNames(
            ca_file=chosen(own.keywords.ca_file, ipm.keywords.ca_file),
            crl_file=chosen(own.keywords.crl_file, ipm.keywords.crl_file),
            mutual_auth=chosen(own.keywords.mutual_auth, ipm.keywords.mutual_auth),
        ),
    )
