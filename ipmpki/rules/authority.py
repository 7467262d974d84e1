"""Rules about the certificate authority."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.problem import Related, Severity
from ipmpki.rules.registry import VENDOR, Finding, fleet_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet

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
