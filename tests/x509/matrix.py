"""Every combination of role, mutual authentication, leaf key and authority key, each issued once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Final

from ipmpki.declaration.fleet import AuthoritySpec, CertificateSpec, DistinguishedName
from ipmpki.declaration.key_types import KeyType
from ipmpki.declaration.vocabulary import Profile, Role


@dataclass(frozen=True)
class Combination:
    """One row of the contract's table, under one kind of authority."""

    role: Role
    mutual_auth: bool
    leaf_key: KeyType
    authority_key: KeyType

    @property
    def profile(self) -> Profile:
        if self.role is Role.CLIENT:
            return Profile.CLIENT
        return Profile.SERVER_MUTUAL if self.mutual_auth else Profile.SERVER

    @property
    def purposes(self) -> frozenset[str]:
        """What verifiers must accept the leaf as."""
        if self.role is Role.CLIENT:
            return frozenset({"client"})
        return frozenset({"server", "client"}) if self.mutual_auth else frozenset({"server"})

    @property
    def name(self) -> str:
        return f"{self.profile.value}-{self.leaf_key.value}-under-{self.authority_key.value}"

    @property
    def spec(self) -> CertificateSpec:
        host = f"{self.leaf_key.value}.{self.role.value}.example.com"
        return CertificateSpec(
            profile=self.profile,
            # A wildcard, a single label, IPv4, IPv6: everything the vendor's page allows.
            common_name=f"*.{self.role.value}.example.com" if self.mutual_auth else host,
            dns_names=(
                host,
                f"*.{self.role.value}.example.com",
                f"{self.leaf_key.value}",
                "xn--drucker-n2a.example",
            ),
            addresses=(ip_address("10.1.2.3"), ip_address("fc00::1")),
            key=self.leaf_key,
            lifetime=timedelta(days=397),
        )


# A client without mutual authentication has no certificate, and a server's key must encipher.
COMBINATIONS: Final = tuple(
    Combination(role, mutual_auth, leaf_key, authority_key)
    for authority_key in KeyType
    for role in Role
    for mutual_auth in (False, True)
    for leaf_key in KeyType
    if (role is Role.SERVER and not leaf_key.is_elliptic) or (role is Role.CLIENT and mutual_auth)
)


def authority_spec(key_type: KeyType) -> AuthoritySpec:
    """An authority with every attribute a declaration may have."""
    subject = DistinguishedName(
        common_name=f"Acmé Print CA {key_type.value}",
        organization="Acmé GmbH",
        organizational_unit="Print",
        country="DE",
        state="Bayern",
        locality="München",
    )
    return AuthoritySpec(subject=subject, key=key_type, lifetime=timedelta(days=3650))
