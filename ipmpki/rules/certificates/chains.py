"""Chains: what stands beside a certificate in its file, and whether a path leads to a trusted authority."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.problem import Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.registry import VENDOR, Finding, also_of_presented, presented_rule
from ipmpki.x509.presented_certificates import PathFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.x509.presented_certificates import PathFailure, Presented, PresentedCertificate


def _failures(presented: Presented, fault: PathFault) -> Iterator[tuple[PresentedCertificate, PathFailure]]:
    """The failures of one kind, each with the leaf it was found for."""
    for verdict in presented.verdicts:
        for failure in verdict.failures:
            if failure.fault is fault:
                yield verdict.chain.leaf, failure


@presented_rule(Severity.ERROR, cites="RFC 8446, section 4.4.2; RFC 5280, section 6.1")
def chain_incomplete(presented: Presented) -> Iterator[Finding]:
    """Between a certificate and the trusted authorities one is missing.

    ## What it finds

    A certificate whose issuer is neither in its own file nor among the trusted authorities. Also one whose
    issuer was found in another file only: a server sends no more than its own file holds.

    ## Who is hurt

    Whoever connects, and does not happen to have the missing certificate, is refused.

    ## Example

    It comes of installing only the first of the files that the authority sent.

    ## Instead

    Append the missing certificates to the file, each below the one that it certifies, without the root; or
    name the right authorities with "--ca".
    """
    for leaf, failure in _failures(presented, PathFault.INCOMPLETE):
        issuer = f", {quote(failure.missing)}," if failure.missing else ""
        yield Finding(
            f"the issuer of {quote(failure.subject)}{issuer} is neither in the file nor trusted",
            "give that authority's certificate too, as one more file; if it is a root, it belongs into the"
            " trust bundle that [ca] declares"
            if presented.is_order
            else "append that authority's certificate to the file, or, if it is a root, trust it with --ca"
            " FILE",
            leaf.place,
        )
    for verdict in presented.verdicts:
        for one in verdict.elsewhere:
            yield Finding(
                f"{quote(one.title)}, which the chain needs, stands in {quote(one.place.file)} alone",
                "append it to the file: a server sends no more than its own file holds",
                verdict.chain.leaf.place,
            )


@also_of_presented("authority-without-root")
def _authority_without_root(presented: Presented) -> Iterator[Finding]:
    for leaf, failure in _failures(presented, PathFault.ROOTLESS):
        yield Finding(
            f"the trusted authority {quote(failure.subject)} leads to {quote(failure.missing)}, which is not"
            " there: programs with OpenSSL refuse what it issued",
            "append that root's certificate to the file of trusted authorities",
            leaf.place,
        )


@presented_rule(
    Severity.ERROR, cites=f"{VENDOR}: the CA certificate must be available; RFC 5280, section 6.1"
)
def issuer_not_trusted(presented: Presented) -> Iterator[Finding]:
    """A certificate's chain ends at an authority that is not among the trusted ones.

    ## What it finds

    A chain that is whole, up to a root that the files of "--ca", or the folder's ca-cert.pem, do not hold; or
    a certificate that certifies itself.

    ## Who is hurt

    Whoever connects: every program that trusts only these authorities refuses the certificate.

    ## Example

    It comes of a new authority whose certificate was not copied to all computers.

    ## Instead

    Copy the authority's certificate into ca-cert.pem on every computer, or use a certificate from the
    authority that they trust.
    """
    for leaf, failure in _failures(presented, PathFault.UNTRUSTED):
        is_own = failure.subject == leaf.title
        leads = "certifies itself, and" if is_own else f"leads to {quote(failure.subject)}, which"
        yield Finding(
            f"{quote(leaf.title)} {leads} is not among the trusted authorities",
            "have it issued by a trusted authority"
            if is_own
            else "add that authority's certificate to the trust bundle that [ca] declares, or order from one"
            " that is in it"
            if presented.is_order
            else "add that authority's certificate to ca-cert.pem, or have it issued by a trusted one",
            leaf.place,
        )


@presented_rule(Severity.ERROR, cites="RFC 5280, section 6.1.3 (a)(1)")
def signature_invalid(presented: Presented) -> Iterator[Finding]:
    """The signature of a certificate in the chain was not made by its issuer's key.

    ## What it finds

    A certificate that names an authority as issuer whose key did not sign it.

    ## Who is hurt

    Whoever connects is refused. Either the authority was made anew under its old name, or the certificate
    was changed or forged.

    ## Example

    It comes of making an authority again with the same name, and keeping the certificates of the first one.

    ## Instead

    Have it issued again by the authority that is trusted now.
    """
    for leaf, failure in _failures(presented, PathFault.SIGNATURE):
        yield Finding(
            f"the signature of {quote(failure.subject)} was not made by the authority it names",
            "have it issued again; if the authority was made anew, trust the new certificate everywhere",
            leaf.place,
        )


@presented_rule(Severity.ERROR, cites="RFC 5280, sections 4.2 and 6.1")
def chain_invalid(presented: Presented) -> Iterator[Finding]:
    """A chain breaks a rule that one of its own certificates sets.

    ## What it finds

    What OpenSSL finds in validating the path beside trust, time and revocation: an issuer that is no
    authority or may not sign certificates, a path longer than allowed, names outside an authority's
    constraints, a critical extension that nobody knows.

    ## Who is hurt

    Whoever connects is refused.

    ## Example

    It comes of an authority that is confined to "example.com" and issued for "example.org".

    ## Instead

    Have it issued again by an authority that may.
    """
    for leaf, failure in _failures(presented, PathFault.CONSTRAINT):
        yield Finding(
            f"the chain breaks a rule at {quote(failure.subject)}: {failure.words}",
            "have it issued again by an authority that may issue it",
            leaf.place,
        )
    for verdict in presented.verdicts:
        for one in verdict.path[:-1]:  # a root is trusted as it is
            for objection in one.objections:
                yield Finding(
                    f"the chain breaks a rule at {quote(one.title)}: {objection}",
                    "have it issued again without",
                    one.place,
                )


@presented_rule(Severity.WARNING, cites="RFC 5280, sections 4.2.1.4, 4.2.1.11 and 6.1")
def policies_unchecked(presented: Presented) -> Iterator[Finding]:
    """An authority demands that certificate policies be processed, and TLS does not do that.

    ## What it finds

    A chain with a critical policy constraint, whose policies no TLS library compares unless told to, nor does
    ipmpki. Whether the chain meets them is not known.

    ## Who is hurt

    Whoever relies on these policies, as governments and banks do. Nobody else.

    ## Example

    It comes of an authority below a government's, whose certificate has "requireExplicitPolicy".

    ## Instead

    Ask the authority which policy its certificates for TLS have, and look for it in: openssl x509 -text
    """
    for leaf, _ in _failures(presented, PathFault.POLICY):
        yield Finding(
            f"an authority of {quote(leaf.title)} demands certificate policies, which TLS does not compare",
            "ask that authority whether this certificate has the policy you need",
            leaf.place,
        )


@presented_rule(Severity.ERROR, cites="RFC 8446, section 4.4.2; RFC 5246, section 7.4.2")
def leaf_not_first(presented: Presented) -> Iterator[Finding]:
    """The computer's own certificate is not the first in its file.

    ## What it finds

    A file in which an authority's certificate stands before the computer's own.

    ## Who is hurt

    The server or client itself: programs take the first certificate for theirs, and find that the key does
    not belong to it.

    ## Example

    It comes of "cat ca-cert.pem server-cert.pem" in the wrong order.

    ## Instead

    Put the computer's certificate first, then its issuer, then the issuer's issuer.
    """
    for chain in presented.chains:
        if chain.certificates[0] is not chain.leaf and chain.certificates[0].is_authority:
            yield Finding(
                f"{quote(chain.leaf.title)} is not the first certificate in the file",
                "put it before the authorities' certificates",
                chain.leaf.place,
            )


@presented_rule(Severity.WARNING, cites="RFC 5246, section 7.4.2; RFC 8446, section 4.4.2")
def chain_out_of_order(presented: Presented) -> Iterator[Finding]:
    """The certificates in a file do not certify one another in turn.

    ## What it finds

    A certificate that did not issue the one before it: in the wrong place, or of no use at all.

    ## Who is hurt

    Older TLS clients, which do not sort a chain themselves, refuse it.

    ## Example

    It comes of putting the files that an authority sent together by their names.

    ## Instead

    Put each certificate right below the one it certifies, and leave out what does not belong.
    """
    for chain in presented.chains:
        rest = [one for one in chain.certificates if one is not chain.leaf]
        above = chain.leaf
        for one in rest:
            if one.subject.lower() != above.issuer.lower():
                yield Finding(
                    f"{quote(one.title)} did not issue {quote(above.title)}, which stands above it",
                    "put each certificate right below the one it certifies, and leave out any other",
                    one.place,
                )
                break
            above = one


@presented_rule(Severity.INFO, cites="RFC 8446, section 4.4.2")
def root_in_chain(presented: Presented) -> Iterator[Finding]:
    """A file sends the root's own certificate along.

    ## What it finds

    A self-issued authority's certificate in the same file as the certificate it stands above.

    ## Who is hurt

    Nobody: whoever connects trusts its own copy and ignores this one. It makes each connection slower.

    ## Example

    It comes of "cat server-cert.pem ca-cert.pem".

    ## Instead

    Leave the root out of the computer's file.
    """
    for chain in presented.chains:
        for one in chain.certificates:
            if one.is_authority and one.is_self_issued and one is not chain.leaf:
                message = f"the root {quote(one.title)} is sent along, which nobody needs"
                yield Finding(message, "leave it out of this file; it belongs into ca-cert.pem", one.place)
