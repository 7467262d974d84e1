"""What a certificate may be used for: purposes, key usage, and whether it is an authority's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.key_types import kind_of
from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.problem import Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.registry import VENDOR, Finding, presented_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.x509.presented_certificates import Chain, Presented

_WORDS = {
    "serverAuth": "Server Authentication (serverAuth)",
    "clientAuth": "Client Authentication (clientAuth)",
    "digitalSignature": "Digital Signature",
    "keyEncipherment": "Key Encipherment",
}


_NETSCAPE = {"serverAuth": "server", "clientAuth": "client"}


def _purposes(chain: Chain, *, mutual_auth: bool) -> tuple[str, ...]:
    """The purposes that InfoPrint Manager asks of a certificate in its role."""
    if chain.role is Role.SERVER:
        return ("serverAuth", "clientAuth") if mutual_auth else ("serverAuth",)
    return ("clientAuth",) if chain.role is Role.CLIENT else ()


def _listed(names: list[str]) -> str:
    return " and ".join(_WORDS[name] for name in names)


@presented_rule(Severity.ERROR, cites=f"{VENDOR}: Extended Key Usage; RFC 5280, section 4.2.1.12")
def purpose_missing(presented: Presented) -> Iterator[Finding]:
    """A certificate is not made for what its role asks of it.

    ## What it finds

    An Extended Key Usage that lacks Server Authentication on a server, Client Authentication on a client, or
    either of the two on a server under mutual authentication. Also one that has neither, whatever the role,
    and an authority in the chain that is confined to other purposes; and a Netscape Cert Type, of before
    there were such usages, that leaves the role out, as OpenSSL still holds to it.

    ## Who is hurt

    Whoever connects: TLS libraries refuse a certificate for a purpose that it does not name.

    ## Example

    It comes of the request for the certificate: "extendedKeyUsage = codeSigning" on a server.

    ## Instead

    Have it issued again, for a server with serverAuth (under mutual authentication clientAuth too), for a
    client with clientAuth.
    """
    for chain in presented.chains:
        leaf, found = chain.leaf, chain.leaf.extended_key_usage
        wanted = _purposes(chain, mutual_auth=bool(presented.mutual_auth))
        if found is None:
            missing = list(wanted) or ["serverAuth"]
            message = f"{quote(leaf.title)} has no Extended Key Usage, which InfoPrint Manager requires"
            yield Finding(message, f"have it issued again with {_listed(missing)}", leaf.place)
            continue
        lacking = [purpose for purpose in wanted if purpose not in found]
        if lacking:
            role = f"a {chain.role}" if chain.role else "a certificate"
            mutual = " under mutual authentication" if len(wanted) > 1 else ""
            yield Finding(
                f"{quote(leaf.title)} lacks {_listed(lacking)}, which {role}{mutual} needs",
                "have it issued again with this Extended Key Usage",
                leaf.place,
            )
        elif chain.role is None and not {"serverAuth", "clientAuth"} & set(found):
            yield Finding(
                f"{quote(leaf.title)} is for neither servers nor clients: {', '.join(found)}",
                "have it issued again with serverAuth or clientAuth",
                leaf.place,
            )
    yield from _confined_by_netscape(presented)
    yield from _confined_authorities(presented)


def _confined_by_netscape(presented: Presented) -> Iterator[Finding]:
    """OpenSSL, crypto/x509/v3_purp.c: ns_reject; where there is no role, it has to do for one of the two."""
    for chain in presented.chains:
        found = chain.leaf.netscape_types
        if found is None:
            continue
        wanted = [_NETSCAPE[one] for one in _purposes(chain, mutual_auth=bool(presented.mutual_auth))]
        lacking = [one for one in wanted if one not in found]
        if lacking or not {"server", "client"} & set(found):
            yield Finding(
                f"the Netscape Cert Type of {quote(chain.leaf.title)} is not for a"
                f" {' and a '.join(lacking) or 'server or a client'}, so that OpenSSL refuses it",
                "have it issued again without nsCertType, which nothing needs any more",
                chain.leaf.place,
            )


def _confined_authorities(presented: Presented) -> Iterator[Finding]:
    """Issuers on a path whose own Extended Key Usage, where they have one, leaves the purpose out.

    RFC 5280 speaks of end entities only; OpenSSL, GnuTLS and NSS apply it to issuers, and OpenSSL to the
    root, too. It takes anyExtendedKeyUsage for no purpose at all.
    """
    for verdict in presented.verdicts:
        wanted = _purposes(verdict.chain, mutual_auth=bool(presented.mutual_auth))
        for issuer in verdict.path[1:]:
            found = issuer.extended_key_usage
            if found is None:
                continue
            lacking = [purpose for purpose in wanted if purpose not in found]
            if lacking:
                yield Finding(
                    f"the authority {quote(issuer.title)} may not issue for {_listed(lacking)}",
                    "have the certificate issued by another authority",
                    verdict.chain.leaf.place,
                )


@presented_rule(Severity.ERROR, cites=f"{VENDOR}: Key Usage; RFC 5280, section 4.2.1.3; RFC 8813, section 3")
def key_usage_wrong(presented: Presented) -> Iterator[Finding]:
    """A certificate's Key Usage is not what its role asks for.

    ## What it finds

    A server's certificate without Digital Signature and Key Encipherment, a client's without Digital
    Signature, one without any Key Usage, and a leaf that claims to sign certificates.

    ## Who is hurt

    Whoever connects: InfoPrint Manager requires these usages, and TLS libraries refuse a key used otherwise.

    ## Example

    It comes of the request for the certificate: "keyUsage = keyEncipherment" alone on a server.

    ## Instead

    Have it issued again, for a server with digitalSignature and keyEncipherment, for a client with
    digitalSignature.
    """
    for chain in presented.chains:
        leaf, found = chain.leaf, chain.leaf.key_usage
        wanted = ["digitalSignature"]
        if chain.role is Role.SERVER and (leaf.key_type == "unknown" or kind_of(leaf.key_type).can_encipher):
            wanted.append("keyEncipherment")  # of another key, server-key-cannot-encipher speaks
        if found is None:
            message = f"{quote(leaf.title)} has no Key Usage, which InfoPrint Manager requires"
            yield Finding(message, f"have it issued again with {_listed(wanted)}", leaf.place)
            continue
        lacking = [usage for usage in wanted if usage not in found]
        if lacking:
            yield Finding(
                f"the Key Usage of {quote(leaf.title)} lacks {_listed(lacking)}",
                f"have it issued again with {_listed(wanted)}",
                leaf.place,
            )
        if "keyCertSign" in found and not leaf.is_authority:
            yield Finding(
                f"{quote(leaf.title)} claims to sign certificates, but is no authority",
                "have it issued again without keyCertSign",
                leaf.place,
            )


@presented_rule(Severity.ERROR, cites="RFC 5280, section 4.2.1.9; RFC 8446, section 4.4.2")
def authority_in_place_of_leaf(presented: Presented) -> Iterator[Finding]:
    """An authority's certificate stands where a server's or a client's belongs.

    ## What it finds

    A file with no certificate but authorities', where "--role" or the file's name says that it is a server's
    or a client's, where its key lies beside it, or where a server sends it.

    ## Who is hurt

    Whoever connects: an authority's certificate proves no computer's name. If its key lies there too, who
    reads it can certify anything.

    ## Example

    It comes of "openssl req -x509", which makes an authority, or of a mix-up: "CertFile" names "ca-cert.pem".

    ## Instead

    Put the computer's own certificate there, and the authority's into ca-cert.pem.
    """
    for one in presented.misplaced:
        yield Finding(
            f"{quote(one.title)} is an authority's certificate, not a server's or a client's",
            "have an authority issue one for this computer, and put that first in this file",
            one.place,
        )
