"""Which hosts the old certificates are for, as pki.toml can declare them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ipmpki.declaration.dns_names import LONGEST_COMMON_NAME, read_name, wildcard_covers
from ipmpki.declaration.ip_addresses import AddressSort, sort_of_address
from ipmpki.declaration.key_types import KeyType, kind_of, made_here
from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.wording import quote
from ipmpki.operations.adopt.findings import LeftCode, LeftOut
from ipmpki.x509.foreign_pki import other_names_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ipmpki.declaration.fleet import Address
    from ipmpki.operations.adopt.findings import Survey
    from ipmpki.x509.foreign_pki import FoundKey, FoundRequest
    from ipmpki.x509.presented_certificates import PresentedCertificate

_NO_ENDPOINTS = frozenset({AddressSort.UNSPECIFIED, AddressSort.MULTICAST, AddressSort.BROADCAST})
_ANY_PURPOSE = "anyExtendedKeyUsage"


@dataclass(frozen=True, slots=True)
class HostEntry:
    """A host as it will be declared, with the certificate that it has; None where that cannot be kept.

    ``is_guess``: the certificate does not say whether the host is a server. ``is_completed``: nor its domain,
    which whoever adopts it has named. ``key_type`` is what the host's
    next key is to be, None for what all have.
    """

    name: str
    role: Role
    subject: str | None
    aliases: tuple[str, ...]
    addresses: tuple[Address, ...]
    certificate: PresentedCertificate | None
    key: FoundKey | None
    request: FoundRequest | None
    is_guess: bool
    is_completed: bool


@dataclass(slots=True)
class Naming:
    """Names by which people know hosts; ``domain`` completes a name of one label, where it is given."""

    domain: str | None = None
    names: dict[str, str] = field(default_factory=dict)

    def name_of(self, certificate: PresentedCertificate) -> str | None:
        """The host's full name: its common name, else the first alternative name that is one."""
        known = self.names.get(certificate.fingerprint)
        if known is None:
            known = self.names[certificate.fingerprint] = self._name_of(certificate) or ""
        return known or None

    def _name_of(self, certificate: PresentedCertificate) -> str | None:
        written = (*reversed(certificate.common_names), *certificate.dns_names)
        full = [read_name(one) for one in written]
        for name in full:
            if name.fault is None and not name.is_single_label and len(name.ascii) <= LONGEST_COMMON_NAME:
                return name.ascii
        for name in full:
            completed = f"{name.ascii}.{self.domain}"
            is_short = name.fault is None and name.is_single_label
            if self.domain is not None and is_short and len(completed) <= LONGEST_COMMON_NAME:
                return completed
        return None


def role_of(certificate: PresentedCertificate) -> Role | None:
    """What a certificate is for; a server's where it does not say, None where it is for other purposes."""
    purposes = certificate.extended_key_usage
    if purposes is None or "serverAuth" in purposes or _ANY_PURPOSE in purposes:
        return Role.SERVER
    return Role.CLIENT if "clientAuth" in purposes else None


def is_guess(certificate: PresentedCertificate) -> bool:
    """Whether a certificate does not say what it is for."""
    purposes = certificate.extended_key_usage
    return purposes is None or (_ANY_PURPOSE in purposes and "serverAuth" not in purposes)


def group_by_host(
    usable: Iterable[PresentedCertificate], survey: Survey, naming: Naming
) -> dict[str, list[PresentedCertificate]]:
    """Certificates that hold now, by host, the newest first; what is nobody's is told in ``survey.left``."""
    hosts: dict[str, list[PresentedCertificate]] = {}
    for one in sorted(usable, key=lambda one: (one.not_before, one.not_after), reverse=True):
        file = one.place.file
        name = naming.name_of(one)
        if role_of(one) is None:
            purposes = ", ".join(one.extended_key_usage or ())
            words = f"the certificate of {quote(one.title)} is for neither servers nor clients: {purposes}"
            survey.left.append(LeftOut(LeftCode.OTHER_PURPOSE, file, words))
        elif name is None:
            survey.left.append(
                LeftOut(
                    LeftCode.UNUSABLE_NAME,
                    file,
                    f"{quote(one.title)} is no full computer name such as 'ipm1.example.com'",
                    "name its domain, --domain example.com, or declare the host by its full name afterwards",
                )
            )
        else:
            hosts.setdefault(name, []).append(one)
    return {name: hosts[name] for name in sorted(hosts, key=lambda name: (not _is_server(hosts[name]), name))}


def _is_server(held: Iterable[PresentedCertificate]) -> bool:
    return any(role_of(one) is Role.SERVER for one in held)


def entry_of(
    name: str, held: list[PresentedCertificate], survey: Survey, others: frozenset[str]
) -> HostEntry:
    """One host by its certificates, the newest first; the names of ``others`` are no aliases of it."""
    role = Role.SERVER if _is_server(held) else Role.CLIENT
    fitting = [one for one in held if role_of(one) is role]
    with_key = [one for one in fitting if _has_key(one, role, survey)]
    current = with_key[0] if with_key else None
    _tell_of_others(name, held, current, survey)
    shown = current or fitting[0]
    key, request = survey.keys.get(shown.public_key_digest), survey.requests.get(shown.public_key_digest)
    common_name = shown.common_names[-1].lower() if shown.common_names else ""
    return HostEntry(
        name,
        role,
        common_name if wildcard_covers(common_name, name) else None,
        _aliases(name, shown, survey, others),
        _addresses(shown, survey),
        current,
        key if current is not None else None,
        request if current is not None and key is None else None,
        is_guess(shown),
        all(read_name(one).ascii != name for one in (*shown.common_names, *shown.dns_names)),
    )


def _has_key(one: PresentedCertificate, role: Role, survey: Survey) -> bool:
    """Whether the key is here, or the request that proves that the host has it."""
    if one.public_key_digest in survey.keys:
        return True
    request = survey.requests.get(one.public_key_digest)
    if request is None:
        return False
    kind = kind_of(request.key_type)  # as the rules key-too-weak and server-key-cannot-encipher
    return not kind.is_weak and (kind.can_encipher or (kind.is_elliptic and role is Role.CLIENT))


def _tell_of_others(
    name: str, held: list[PresentedCertificate], current: PresentedCertificate | None, survey: Survey
) -> None:
    for one in held:
        if one is current:
            continue
        file = one.place.file
        has_key = one.public_key_digest in survey.keys
        if not has_key and (current is None or one.not_before > current.not_before):
            survey.left.append(
                LeftOut(
                    LeftCode.NO_KEY,
                    file,
                    f"the certificate of {quote(name)}, until {one.not_after:%Y-%m-%d}, has no key here",
                    "put its key, or its request, into the folder; or let the build make a new key",
                )
            )
        else:
            words = f"{quote(name)} has a newer certificate, or one for a server; this one is kept as history"
            survey.left.append(LeftOut(LeftCode.SUPERSEDED, file, words))


def _aliases(
    name: str, shown: PresentedCertificate, survey: Survey, others: frozenset[str]
) -> tuple[str, ...]:
    subject = shown.common_names[-1].lower() if shown.common_names else ""
    covering = subject if wildcard_covers(subject, name) else name
    aliases: dict[str, None] = {}
    for written in shown.dns_names:
        read = read_name(written)
        if read.ascii in {name, covering}:
            continue
        if read.fault is not None:
            _drop(survey, shown, name, written, "no name that an alias may have")
        elif read.ascii in others:
            _drop(survey, shown, name, written, "the name of another host")
        else:
            aliases[read.ascii] = None
    for written in other_names_of(survey.der[shown.fingerprint]):
        _drop(survey, shown, name, written, "neither a DNS name nor an address")
    return tuple(aliases)


def _addresses(shown: PresentedCertificate, survey: Survey) -> tuple[Address, ...]:
    kept = []
    for address in dict.fromkeys(shown.addresses):
        if sort_of_address(address) in _NO_ENDPOINTS:
            _drop(survey, shown, shown.title, str(address), "not the address of one computer")
        else:
            kept.append(address)
    return tuple(kept)


def _drop(survey: Survey, shown: PresentedCertificate, host: str, written: str, why: str) -> None:
    message = f"the certificate of {quote(host)} has {quote(written)}, {why}; it is not declared"
    survey.left.append(LeftOut(LeftCode.DROPPED_NAME, shown.place.file, message))


def declarable_key(entry: HostEntry, usual: KeyType) -> KeyType | None:
    """The type of a host's next key, None where it is the usual one: as it has now, if that may go on."""
    if entry.certificate is None:
        return None
    found = made_here(entry.certificate.key_type)
    if found is None or found is usual or (found.is_elliptic and entry.role is Role.SERVER):
        return None
    return found
