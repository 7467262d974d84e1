"""Keys that never leave their host: its request is certified, with the names of pki.toml."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from asn1crypto.core import Integer
from asn1crypto.csr import CertificationRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from ipmpki.x509.csr import make_request
from tests.operations.import_bought.seller import Seller, pem
from tests.operations.import_bought.test_import_bought import BOUGHT, bring, outcomes
from tests.render.host_folder.installation import Installation, public_sight
from tests.shop import HEAD, SERVER, Shop, client
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

KEPT = SERVER.replace('os = "linux"\n', 'os = "linux"\ncsr = "csr/ipm1.csr"\n')


@pytest.fixture
def keeper(tmp_path: Path) -> Shop:
    """A server that makes its key itself, beside a client that does not."""
    (tmp_path / "csr").mkdir()
    return Shop(tmp_path, text=HEAD + KEPT + client("desk1"))


def key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def request(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, *names: str, name: str = "ipm1.example.com"
) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    )
    if names:
        wanted = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        builder = builder.add_extension(wanted, critical=False)
    return builder.sign(key, hashes.SHA256())


def put(shop: Shop, made: x509.CertificateSigningRequest, name: str = "ipm1") -> None:
    (shop.folder / f"csr/{name}.csr").write_bytes(made.public_bytes(serialization.Encoding.PEM))


def problems(shop: Shop) -> dict[str, str]:
    return {one.problem.rule: one.problem.message for one in shop.load().problems}


def certificate(shop: Shop) -> x509.Certificate:
    return x509.load_pem_x509_certificate((shop.host("ipm1") / "server-cert.pem").read_bytes())


def test_until_the_request_is_there_the_plan_awaits_it_and_all_else_is_built(keeper: Shop) -> None:
    assert problems(keeper) == {
        "request-awaited": "'ipm1.example.com' waits for its request: there is no file 'csr/ipm1.csr' yet"
    }
    keeper.build()
    assert (keeper.host("desk1") / "client-key.pem").exists()
    assert {path.name for path in keeper.host("ipm1").iterdir()} == {
        "README.txt",
        "install.sh",
        "manifest.json",
        "request.cnf",
    }
    plan = keeper.plan()
    assert plan.changes == ()
    assert [(one.host, one.since, one.file) for one in plan.awaited] == [
        ("ipm1.example.com", None, "csr/ipm1.csr")
    ]
    assert "ipm1" not in (keeper.dist / "ansible/inventory.yml").read_text()
    before = keeper.bytes_on_disk()
    keeper.build()
    assert keeper.bytes_on_disk() == before


def test_the_folder_says_how_to_make_a_request_that_openssl_then_makes(keeper: Shop, tmp_path: Path) -> None:
    keeper.build()
    folder = keeper.host("ipm1")
    steps = [
        line.strip()
        for line in (folder / "README.txt").read_text().splitlines()
        if line.startswith("       openssl ") or line.strip() == "umask 077"
    ]
    openssl = require("openssl")
    script = "\n".join(steps).replace("openssl ", f"'{openssl}' ")
    subprocess.run([require("dash"), "-ec", script], cwd=folder, check=True, capture_output=True)
    assert (folder / "server-key.pem").stat().st_mode & 0o777 == 0o600
    made = x509.load_pem_x509_csr((folder / "server.csr").read_bytes())
    wanted = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert wanted.get_values_for_type(x509.DNSName) == ["ipm1.example.com", "print.example.com"]
    assert [str(one) for one in wanted.get_values_for_type(x509.IPAddress)] == ["10.1.2.3"]
    (folder / "server.csr").replace(tmp_path / "csr/ipm1.csr")
    assert problems(keeper) == {}
    keeper.build()
    own = serialization.load_pem_private_key((folder / "server-key.pem").read_bytes(), None)
    assert certificate(keeper).public_key() == own.public_key()


def openssl(*arguments: object) -> str:
    command = [require("openssl"), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def fits(host: Installation) -> bool:
    """Whether openssl says of the key and the certificate in use that they belong together."""
    key, certificate = host.server("server-key.pem"), host.server("server-cert.pem")
    trusted = ("-CAfile", host.server("ca-cert.pem"), "-no_check_time")
    openssl("verify", *trusted, "-purpose", "sslserver", certificate)
    return openssl("pkey", "-in", key, "-pubout") == openssl("x509", "-in", certificate, "-noout", "-pubkey")


def carry_back(shop: Shop, host: Installation, name: str = "ipm1") -> None:
    """The request to where pki.toml expects it, and what is built of it to the host."""
    (host.folder / "server.csr").replace(shop.folder / f"csr/{name}.csr")
    assert problems(shop) == {}
    shop.build()
    shutil.copytree(shop.host(name), host.folder, dirs_exist_ok=True)


def test_the_host_makes_its_key_and_changes_it_and_no_key_is_ever_carried(
    keeper: Shop, tmp_path: Path
) -> None:
    keeper.build()
    host = Installation(tmp_path / "carried", tmp_path / "root")
    host.root.mkdir()
    shutil.copytree(keeper.host("ipm1"), host.folder)
    assert "there is nothing to install yet" in host.run(status=1)
    host.run("--new-key")
    carry_back(keeper, host)
    assert keeper.changes() == {}
    assert "ipm1" in (keeper.dist / "ansible/inventory.yml").read_text()
    host.run()
    assert fits(host)
    assert "nothing differs" in host.run("--verify")
    assert host.server("server-key.pem").stat().st_mode & 0o777 == 0o600
    assert host.server("server-cert.pem").stat().st_mode & 0o777 == 0o644

    in_use = public_sight(host.root)
    first = certificate(keeper)
    host.run("--new-key")
    assert public_sight(host.root) == in_use
    carry_back(keeper, host)
    assert certificate(keeper).public_key() != first.public_key()
    assert keeper.changes() == {}
    assert public_sight(host.root) == in_use
    host.run()
    assert fits(host)
    assert x509.load_pem_x509_certificate(host.server("server-cert.pem").read_bytes()) == certificate(keeper)
    host.run("--rollback")
    assert public_sight(host.root) == in_use
    host.run()
    assert fits(host)
    for folder in (keeper.folder, host.folder):
        assert not [path for path in folder.rglob("server-key.pem") if host.root not in path.parents]


def test_what_is_asked_for_follows_the_declaration_while_the_certificate_stays(keeper: Shop) -> None:
    put(keeper, request(key()))
    keeper.build()
    (keeper.folder / "csr/ipm1.csr").unlink()
    assert keeper.changes() == {}
    keeper.edit('ips = ["10.1.2.3"]', 'ips = ["10.1.2.4"]')
    assert keeper.changes()[("folder", "ipm1")] == {"settings-changed"}
    before = certificate(keeper)
    keeper.build()
    assert "IP.1 = 10.1.2.4" in (keeper.host("ipm1") / "request.cnf").read_text()
    assert certificate(keeper) == before
    assert keeper.changes() == {}


def test_a_shop_that_awaits_every_request_has_something_to_carry_and_nothing_else_to_do(
    tmp_path: Path,
) -> None:
    """Not even a trust bundle is there yet, so nothing was ever issued or brought."""
    shop = Shop(tmp_path, text=BOUGHT.replace('bundle = "root.pem"\n', "") + KEPT)
    shop.build()
    assert {path.name for path in shop.host("ipm1").iterdir()} == {
        "README.txt",
        "install.sh",
        "manifest.json",
        "request.cnf",
    }
    assert shop.changes() == {}
    before = shop.bytes_on_disk()
    shop.now += timedelta(days=1)
    shop.build()
    assert shop.bytes_on_disk() == before


def test_a_request_with_the_line_ends_of_windows_will_do(keeper: Shop) -> None:
    text = request(key()).public_bytes(serialization.Encoding.PEM).replace(b"\n", b"\r\n")
    (keeper.folder / "csr/ipm1.csr").write_bytes(text)
    keeper.build()
    assert certificate(keeper)


def test_the_requests_key_is_certified_with_the_names_of_pki_toml_and_no_key_is_published(
    keeper: Shop,
) -> None:
    own = key()
    put(keeper, request(own, "ipm1.example.com", "evil.example.org"))
    assert problems(keeper)["request-asks-for-other-names"] == (
        "the request asks for 'evil.example.org', which pki.toml does not declare"
    )
    keeper.build()
    made = certificate(keeper)
    assert made.public_key() == own.public_key()
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["ipm1.example.com", "print.example.com"]
    folder = keeper.host("ipm1")
    assert not (folder / "server-key.pem").exists()
    assert (
        "own_key='1'" in (folder / "install.sh").read_text()
        or "own_key=1" in (folder / "install.sh").read_text()
    )
    assert keeper.changes() == {}
    with contextlib.closing(sqlite3.connect(keeper.store)) as connection:
        assert connection.execute("SELECT pem FROM key WHERE host LIKE 'ipm1%'").fetchall() == [(b"",)]


def test_another_request_gets_another_certificate_and_the_same_is_renewed(keeper: Shop) -> None:
    put(keeper, request(key()))
    keeper.build()
    first = certificate(keeper)
    keeper.now += timedelta(days=380)
    assert keeper.changes()[("server-certificate", "ipm1")] == {"expiring"}
    keeper.build()
    assert certificate(keeper).public_key() == first.public_key()
    assert certificate(keeper).serial_number != first.serial_number
    put(keeper, request(key()))
    assert keeper.changes()[("server-certificate", "ipm1")] == {"key-changed"}
    keeper.build()
    assert certificate(keeper).public_key() != first.public_key()
    assert keeper.changes() == {}


def test_a_request_that_goes_leaves_the_certificate_in_force(keeper: Shop) -> None:
    put(keeper, request(key()))
    keeper.build()
    (keeper.folder / "csr/ipm1.csr").unlink()
    assert [one.file for one in keeper.plan().awaited] == ["csr/ipm1.csr"]
    before = certificate(keeper)
    keeper.build()
    assert certificate(keeper) == before


def test_a_host_may_begin_to_keep_its_key(built_shop: Shop) -> None:
    (built_shop.folder / "csr").mkdir()
    built_shop.edit('os = "linux"\n', 'os = "linux"\ncsr = "csr/ipm1.csr"\n')
    put(built_shop, request(key()))
    assert built_shop.changes()[("server-certificate", "ipm1")] == {"key-changed"}
    built_shop.build()
    assert not (built_shop.host("ipm1") / "server-key.pem").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"garbage", "no certificate signing request"),
        (b"-----BEGIN PRIVATE KEY-----\n", "private key"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n", "damaged"),
    ],
)
def test_what_is_no_request_is_an_error_with_its_place(keeper: Shop, content: bytes, words: str) -> None:
    (keeper.folder / "csr/ipm1.csr").write_bytes(content)
    (error,) = keeper.load().errors
    assert (error.problem.rule, error.problem.place.path) == ("request-unreadable", ("hosts", 0, "csr"))
    assert words in error.problem.message


def test_a_request_that_its_own_key_did_not_sign_is_refused(keeper: Shop) -> None:
    der = bytearray(request(key()).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    (keeper.folder / "csr/ipm1.csr").write_bytes(bytes(der))
    assert "not by its own key" in problems(keeper)["request-unreadable"]


def test_a_request_in_der_will_do(keeper: Shop) -> None:
    (keeper.folder / "csr/ipm1.csr").write_bytes(request(key()).public_bytes(serialization.Encoding.DER))
    keeper.build()
    assert certificate(keeper)


def test_a_weak_key_and_one_that_cannot_encipher_are_refused(keeper: Shop) -> None:
    put(keeper, request(key(1024)))
    assert "key-too-weak" in problems(keeper)
    put(keeper, request(ec.generate_private_key(ec.SECP256R1())))
    assert "server-key-cannot-encipher" in problems(keeper)


def test_two_hosts_do_not_share_a_key(keeper: Shop) -> None:
    keeper.write(keeper.text + KEPT.replace("ipm1.example.com", "ipm2.example.com").partition("aliases")[0])
    put(keeper, request(key()))
    assert "request-repeated" in problems(keeper)


def test_a_key_type_beside_a_request_has_no_meaning(keeper: Shop) -> None:
    keeper.edit('csr = "csr/ipm1.csr"\n', 'csr = "csr/ipm1.csr"\nkey = "rsa-3072"\n')
    assert problems(keeper)["wrong-value"].startswith("the key comes with the request")


def test_a_request_of_the_hosts_own_is_ordered_with_and_its_certificate_imported(tmp_path: Path) -> None:
    seller, own = Seller(), key()
    (tmp_path / "csr").mkdir()
    (tmp_path / "root.pem").write_bytes(pem(seller.root))
    shop = Shop(tmp_path, text=BOUGHT + KEPT)
    shop.build()
    assert [one.file for one in shop.plan().awaited] == ["csr/ipm1.csr"]
    fleet = shop.load().fleet
    assert fleet is not None
    assert fleet.hosts[0].certificate is not None
    made = x509.load_pem_x509_csr(make_request(fleet.hosts[0].certificate, own))
    put(shop, made)
    assert shop.actions() == {("request", "ipm1"): "create"}
    shop.build()
    folder = {path.name for path in shop.host("ipm1").iterdir()}
    assert folder == {"README.txt", "install.sh", "manifest.json", "request.cnf", "server.csr"}
    assert "The private key waits on the host" in (shop.host("ipm1") / "README.txt").read_text()
    assert (shop.host("ipm1") / "server.csr").read_bytes() == made.public_bytes(serialization.Encoding.PEM)
    assert [one.since for one in shop.plan().awaited] == [shop.now]
    leaf = seller.sell(made)
    assert outcomes(bring(shop, pem(leaf, seller.intermediate))) == {"ipm1": "taken"}
    shop.build()
    assert (shop.host("ipm1") / "server-cert.pem").read_bytes() == pem(leaf, seller.intermediate)
    assert not (shop.host("ipm1") / "server-key.pem").exists()
    assert shop.changes() == {}


def test_a_request_for_a_key_that_its_system_cannot_use_is_told(tmp_path: Path) -> None:
    (tmp_path / "csr").mkdir()
    desk = client("desk1", csr="csr/desk1.csr").replace('key = "ec-p256"\n', "")
    shop = Shop(tmp_path, text=HEAD + "[ipm.linux]\nec_keys = false\n" + SERVER + desk)
    assert set(problems(shop)) == {"request-awaited"}
    put(shop, request(ec.generate_private_key(ec.SECP256R1()), name="desk1.example.com"), "desk1")
    assert set(problems(shop)) == {"ec-key-not-supported"}
    put(shop, request(key(), name="desk1.example.com"), "desk1")
    assert problems(shop) == {}


def test_a_path_that_is_too_long_is_told_and_nothing_breaks(keeper: Shop) -> None:
    keeper.declaration.write_text(HEAD + KEPT.replace("csr/ipm1.csr", "a" * 5000))
    assert "longer than the name of a file may be" in problems(keeper)["wrong-value"]


def test_a_request_for_a_key_that_anybody_can_compute_is_refused(keeper: Shop) -> None:
    own = key()
    modulus = own.public_key().public_numbers().n
    der = request(own).public_bytes(serialization.Encoding.DER)
    even = der.replace(modulus.to_bytes(256, "big"), (modulus - 1).to_bytes(256, "big"))
    (keeper.folder / "csr/ipm1.csr").write_bytes(even)
    assert "small factor" in problems(keeper)["request-unreadable"]


@pytest.mark.parametrize(("exponent", "said"), [("020101", "exponent 1"), ("0203010000", "an even exponent")])
def test_a_request_for_a_key_with_a_wrong_exponent_gets_its_true_reason(
    keeper: Shop, exponent: str, said: str
) -> None:
    info = CertificationRequest.load(request(key()).public_bytes(serialization.Encoding.DER))
    held = info["certification_request_info"]["subject_pk_info"]["public_key"].parsed
    held["public_exponent"] = Integer.load(bytes.fromhex(exponent)).native
    info["certification_request_info"]["subject_pk_info"]["public_key"] = held
    (keeper.folder / "csr/ipm1.csr").write_bytes(info.dump(force=True))
    assert said in problems(keeper)["request-unreadable"]


def test_a_request_for_a_key_that_is_bound_to_pss_is_refused(keeper: Shop) -> None:
    made = keeper.folder / "csr/ipm1.csr"
    openssl("genpkey", "-algorithm", "RSA-PSS", "-out", keeper.folder / "k")
    openssl("req", "-new", "-key", keeper.folder / "k", "-subj", "/CN=ipm1.example.com", "-out", made)
    assert "bound to RSASSA-PSS" in problems(keeper)["request-unreadable"]
