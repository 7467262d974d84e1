"""Servers with bought certificates that believe only the private authority of clients: real handshakes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ipmpki.operations.import_bought import import_certificates
from tests.handshake.parties import CLIENTS, Caller, answering, serving
from tests.handshake.sites import Host, Installed, Site, install
from tests.operations.import_bought.seller import CLIENT_AUTH, Seller, pem
from tests.shop import Shop, client

if TYPE_CHECKING:
    from pathlib import Path

NAME = "ipm1.example.com"
DECLARATION = """\
schema = 1

[ca]
kind = "third-party"
bundle = "root.pem"

[client_ca]
common_name = "Acme Print Client CA"
key = "ec-p256"

[tls]
mutual_auth = "required"

[ipm.keywords]
ca_file = "NameReadOffTheSample"

[[hosts]]
name = "ipm1.example.com"
role = "server"
""" + client("desk1")

CALLERS = ("python", "openssl", "gnutls")
caller_and_version = pytest.mark.parametrize(
    ("how", "version"), [(how, version) for how in CALLERS for version in ("-tls1_2", "-tls1_3")]
)


class Scene(NamedTuple):
    """An installed server, whom it believes of clients, and who calls."""

    server: Installed
    believed: Path
    desk: Caller
    programs: Caller
    stranger: Caller


def stage(folder: Path, declaration: str) -> Scene:
    """Order, sell, import, build, install; and a stranger buys a client's certificate at the same place."""
    now = datetime.now(UTC).replace(microsecond=0)
    seller = Seller()
    site = folder / "site"
    site.mkdir()
    (site / "root.pem").write_bytes(pem(seller.root))
    shop = Shop(site, now=now, text=declaration)
    shop.build()
    request = x509.load_pem_x509_csr((shop.host("ipm1") / "server.csr").read_bytes())
    came = pem(seller.sell(request, begins=now - timedelta(hours=1)), seller.intermediate)
    imported = import_certificates(shop.load(), [("came", came)], passphrase=lambda _: None)
    assert imported.problems == ()
    shop.build()
    server, desk = (
        install(Site(site), Host(f"{name}.example.com", "linux", role, None, (), ()), folder / name)
        for name, role in (("ipm1", "server"), ("desk1", "client"))
    )
    key = ec.generate_private_key(ec.SECP256R1())
    wanted = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("desk1.example.com")]), critical=True)
        .add_extension(x509.ExtendedKeyUsage([CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "stranger.pem").write_bytes(
        pem(seller.sell(wanted, begins=now - timedelta(hours=1)), seller.intermediate)
    )
    (folder / "stranger.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    own = server.root / "etc/ipm"
    served = server.root / "var/pddir/default_cell/ssl"
    apart = served / "client-ca-cert.pem"
    return Scene(
        server,
        apart if apart.exists() else served / "ca-cert.pem",
        Caller(desk.ca, desk.certificate, desk.key),
        Caller(own / "ca-cert.pem", own / "client-cert.pem", own / "client-key.pem"),
        Caller(desk.ca, folder / "stranger.pem", folder / "stranger.key"),
    )


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The site has told the keyword for the server's own CA file."""
    return stage(tmp_path_factory.mktemp("apart"), DECLARATION)


@pytest.fixture(scope="module")
def in_one(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """It has not: whatever the server's ca-cert.pem holds counts for clients, too."""
    without = DECLARATION.replace('[ipm.keywords]\nca_file = "NameReadOffTheSample"\n', "")
    return stage(tmp_path_factory.mktemp("in-one"), without)


def is_let_in(scene: Scene, caller: Caller, how: str, version: str, log: Path) -> bool:
    options = ["-cert", scene.server.certificate, "-cert_chain", scene.server.certificate]
    options += ["-key", scene.server.key, "-CAfile", scene.believed]
    demands = ("-Verify", "2", "-verify_return_error", version, answering(how))
    with serving(log, *map(str, options), *demands) as server:
        return CLIENTS[how](server, caller, NAME)


@caller_and_version
def test_a_declared_client_believes_the_bought_certificate_and_is_let_in(
    apart: Scene, tmp_path: Path, how: str, version: str
) -> None:
    assert is_let_in(apart, apart.desk, how, version, tmp_path / "log")


@caller_and_version
def test_programs_on_the_server_are_clients_like_any_other(
    apart: Scene, tmp_path: Path, how: str, version: str
) -> None:
    assert is_let_in(apart, apart.programs, how, version, tmp_path / "log")


@caller_and_version
def test_whoever_buys_a_certificate_at_the_same_place_is_not_let_in(
    apart: Scene, tmp_path: Path, how: str, version: str
) -> None:
    assert not is_let_in(apart, apart.stranger, how, version, tmp_path / "log")
    everyone = tmp_path / "everyone.pem"  # s_client shows no intermediate, so the server has to know it
    everyone.write_bytes(apart.desk.ca.read_bytes() + apart.server.certificate.read_bytes())
    believing_all = apart._replace(believed=everyone)
    assert is_let_in(believing_all, apart.stranger, how, version, tmp_path / "other"), "nothing was tested"


def test_without_the_keyword_the_server_still_lets_in_nobody_but_its_clients(
    in_one: Scene, tmp_path: Path
) -> None:
    assert is_let_in(in_one, in_one.desk, "openssl", "-tls1_3", tmp_path / "desk")
    assert not is_let_in(in_one, in_one.stranger, "openssl", "-tls1_3", tmp_path / "stranger")
    # That its own programs do not believe it is the price, of which client-ca-not-kept-apart tells.
    assert not is_let_in(in_one, in_one.programs, "openssl", "-tls1_3", tmp_path / "programs")
