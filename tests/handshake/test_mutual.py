"""Mutual authentication: the server of print-room lets in whom the declaration names, and nobody else."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.handshake.parties import CLIENTS, Caller, Server, answering, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.handshake.sites import Installed, Site

VERSIONS = ("-tls1_2", "-tls1_3")

client_and_version = pytest.mark.parametrize(
    ("how", "version"), [(how, version) for how in CLIENTS for version in VERSIONS]
)


@contextlib.contextmanager
def demanding(
    server: Installed, log: Path, how: str, version: str, *more: str, address: str = "127.0.0.1"
) -> Iterator[Server]:
    """A server from the installed files that demands a certificate from each client."""
    options = ["-cert", server.certificate, "-key", server.key, "-CAfile", server.ca]
    demands = ("-Verify", "1", "-verify_return_error", version, answering(how))
    with serving(log, *map(str, options), *demands, *more, address=address) as one:
        yield one


@client_and_version
def test_a_client_with_its_certificate_is_let_in_by_every_name(
    server: Installed, client: Installed, tmp_path: Path, how: str, version: str
) -> None:
    caller = Caller(client.ca, client.certificate, client.key)
    host = server.host
    addresses = {"127.0.0.1": [one for one in host.ips if ":" not in one]}
    addresses["::1"] = [one for one in host.ips if ":" in one]
    assert all(addresses.values()), "the example has no address of one kind"
    names = [host.name, *host.aliases]
    if host.subject:
        names.append(host.subject.replace("*", "any"))
    assert len(names) > 2
    for address, ips in addresses.items():
        log = tmp_path / f"log{address}"
        with demanding(server, log, how, version, address=address) as one:
            for name in [*names, *ips]:
                assert CLIENTS[how](one, caller, name), (name, one.said)


@client_and_version
def test_a_client_refuses_a_server_of_another_name(
    server: Installed, client: Installed, tmp_path: Path, how: str, version: str
) -> None:
    caller = Caller(client.ca, client.certificate, client.key)
    with demanding(server, tmp_path / "log", how, version) as one:
        for name in ("print.example.net", "deep.below.example.com", "10.9.9.9", "fc00::9:9"):
            assert not CLIENTS[how](one, caller, name), name
        assert CLIENTS[how](one, caller, server.host.name), one.said


@client_and_version
def test_a_client_without_a_certificate_is_refused(
    server: Installed, client: Installed, tmp_path: Path, how: str, version: str
) -> None:
    with demanding(server, tmp_path / "log", how, version) as one:
        assert not CLIENTS[how](one, Caller(client.ca), server.host.name)
        assert one.comes_to_say("peer did not return a certificate"), one.said


@client_and_version
def test_a_client_of_another_authority_is_refused(  # noqa: PLR0913, PLR0917 -- fixtures
    server: Installed, client: Installed, stranger: Installed, tmp_path: Path, how: str, version: str
) -> None:
    caller = Caller(client.ca, stranger.certificate, stranger.key)
    with demanding(server, tmp_path / "log", how, version) as one:
        assert not CLIENTS[how](one, caller, server.host.name)
        # GnuTLS keeps a certificate back that no authority the server names has issued.
        assert one.comes_to_say("verify error|peer did not return a certificate"), one.said


@client_and_version
def test_a_revoked_client_is_refused_from_the_next_list_on(  # noqa: PLR0913, PLR0917 -- fixtures
    server: Installed,
    client: Installed,
    print_room: Site,
    after_removal: Site,
    tmp_path: Path,
    how: str,
    version: str,
) -> None:
    caller = Caller(client.ca, client.certificate, client.key)
    for site, is_let_in in ((print_room, True), (after_removal, False)):
        crl = ("-CRL", str(site.crl), "-crl_check")
        with demanding(server, tmp_path / f"log{is_let_in}", how, version, *crl) as one:
            assert CLIENTS[how](one, caller, server.host.name) is is_let_in, one.said
            assert is_let_in or one.comes_to_say("certificate revoked"), one.said


@client_and_version
def test_a_server_certificate_lets_in_only_where_it_is_for_clients_too(  # noqa: PLR0913, PLR0917 -- fixtures
    server: Installed, client: Installed, without_mutual: Site, tmp_path: Path, how: str, version: str
) -> None:
    bundle = without_mutual.bundle(server.host)
    only_server = Caller(client.ca, bundle / "server-cert.pem", bundle / "server-key.pem")
    both = Caller(client.ca, server.certificate, server.key)
    with demanding(server, tmp_path / "log", how, version) as one:
        assert CLIENTS[how](one, both, server.host.name), one.said
        assert not CLIENTS[how](one, only_server, server.host.name)
        assert one.comes_to_say("uns[a-z]+ certificate purpose"), one.said


@client_and_version
def test_a_client_refuses_a_server_of_another_authority(  # noqa: PLR0913, PLR0917 -- fixtures
    server: Installed, client: Installed, stranger: Installed, tmp_path: Path, how: str, version: str
) -> None:
    caller = Caller(stranger.ca, client.certificate, client.key)
    with demanding(server, tmp_path / "log", how, version) as one:
        assert not CLIENTS[how](one, caller, server.host.name)
