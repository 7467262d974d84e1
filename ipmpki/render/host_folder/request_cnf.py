"""What a host that makes its key itself needs for its request: request.cnf, and what --new-key is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import Profile
from ipmpki.render.host_folder.contents import RenderedFile
from ipmpki.render.host_folder.payload import PUBLIC_MODE

if TYPE_CHECKING:
    from ipmpki.declaration.fleet import CertificateSpec

CONFIGURATION = "request.cnf"

_USAGES = {Profile.CLIENT: "digitalSignature"}
_PURPOSES = {
    Profile.SERVER: "serverAuth",
    Profile.SERVER_MUTUAL: "serverAuth, clientAuth",
    Profile.CLIENT: "clientAuth",
}


def render_request_configuration(spec: CertificateSpec | None) -> tuple[RenderedFile, ...]:
    """Return openssl's configuration for the request of a host that declares csr; nothing for another."""
    if spec is None or spec.kept_key is None:
        return ()
    return (RenderedFile(CONFIGURATION, _configuration(spec).encode("ascii"), PUBLIC_MODE),)


def request_words(spec: CertificateSpec | None) -> dict[str, str]:
    """Return what an install script is told for --new-key; all empty where the host declares no csr."""
    if spec is None or spec.kept_key is None:
        return {"key_type": "", "key_options": "", "request_sum": "", "request_place": ""}
    (configuration,) = render_request_configuration(spec)
    return {
        "key_type": spec.key.value,
        "key_options": " ".join(spec.key.openssl_options),
        "request_sum": configuration.sha256,
        "request_place": request_place(spec),
    }


def request_place(spec: CertificateSpec) -> str:
    """Return where pki.toml expects the request, on one line; empty where the host declares no csr."""
    return " ".join(spec.kept_key.path.split()) if spec.kept_key is not None else ""


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
