"""A real server and the clients that talk to it, all in processes or sockets with a bounded life.

Whether a client was let in is told by an answer to what it said, never by its exit status: under TLS 1.3 a
client takes the handshake for complete before the server has looked at its certificate.
"""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LONGEST = 60.0
"""Seconds that no conversation takes, however loaded the machine."""
WORD, ANSWER = b"let me in", b"ni em tel"
"""What a client says, and what the server's -rev makes of it."""
PAGE = b"s_server"
"""What the server's -www shows on its page."""


@dataclass(frozen=True)
class Server:
    """A server that listens on the loopback interface."""

    address: str
    port: int
    log: Path

    @property
    def said(self) -> str:
        """What the server said so far."""
        return self.log.read_text(errors="replace")

    def comes_to_say(self, pattern: str) -> bool:
        """Wait for the server to say something: it may lag behind its client."""
        end = time.monotonic() + LONGEST
        while not re.search(pattern, self.said):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True


@dataclass(frozen=True)
class Caller:
    """What a client brings: whom it trusts, and maybe a certificate with its key."""

    ca: Path
    certificate: Path | None = None
    key: Path | None = None


@contextlib.contextmanager
def serving(log: Path, *options: str, address: str = "127.0.0.1") -> Iterator[Server]:
    """Run ``openssl s_server`` on a free port of the loopback interface."""
    where = f"[{address}]" if ":" in address else address
    command = [require("openssl"), "s_server", "-accept", f"{where}:0", *options]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output) as process,
    ):
        try:
            end = time.monotonic() + LONGEST
            while not (found := re.search(r"^ACCEPT \S*:(\d+)\s*$", log.read_text(errors="replace"), re.M)):
                assert process.poll() is None, log.read_text(errors="replace")
                assert time.monotonic() < end, "the server does not come up"
                time.sleep(0.01)
            yield Server(address, int(found[1]), log)
        finally:
            process.kill()


def by_python(server: Server, caller: Caller, name: str) -> bool:
    """Python's ssl module."""
    context = ssl.create_default_context(cafile=str(caller.ca))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if caller.certificate:
        context.load_cert_chain(caller.certificate, caller.key)
    try:
        with (
            socket.create_connection((server.address, server.port), timeout=LONGEST) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            secure.sendall(WORD + b"\n")
            heard = b""
            while ANSWER not in heard and (more := secure.recv(4096)):
                heard += more
            return ANSWER in heard
    except (ssl.SSLError, ConnectionError):
        return False


def by_openssl(server: Server, caller: Caller, name: str) -> bool:
    """``openssl s_client``."""
    check = "-verify_hostname"
    if _is_address(name):
        check = "-verify_ip"
    command = [require("openssl"), "s_client", "-connect", _at(server), "-quiet", "-verify_return_error"]
    command += ["-x509_strict", "-CAfile", str(caller.ca), check, name]
    if caller.certificate:
        command += ["-cert", str(caller.certificate), "-key", str(caller.key)]
    return _converse(command)


def by_gnutls(server: Server, caller: Caller, name: str) -> bool:
    """``gnutls-cli``."""
    command = [require("gnutls-cli"), "--port", str(server.port), "--x509cafile", str(caller.ca)]
    command += ["--verify-hostname", name]
    if caller.certificate:
        command += ["--x509certfile", str(caller.certificate), "--x509keyfile", str(caller.key)]
    return _converse([*command, server.address])


def by_curl(server: Server, caller: Caller, name: str) -> bool:
    """``curl``; its server must speak HTTP."""
    shown = f"[{name}]" if ":" in name else name
    command = [require("curl"), "--silent", "--noproxy", "*", "--max-time", str(LONGEST)]
    command += ["--connect-to", f"{shown}:{server.port}:{_at(server)}", "--cacert", str(caller.ca)]
    if caller.certificate:
        command += ["--cert", str(caller.certificate), "--key", str(caller.key)]
    command.append(f"https://{shown}:{server.port}/")
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=2 * LONGEST, check=False
    )
    return PAGE in done.stdout


CLIENTS: dict[str, Callable[[Server, Caller, str], bool]] = {
    "python": by_python,
    "openssl": by_openssl,
    "gnutls": by_gnutls,
    "curl": by_curl,
}


def answering(client: str) -> str:
    """The server's option that makes it answer what this client says."""
    return "-www" if client == "curl" else "-rev"


def _is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()


def _at(server: Server) -> str:
    address = f"[{server.address}]" if ":" in server.address else server.address
    return f"{address}:{server.port}"


def _converse(command: list[str]) -> bool:
    """Say the word to a client's standard input; whether the answer comes out before it leaves."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(WORD + b"\n")
                process.stdin.flush()
            return _hears_answer(process.stdout)
        finally:
            process.kill()
            with contextlib.suppress(BrokenPipeError):
                process.communicate()


def _hears_answer(output: IO[bytes]) -> bool:
    end = time.monotonic() + LONGEST
    heard = b""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while selector.select(end - time.monotonic()):
            more = output.read1(4096)  # type: ignore[attr-defined]  # a buffered reader
            if not more:
                return False
            heard += more
            if ANSWER in heard:
                return True
    message = f"a client neither hears nor leaves: {heard!r}"
    raise AssertionError(message)
