"""The payload of a host's folder: the files its script puts in place, and where each of them goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import Role
from ipmpki.plans.dist_layout import TRUSTED, TRUSTED_FOR_CLIENTS
from ipmpki.render.host_folder.contents import RenderedFile

if TYPE_CHECKING:
    from ipmpki.render.host_folder.contents import HostBundle

PUBLIC_MODE = 0o644
KEY_MODE = 0o600

CRL_NAME = "crl.pem"


def request_name(role: Role) -> str:
    """The file of a certificate signing request, which is carried to an authority and to no host."""
    return f"{role}.csr"


@dataclass(frozen=True, slots=True)
class PayloadFile:
    """A payload file, and the roles in whose folders it is put."""

    file: RenderedFile
    roles: tuple[Role, ...]
    is_key: bool = False


def payload_of(bundle: HostBundle) -> tuple[PayloadFile, ...]:
    """Return the payload of a host, trust anchors first.

    A server gets ``ca-cert.pem`` twice: in its own folder, and in the client's, where the vendor's page
    (step 5) puts it on every computer; in its own folder another file, where it is to believe others of
    clients. A certificate without a key is one whose key never left the host.
    """
    role = bundle.host.role
    is_server = role is Role.SERVER
    payload = []
    if bundle.ca_certificates or not bundle.is_mixed:
        both = is_server and bundle.client_authority is None
        roles = (Role.SERVER, Role.CLIENT) if both else (Role.CLIENT,)
        payload.append(_payload_file(TRUSTED, bundle.ca_certificates, roles))
    if bundle.client_authority is not None:
        payload.append(_payload_file(TRUSTED_FOR_CLIENTS, bundle.client_authority, (Role.SERVER,)))
    if bundle.certificate is not None:
        payload.append(_payload_file(f"{role}-cert.pem", bundle.certificate, (role,)))
    if bundle.key is not None:
        payload.append(_payload_file(f"{role}-key.pem", bundle.key, (role,), is_key=True))
    if bundle.tools is not None:
        payload.append(_payload_file("client-cert.pem", bundle.tools.certificate_pem, (Role.CLIENT,)))
        payload.append(_payload_file("client-key.pem", bundle.tools.key_pem, (Role.CLIENT,), is_key=True))
    if bundle.crl is not None and is_server:
        payload.append(_payload_file(CRL_NAME, bundle.crl, (role,)))
    return tuple(payload)


def _payload_file(name: str, content: bytes, roles: tuple[Role, ...], *, is_key: bool = False) -> PayloadFile:
    file = RenderedFile(name, content, KEY_MODE if is_key else PUBLIC_MODE)
    return PayloadFile(file, roles, is_key)
