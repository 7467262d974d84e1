"""Rules about key types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics import Related, Severity
from ipmpki.rules.registry import VENDOR, Finding, fleet_rule
from ipmpki.vocabulary import Role
from ipmpki.wording import counted, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.diagnostics import Place
    from ipmpki.fleet import Fleet

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
