"""The certificates of a live server: the only place that opens a connection.

The chain is fetched without trusting it, by pyOpenSSL, as Python's own ``ssl`` hands out the whole chain of
an unverified peer from version 3.13 on only. Nothing is sent but a TLS handshake.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ipmpki.declaration.ip_addresses import is_address
from ipmpki.diagnostics.fault import Fault

if TYPE_CHECKING:
    from OpenSSL import SSL

USUAL_SECONDS: Final = 10.0
"""A print server in the same building answers in milliseconds."""

_WRITTEN: Final = re.compile(r"(?:\[(?P<address>[^\[\]]+)\]|(?P<name>[^\s:/\\\[\]]+)):(?P<port>[0-9]{1,5})")
_LARGEST_PORT: Final = 65535
_SILENCE: Final = "it did not answer in time"


class ServerUnreachable(Fault):
    """The server cannot be connected to, or sends no certificate."""


class NoTls(ServerUnreachable):
    """Something answers there, and it shows no certificate."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a server listens; ``written`` is how the user wrote it."""

    written: str
    host: str
    port: int


def read_peer(written: str) -> Peer | None:
    """Read ``HOST:PORT`` or ``[ADDRESS]:PORT``; None where the text is neither."""
    found = _WRITTEN.fullmatch(written)
    if found is None or not 0 < int(found["port"]) <= _LARGEST_PORT:
        return None
    return Peer(written, found["address"] or found["name"], int(found["port"]))


def fetch_chain(peer: Peer, *, seconds: float = USUAL_SECONDS, server_name: str | None = None) -> list[bytes]:
    """The certificates that the server sends, in DER, in its order.

    ``server_name`` is the name to ask it for (RFC 6066, section 3), where that is not the one to connect to.
    ``seconds`` limits each of connecting and shaking hands; looking up the name is the system's affair.
    Raises ServerUnreachable. A server that goes on to demand a client's certificate, or to refuse the
    handshake, has shown its own by then.
    """
    from OpenSSL import SSL

    until = time.monotonic() + seconds
    try:
        with socket.create_connection((peer.host, peer.port), timeout=seconds) as connected:
            context = SSL.Context(SSL.TLS_CLIENT_METHOD)
            context.set_verify(SSL.VERIFY_NONE)
            context.set_cipher_list(b"ALL:@SECLEVEL=0")  # it is the rules that judge weak keys and hashes
            connection = SSL.Connection(context, connected)
            asked = server_name or ("" if is_address(peer.host) else peer.host)
            if asked:
                connection.set_tlsext_host_name(asked.encode("idna"))
            connection.set_connect_state()
            refusal = _shake_hands(connection, connected, until)
            chain = connection.get_peer_cert_chain(as_cryptography=False) or []
    except (OSError, UnicodeError) as error:
        raise ServerUnreachable(
            f"'{peer.written}' cannot be connected to: {_why(error)}",
            "check name and port, and whether the server runs",
        ) from error
    if not chain:
        kind = ServerUnreachable if refusal == _SILENCE else NoTls
        raise kind(
            f"'{peer.written}' shows no certificate: {refusal or 'it sent none'}",
            "check whether this port speaks TLS; else verify the server's files where they lie",
        )
    return [_encoded(one) for one in chain]


def _shake_hands(connection: SSL.Connection, connected: socket.socket, until: float) -> str:
    """Run the handshake as far as it goes; what stopped it, or nothing."""
    connected.setblocking(False)
    # OpenSSL goes on reading for as long as something comes: a server that never ends must be hung up on.
    clock = threading.Timer(until - time.monotonic(), _hang_up, (connected,))
    clock.daemon = True
    clock.start()
    try:
        refusal = _handshake(connection, connected, until)
    finally:
        clock.cancel()
    return refusal if time.monotonic() < until or not refusal else _SILENCE


def _hang_up(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _handshake(connection: SSL.Connection, connected: socket.socket, until: float) -> str:
    from OpenSSL import SSL

    while True:
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            waiting: tuple[list[socket.socket], list[socket.socket]] = ([connected], [])
        except SSL.WantWriteError:
            waiting = ([], [connected])
        except SSL.Error as error:
            # An empty one tells of a connection that was closed.
            return _reason(error)
        else:
            return ""
        left = until - time.monotonic()
        if left <= 0 or not any(select.select(*waiting, [], left)):
            return _SILENCE


def _reason(error: Exception) -> str:
    queue = error.args[0] if error.args else None
    if isinstance(queue, list) and queue:
        return str(queue[-1][-1] or "the handshake failed")
    return "it closed the connection, or does not speak TLS"


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return _SILENCE
    if isinstance(error, socket.gaierror):
        return "no such name is known"
    return str(getattr(error, "strerror", None) or error)


def _encoded(certificate: object) -> bytes:
    from OpenSSL import crypto

    assert isinstance(certificate, crypto.X509)  # noqa: S101 -- what get_peer_cert_chain promises
    return crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)
