"""Sites built once a run, by whichever worker comes first, and their hosts installed."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from tests.handshake.sites import Host, Installed, Site, build, example, install

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Make a folder once for all of this run's xdist workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        done, under_way = shared / f"handshake-{name}", shared / f"handshake-{name}.making"
        with FileLock(shared / f"handshake-{name}.lock"):
            if not done.exists():
                shutil.rmtree(under_way, ignore_errors=True)
                under_way.mkdir()
                fill(under_way)
                under_way.rename(done)
        return done

    return make


@pytest.fixture(scope="session")
def print_room(once: Once) -> Site:
    """The example print-room: mutual authentication required."""
    return Site(once("print-room", lambda folder: example("print-room", folder / "site")) / "site")


@pytest.fixture(scope="session")
def one_server(once: Once) -> Site:
    """The example one-server: mutual authentication off."""
    return Site(once("one-server", lambda folder: example("one-server", folder / "site")) / "site")


@pytest.fixture(scope="session")
def server(once: Once, print_room: Site) -> Installed:
    """The Linux server of print-room, installed."""
    return _installed(once, print_room, print_room.host("server", "linux"), "server")


@pytest.fixture(scope="session")
def client(once: Once, print_room: Site) -> Installed:
    """The Linux client of print-room, installed."""
    return _installed(once, print_room, print_room.host("client", "linux"), "client")


@pytest.fixture(scope="session")
def open_server(once: Once, one_server: Site) -> Installed:
    """The Linux server of one-server, installed."""
    return _installed(once, one_server, one_server.host("server", "linux"), "open-server")


@pytest.fixture(scope="session")
def open_client(once: Once, one_server: Site) -> Installed:
    """A client of one-server, which is a Mac: a root here serves it as well."""
    return _installed(once, one_server, one_server.host("client", "macos"), "open-client")


def _installed(once: Once, site: Site, host: Host, name: str) -> Installed:
    return Installed(host, once(name, lambda folder: install(site, host, folder / "root")) / "root")


@pytest.fixture(scope="session")
def after_removal(once: Once, print_room: Site, client: Installed) -> Site:
    """Print-room after its Linux client was taken out of the declaration."""
    name = client.host.name

    def remove(text: str) -> str:
        head, *hosts = text.split("[[hosts]]\n")
        return "[[hosts]]\n".join([head, *(one for one in hosts if f'name = "{name}"' not in one)])

    return Site(once("removal", lambda folder: print_room.edited(folder / "site", remove)) / "site")


@pytest.fixture(scope="session")
def without_mutual(once: Once, print_room: Site) -> Site:
    """Print-room with mutual authentication turned off: its servers' certificates are for servers only."""

    def turn_off(text: str) -> str:
        return text.replace('mutual_auth = "required"', 'mutual_auth = "off"')

    made = once("off", lambda folder: print_room.edited(folder / "site", turn_off).settled())
    return Site(made / "site")


@pytest.fixture(scope="session")
def stranger(once: Once, client: Installed) -> Installed:
    """A client of the same name, from an authority of the same name, that is another one."""
    declaration = f"""\
schema = 1
[ca]
common_name = "Acme Print CA"
organization = "Acme Corporation"
organizational_unit = "Print operations"
country = "US"
state = "Colorado"
locality = "Boulder"
key = "ec-p256"
[tls]
mutual_auth = "required"
[[hosts]]
name = "server.example.com"
role = "server"
[[hosts]]
name = "{client.host.name}"
role = "client"
key = "ec-p256"
"""

    def make(folder: Path) -> None:
        site = folder / "site"
        site.mkdir()
        (site / "pki.toml").write_text(declaration, encoding="utf-8")
        build(site)
        install(Site(site), client.host, folder / "root")

    return Installed(client.host, once("stranger", make) / "root")
