"""Rules about whom hosts trust where certificates are bought from a globally known authority."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.problem import Severity
from ipmpki.diagnostics.wording import days, quote
from ipmpki.rules.registry import VENDOR, Finding, fleet_rule, state_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.rules.context import Surroundings


@fleet_rule(Severity.INFO, cites=f"{VENDOR}: the CA certificate must be available for servers and clients")
def no_trust_bundle(fleet: Fleet) -> Iterator[Finding]:
    """Certificates are to be bought, and nothing says which authorities to trust.

    ## What it finds

    kind = "third-party" without a bundle.

    ## Who is hurt

    Hosts get no ca-cert.pem, and no certificate can be brought in, as nothing says whom to believe.

    ## Example

    ```toml
    [ca]
    kind = "third-party"

    [[hosts]]
    name = "ipm1.acme.com"
    role = "server"
    ```

    ## Instead

    ```toml
    [ca]
    kind = "third-party"
    bundle = "root.pem"

    [[hosts]]
    name = "ipm1.acme.com"
    role = "server"
    ```
    """
    if fleet.is_third_party and fleet.bundle is None and fleet.was_read("ca", "bundle"):
        yield Finding(
            "no trust bundle is declared: hosts get no ca-cert.pem, and no certificate can be brought in",
            'name Mozilla\'s list, certdata = "certdata.txt", or a PEM file, bundle = "root.pem"',
            fleet.place.at("ca", "kind"),
        )


@state_rule(Severity.WARNING, cites=f"{VENDOR}: certdata.txt usually expires in 398 days")
def trust_bundle_is_old(fleet: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """The trust bundle has not been renewed for long.

    ## What it finds

    A file named by certdata or bundle that last changed longer ago than bundle_age, 398 days unless declared.

    ## Who is hurt

    Whoever connects: authorities that have lost their trust since are still believed, and certificates of new
    ones are not.

    ## Example

    It comes of time: a certdata.txt that was fetched two years ago.

    ## Instead

    Fetch a newer one, such as with "ipmpki bundle --download -o ca-cert.pem", and run "ipmpki build".
    """
    changed, source = surroundings.bundle_changed_at, fleet.bundle
    if changed is None or source is None:
        return
    age = surroundings.now - changed
    if age > source.longest_age:
        yield Finding(
            f"{quote(source.path)} is {days(age.days)} old",
            "fetch a newer one, and build again; or let bundle_age be longer",
            fleet.place.at("ca", source.key),
        )


@state_rule(Severity.WARNING, cites="RFC 5280, section 6.1 (a path begins at a trust anchor)")
def authority_leaves_bundle(fleet: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """A host's certificate leads to no authority of the trust bundle that is declared now.

    ## What it finds

    A certificate that was bought from an authority which a newer certdata.txt or PEM file no longer holds.

    ## Who is hurt

    Whoever connects to that host, as soon as the newer bundle is installed: the certificate is refused.

    ## Example

    It comes of a newer certdata.txt, from which Mozilla has removed the authority.

    ## Instead

    Order from another authority before the newer bundle is built and installed.
    """
    issuers = dict(surroundings.untrusted)
    for host in fleet.hosts:
        if host.certificate is not None and host.name in issuers:
            yield Finding(
                f"the certificate of {quote(host.name)}, issued by {quote(issuers[host.name])}, leads to no"
                " authority of the trust bundle",
                "order from another authority before this bundle is installed, or keep the bundle before",
                host.place.at("name"),
            )
