"""Live servers: what they show, what can be said of it, and servers that do not play along."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.verify.tls_server import ServerUnreachable, fetch_chain, read_peer
from tests.cli.command import ipmpki
from tests.operations.verify import mint
from tests.tools import unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextlib.contextmanager
def listening(answer: Callable[[socket.socket], object], address: str = "127.0.0.1") -> Iterator[int]:
    """A server that treats one connection by ``answer``; yields its port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen()
        listener.settimeout(10)

        def serve() -> None:
            with contextlib.suppress(OSError), listener.accept()[0] as connected:
                connected.settimeout(10)
                answer(connected)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def tls(
    folder: Path, *, asks_for_a_certificate: bool = False, older: bool = False
) -> Callable[[socket.socket], None]:
    """A TLS server with the chain and the key in a folder."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    if asks_for_a_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
    if older:
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    def answer(connected: socket.socket) -> None:
        with context.wrap_socket(connected, server_side=True) as encrypted:
            encrypted.recv(1)

    return answer


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server's chain below two authorities, its key, and the root's certificate."""
    monkeypatch.chdir(tmp_path)
    middle = mint.authority("Acme Server CA", 2, mint.authority())
    leaf = mint.server(middle, names=("ipm1.example.com", "localhost"), addresses=("127.0.0.1", "::1"))
    (tmp_path / "chain.pem").write_bytes(leaf.pem + middle.pem)
    (tmp_path / "key.pem").write_bytes(leaf.key_pem())
    (tmp_path / "ca.pem").write_bytes(mint.authority().pem)
    return tmp_path


AT = ("--at", "2026-11-24T12:00")


def test_a_server_is_judged_by_the_whole_chain_it_sends(folder: Path) -> None:
    with listening(tls(folder)) as port:
        shown = ipmpki("verify", f"127.0.0.1:{port}", "--ca", "ca.pem", *AT)
    assert shown.status == 0
    assert "not compared: revocation (--crl)" in shown.err
    assert f" --> 127.0.0.1:{port}\n" in shown.err
    assert "0 errors" not in shown.err


@pytest.mark.parametrize("older", [False, True], ids=["TLS 1.3", "TLS 1.2"])
def test_a_server_that_demands_a_certificate_has_shown_its_own_by_then(folder: Path, *, older: bool) -> None:
    with listening(tls(folder, asks_for_a_certificate=True, older=older)) as port:
        peer = read_peer(f"localhost:{port}")
        assert peer is not None
        assert len(fetch_chain(peer)) == 2


def require_version_6() -> None:
    """End the test where the machine has no loopback of version 6."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            unavailable("a loopback address of version 6")


def test_an_address_of_version_6_stands_in_brackets(folder: Path) -> None:
    require_version_6()
    with listening(tls(folder), "::1") as port:
        shown = ipmpki("verify", f"[::1]:{port}", "--ca", "ca.pem", "--name", "other.example.com", *AT)
    assert shown.status == 1
    assert "error[name-not-covered]: 'ipm1.example.com' is not good for 'other.example.com'" in shown.err


def test_the_name_by_which_it_was_reached_is_compared(folder: Path) -> None:
    leaf = mint.server()
    (folder / "chain.pem").write_bytes(leaf.pem)
    (folder / "key.pem").write_bytes(leaf.key_pem())
    with listening(tls(folder)) as port:
        shown = ipmpki("verify", f"localhost:{port}", "--ca", "ca.pem", *AT)
    assert shown.status == 1
    assert "error[name-not-covered]: 'ipm1.example.com' is not good for 'localhost'" in shown.err


def test_a_server_without_tls_is_said_to_have_none() -> None:
    def http(connected: socket.socket) -> None:
        connected.recv(1000)
        connected.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")

    with listening(http) as port:
        shown = ipmpki("verify", f"127.0.0.1:{port}")
    assert shown.status == 4
    assert "error[server-unreachable]" in shown.err
    assert "shows no certificate" in shown.err


def test_a_server_that_hangs_up_is_not_waited_for() -> None:
    with listening(lambda _: None) as port:
        shown = ipmpki("verify", f"127.0.0.1:{port}")
    assert shown.status == 4
    assert "shows no certificate" in shown.err


def test_a_silent_server_is_given_up_on() -> None:
    over = threading.Event()
    with listening(lambda _: over.wait(10)) as port:
        shown = ipmpki("verify", f"127.0.0.1:{port}", "--timeout", "0.2")
        over.set()
    assert shown.status == 4
    assert "it did not answer in time" in shown.err


def test_a_server_whose_handshake_never_ends_is_given_up_on() -> None:
    """A client passes over any number of HelloRequests in the midst of a handshake (RFC 5246, 7.4.1.1)."""
    requests = (b"\x16\x03\x03\x00\x04" + bytes(4)) * 0x40000
    begun = time.monotonic()

    def flood(connected: socket.socket) -> None:
        connected.settimeout(0.5)  # once it is hung up on, nobody takes what is sent
        with contextlib.suppress(OSError):
            while time.monotonic() < begun + 8:
                connected.sendall(requests)

    with listening(flood) as port:
        shown = ipmpki("verify", f"127.0.0.1:{port}", "--timeout", "0.3")
        ended = time.monotonic()
    assert ended - begun < 6
    assert shown.status == 4
    assert "it did not answer in time" in shown.err


@pytest.mark.usefixtures("folder")
def test_a_closed_port_does_not_hide_what_files_hold() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shown = ipmpki("verify", "missing.pem", f"127.0.0.1:{port}", "chain.pem", "--role", "client", *AT)
    assert shown.status == 4
    for rule in ("server-unreachable", "file-unreadable", "purpose-missing"):
        assert f"error[{rule}]" in shown.err


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("ipm1.example.com:6874", "ipm1.example.com", 6874),
        ("[fc00::1]:443", "fc00::1", 443),
        ("10.1.2.3:65535", "10.1.2.3", 65535),
    ],
)
def test_servers_are_written_as_host_and_port(written: str, host: str, port: int) -> None:
    peer = read_peer(written)
    assert peer is not None
    assert (peer.host, peer.port) == (host, port)


@pytest.mark.parametrize(
    "written", ["ipm1", "ipm1:0", "ipm1:65536", "fc00::1:443", "C:\\pki\\x.pem", "a/b:1", ":1", ""]
)
def test_what_is_no_server_is_a_file(written: str) -> None:
    assert read_peer(written) is None


def test_a_name_that_dns_cannot_hold_is_unreachable() -> None:
    peer = read_peer("a..b:443")
    assert peer is not None
    with pytest.raises(ServerUnreachable):
        fetch_chain(peer, seconds=1)


def test_a_folder_of_a_foreign_installation_is_judged_as_a_whole(folder: Path) -> None:
    etc = folder / "ipm"
    etc.mkdir()
    for name, content in {
        "ca-cert.pem": mint.authority().pem,
        "server-cert.pem": (folder / "chain.pem").read_bytes(),
        "client-cert.pem": mint.client(mint.authority("Other CA", 3)).pem,
        "client-key.pem": mint.client().key_pem(),
        "crl.pem": mint.crl(mint.authority())
        + mint.crl(mint.authority("Acme Server CA", 2, mint.authority())),
    }.items():
        (etc / name).write_bytes(content)
        (etc / name).chmod(0o600)
    shown = ipmpki("verify", "ipm", "--format", "github", *AT)
    assert shown.status == 1
    found = [line.partition("file=ipm/")[2].partition(",")[0] for line in shown.out.splitlines()]
    assert "title=ipmpki%3A chain-incomplete" in shown.out
    assert set(found) == {"client-cert.pem", "server-cert.pem"}


def test_a_server_at_an_address_is_asked_for_the_first_name(folder: Path) -> None:
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    context.sni_callback = lambda _, name, __: asked.append(name)

    def answer(connected: socket.socket) -> None:
        with context.wrap_socket(connected, server_side=True) as encrypted:
            encrypted.recv(1)

    with listening(answer) as port:
        ipmpki("verify", f"127.0.0.1:{port}", "--name", "10.1.2.3", "--name", "ipm1.example.com")
    assert asked == ["ipm1.example.com"]
