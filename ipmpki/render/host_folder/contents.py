"""What one host's folder is made from, and what it is made into."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ipmpki.declaration.fleet import HostSpec


@dataclass(frozen=True)
class RenderedFile:
    """A file of dist/ as it should be: its name within its folder, its bytes, its permission bits."""

    name: str
    content: bytes
    mode: int

    @cached_property
    def sha256(self) -> str:
        """The digest of the contents, in hexadecimal: script, manifest and publisher all ask for it."""
        return hashlib.sha256(self.content).hexdigest()


class KeyPair(Protocol):
    """A certificate and its key, both PEM."""

    @property
    def certificate_pem(self) -> bytes: ...
    @property
    def key_pem(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class HostBundle:
    """All that one host's folder is rendered from.

    ``ca_certificates`` is PEM, one or more certificates. ``certificate`` is the leaf's PEM followed by
    intermediates, ``key`` its unencrypted PKCS#8 PEM; both None for a client without a certificate.
    ``crl`` is PEM, given only to servers for which the site declared the CRL keyword. ``request`` is PEM, a
    certificate signing request whose certificate is awaited.

    ``asks_clients`` is whether servers ask clients for certificates already, where they have some.

    ``is_mixed``: servers' certificates are bought, clients' are issued here. Then a server may have
    ``client_authority``, PEM, whom alone it believes of clients, and ``tools``, certificate and key that its
    own programs show as clients.
    """

    host: HostSpec
    authority_name: str
    mutual_auth: bool
    asks_clients: bool
    ca_certificates: bytes
    certificate: bytes | None
    key: bytes | None
    crl: bytes | None
    request: bytes | None = None
    is_mixed: bool = False
    client_authority: bytes | None = None
    tools: KeyPair | None = None

    @property
    def keeps_key(self) -> bool:
        """Whether the certificate is, or will be, for a key that never leaves the host."""
        spec = self.host.certificate
        return (self.certificate is not None and self.key is None) or (
            spec is not None and spec.kept_key is not None
        )

    @property
    def awaits_certificate(self) -> bool:
        """Whether the host needs a certificate and has none yet, so that there is nothing to install."""
        return self.certificate is None and self.host.certificate is not None
