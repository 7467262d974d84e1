"""What names an authority is confined to when it is made (RFC 5280, section 4.2.1.10), as it is declared."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Address, IPv6Address

DECLARED: Final = "declared"
"""In place of a list: the domains, or networks, of the hosts on the day the authority is made."""

Network: TypeAlias = IPv4Network | IPv6Network
Domains: TypeAlias = tuple[str, ...] | Literal["declared"] | None
Networks: TypeAlias = tuple[Network, ...] | Literal["declared"] | None

_NETWORK_OF_A_HOST: Final = {4: 24, 6: 64}
"""The usual size of one segment of a network, in bits of its prefix; RFC 4291, section 2.5.4, for IPv6."""


@dataclass(frozen=True, slots=True)
class NameScope:
    """The domains, each with all below it, and the networks; None where names of the kind are free."""

    domains: tuple[str, ...] | None
    networks: tuple[Network, ...] | None

    def outside(
        self, dns_names: Iterable[str], addresses: Iterable[IPv4Address | IPv6Address]
    ) -> tuple[str, ...]:
        """Those of a certificate's names that verifiers would refuse."""
        names = [] if self.domains is None else [one for one in dns_names if not self._permits_name(one)]
        numbers = [] if self.networks is None else [one for one in addresses if not self._permits(one)]
        return (*names, *map(str, numbers))

    def _permits_name(self, name: str) -> bool:
        return any(name == one or name.endswith(f".{one}") for one in self.domains or ())

    def _permits(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in one for one in self.networks or ())


def scope_of(
    domains: Domains,
    networks: Networks,
    dns_names: Iterable[str],
    addresses: Iterable[IPv4Address | IPv6Address],
) -> NameScope | None:
    """The scope of an authority made today for hosts of these names; None where it is not confined."""
    if domains is None and networks is None:
        return None
    if domains == DECLARED:
        domains = _domains_of(dns_names)
    if networks == DECLARED:
        networks = _networks_of(addresses)
    return NameScope(domains, networks)


def _domains_of(names: Iterable[str]) -> tuple[str, ...]:
    """The domain above each name, or a name that has none; without those that lie below another."""
    found = {name.partition(".")[2] if name.count(".") > 1 or name[:1] == "*" else name for name in names}
    below = {one for one in found for other in found if one.endswith(f".{other}")}
    return tuple(sorted(found - below))


def _networks_of(addresses: Iterable[IPv4Address | IPv6Address]) -> tuple[Network, ...]:
    found = {ip_network((one, _NETWORK_OF_A_HOST[one.version]), strict=False) for one in addresses}
    return tuple(sorted(found, key=lambda one: (one.version, one.network_address, one.prefixlen)))
