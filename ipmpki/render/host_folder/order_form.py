"""requests.txt: what to put into the order form of an authority that sells certificates."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import Profile
from ipmpki.diagnostics.escape import visible_lines
from ipmpki.plans.dist_layout import host_folder
from ipmpki.render.host_folder.contents import RenderedFile
from ipmpki.render.host_folder.payload import PUBLIC_MODE, request_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipmpki.declaration.fleet import CertificateSpec, HostSpec
    from ipmpki.store.records import OpenRequest

NAME = "requests.txt"
_WIDTH = 92
_LABEL = 15

_PURPOSES = {
    Profile.SERVER: "Server Authentication",
    Profile.SERVER_MUTUAL: "Server Authentication and Client Authentication, both",
    Profile.CLIENT: "Client Authentication",
}


def render_orders(fleet: Sequence[HostSpec], requests: Sequence[OpenRequest]) -> RenderedFile:
    """What to order for each open request, in the words of an order form; dates are UTC."""
    text = visible_lines("\n".join(_lines({host.name: host for host in fleet}, requests))) + "\n"
    return RenderedFile(NAME, text.encode(), PUBLIC_MODE)


def _lines(hosts: dict[str, HostSpec], requests: Sequence[OpenRequest]) -> Iterator[str]:
    title = "Certificates to order"
    yield title
    yield "=" * len(title)
    yield ""
    awaited = [(hosts[one.host], one) for one in requests if one.host in hosts]
    if not awaited:
        yield "None: no request is open."
        return
    yield from _paragraph(
        "Order each of these from your certificate authority, with the request (CSR) that is named. Paste "
        "the whole file, with its BEGIN and END lines. When a certificate has come, bring it in with: "
        "ipmpki import pki.toml FILE..."
    )
    for host, request in awaited:
        if host.certificate is not None:
            yield from _order(host, host.certificate, request)


def _order(host: HostSpec, spec: CertificateSpec, request: OpenRequest) -> Iterator[str]:
    yield ""
    yield host.name
    yield "-" * len(host.name)
    yield from _field("Request (CSR)", f"{host_folder(host.name)}/{request_name(host.role)}")
    yield from _field("Made on", f"{request.made_at:%Y-%m-%d}")
    yield from _field("Product", _product(spec))
    yield from _field("Common name", spec.common_name)
    others = [name for name in spec.dns_names if name != spec.common_name]
    yield from _field("Further names", ", ".join(others) or "none")
    if spec.addresses:
        yield from _field("IP addresses", ", ".join(map(str, spec.addresses)))
    yield from _field("Purposes", _PURPOSES[spec.profile])
    yield from _field("Server type", "other; OpenSSL or Apache, where the form insists")
    yield from _field("Format", "PEM, with all intermediate certificates")
    yield from _field("Validity", "as long as the authority sells; a build says in time when to order again")


def _product(spec: CertificateSpec) -> str:
    if spec.profile is Profile.CLIENT:
        return "client authentication certificate for a computer"
    names = {*spec.dns_names, spec.common_name}
    kind = "wildcard" if any(name.startswith("*.") for name in names) else "single name"
    several = len(names) + len(spec.addresses) > 1
    return f"TLS/SSL certificate, {kind}{', with several names (multi-domain, SAN, UCC)' if several else ''}"


def _paragraph(text: str) -> list[str]:
    return fill(text, _WIDTH, break_on_hyphens=False, break_long_words=False).split("\n")


def _field(label: str, value: str) -> list[str]:
    lines = fill(
        value,
        _WIDTH,
        initial_indent=f"{label:<{_LABEL}}",
        subsequent_indent=" " * _LABEL,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return lines.split("\n")
