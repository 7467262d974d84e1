"""Revocation: CRLs, and what they say of the certificates shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.problem import Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.registry import Finding, presented_rule
from ipmpki.x509.presented_certificates import PathFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.x509.presented_certificates import Presented


@presented_rule(Severity.ERROR, cites="RFC 5280, section 6.3")
def certificate_revoked(presented: Presented) -> Iterator[Finding]:
    """A certificate in the chain has been revoked.

    ## What it finds

    A certificate, or an authority above it, that a valid CRL of its issuer lists.

    ## Who is hurt

    Whoever connects is refused where the CRL is in use; where it is not, whoever stole the key can pass for
    this computer.

    ## Example

    It comes of a host that was taken out of the declaration, whose files are still in use.

    ## Instead

    Have a new certificate issued for a new key, and install both.
    """
    for verdict in presented.verdicts:
        for failure in verdict.failures:
            if failure.fault is PathFault.REVOKED:
                yield Finding(
                    f"{quote(failure.subject)} has been revoked",
                    "have a new certificate issued for a new key, and install both",
                    verdict.chain.leaf.place,
                )


@presented_rule(Severity.ERROR, cites="RFC 5280, sections 5.1.2.5 and 6.3.3")
def crl_expired(presented: Presented) -> Iterator[Finding]:
    """A CRL is out of date.

    ## What it finds

    A CRL whose next update was due before now, or before the day of "--at".

    ## Who is hurt

    Whoever connects: a server that uses the CRL refuses every client, as it can no longer tell who is
    revoked.

    ## Example

    It comes of time: a CRL is copied once and never again.

    ## Instead

    Fetch the issuer's current CRL, and copy it wherever the old one lies.
    """
    told = False
    for crl in presented.revocation_lists:
        if crl.next_update is not None and crl.next_update < presented.now:
            told = True
            yield Finding(
                f"the CRL of {quote(crl.issuer)} was to be replaced by {crl.next_update:%Y-%m-%d}",
                "fetch the issuer's current CRL, and copy it wherever this one lies",
                crl.place,
            )
    for verdict in presented.verdicts:
        for failure in verdict.failures:
            if failure.fault is PathFault.LIST_EXPIRED and not told:
                yield Finding(
                    f"the CRL for {quote(failure.subject)} is out of date",
                    "fetch the issuer's current CRL",
                    verdict.chain.leaf.place,
                )


@presented_rule(Severity.ERROR, cites="RFC 5280, section 6.3.3")
def revocation_unknown(presented: Presented) -> Iterator[Finding]:
    """None of the CRLs given can say whether a certificate has been revoked.

    ## What it finds

    A certificate whose issuer has no CRL among those given, or one that is not yet valid, is signed by
    another key, covers other certificates, or holds what nobody understands.

    ## Who is hurt

    Whoever connects: a program that is told to use a CRL refuses a certificate that none speaks for.

    ## Example

    It comes of copying another authority's "crl.pem".

    ## Instead

    Get the CRL of the authority that issued the certificate.
    """
    for verdict in presented.verdicts:
        for failure in verdict.failures:
            if failure.fault is PathFault.REVOCATION_UNKNOWN:
                yield Finding(
                    f"no CRL given says whether {quote(failure.subject)} is revoked: {failure.words}",
                    "give the current CRL of the authority that issued it",
                    verdict.chain.leaf.place,
                )
