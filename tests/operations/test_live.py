"""``ipmpki status --live`` and ``installed --live``, against real TLS servers on loopback addresses."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ipmpki.declaration.vocabulary import RevocationReason
from ipmpki.operations.installed import record_installed
from ipmpki.operations.live import look, record_seen
from ipmpki.operations.revoke import revoke
from ipmpki.plans.sight import Word
from ipmpki.store.records import InstallationSource
from tests.cli.command import ipmpki as run
from tests.shop import HEAD, Shop
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORDS = {
    "current": Word.CURRENT,
    "older": Word.OLDER,
    "revoked": Word.REVOKED,
    "other": Word.ANOTHER_HOST,
    "foreign": Word.ANOTHER_AUTHORITY,
    "wrong": Word.WRONG_HOST,
    "ended": Word.EXPIRED,
    "plain": Word.NO_TLS,
    "silent": Word.NO_ANSWER,
    "absent": Word.NO_ANSWER,
}
SECONDS = 1.5


def server(number: int, name: str, port: int) -> str:
    """A server on a loopback address of its own."""
    lifetime = 'lifetime = "2d"\nrenew_before = "1d"\n' if name == "ended" else ""
    return (
        f'\n[[hosts]]\nname = "{name}.example.com"\nrole = "server"\nos = "linux"\n{lifetime}'
        f'ips = ["127.0.1.{number}"]\ntls_port = {port}\n'
    )


@dataclass
class Fleet:
    """A shop whose servers show what their names say, and the folders that they serve from."""

    shop: Shop
    port: int
    served: Path

    def address(self, name: str) -> str:
        """Where a server listens."""
        return f"127.0.1.{list(WORDS).index(name) + 1}"


def free_port() -> int:
    """A port that nobody has on any of the addresses, as far as that can be told."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """Built three days ago, since when one was given another name, and one revoked; one has ended."""
    folder, port = tmp_path_factory.mktemp("live"), free_port()
    now = datetime.now(UTC).replace(microsecond=0)
    hosts = "".join(server(number, name, port) for number, name in enumerate(WORDS, start=1))
    shop = Shop(folder, now=now - timedelta(days=3), text=HEAD + hosts)
    shop.build()
    served = folder / "served"
    shutil.copytree(shop.dist / "hosts", served)
    shop.now = now
    shop.edit('name = "older.example.com"', 'name = "older.example.com"\naliases = ["o.example.com"]')
    revoke(shop.load(), "revoked.example.com", RevocationReason.SUPERSEDED)
    shop.build()
    shutil.rmtree(served / "other.example.com")
    shutil.copytree(served / "current.example.com", served / "other.example.com")
    for name, shown in (("foreign", "foreign.example.com"), ("wrong", "elsewhere.example.com")):
        place = served / f"{name}.example.com"
        words = ("-keyout", place / "server-key.pem", "-out", place / "server-cert.pem", "-days", "9")
        request = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *words)
        names = ("-subj", f"/CN={shown}", "-addext", f"subjectAltName=DNS:{shown}")
        subprocess.run([require("openssl"), *request, *names], check=True, capture_output=True)
    return Fleet(shop, port, served)


@contextlib.contextmanager
def listening(fleet: Fleet, *options: str) -> Iterator[None]:
    """Let every server of the fleet listen."""
    with contextlib.ExitStack() as stack:
        for name, word in WORDS.items():
            if word in {Word.NO_TLS, Word.NO_ANSWER}:
                continue
            place = fleet.served / f"{name}.example.com"
            files = ("-cert", place / "server-cert.pem", "-key", place / "server-key.pem")
            at = f"{fleet.address(name)}:{fleet.port}"
            process = subprocess.Popen(
                [require("openssl"), "s_server", "-quiet", "-accept", at, *files, *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
        silent = stack.enter_context(socket.create_server((fleet.address("silent"), fleet.port)))
        assert silent.fileno()
        plain = ["import socket,sys", "s=socket.create_server((sys.argv[1],int(sys.argv[2])))"]
        plain.append("while 1:\n c,_=s.accept(); c.sendall(b'220 hello\\r\\n'); c.close()")
        process = subprocess.Popen(
            [sys.executable, "-c", "\n".join(plain), fleet.address("plain"), str(fleet.port)]
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        for name in WORDS:
            if name not in {"silent", "absent"}:
                _wait_for(fleet.address(name), fleet.port)
        yield


def _wait_for(address: str, port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
            return
        time.sleep(0.02)
    pytest.fail(f"nobody listens at {address}:{port}")


def words_of(fleet: Fleet) -> dict[str, Word]:
    """What each server was seen to show."""
    found = look(fleet.shop.load(), seconds=SECONDS)
    return {one.host.partition(".")[0]: one.word for one in found}


@pytest.mark.parametrize(
    "options",
    [("-tls1_2",), ("-tls1_3",), ("-tls1_2", "-Verify", "1"), ("-tls1_3", "-Verify", "1")],
    ids=" ".join,
)
def test_each_server_is_told_by_what_it_shows(fleet: Fleet, options: tuple[str, ...]) -> None:
    before = fleet.shop.store.read_bytes()
    with listening(fleet, *options):
        assert words_of(fleet) == WORDS
    assert fleet.shop.store.read_bytes() == before


def test_every_format_has_its_exit_status(fleet: Fleet) -> None:
    with listening(fleet):
        words = ("status", fleet.shop.declaration, "--live", "--timeout", SECONDS)
        table = run(*words)
        assert (table.status, len(table.out.splitlines())) == (1, 3 + len(WORDS) + 3)
        assert "older.example.com" in table.out
        assert "it is that of current.example.com" in table.out
        told = json.loads(run(*words, "--format", "json").out)
        assert {one["host"].partition(".")[0]: one["shows"] for one in told["servers"]} == WORDS
        line = run(*words, "--format", "nagios")
        assert line.status == 2
        assert line.out.startswith("IPMPKI CRITICAL - ")
        assert "no_answer=2;;;0" in line.out
        metrics = run(*words, "--format", "prometheus")
        assert metrics.status == 0
        assert 'ipmpki_live_shows{host="revoked.example.com",shows="revoked"} 1' in metrics.out
        assert run(*words, "--format", "ics").status == 2


def test_what_is_seen_is_recorded_and_proves_the_certificate_alone(fleet: Fleet, tmp_path: Path) -> None:
    shop = Shop(tmp_path, now=fleet.shop.now, text=fleet.shop.text)
    shutil.copyfile(fleet.shop.store, shop.store)
    shutil.copytree(fleet.shop.dist, shop.dist)
    record_installed(shop.load(), ["older.example.com"])
    with listening(fleet):
        recorded = record_seen(shop.load(), look(shop.load(), seconds=SECONDS))
    assert set(recorded) == {f"{name}.example.com" for name in ("current", "older", "revoked", "ended")}
    issued = shop.load().issued
    current, older = (issued.installed[f"{name}.example.com"] for name in ("current", "older"))
    assert (current.source, current.trusted, current.files) == (InstallationSource.LIVE, frozenset(), "")
    assert older.trusted
    assert older.serials != {issued.current["older.example.com"].serial}


def test_a_server_that_never_answers_costs_its_time_limit_and_no_more(fleet: Fleet) -> None:
    begun = time.monotonic()
    words_of(fleet)
    assert time.monotonic() - begun < 4 * SECONDS


def test_no_port_is_assumed(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    done = run("status", shop.declaration, "--live")
    assert (done.status, "tls_port" in done.err) == (2, True)
    done = run("status", shop.declaration, "--live", "--format", "nagios")
    assert (done.status, done.out.startswith("IPMPKI UNKNOWN - ")) == (3, True)


@pytest.mark.parametrize("port", ["0", "65536", '"6874"', "true"])
def test_a_port_is_a_number_of_16_bits(tmp_path: Path, port: str) -> None:
    shop = Shop(tmp_path, text=f"{HEAD}\n[ipm]\ntls_port = {port}\n")
    assert any("is not a TCP port" in one.problem.message for one in shop.load().problems)


def test_a_port_may_be_declared_for_all_for_a_system_and_for_a_host(tmp_path: Path) -> None:
    hosts = "".join(
        f'\n[[hosts]]\nname = "{name}.example.com"\nrole = "{role}"\nos = "{system}"\n{more}'
        for name, role, system, more in (
            ("a", "server", "linux", ""),
            ("b", "server", "aix", ""),
            ("c", "server", "linux", "tls_port = 3\n"),
            ("d", "client", "linux", ""),
        )
    )
    shop = Shop(tmp_path, text=f"{HEAD}\n[ipm]\ntls_port = 1\n\n[ipm.aix]\ntls_port = 2\n{hosts}")
    found = shop.load().fleet
    assert found is not None
    assert [host.tls_port for host in found.hosts] == [1, 2, 3, None]


@pytest.mark.parametrize(
    ("system", "more", "command"),
    [
        ("linux", "", "pdshutdown ipm1 && startsrv ipm1"),
        ("aix", 'server_name = "ipm2"\n', "pdshutdown ipm2 && startsrv ipm2"),
        ("windows", "", None),
        ("linux", 'restart_command = "ours"\n', "ours"),
    ],
)
def test_how_a_server_is_restarted_follows_from_its_name(
    tmp_path: Path, system: str, more: str, command: str | None
) -> None:
    host = f'\n[[hosts]]\nname = "a.example.com"\nrole = "server"\nos = "{system}"\n{more}'
    shop = Shop(tmp_path, text=f'{HEAD}\n[ipm]\nserver_name = "ipm1"\n{host}')
    found = shop.load().fleet
    assert found is not None
    assert found.hosts[0].site.restart_command == command


def test_a_server_name_is_no_more_than_a_word(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=f'{HEAD}\n[ipm]\nserver_name = "-F ipm1; reboot"\n')
    assert any("server's name" in one.problem.message for one in shop.load().problems)
