"""Mutual authentication off: whoever trusts the authority gets in, and only servers show a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.handshake.parties import CLIENTS, Caller, answering, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.handshake.sites import Installed, Site


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("how", CLIENTS)
def test_a_client_with_just_the_authority_gets_in(  # noqa: PLR0913, PLR0917 -- fixtures
    open_server: Installed, open_client: Installed, print_room: Site, tmp_path: Path, how: str, version: str
) -> None:
    assert not open_client.certificate.exists()
    host = open_server.host
    options = ("-cert", str(open_server.certificate), "-key", str(open_server.key), version, answering(how))
    with serving(tmp_path / "log", *options) as one:
        for name in [host.name, *host.aliases, *host.ips]:
            assert CLIENTS[how](one, Caller(open_client.ca), name), (name, one.said)
        assert not CLIENTS[how](one, Caller(open_client.ca), f"other.{host.name}")
        assert not CLIENTS[how](one, Caller(print_room.folder / "dist/ca/ca-cert.pem"), host.name)
