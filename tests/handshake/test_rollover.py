"""One authority takes over from another, and at every moment of it all hosts can talk to each other.

Hosts are installed one after the other, in several orders. Between any two of these steps every host
connects to every server, with mutual authentication and revocation lists, by real handshakes of OpenSSL
within this process.
"""

from __future__ import annotations

import shutil
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.installed import record_installed
from ipmpki.plans.plan import Stage
from tests.handshake.parties import CLIENTS, Caller, answering, serving
from tests.shop import HEAD, Shop

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ROLES = {"ipm1": "server", "ipm2": "server", "desk1": "client", "mac1": "client", "pc1": "client"}
SYSTEMS = {"ipm1": "aix", "ipm2": "linux", "desk1": "linux", "mac1": "macos", "pc1": "windows"}
SERVERS = [name for name, role in ROLES.items() if role == "server"]
KEYWORD = '\n[ipm.keywords]\ncrl_file = "NameReadOffTheSample"\n'
DECLARATION = (
    HEAD
    + KEYWORD
    + "".join(
        f'\n[[hosts]]\nname = "{name}.example.com"\nrole = "{role}"\nos = "{SYSTEMS[name]}"\n'
        + ('key = "ec-p256"\n' if role == "client" else "")
        for name, role in ROLES.items()
    )
)
ORDERS = {
    "servers-first": list(ROLES),
    "clients-first": list(reversed(ROLES)),
    "mixed": ["desk1", "ipm2", "pc1", "ipm1", "mac1"],
}
CHANGES = {
    "generation": ('common_name = "Acme Print CA"\n', 'common_name = "Acme Print CA"\ngeneration = 2\n'),
    "key": ('key = "ec-p256"\n\n[tls]', 'key = "rsa-2048"\n\n[tls]'),
    "name": ('common_name = "Acme Print CA"\n', 'common_name = "Acme Print CA G2"\ngeneration = 2\n'),
}


class Hosts:
    """What each host has installed: a copy of its folder as it was then."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self._shop = shop
        self._folder = folder

    def install(self, name: str) -> None:
        shutil.rmtree(self._folder / name, ignore_errors=True)
        shutil.copytree(self._shop.host(name), self._folder / name)

    def files(self, name: str) -> tuple[Path, Path, Path]:
        """Whom it trusts, its certificate, its key."""
        own = self._folder / name
        role = ROLES[name]
        return own / "ca-cert.pem", own / f"{role}-cert.pem", own / f"{role}-key.pem"

    def context(self, name: str, side: ssl._SSLMethod) -> ssl.SSLContext:
        trusted, certificate, key = self.files(name)
        context = ssl.SSLContext(side)
        context.load_verify_locations(trusted)
        context.load_cert_chain(certificate, key)
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        if side is ssl.PROTOCOL_TLS_SERVER:
            context.load_verify_locations(self._folder / name / "crl.pem")
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        return context


def shake_hands(hosts: Hosts, caller: str, server: str) -> None:
    """Raises ssl.SSLError where either refuses the other."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = hosts.context(caller, ssl.PROTOCOL_TLS_CLIENT).wrap_bio(
        to_client, to_server, server_hostname=f"{server}.example.com"
    )
    other = hosts.context(server, ssl.PROTOCOL_TLS_SERVER).wrap_bio(to_server, to_client, server_side=True)
    done: set[ssl.SSLObject] = set()
    while len(done) < 2:
        for side in (one, other):
            if side not in done:
                try:
                    side.do_handshake()
                    done.add(side)
                except ssl.SSLWantReadError:
                    pass
    one.write(b"print")
    assert other.read(16) == b"print"


def refused(hosts: Hosts) -> list[str]:
    """Every pair that should talk and cannot."""
    found = []
    for caller in ROLES:
        for server in SERVERS:
            if caller != server:
                try:
                    shake_hands(hosts, caller, server)
                except ssl.SSLError as error:
                    found.append(f"{caller} -> {server}: {error}")
    return found


def roll_over(shop: Shop, hosts: Hosts, order: Iterable[str]) -> list[str]:
    """Go through all stages, host by host; what was refused at any moment between."""
    failures = []
    for expected in (Stage.TRUST_BOTH, Stage.REISSUE, Stage.RETIRE):
        rollover = shop.plan().rollover
        assert rollover is not None
        assert rollover.stage is expected
        shop.build()
        failures += [f"{expected}, built: {one}" for one in refused(hosts)]
        for name in order:
            hosts.install(name)
            record_installed(shop.load(), [f"{name}.example.com"])
            failures += [f"{expected}, {name} installed: {one}" for one in refused(hosts)]
    return failures


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    folder = tmp_path / "site"
    folder.mkdir()
    shop = Shop(folder, now=datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5), text=DECLARATION)
    shop.build()
    return shop


@pytest.fixture
def hosts(shop: Shop, tmp_path: Path) -> Hosts:
    hosts = Hosts(shop, tmp_path / "installed")
    for name in ROLES:
        hosts.install(name)
    return hosts


IN_SHORT = {("generation", "mixed"), ("name", "clients-first")}


@pytest.mark.parametrize(
    ("change", "order"),
    [
        pytest.param(change, order, marks=[] if (change, order) in IN_SHORT else pytest.mark.exhaustive)
        for change in CHANGES
        for order in ORDERS
    ],
)
def test_never_is_there_a_pair_that_should_talk_and_cannot(
    shop: Shop, hosts: Hosts, change: str, order: str
) -> None:
    assert refused(hosts) == []
    before = hosts.files("desk1")[0].read_bytes()
    shop.edit(*CHANGES[change])
    assert roll_over(shop, hosts, ORDERS[order]) == []
    shop.build()  # the report, which tells what is installed
    assert shop.changes() == {}
    after = hosts.files("desk1")[0].read_bytes()
    assert before not in after
    assert after.count(b"BEGIN CERTIFICATE") == 1


def test_replacing_in_one_step_is_what_locks_out(shop: Shop, hosts: Hosts) -> None:
    shop.edit(*CHANGES["generation"])
    shop.build(replace_ca=True)
    hosts.install("ipm1")
    assert refused(hosts), "the matrix above would find nothing"


def test_a_revoked_client_is_refused_in_the_middle_of_it(shop: Shop, hosts: Hosts) -> None:
    shop.edit(*CHANGES["generation"])
    shop.build()
    for name in ROLES:
        hosts.install(name)
        record_installed(shop.load(), [f"{name}.example.com"])
    shop.edit('\n[[hosts]]\nname = "pc1.example.com"\nrole = "client"\nos = "windows"\nkey = "ec-p256"\n', "")
    shop.build()
    for name in SERVERS:
        hosts.install(name)
    found = refused(hosts)
    assert {one.partition(" ")[0] for one in found} == {"pc1"}
    assert all("revoked" in one for one in found)


@pytest.mark.parametrize("how", ["openssl", "gnutls"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_with_two_authorities_of_one_name_other_programs_find_the_right_one(
    shop: Shop, hosts: Hosts, tmp_path: Path, how: str, version: str
) -> None:
    shop.edit(*CHANGES["generation"])
    shop.build()
    for name in ROLES:
        hosts.install(name)
        record_installed(shop.load(), [f"{name}.example.com"])
    shop.build()
    for number, renewed in enumerate(("ipm1", "desk1")):  # each way round: new to old, then new to new
        hosts.install(renewed)
        trusted, certificate, key = hosts.files("ipm1")
        everything = tmp_path / f"trusted{number}"  # as s_server reads only the first list of -CRL
        everything.write_bytes(trusted.read_bytes() + trusted.with_name("crl.pem").read_bytes())
        options = ("-cert", certificate, "-key", key, "-CAfile", everything, "-crl_check")
        demands = ("-Verify", "1", "-verify_return_error", version, answering(how))
        log = tmp_path / f"log{number}"
        with serving(log, *map(str, options), *demands) as server:
            for caller in ("desk1", "mac1"):
                assert CLIENTS[how](server, Caller(*hosts.files(caller)), "ipm1.example.com"), server.said
