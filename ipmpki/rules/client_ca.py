"""Rules about the mixed mode: servers' certificates are bought, clients' are issued here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.problem import Related, Severity
from ipmpki.diagnostics.wording import counted, quote
from ipmpki.rules.registry import VENDOR, Finding, fleet_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet

_MUTUAL = f"{VENDOR}: Mutual Authentication"


@fleet_rule(Severity.WARNING, cites=_MUTUAL)
def client_ca_without_use(fleet: Fleet) -> Iterator[Finding]:
    """An authority for clients is declared, and nothing is issued by it.

    ## What it finds

    [client_ca] where [ca] is no third party, as that signs for clients then, and where clients show no
    certificate, as mutual_auth is "off".

    ## Who is hurt

    Whoever believes that servers check clients by it: they do not.

    ## Example

    ```toml
    [ca]
    common_name = "Acme Print CA"

    [client_ca]
    common_name = "Acme Print Client CA"

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
    """
    if fleet.declared.client_ca is None or fleet.is_mixed:
        return
    if not (fleet.was_read("ca", "kind") and fleet.was_read("tls", "mutual_auth")):
        return
    if not fleet.is_third_party:
        message = "[client_ca] is not used: the authority of [ca] is your own, and signs for clients too"
        remedy = 'leave out [client_ca], or buy the servers\' certificates: [ca] kind = "third-party"'
        because = Related("this authority signs for clients", fleet.place.at("ca"))
    else:
        message = "[client_ca] is not used: without mutual authentication, clients show no certificate"
        remedy = 'have clients show one: [tls] mutual_auth = "required"; or leave out [client_ca]'
        because = Related("mutual authentication is off", fleet.place.at("tls", "mutual_auth"))
    is_said = not fleet.is_third_party or "mutual_auth" in fleet.declared.tls.model_fields_set
    yield Finding(message, remedy, fleet.place.at("client_ca"), (because,) if is_said else ())


@fleet_rule(Severity.WARNING, cites=f"{_MUTUAL}; ipmssl.cfg as shipped (the sample names its keywords)")
def client_ca_not_kept_apart(fleet: Fleet) -> Iterator[Finding]:
    """A server cannot be told to believe one authority of clients and others of servers.

    ## What it finds

    [client_ca] together with a bought server certificate, and no [ipm] keyword for the CA file.

    ## Who is hurt

    People who use InfoPrint Manager's programs on the server itself. Its ca-cert.pem then holds the authority
    for clients alone, so that nobody else is let in; by that, these programs do not believe the server.

    ## Example

    ```toml
    [ca]
    kind = "third-party"
    bundle = "root.pem"

    [client_ca]
    common_name = "Acme Print Client CA"

    [tls]
    mutual_auth = "required"

    [ipm.keywords]
    by_hand = ["mutual_auth"]

    [[hosts]]
    name = "ipm1.acme.com"
    role = "server"
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

    [[hosts]]
    name = "ipm1.acme.com"
    role = "server"
    ```
    """
    if not fleet.is_mixed or not fleet.was_read("ipm"):
        return
    servers = [host for host in fleet.hosts if host.role is Role.SERVER]
    untold = [host.name for host in servers if host.site.keywords.ca_file is None]
    if untold:
        who = quote(untold[0]) if len(untold) == 1 else counted(len(untold), "server")
        yield Finding(
            f"nothing says how {who} can believe one authority of clients and others of servers: programs on"
            " the server itself will not believe its certificate",
            "read the keyword for the CA file off the sample ipmssl.cfg, and declare it:"
            ' [ipm.keywords] ca_file = "…"',
            fleet.place.at("client_ca"),
        )


@fleet_rule(Severity.INFO, cites=f"{VENDOR}: Extended Key Usage under mutual authentication")
def server_without_client_auth(fleet: Fleet) -> Iterator[Finding]:
    """Under mutual authentication, a server's certificate is to be bought for servers alone.

    ## What it finds

    A server under [client_ca]. Its certificate is ordered with Server Authentication alone, as globally known
    authorities cease to sell Client Authentication with it. The vendor's page asks for both; what the second
    is for, programs on the server that act as clients, a certificate of [client_ca] does here.

    ## Who is hurt

    You, if InfoPrint Manager insists on its page's words, of which nothing is known.

    ## Example

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

    [[hosts]]
    name = "ipm1.acme.com"
    role = "server"
    ```

    ## Instead

    Try it on one server before you order for all. To be on the vendor's side, let an authority of your own
    sign for servers, too:

    ```toml
    [ca]
    common_name = "Acme Print CA"

    [tls]
    mutual_auth = "required"

    [ipm.keywords]
    ca_file = "NameReadOffTheSample"
    by_hand = ["mutual_auth"]

    [[hosts]]
    name = "ipm1.acme.com"
    role = "server"
    ```
    """
    if fleet.is_mixed and any(host.role is Role.SERVER for host in fleet.hosts):
        yield Finding(
            "servers' certificates are ordered for Server Authentication alone: the vendor's page asks for"
            " Client Authentication too, but public authorities cease to sell it",
            "try it on one server before you order for all",
            fleet.place.at("client_ca"),
        )


@fleet_rule(Severity.INFO, cites=_MUTUAL)
def server_programs_without_certificate(fleet: Fleet) -> Iterator[Finding]:
    """Programs on a server that keeps its key have no certificate to show as clients.

    ## What it finds

    A server with csr under [client_ca]: its own programs would need a second key, which nobody makes.

    ## Who is hurt

    People who use InfoPrint Manager's programs on that server: other servers, and itself, turn them away.

    ## Example

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

    [[hosts]]
    name = "ipm1.acme.com"
    role = "server"
    csr = "csr/ipm1.csr"
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

    [[hosts]]
    name = "ipm1.acme.com"
    role = "server"
    ```
    """
    if not fleet.is_mixed:
        return
    for host in fleet.hosts:
        if host.role is Role.SERVER and host.was_read("csr") and host.tools_certificate is None:
            yield Finding(
                f"programs on {quote(host.name)} itself have no certificate to show as clients",
                "use them on a client, or leave out csr",
                host.place.at("csr"),
            )
