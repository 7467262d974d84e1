"""From the declaration as written to the fleet as meant: defaults applied, names normalised."""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration.dns_names import read_name
from ipmpki.declaration.fleet import (
    AuthoritySpec,
    BundleSource,
    CertificateSpec,
    DistinguishedName,
    ExistingAuthority,
    Fleet,
    HostSpec,
    KeptKey,
    KeywordNames,
    PassphraseSource,
    SiteSettings,
)
from ipmpki.declaration.ip_addresses import AddressFault, read_address
from ipmpki.declaration.pkcs11_uri import UriFault, is_token_uri, parse_token_uri
from ipmpki.declaration.vocabulary import OperatingSystem, Profile, Role
from ipmpki.diagnostics.problem import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ipmpki.declaration import tables
    from ipmpki.diagnostics.problem import DocumentPath


def resolve(  # noqa: PLR0913 -- a declaration in files, some of it unread
    declaration: tables.Declaration,
    place: Place,
    hosts: Iterable[tuple[tables.Host, Place]],
    *,
    is_whole: bool = True,
    unread: Mapping[str, frozenset[DocumentPath]] | None = None,
    mutual_auth: bool | None = None,
) -> Fleet:
    """Apply the defaults and normalise names; never fails, as the rules judge what is written.

    ``hosts`` brings each host with its place, from pki.toml and from included files alike. ``unread``
    holds, by file, the paths where a stand-in took the place of something that could not be read.
    ``mutual_auth`` is the mode to go by instead of the declared one.
    """
    unread = unread or {}
    by_host = _by_host(unread)
    ca = declaration.ca
    if mutual_auth is None:
        mutual_auth = declaration.tls.mutual_auth == "required"
    is_third_party = ca.kind == "third-party"
    is_mixed = is_third_party and mutual_auth and declaration.client_ca is not None
    signing: tables.SigningAuthority = ca
    if is_mixed and declaration.client_ca is not None:
        signing = declaration.client_ca
    sites = {system: _site_settings(declaration.ipm, system) for system in OperatingSystem}
    ports = {system: _tls_port(declaration.ipm, system) for system in OperatingSystem}
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
            permitted_domains=signing.permitted_domains,
            permitted_networks=signing.permitted_addresses,
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
        hosts=tuple(
            _host(host, at, declaration.defaults, sites, ports, by_host, trust) for host, at in hosts
        ),
        ignored_rules=declaration.rules.ignore,
        place=place,
        declared=declaration,
        is_whole=is_whole,
        unread=unread.get(place.file, frozenset()),
        revokes_replaced=signing.revoke_replaced,
        asks_clients=mutual_auth,
        batches=declaration.rollout.batch,
    )


def with_client_certificates(fleet: Fleet) -> Fleet:
    """The same fleet as if mutual authentication were declared, so that each client shows who it is."""
    hosts = [(host.declared, host.place) for host in fleet.hosts]
    return resolve(fleet.declared, fleet.place, hosts, is_whole=fleet.is_whole, mutual_auth=True)


class _Trust(NamedTuple):
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


def _passphrase(authority: tables.SigningAuthority) -> PassphraseSource | None:
    declared = authority.passphrase
    if declared is not None:
        return PassphraseSource(declared.env, declared.file)
    with contextlib.suppress(UriFault):  # validation tells what is wrong with it
        if authority.key_file is not None and is_token_uri(authority.key_file):
            pin_file = parse_token_uri(authority.key_file).pin_file
            return PassphraseSource(None, pin_file) if pin_file is not None else None
    return None


def _host(  # noqa: PLR0913, PLR0917 -- what is the same for all hosts is worked out once
    host: tables.Host,
    place: Place,
    defaults: tables.Defaults,
    sites: Mapping[OperatingSystem, SiteSettings],
    ports: Mapping[OperatingSystem, int | None],
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
        site=_site_of(host, system, sites[system]),
        place=place,
        declared=host,
        tools_certificate=tools,
        keeps_key=(host.renew_key or defaults.renew_key) == "keep",
        tls_port=(host.tls_port or ports[system]) if host.role is Role.SERVER else None,
        formerly=read_name(host.formerly).ascii if host.formerly is not None else None,
        unread=unread.get(place, frozenset()) if unread else frozenset(),
    )


def _bundle(ca: tables.CertificateAuthority) -> BundleSource | None:
    if ca.certdata is not None:
        return BundleSource(ca.certdata, "certdata", ca.bundle_age)
    return BundleSource(ca.bundle, "bundle", ca.bundle_age) if ca.bundle is not None else None


def _site_of(host: tables.Host, system: OperatingSystem, site: SiteSettings) -> SiteSettings:
    """What holds for the host: the site's restart command shuts a server down, which no client is to do."""
    command, name = host.restart_command, None
    if host.role is Role.SERVER:
        name = host.server_name or site.server_name
        if command is None:
            command = site.restart_command
            if not command or host.server_name is not None:
                command = _vendors_restart(name, system) or command
    if (command or None, name) == (site.restart_command, site.server_name):
        return site  # one value for all of them: a fleet has many
    return replace(site, restart_command=command or None, server_name=name)


def _fitting(command: str | None, system: OperatingSystem) -> str | None:
    """A site's command, but for Windows not that of AIX and Linux: it has no pdshutdown and no startsrv."""
    is_foreign = system is OperatingSystem.WINDOWS and _OF_AIX_AND_LINUX.search(command or "")
    return None if is_foreign else command


_OF_AIX_AND_LINUX = re.compile(r"\b(pdshutdown|startsrv)\b")


def _vendors_restart(name: str | None, system: OperatingSystem) -> str | None:
    """As the vendor's page writes it for AIX and Linux; on Windows a person stops and starts the server."""
    if name is None or system not in {OperatingSystem.AIX, OperatingSystem.LINUX}:
        return None
    return f"pdshutdown {name} && startsrv {name}"


def _tls_port(ipm: tables.Ipm, system: OperatingSystem) -> int | None:
    own: tables.IpmSettings | None = getattr(ipm, system.value)
    return (own.tls_port if own is not None else None) or ipm.tls_port


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


def _site_settings(ipm: tables.Ipm, system: OperatingSystem) -> SiteSettings:
    own: tables.IpmSettings = getattr(ipm, system.value) or ipm

    def chosen(one: str | None, other: str | None) -> str | None:
        """What the system's own table says, even where it says nothing on purpose: \"\"."""
        return (one if one is not None else other) or None

    return SiteSettings(
        server_account=chosen(own.server_account, ipm.server_account),
        restart_command=chosen(
            own.restart_command if own is not ipm else None, _fitting(ipm.restart_command, system)
        ),
        server_name=chosen(own.server_name, ipm.server_name),
        keywords=KeywordNames(
            ca_file=chosen(own.keywords.ca_file, ipm.keywords.ca_file),
            crl_file=chosen(own.keywords.crl_file, ipm.keywords.crl_file),
            mutual_auth=chosen(own.keywords.mutual_auth, ipm.keywords.mutual_auth),
            by_hand=own.keywords.by_hand or ipm.keywords.by_hand,
        ),
    )
