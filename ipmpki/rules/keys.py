"""Rules about key types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import OperatingSystem, Role
from ipmpki.diagnostics.problem import Related, Severity
from ipmpki.diagnostics.wording import counted, quote
from ipmpki.rules.ipm import site_value
from ipmpki.rules.registry import VENDOR, Finding, fleet_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.diagnostics.problem import Place

_MOST_SHOWN = 3
"""Servers pointed at, where many have the key from [defaults]; the message counts them all."""


@fleet_rule(Severity.ERROR, cites=f"RFC 8813, section 3; {VENDOR}: Key Usage holds Key Encipherment")
def server_key_cannot_encipher(fleet: Fleet) -> Iterator[Finding]:
    """A server has an elliptic-curve key, which cannot do what InfoPrint Manager asks of a server's key.

    ## What it finds

    A key type that begins with "ec-" on a server. InfoPrint Manager requires Key Encipherment on a
    server's certificate; an elliptic-curve key must not carry it. A client may have such a key.

    ## Who is hurt

    Clients: the server's certificate would break either the vendor's requirement or the standard, and
    they refuse it.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    key = "ec-p256"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    key = "rsa-2048"
    ```
    """
    inheriting: list[Place] = []
    for host in fleet.hosts:
        certificate = host.certificate
        if host.role is not Role.SERVER or certificate is None or not certificate.key.is_elliptic:
            continue
        if host.declared.key is not None:
            yield Finding(
                f"{quote(certificate.key)} cannot be a server's key:"
                " InfoPrint Manager needs one that can encipher",
                "use an RSA key for this server, such as 'rsa-2048'",
                host.place.at("key"),
            )
        elif host.was_read("key"):
            inheriting.append(host.place.at("name"))
    if inheriting:
        yield Finding(
            f"{quote(fleet.declared.defaults.key)} cannot be a server's key, and"
            f" {counted(len(inheriting), 'server')} {'has' if len(inheriting) == 1 else 'have'} it from here",
            "use an RSA key here, such as 'rsa-2048', or give each server a key of its own",
            fleet.place.at("defaults", "key"),
            tuple(Related("this server has it", place) for place in inheriting[:_MOST_SHOWN]),
        )


@fleet_rule(Severity.ERROR, cites="RFC 8446, section 4.4.3: the holder signs with the certificate's key")
def ec_key_not_supported(fleet: Fleet) -> Iterator[Finding]:
    """A client is to have an elliptic-curve key, on a system of which is declared that it cannot use one.

    ## What it finds

    A key type that begins with "ec-" on a client whose system has ec_keys = false in [ipm], or in its own
    table such as [ipm.aix]. Also where the host made its key itself. What a server needs is another rule's.

    ## Who is hurt

    Everybody who prints from that client: under mutual authentication it cannot show its certificate, and no
    server lets it in.

    ## Example

    ```toml
    [ca]
    common_name = "Acme Print CA"

    [tls]
    mutual_auth = "required"

    [ipm.keywords]
    by_hand = ["mutual_auth"]

    [ipm.aix]
    ec_keys = false

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"

    [[hosts]]
    name = "batch.example.com"
    role = "client"
    os = "aix"
    key = "ec-p256"
    ```

    ## Instead

    ```toml
    [ca]
    common_name = "Acme Print CA"

    [tls]
    mutual_auth = "required"

    [ipm.keywords]
    by_hand = ["mutual_auth"]

    [ipm.aix]
    ec_keys = false

    [[hosts]]
    name = "ipm1.example.com"
    role = "server"

    [[hosts]]
    name = "batch.example.com"
    role = "client"
    os = "aix"
    key = "rsa-2048"
    ```
    """
    inheriting: dict[Place, list[Place]] = {}
    can_use = {system: site_value(fleet, system, "ec_keys") for system in OperatingSystem}
    if all(allowed is not False for allowed, _ in can_use.values()):
        return
    for host in fleet.hosts:
        spec = host.certificate
        if host.role is not Role.CLIENT or spec is None or not spec.has_elliptic_key:
            continue
        allowed, said = can_use[host.os]
        if allowed is not False or not host.was_read("os") or not host.was_read("key"):
            continue
        key = "csr" if spec.kept_key is not None else "key"
        if getattr(host.declared, key) is not None:
            yield Finding(
                f"the key of {quote(host.declared.name)} is on an elliptic curve, which programs on {host.os}"
                " cannot use, as declared",
                "make an RSA key on that host" if key == "csr" else "use an RSA key, such as 'rsa-2048'",
                host.place.at(key),
                (Related("so it is declared here", said),),
            )
        else:
            inheriting.setdefault(said, []).append(host.place.at("name"))
    for said, places in inheriting.items():
        yield Finding(
            f"{counted(len(places), 'client')} {'has' if len(places) == 1 else 'have'}"
            f" {quote(fleet.declared.defaults.key)} from here, which programs on their systems cannot use,"
            " as declared",
            "use an RSA key here, such as 'rsa-2048', or give these clients a key of their own",
            fleet.place.at("defaults", "key"),
            (
                Related("so it is declared here", said),
                *(Related("this client has it", place) for place in places[:_MOST_SHOWN]),
            ),
        )
