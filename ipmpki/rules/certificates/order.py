"""Certificates that were bought, against what was ordered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.problem import Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.registry import Finding, presented_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.x509.presented_certificates import Presented


@presented_rule(Severity.ERROR, cites="RFC 2986, section 3: a certificate certifies the key of its request")
def not_requested(presented: Presented) -> Iterator[Finding]:
    """A certificate whose key belongs to no request that is open here.

    ## What it finds

    On import, a server's or client's certificate that was made for a key which is not in the store, or for a
    request that another one has taken the place of.

    ## Who is hurt

    The host that would get it: without its key, a certificate is of no use.

    ## Example

    It comes of a request that was made with another tool, or before names in pki.toml changed.

    ## Instead

    Order with the request that lies in the host's folder now, as requests.txt says.
    """
    for leaf in presented.strangers:
        yield Finding(
            f"{quote(leaf.title)} is for a key that no open request here was made with",
            "order with the request in the host's folder, as dist/requests.txt says",
            leaf.place,
        )


@presented_rule(Severity.WARNING, cites="CA/Browser Forum Baseline Requirements, section 3.2.2")
def name_not_ordered(presented: Presented) -> Iterator[Finding]:
    """A bought certificate is good for a name that was not ordered.

    ## What it finds

    On import, a name or address in the certificate that pki.toml does not declare for the host.

    ## Who is hurt

    Whoever connects to that name: this host can pose as it. Some authorities add "www." or the domain alone.

    ## Example

    It comes of what the authority adds of its own accord, or of an order that was typed by hand.

    ## Instead

    Declare the name if the host is called so. Else take the certificate with "--force", or order again.
    """
    if not presented.is_order:
        return
    for chain in presented.chains:
        leaf = chain.leaf
        extra = [name for name in leaf.dns_names if name.lower() not in presented.names]
        extra += [str(one) for one in leaf.addresses if one not in presented.addresses]
        for name in extra:
            yield Finding(
                f"{quote(leaf.title)} is good for {quote(name)}, too, which was not ordered",
                "declare it as an alias if it is one; else take it with --force, or have it issued again",
                leaf.place,
            )


@presented_rule(Severity.ERROR, cites="Mozilla, CKA_NSS_SERVER_DISTRUST_AFTER in certdata.txt")
def issued_after_distrust(presented: Presented) -> Iterator[Finding]:
    """A certificate was issued by an authority whose newer certificates Mozilla no longer trusts.

    ## What it finds

    On import, a certificate that begins after the day until which Mozilla's list trusts what its root issues.

    ## Who is hurt

    Whoever connects with a program that follows Mozilla: it refuses the certificate.

    ## Example

    It comes of an order from an authority that has lost Mozilla's trust.

    ## Instead

    Have it issued by another authority.
    """
    if presented.limit is None:
        return
    for chain in presented.chains:
        if chain.leaf.not_before > presented.limit:
            yield Finding(
                f"{quote(chain.leaf.title)} was issued on {chain.leaf.not_before:%Y-%m-%d}, and its authority"
                f" is trusted only for what it issued until {presented.limit:%Y-%m-%d}",
                "have it issued by another authority",
                chain.leaf.place,
            )
