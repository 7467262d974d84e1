"""The folder of a host that makes its own key: what it needs to make a request with openssl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.platforms import Dialect, platform_of
from ipmpki.render.bundle import RenderedFile
from ipmpki.render.payload import PUBLIC_MODE, request_name
from ipmpki.render.templating import template
from ipmpki.vocabulary import Profile

if TYPE_CHECKING:
    from ipmpki.fleet import CertificateSpec
    from ipmpki.render.bundle import HostBundle

CONFIGURATION = "request.cnf"

_USAGES = {Profile.CLIENT: "digitalSignature"}
_PURPOSES = {
    Profile.SERVER: "serverAuth",
    Profile.SERVER_MUTUAL: "serverAuth, clientAuth",
    Profile.CLIENT: "clientAuth",
}


def render_waiting(bundle: HostBundle) -> tuple[RenderedFile, ...]:
    """Return README.txt and openssl's configuration: names and usages as the certificate will have them."""
    host, spec = bundle.host, bundle.host.certificate
    if spec is None or spec.kept_key is None:
        message = f"{host.name} has no certificate, and nothing says where it is to come from"
        raise ValueError(message)
    platform = platform_of(host.os)
    role = host.role.value
    folder = platform.server_folder if role == "server" else platform.client_folder
    text = template("README-request.txt.j2").render(
        heading=f"{host.name}: a key and a request to be made on this host",
        role=role,
        key=f"{role}-key.pem",
        request=request_name(host.role),
        configuration=CONFIGURATION,
        path=" ".join(spec.kept_key.path.split()),
        folder=folder,
        separator=platform.separator,
        is_windows=platform.dialect is Dialect.POWERSHELL,
    )
    return (
        RenderedFile("README.txt", text.encode(), PUBLIC_MODE),
        RenderedFile(CONFIGURATION, _configuration(spec).encode("ascii"), PUBLIC_MODE),
    )


def _configuration(spec: CertificateSpec) -> str:
    """openssl-req(1), CONFIGURATION FILE FORMAT. Names are A-labels and addresses: nothing needs quoting."""
    lines = [
        "# Made by ipmpki, for: openssl req -new -config request.cnf",
        "[req]",
        "prompt = no",
        "distinguished_name = subject",
        "req_extensions = wanted",
        "",
        "[subject]",
        f"CN = {spec.common_name}",
        "",
        "[wanted]",
        f"keyUsage = critical, {_USAGES.get(spec.profile, 'digitalSignature, keyEncipherment')}",
        f"extendedKeyUsage = {_PURPOSES[spec.profile]}",
        "subjectAltName = @names",
        "",
        "[names]",
        *(f"DNS.{number} = {name}" for number, name in enumerate(spec.dns_names, start=1)),
        *(f"IP.{number} = {address}" for number, address in enumerate(spec.addresses, start=1)),
    ]
    return "\n".join(lines) + "\n"
