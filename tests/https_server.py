"""A web server over HTTPS for tests, with a certificate under a throw-away authority."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass
class Site:
    """What the server answers, and what it was asked: the headers of each request, in order."""

    url: str
    authority: Path
    answer: Callable[[BaseHTTPRequestHandler], None]
    requests: list[dict[str, str]] = field(default_factory=list)


def file_of(content: bytes, etag: str | None = '"1"') -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer with a file, or that it is unchanged for whoever names its ETag (RFC 9110, 13.1.2)."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        if etag is not None and request.headers.get("If-None-Match") == etag:
            request.send_response(304)
            request.end_headers()
            return
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        if etag is not None:
            request.send_header("ETag", etag)
        request.end_headers()
        request.wfile.write(content)

    return answer


@contextlib.contextmanager
def https_server(folder: Path, name: str = "127.0.0.1") -> Iterator[Site]:
    """A running server on 127.0.0.1 whose certificate says ``name``; its authority's is in ``folder``."""
    authority, chain = _certificates(folder, name)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requests.append({key.lower(): value for key, value in self.headers.items()})
            with contextlib.suppress(OSError):  # whoever asked may have left
                site.answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that refuses the certificate is no matter for stderr."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    site = Site(f"https://127.0.0.1:{server.server_address[1]}/certdata.txt", authority, file_of(b""))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _certificates(folder: Path, name: str) -> tuple[Path, Path]:
    """Files with the authority's certificate, and with the server's certificate and key."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Throw-away CA")])
    ski = x509.SubjectKeyIdentifier.from_public_key(keys[0].public_key())
    try:
        general: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        general = x509.DNSName(name)

    def built(subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not is_authority,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=is_authority,
                    crl_sign=is_authority,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
        )
        if is_authority:
            builder = builder.add_extension(ski, critical=False)
        else:
            identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski)
            builder = builder.add_extension(identifier, critical=False)
            builder = builder.add_extension(x509.SubjectAlternativeName([general]), critical=False)
        return builder.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority, chain = folder / "authority.pem", folder / "server.pem"
    authority.write_bytes(built(authority_name, keys[0], is_authority=True))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
    key = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(built(subject, keys[1], is_authority=False) + key)
    return authority, chain
