"""Rules about the hosts together: who is there, who is there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.dns_names import read_name
from ipmpki.declaration.vocabulary import OperatingSystem, Role
from ipmpki.diagnostics.problem import Related, Severity
from ipmpki.diagnostics.wording import either, quote
from ipmpki.rules.registry import VENDOR, Finding, fleet_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet, HostSpec


@fleet_rule(Severity.ERROR, cites="RFC 4343, section 3 (case does not count); RFC 5890, section 2.3.2.1")
def duplicate_host(fleet: Fleet) -> Iterator[Finding]:
    """Two hosts have the same name.

    ## What it finds

    A name that is declared twice, in one file or in an included one. Case makes no difference, and a name
    in Unicode is the same as its "xn--" form.

    ## Who is hurt

    There can be one folder and one certificate for a name, and it is not known which of the two is meant.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"

    [[hosts]]
    name = "IPM1.example.com"
    role = "client"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"

    [[hosts]]
    name = "ipm2.example.com"
    role = "client"
    ```
    """
    first: dict[str, HostSpec] = {}
    for host in fleet.hosts:
        other = first.setdefault(host.name, host)
        if other is host or not host.was_read("name") or read_name(host.declared.name).fault is not None:
            continue
        yield Finding(
            f"the host {quote(host.declared.name)} is declared twice",
            "join the two, or give this one its own name",
            host.place.at("name"),
            (Related("first declared here", other.place.at("name")),),
        )


@fleet_rule(Severity.WARNING, cites=f"{VENDOR}: a server needs a certificate, clients connect to it")
def no_server(fleet: Fleet) -> Iterator[Finding]:
    """No host is a server.

    ## What it finds

    A declaration without a host whose role is "server".

    ## Who is hurt

    Nobody can connect with TLS: the server is what needs a certificate first.

    ## Example

    ```toml
    [[hosts]]
    name = "pc1.example.com"
    role = "client"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"

    [[hosts]]
    name = "pc1.example.com"
    role = "client"
    ```
    """
    if not fleet.is_whole or any(host.role is Role.SERVER for host in fleet.hosts):
        return
    words = "no host is a server" if fleet.hosts else "no host is declared"
    yield Finding(words, 'declare the InfoPrint Manager server: [[hosts]] with role = "server"', fleet.place)


@fleet_rule(Severity.INFO, cites=f"{VENDOR}: clients need the CA certificate")
def no_client(fleet: Fleet) -> Iterator[Finding]:
    """No host is a client.

    ## What it finds

    Servers, but no host whose role is "client".

    ## Who is hurt

    Computers that print get no folder with the CA's certificate, so they cannot trust the server unless
    you carry ca-cert.pem there yourself.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"

    [[hosts]]
    name = "pc1.example.com"
    role = "client"
    ```
    """
    if not fleet.is_whole or not fleet.hosts or any(host.role is Role.CLIENT for host in fleet.hosts):
        return
    yield Finding(
        "no host is a client, so no client gets the CA's certificate from this build",
        'declare the computers that print: [[hosts]] with role = "client"',
        fleet.place,
    )


@fleet_rule(Severity.ERROR, cites="InfoPrint Manager: servers run on AIX, Linux and Windows")
def server_on_macos(fleet: Fleet) -> Iterator[Finding]:
    """A server is declared to run on macOS.

    ## What it finds

    A host with role "server" whose os is "macos", its own or the default.

    ## Who is hurt

    There is no InfoPrint Manager server for macOS, so there is no folder to install into.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    os = "macos"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    os = "aix"
    ```
    """
    systems = [system for system in OperatingSystem if system.runs_servers]
    for host in fleet.hosts:
        if host.os.runs_servers or host.role is not Role.SERVER or not host.was_read("os"):
            continue
        words = f"InfoPrint Manager has no server for {host.os.label}"
        if host.declared.os is not None:
            remedy = f"a server runs on {either(systems)}; a Mac can be a client"
            yield Finding(words, remedy, host.place.at("os"))
        else:
            written = either(systems).replace("'", '"')
            remedy = f"it has {host.os} from [defaults]; write os = {written} for this host"
            because = Related(f"it has {host.os} from here", fleet.place.at("defaults", "os"))
            yield Finding(words, remedy, host.place.at("role"), (because,))


@fleet_rule(Severity.INFO, cites=f"{VENDOR}: the IP addresses associated with the computer name")
def server_without_address(fleet: Fleet) -> Iterator[Finding]:
    """A server has no IP address in its certificate, though other servers have theirs.

    ## What it finds

    A server without ips, where another server has some. Of bought certificates nothing is said, as private
    addresses are not sold.

    ## Who is hurt

    Clients that connect to this server by its address rather than its name: it shows a certificate that does
    not hold it, and they refuse.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3"]

    [[hosts]]
    name = "ipm2.example.com"
    role = "server"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3"]

    [[hosts]]
    name = "ipm2.example.com"
    role = "server"
    ips = ["10.1.2.4"]
    ```
    """
    servers = [host for host in fleet.hosts if host.role is Role.SERVER and host.was_read("ips")]
    other = next((host for host in servers if host.addresses), None)
    if other is None:
        return
    for host in servers:
        if not host.declared.ips and host.certificate is not None and not host.certificate.is_bought:
            yield Finding(
                f"the server {quote(host.declared.name)} has no IP address in its certificate; others have",
                "declare its addresses, such as ips = ['10.1.2.4'], if clients connect by them",
                host.place.at("name"),
                (Related("such as this one", other.place.at("ips")),),
            )
