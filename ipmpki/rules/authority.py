"""Rules about the certificate authority."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.ip_addresses import AddressFault, read_address
from ipmpki.diagnostics.problem import Related, Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.registry import VENDOR, Finding, fleet_rule, reported_elsewhere, state_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.rules.context import Surroundings

_LONGEST = {"organization": 64, "organizational_unit": 64, "state": 128, "locality": 128}
"""Upper bounds of RFC 5280, appendix A.1, in characters."""


@fleet_rule(Severity.WARNING, cites=f"{VENDOR}: do not use a globally known CA with mutual authentication")
def third_party_with_mutual_auth(fleet: Fleet) -> Iterator[Finding]:
    """Mutual authentication with a globally known authority.

    ## What it finds

    kind = "third-party" together with mutual_auth = "required".

    ## Who is hurt

    The server: it lets in anyone who has a certificate of that authority, which is anyone who buys one.
    Globally known authorities also cease to issue certificates for clients at all.

    ## Example

    ```toml
    [ca]
    kind = "third-party"
    bundle = "root.pem"

    [tls]
    mutual_auth = "required"

    [ipm.keywords]
    by_hand = ["mutual_auth"]
    ```

    ## Instead

    ```toml
    [ca]
    kind = "third-party"
    bundle = "root.pem"

    [client_ca]
    common_name = "Acme Print Client CA"

    [tls]
    mutual_auth = "required"

    [ipm.keywords]
    ca_file = "NameReadOffTheSample"
    by_hand = ["mutual_auth"]
    ```

    So servers believe no authority but yours of clients. Or let one of your own do it all, with kind =
    "private" in [ca].
    """
    if fleet.is_third_party and fleet.mutual_auth and not fleet.is_mixed and fleet.was_read("client_ca"):
        yield Finding(
            "with a globally known CA, anyone who buys a certificate there is let in",
            "use an authority of your own for the clients: add [client_ca] with a common_name; or for all:"
            ' [ca] kind = "private"',
            fleet.place.at("tls", "mutual_auth"),
            (Related("this is the globally known CA", fleet.place.at("ca", "kind")),),
        )


@fleet_rule(Severity.ERROR, cites="RFC 5280, appendix A.1 (upper bounds)")
def subject_field_too_long(fleet: Fleet) -> Iterator[Finding]:
    """A field of the authority's subject is longer than X.509 allows.

    ## What it finds

    organization or organizational_unit above 64 characters, state or locality above 128.

    ## Who is hurt

    Everybody: TLS libraries may refuse the authority's certificate, and with it all others.

    ## Example

    ```toml
    [ca]
    common_name = "Acme Print CA"
    organization = "The Acme Corporation for Printing, Binding, Mailing and Everything Else"
    ```

    ## Instead

    ```toml
    [ca]
    common_name = "Acme Print CA"
    organization = "The Acme Corporation"
    ```
    """
    for field, longest in _LONGEST.items():
        written = getattr(fleet.authority.subject, field)
        if written is not None and len(written) > longest:
            yield Finding(
                f"{field} has {len(written)} characters; a certificate holds {longest} at most",
                "shorten it",
                fleet.place.at(fleet.signing_table, field),
            )


@reported_elsewhere(Severity.ERROR, cites="RFC 5280, sections 4.2.1.3, 4.2.1.9, 4.2.1.12 and 6.1.4")
def authority_cannot_issue() -> None:
    """The authority that exists already may not issue what is asked of it.

    ## What it finds

    A certificate in [ca] certificate that is no authority's, lacks keyCertSign or cRLSign, or is confined to
    other purposes; and one above it that allows no further authority below itself, or not for this purpose.
    Beside this, "ipmpki check" judges that authority as "ipmpki verify" judges any: whether it is valid now,
    its key, its signature, its path to a root.

    ## Who is hurt

    Everybody: programs refuse each certificate that such an authority issues.

    ## Example

    It comes of naming a server's certificate in place of the authority's, and of an authority that was made
    with "pathlen:0" and issued another below it all the same.

    ## Instead

    Name the right file; or have an authority issued that may do this, or let ipmpki make one.
    """


@state_rule(Severity.WARNING, cites="OpenSSL, X509_VERIFY_PARAM_set_flags(3): X509_V_FLAG_PARTIAL_CHAIN")
def authority_without_root(fleet: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """The authority that signs was issued by a root that hosts do not get.

    ## What it finds

    An authority that exists already, or was adopted, whose certificate names another issuer, and no root in
    the same file.

    ## Who is hurt

    Whoever connects with a program that uses OpenSSL: with the issuing authority alone in ca-cert.pem it
    finds no path to a root, and refuses every certificate. GnuTLS, NSS and Java accept them, so that it may
    go unnoticed.

    ## Example

    It comes of a file with the certificate of a company's issuing authority alone.

    ## Instead

    Append the root's certificate to the file that [ca] certificate names; the next build gives it to the
    hosts, and no certificate changes. With a PKI to be adopted, put the root into its folder and adopt it
    anew.
    """
    found = surroundings.rootless
    if found is None:
        return
    table = fleet.signing_table
    place = fleet.place.at(table, "certificate") if fleet.existing is not None else fleet.place.at(table)
    where = quote(fleet.existing.certificate) if fleet.existing is not None else "the old PKI's folder"
    yield Finding(
        f"the root {quote(found.root)} is missing: programs with OpenSSL refuse what {quote(found.authority)}"
        " issues, as they find no path to it",
        f"append the root's certificate to {where}, and build"
        if fleet.existing is not None
        else f"put the root's certificate into {where}, and adopt it anew",
        place,
    )


@state_rule(Severity.ERROR, cites="RFC 5280, section 4.2.1.10 (name constraints)")
def name_not_permitted(fleet: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """The authority's name constraints exclude a name or an address of a host.

    ## What it finds

    A name, an alias or an address outside what permitted_domains and permitted_addresses let the authority
    certify, or outside the constraints in the certificate of an authority that exists already: they are fixed
    when it is made. A name without a dot is in no domain but one of its own.

    ## Who is hurt

    Users of that host: every program that checks certificates refuses the whole certificate, not just the one
    name.

    ## Example

    It comes of a host named ipm1.example.org where permitted_domains is ["example.com"].

    ## Instead

    Add the domain, ["example.com", "example.org"], or the network to permitted_addresses; or take the name
    out. Where the authority exists already, another list has a successor made, which takes over in stages:
    "ipmpki plan" tells them. With "declared" in place of a list, a higher generation does.
    """
    scope = surroundings.scope
    if scope is None:
        return
    for host in fleet.hosts:
        outside = scope.outside.get(host.name)
        if outside:
            yield Finding(
                f"the authority {quote(scope.authority)} cannot certify {' and '.join(map(quote, outside))}",
                _permit(fleet, outside),
                host.place.at("name"),
            )


def _permit(fleet: Fleet, outside: tuple[str, ...]) -> str:
    if fleet.existing is not None:
        return "leave the name out, or bring an authority that may certify it"
    table, spec = fleet.signing_table, fleet.authority
    is_address = not isinstance(read_address(outside[0]), AddressFault)
    named = spec.permitted_networks if is_address else spec.permitted_domains
    key = "permitted_addresses" if is_address else "permitted_domains"
    if isinstance(named, str):
        return f"leave it out, or write a higher generation into [{table}]: its successor takes today's hosts"
    return f"leave it out, or add it to {key} of [{table}]: what is wider has a successor made"
