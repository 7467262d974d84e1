"""Whom a host trusts, and whether what was issued for it may be installed yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.store.records import Issued, StoredAuthority


def _waits(host: HostSpec, issued: Issued) -> bool:
    spec = host.certificate
    return spec is not None and spec.awaits_request and host.name not in issued.current


def installable(fleet: Fleet, issued: Issued) -> tuple[HostSpec, ...]:
    """The hosts whose folder holds something to install: not those that wait for what has to be bought."""
    return tuple(host for host in fleet.hosts if _is_installable(host, fleet, issued))


def _is_installable(host: HostSpec, fleet: Fleet, issued: Issued) -> bool:
    if host.certificate is None:
        return not fleet.is_third_party or fleet.bundle is not None
    if host.certificate.is_bought:
        return host.name in issued.current
    return not _waits(host, issued)


def separates_trust(host: HostSpec, fleet: Fleet) -> bool:
    """Whether a server has one file for checking clients and another for what its own programs connect to.

    That needs the keyword which names the server's own file. Without it, whatever lies in the one place that
    the vendor names counts for both, and it must not be the bundle: that would let in anyone who buys a
    certificate.
    """
    return fleet.is_mixed and host.role is Role.SERVER and host.site.keywords.ca_file is not None


def trusted_by(host: HostSpec, fleet: Fleet, issued: Issued) -> tuple[StoredAuthority, ...]:
    """Whom a host finds in its ca-cert.pem."""
    if fleet.is_mixed and host.role is Role.SERVER and not separates_trust(host, fleet):
        return issued.signers
    if fleet.is_third_party:
        return (issued.bundle,) if issued.bundle is not None else ()
    return issued.signers


def certificates_of(authorities: Sequence[StoredAuthority]) -> bytes:
    """Their certificates, one after the other, as a file of trusted authorities holds them."""
    return b"".join(one.certificates_pem for one in authorities)


def trusts_signers(host: HostSpec, fleet: Fleet) -> bool:
    """Whether a host checks certificates that are issued here."""
    return fleet.signs_here and (not fleet.is_mixed or host.role is Role.SERVER)


def may_be_installed(host: HostSpec, issued: Issued) -> bool:
    """One that still waits for its first certificate begins with the new trust."""
    return host.certificate is None or host.name in issued.current
