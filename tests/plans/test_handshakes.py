"""Nobody who should talk cannot: real handshakes with what hosts have installed, at every moment."""

from __future__ import annotations

import json
import shutil
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from ipmpki.operations.installed import record_installed
from tests.cli.command import ipmpki as run
from tests.shop import HEAD, SERVER, Shop, client

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NEXT = ('common_name = "Acme Print CA"\n', 'common_name = "Acme Print CA"\ngeneration = 2\n')
REVOKES = ('key = "ec-p256"\n\n[tls]', 'key = "ec-p256"\nrevoke_replaced = true\n\n[tls]')
KEYWORDS = '\n[ipm.keywords]\ncrl_file = "NameReadOffTheSample"\n'
ASKS = 'mutual_auth = "AskReadOffTheSample"\n'
"""What a server asks clients for certificates by, as its settings.json has it."""
OFF = HEAD.replace('"required"', '"off"')
SECOND = SERVER.replace("ipm1", "ipm2").replace("print.", "spool.").replace("10.1.2.3", "10.1.2.4")
ALIASES = {"ipm1": "print.example.com", "ipm2": "spool.example.com"}
"""What clients call the servers: a name that no change here takes away."""
MOST_FLIGHTS = 10


@dataclass
class Hall:
    """A shop and what its computers have installed: copies of the folders, of whatever name they have now."""

    shop: Shop
    computers: dict[str, str]
    installed: dict[str, Path] = field(default_factory=dict)
    copies: int = 0

    def install(self, computer: str) -> None:
        """Carry the folder that is published for a computer over to it."""
        self.copies += 1
        copy = self.shop.folder / "computers" / f"{computer}.{self.copies}"
        shutil.copytree(self.shop.host(self.computers[computer]), copy)
        self.installed[computer] = copy

    def say_installed(self, computer: str) -> None:
        """Tell ipmpki so."""
        record_installed(self.shop.load(), [f"{self.computers[computer]}.example.com"])

    def refusals(self, *, mutual_auth: bool | None = True) -> dict[tuple[str, str], str]:
        """Which client does not reach which server, and why: by the folders that both have installed.

        With None each server asks as its own settings say, and servers' own programs are clients, too.
        """
        servers = [name for name in self.installed if name in ALIASES]
        clients = [name for name in self.installed if name not in ALIASES or mutual_auth is None]
        found = {}
        for server in servers:
            asks_clients = (
                asks_by_its_settings(self.installed[server]) if mutual_auth is None else mutual_auth
            )
            for one in clients:
                accepts = context_of_server(self.installed[server], mutual_auth=asks_clients)
                asks = context_of_client(self.installed[one])
                refusal = refusal_of(accepts, asks, ALIASES[server])
                if refusal:
                    found[one, server] = refusal
        return found

    def revoked(self) -> int:
        """How many certificates the published list names."""
        return len(list(x509.load_pem_x509_crl((self.shop.dist / "ca" / "crl.pem").read_bytes())))

    def steps(self, order: Sequence[str], *, steps: int = 5) -> Iterator[str]:
        """Build, install on one computer after the other, tell of it, until there is nothing to do; at every
        moment between, the computer that was the last to change.
        """
        for _ in range(steps):
            if not self.shop.plan().changes:
                return
            self.shop.build()
            yield "the build"
            for computer in order:
                self.install(computer)
                yield computer
                self.say_installed(computer)
        message = "there is always something left to do"
        raise AssertionError(message)


def context_of_server(folder: Path, *, mutual_auth: bool) -> ssl.SSLContext:
    """As a server with these files accepts connections: with its list, where it has one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server-cert.pem", folder / "server-key.pem")
    if mutual_auth:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "ca-cert.pem")
        if (folder / "crl.pem").exists():
            context.load_verify_locations(folder / "crl.pem")
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


def settings(folder: Path, role: str) -> dict[str, str | None]:
    """The keywords that a folder sets in ipmssl.cfg, of a server or of a client."""
    files = json.loads((folder / "settings.json").read_text("utf-8"))["files"]
    found: dict[str, str | None] = next(file["settings"] for file in files if file["role"] == role)
    return found


def asks_by_its_settings(folder: Path) -> bool:
    """Whether a server with this folder asks clients for certificates."""
    return settings(folder, "server").get("AskReadOffTheSample") == "1"


def context_of_client(folder: Path) -> ssl.SSLContext:
    """As a client with these files connects: with what its settings name, which are a server's own there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "ca-cert.pem")
    shown = settings(folder, "client")
    certificate, key = shown.get("CertFile"), shown.get("KeyFile")
    if certificate is not None and key is not None and (folder / Path(certificate).name).exists():
        context.load_cert_chain(folder / Path(certificate).name, folder / Path(key).name)
    return context


def refusal_of(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str:
    """Why a handshake fails, in OpenSSL's words; empty where it succeeds on both sides."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    open_sides = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(MOST_FLIGHTS):
        for side in open_sides[:]:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                return str(error)
            open_sides.remove(side)
        if not open_sides:
            return ""
    return "the handshake does not come to an end"


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    """A server and two clients under mutual authentication, all installed, the server with its list."""
    return open_hall(tmp_path, HEAD + KEYWORDS + SERVER + client("desk1") + client("desk2"))


def open_hall(folder: Path, text: str) -> Hall:
    # Handshakes judge by the clock of this computer.
    shop = Shop(folder, now=datetime.now(UTC).replace(microsecond=0), text=text)
    shop.build()
    names = [path.name.partition(".")[0] for path in sorted((shop.dist / "hosts").iterdir())]
    hall = Hall(shop, {name: name for name in names})
    for name in names:
        hall.install(name)
        hall.say_installed(name)
    assert hall.refusals(mutual_auth=None) == {}
    return hall


def test_a_client_with_a_revoked_certificate_or_none_is_refused(hall: Hall) -> None:
    """So that a handshake which succeeds proves something."""
    done = run("revoke", hall.shop.declaration, "desk1.example.com", "--reason", "key-compromise")
    assert done.status == 0, done.err
    hall.shop.build()
    hall.install("ipm1")
    assert "revoked" in hall.refusals()["desk1", "ipm1"]
    (hall.installed["desk2"] / "client-cert.pem").unlink()
    assert ("desk2", "ipm1") in hall.refusals()


def test_a_new_authority_takes_over_and_everybody_talks_to_everybody(hall: Hall) -> None:
    hall.shop.edit(*NEXT)
    for moment in hall.steps(("desk1", "ipm1", "desk2")):
        assert hall.refusals() == {}, moment
    assert len(hall.installed["desk1"].joinpath("ca-cert.pem").read_text().split("BEGIN")) == 2


def test_a_host_under_a_new_name_is_let_in_all_the_while(hall: Hall) -> None:
    hall.shop.edit(*REVOKES)
    for before, after in (("desk1", "desk9"), ("ipm1", "ipm9")):
        words = (f"{before}.example.com", "--rename", f"{after}.example.com")
        assert run("host", "set", hall.shop.declaration, *words).status == 0
        hall.computers[before] = after
    for moment in hall.steps(("desk2", "ipm1", "desk1")):
        assert hall.refusals() == {}, moment
    assert hall.revoked() == 2
    assert sorted(path.name for path in hall.shop.host("desk9").parent.iterdir()) == [
        "desk2.example.com",
        "desk9.example.com",
        "ipm9.example.com",
    ]


def test_what_another_certificate_replaces_is_let_in_until_that_is_said_to_be_installed(hall: Hall) -> None:
    hall.shop.edit(*REVOKES)
    hall.shop.edit(
        'name = "desk1.example.com"\n', 'name = "desk1.example.com"\naliases = ["till.example.com"]\n'
    )
    hall.shop.build()
    hall.install("ipm1")
    assert hall.refusals() == {}
    hall.install("desk1")
    assert hall.refusals() == {}
    assert hall.revoked() == 0
    hall.say_installed("desk1")
    hall.shop.build()
    hall.install("ipm1")
    assert hall.refusals() == {}
    assert hall.revoked() == 1


@pytest.mark.parametrize("leaves", [True, False])
def test_a_stolen_key_and_a_host_that_goes_are_turned_away_by_the_next_build(
    hall: Hall, *, leaves: bool
) -> None:
    hall.shop.edit(*REVOKES)
    if leaves:
        hall.shop.edit(client("desk1"), "")
    else:
        words = ("desk1.example.com", "--reason", "key-compromise")
        assert run("revoke", hall.shop.declaration, *words).status == 0
    hall.shop.build()
    hall.install("ipm1")
    assert "revoked" in hall.refusals()["desk1", "ipm1"]
    assert ("desk2", "ipm1") not in hall.refusals()


@pytest.mark.exhaustive
@pytest.mark.parametrize("order", list(permutations(("ipm1", "ipm2", "desk1"))))
def test_in_whatever_order_hosts_are_installed_everybody_talks(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    hall = open_hall(tmp_path, HEAD + KEYWORDS + SERVER + SECOND + client("desk1"))
    hall.shop.edit(*REVOKES)
    assert (
        run("host", "set", hall.shop.declaration, "desk1.example.com", "--rename", "desk9.example.com").status
        == 0
    )
    hall.computers["desk1"] = "desk9"
    hall.shop.text = hall.shop.declaration.read_text("utf-8")
    hall.shop.edit(*NEXT)
    for moment in hall.steps(order):
        assert hall.refusals() == {}, moment


MIXED = OFF + KEYWORDS + ASKS + SERVER + SECOND + client("desk1") + client("desk2")
EVERY = ("desk1", "ipm1", "desk2", "ipm2")


def test_mutual_authentication_is_turned_on_and_off_and_everybody_talks_to_everybody(tmp_path: Path) -> None:
    hall = open_hall(tmp_path, MIXED)
    hall.shop.edit('mutual_auth = "off"', 'mutual_auth = "required"')
    for moment in hall.steps(EVERY):
        assert hall.refusals(mutual_auth=None) == {}, moment
    assert all(asks_by_its_settings(hall.installed[name]) for name in ALIASES)
    hall.shop.edit('mutual_auth = "required"', 'mutual_auth = "off"')
    for moment in hall.steps(EVERY):
        assert hall.refusals(mutual_auth=None) == {}, moment
    assert not any(asks_by_its_settings(hall.installed[name]) for name in ALIASES)
    assert not list(hall.shop.dist.rglob("client-cert.pem"))


@pytest.mark.exhaustive
@pytest.mark.parametrize("order", list(permutations(("ipm1", "ipm2", "desk1"))))
@pytest.mark.parametrize("also", ["alone", "with another authority", "with another name"])
def test_in_whatever_order_it_is_turned_on_and_off_everybody_talks(
    tmp_path: Path, order: tuple[str, ...], also: str
) -> None:
    hall = open_hall(tmp_path, OFF + KEYWORDS + ASKS + SERVER + SECOND + client("desk1"))
    hall.shop.edit('mutual_auth = "off"', 'mutual_auth = "required"')
    change_as_well(hall, also)
    for moment in hall.steps(order, steps=8):
        assert hall.refusals(mutual_auth=None) == {}, moment
    assert all(asks_by_its_settings(hall.installed[name]) for name in ALIASES)
    hall.shop.edit('mutual_auth = "required"', 'mutual_auth = "off"')
    if also == "with another authority":
        hall.shop.edit("generation = 2", "generation = 3")
    for moment in hall.steps(order, steps=8):
        assert hall.refusals(mutual_auth=None) == {}, moment
    assert not any(asks_by_its_settings(hall.installed[name]) for name in ALIASES)


def change_as_well(hall: Hall, also: str) -> None:
    """What is changed in the same hour."""
    if also == "with another authority":
        hall.shop.edit(*NEXT)
    if also == "with another name":
        words = ("desk1.example.com", "--rename", "desk9.example.com")
        assert run("host", "set", hall.shop.declaration, *words).status == 0
        hall.computers["desk1"] = "desk9"
        hall.shop.text = hall.shop.declaration.read_text("utf-8")
