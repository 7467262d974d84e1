"""The names in a certificate: subject and alternative names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.dns_names import NameFault, read_name, wildcard_covers
from ipmpki.declaration.ip_addresses import is_address
from ipmpki.diagnostics.problem import Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.registry import VENDOR, Finding, also_of_presented, presented_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.x509.presented_certificates import Presented, PresentedCertificate

_MOST_LISTED = 5


def _written(leaf: PresentedCertificate) -> Iterator[str]:
    """Every name of the certificate, each once."""
    yield from dict.fromkeys((*leaf.common_names, *leaf.dns_names))


def _listed(leaf: PresentedCertificate) -> str:
    names = [*leaf.dns_names, *map(str, leaf.addresses)]
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(map(quote, names[:_MOST_LISTED])) + more


@presented_rule(Severity.ERROR, cites="RFC 9525, section 6.1; RFC 5280, section 4.2.1.6")
def alternative_names_missing(presented: Presented) -> Iterator[Finding]:
    """A certificate has no Subject Alternative Name with a DNS name or an address.

    ## What it finds

    A server's or client's certificate whose only name is its subject.

    ## Who is hurt

    Whoever connects: TLS libraries have stopped looking at the subject, and find no name to compare.

    ## Example

    It comes of the request for the certificate, where only a common name was given.

    ## Instead

    Have it issued again with "subjectAltName = DNS:" and the full computer name, aliases and addresses.
    """
    for chain in presented.chains:
        if not chain.leaf.dns_names and not chain.leaf.addresses:
            yield Finding(
                f"{quote(chain.leaf.title)} has no Subject Alternative Name with a DNS name or an address",
                "have it issued again with the computer's names and addresses in it",
                chain.leaf.place,
            )


@presented_rule(Severity.ERROR, cites="RFC 9525, section 6.3; RFC 5280, section 4.2.1.6")
def name_not_covered(presented: Presented) -> Iterator[Finding]:
    """A name or address that clients connect to is not in the certificate.

    ## What it finds

    A name given by "--name" that no DNS entry of the Subject Alternative Name equals and no wildcard covers,
    and an address that none of its IP entries equals. A wildcard stands for exactly one part of a name.

    ## Who is hurt

    Whoever connects to that name or address is refused.

    ## Example

    It comes of an alias that was added after the certificate was issued.

    ## Instead

    Have it issued again with this name, or connect to one that it has.
    """
    for chain in presented.chains:
        leaf = chain.leaf
        own = [name.lower() for name in leaf.dns_names]
        absent = [
            name
            for name in presented.names
            if name not in own and not any(wildcard_covers(one, name) for one in own)
        ]
        absent += [str(one) for one in presented.addresses if one not in leaf.addresses]
        for name in absent:
            has = f"it has {_listed(leaf)}; " if own or leaf.addresses else ""
            yield Finding(
                f"{quote(leaf.title)} is not good for {quote(name)}",
                f"{has}have it issued again with this name",
                leaf.place,
            )


@presented_rule(Severity.ERROR, cites=f"{VENDOR}: the Subject is the full computer name, or a wildcard")
def subject_not_a_name(presented: Presented) -> Iterator[Finding]:
    """A certificate's subject is not a full computer name.

    ## What it finds

    A subject without a common name, or whose common name is no full computer name from DNS and no wildcard
    for a domain.

    ## Who is hurt

    InfoPrint Manager requires the full computer name there; its messages name a computer by it.

    ## Example

    It comes of the request for the certificate: "CN = Print server, 2nd floor".

    ## Instead

    Have it issued again with the full computer name from DNS as common name.
    """
    for chain in presented.chains:
        leaf = chain.leaf
        remedy = "have it issued again with the full computer name from DNS as common name"
        if not leaf.common_names:
            yield Finding("the certificate's subject has no common name", remedy, leaf.place)
            continue
        name = leaf.common_names[-1]
        if "*" in name:
            continue  # partial-wildcard and wildcard-too-broad
        read = read_name(name)
        if read.fault is NameFault.ADDRESS:
            yield Finding(f"the common name {quote(name)} is an IP address", remedy, leaf.place)
        elif read.fault is not None or "." not in name:
            yield Finding(f"the common name {quote(name)} is not a full computer name", remedy, leaf.place)


@presented_rule(Severity.WARNING, cites="RFC 9525, section 6.1; RFC 6125, section 2.3")
def subject_not_an_alternative_name(presented: Presented) -> Iterator[Finding]:
    """A certificate's subject names a computer that its Subject Alternative Name does not.

    ## What it finds

    A common name that is a computer's name and that no DNS entry of the Subject Alternative Name repeats.

    ## Who is hurt

    Whoever connects by the name that people read in the certificate: TLS libraries look at the Subject
    Alternative Name alone, and refuse.

    ## Example

    It comes of the request for the certificate, where only the aliases were given as alternative names.

    ## Instead

    Have it issued again with the subject's name among the alternative names.
    """
    for chain in presented.chains:
        leaf = chain.leaf
        own = [name.lower() for name in leaf.dns_names]
        if not own or not leaf.common_names:
            continue
        name = leaf.common_names[-1].lower()
        is_name = "." in name and read_name(name.removeprefix("*.")).fault is None
        if is_name and name not in own and not any(wildcard_covers(one, name) for one in own):
            yield Finding(
                f"the common name {quote(name)} is not among the alternative names",
                f"clients look at these alone: {_listed(leaf)}; have it issued again with this name, too",
                leaf.place,
            )


@also_of_presented("partial-wildcard")
def _partial(presented: Presented) -> Iterator[Finding]:
    for chain in presented.chains:
        for name in _written(chain.leaf):
            star, _, domain = name.partition(".")
            if "*" in name and (star != "*" or "*" in domain):
                yield Finding(
                    f"{quote(name)} is a partial wildcard, which InfoPrint Manager does not allow",
                    "have it issued again with '*.' and your domain, or with each computer's name",
                    chain.leaf.place,
                )


@also_of_presented("wildcard-too-broad")
def _too_broad(presented: Presented) -> Iterator[Finding]:
    for chain in presented.chains:
        for name in _written(chain.leaf):
            star, _, domain = name.partition(".")
            if star == "*" and "*" not in domain and "." not in domain and not is_address(domain):
                yield Finding(
                    f"{quote(name)} stands for a whole top-level domain, or for everything",
                    "have it issued again with '*.' and your own domain",
                    chain.leaf.place,
                )
