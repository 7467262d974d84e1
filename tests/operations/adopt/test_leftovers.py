"""What could not be taken is told, each thing with its reason, and nothing that is odd breaks anything."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from tests.cli.command import ipmpki
from tests.operations.adopt.old import EC, RSA, OldPki
from tests.tools import require

if TYPE_CHECKING:
    from tests.operations.adopt.conftest import Heir


def left_of(heir: Heir, *options: object) -> dict[str, list[str]]:
    """The files of what was left, by code."""
    outcome = heir.adopt("--format", "json", *options)
    assert outcome.err == ""
    found: dict[str, list[str]] = {}
    for one in json.loads(outcome.out)["left_out"]:
        found.setdefault(one["code"], []).append(one["file"])
    return found


def test_everything_that_was_not_taken_is_listed(heir: Heir, tmp_path: Path) -> None:
    old = heir.old.found()
    old.issue("ipm1.example.com", "server", key=RSA)
    old.issue("ipm1", "server", names="DNS:ipm1", file="short")
    old.issue("ann@example.com", "mail", names="email:ann@example.com", file="mail")
    old.issue("keyless.example.com")
    (old.folder / "private/keyless.example.com.key").unlink()
    (old.folder / "certs/keyless.example.com.csr").unlink()
    old.issue("lost.example.com")
    for path in (*old.folder.glob("*/lost*"), old.folder / "newcerts/1004.pem"):
        path.unlink()
    old.openssl("genpkey", "-algorithm", "RSA", "-out", "private/orphan.key")
    old.openssl("req", "-new", *EC, "-nodes", "-keyout", "k", "-out", "certs/asked.csr", "-subj", "/CN=asked")
    (old.folder / "k").unlink()
    (tmp_path / "other").mkdir()
    other = OldPki(tmp_path / "other").found("/CN=Other CA")
    other.issue("far.example.com")
    other.list_revocations()
    (old.folder / "far.pem").write_bytes((other.folder / "certs/far.example.com.crt").read_bytes())
    (old.folder / "other-ca.pem").write_bytes((other.folder / "cacert.pem").read_bytes())
    (old.folder / "other-crl.pem").write_bytes((other.folder / "crl.pem").read_bytes())
    (old.folder / "other-index").write_bytes((other.folder / "index.txt").read_bytes())
    assert left_of(heir) == {
        "certificate-file-missing": [""],
        "certificate-without-key": ["certs/keyless.example.com.crt"],
        "key-without-certificate": ["private/orphan.key"],
        "other-authority": ["other-ca.pem"],
        "other-index": ["other-index"],
        "other-issuer": ["far.pem"],
        "other-purpose": ["certs/mail.crt"],
        "other-revocation-list": ["other-crl.pem"],
        "request-without-certificate": ["certs/asked.csr"],
        "unusable-name": ["certs/short.crt"],
    }
    assert ipmpki("check", heir.declaration).status == 0
    assert set(heir.changes()) == {("client-certificate", "keyless.example.com"), ("crl", None)}


def test_a_host_that_keeps_its_key_is_adopted_by_its_request(heir: Heir) -> None:
    old = heir.old.found()
    old.issue("desk1.example.com")
    (old.folder / "private/desk1.example.com.key").unlink()
    assert left_of(heir) == {}
    assert 'csr = "csr/desk1.example.com.csr"' in heir.declaration.read_text()
    assert ipmpki("check", heir.declaration).status == 0
    assert set(heir.changes()) == {("crl", None)}
    assert ipmpki("build", heir.declaration).status == 0
    published = {path.name for path in (heir.folder / "dist/hosts/desk1.example.com").iterdir()}
    assert "client-cert.pem" in published
    assert "client-key.pem" not in published


def test_names_that_no_alias_can_be_are_told_and_the_plan_says_what_follows(heir: Heir) -> None:
    old = heir.old.found()
    names = "DNS:ipm1.example.com,DNS:ipm_1.example.com,DNS:desk1.example.com,IP:0.0.0.0,email:a@example.com"
    old.issue("ipm1.example.com", "server", key=RSA, names=names)
    old.issue("desk1.example.com")
    assert left_of(heir) == {"dropped-name": ["certs/ipm1.example.com.crt"] * 4}
    assert ipmpki("check", heir.declaration).status == 0
    assert set(heir.changes()) == {("server-certificate", "ipm1.example.com"), ("crl", None)}


def test_a_wildcard_in_the_subject_stays_one(heir: Heir) -> None:
    old = heir.old.found()
    old.issue(
        "*.example.com", "server", key=RSA, names="DNS:*.example.com,DNS:ipm1.example.com", file="wildcard"
    )
    old.issue("*.example.org", "server", key=RSA, file="alone")
    assert left_of(heir) == {"unusable-name": ["certs/alone.crt"]}
    assert 'subject = "*.example.com"' in heir.declaration.read_text()
    assert set(heir.changes()) == {("crl", None)}


def test_short_names_are_completed_by_a_domain(heir: Heir) -> None:
    old = heir.old.found()
    old.issue("ipm1", "server", key=RSA)
    assert left_of(heir, "--domain", "example.com") == {}
    assert "a guess: its domain is that of --domain" in heir.declaration.read_text()
    assert heir.changes()["server-certificate", "ipm1.example.com"] == (
        "replace",
        "names-changed: subject: ipm1 -> ipm1.example.com; dns: ipm1 -> ipm1.example.com ipm1",
    )


def test_odd_files_are_told_and_hurt_nothing(shop_heir: Heir) -> None:
    folder = shop_heir.old.folder
    (folder / "loop").symlink_to(".")
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    with (folder / "huge.img").open("wb") as huge:
        huge.truncate(1 << 33)
    (folder / "cut.pem").write_bytes((folder / "cacert.pem").read_bytes()[:300])
    (folder / "garbage.der").write_bytes(bytes(range(256)) * 8)
    (folder / "empty").touch()
    (folder / 'it\'s a "name" ü\n.txt').write_text("x")
    Path(os.fsdecode(bytes(folder) + b"/\xff\xfe.pem")).write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n")
    before = shop_heir.old.state()
    assert left_of(shop_heir) == {
        "damaged": ["\\xff\\xfe.pem", "cut.pem"],
        "unreadable": ["dangling", "huge.img", "loop", "pipe"],
    }
    assert shop_heir.old.state() == before
    assert ipmpki("build", shop_heir.declaration).status == 0


def test_files_that_may_not_be_read_are_told(shop_heir: Heir) -> None:
    locked = shop_heir.old.folder / "private/desk1.example.com.key"
    locked.chmod(0)
    (shop_heir.old.folder / "certs/desk1.example.com.csr").unlink()
    command = [sys.executable, "-W", "error", "-m", "ipmpki", "adopt", str(shop_heir.old.folder)]
    if os.geteuid() == 0:  # what makes root obey permissions too
        command = [require("setpriv"), "--bounding-set=-dac_override,-dac_read_search", *command]
    adopted = subprocess.run(
        [*command, "--into", shop_heir.declaration], capture_output=True, text=True, check=False
    )
    assert adopted.returncode == 0, adopted.stderr
    assert "private/desk1.example.com.key: cannot be read: Permission denied" in adopted.stdout
    assert "the certificate of 'desk1.example.com', until " in adopted.stdout
    assert "no key here: the first build makes key and certificate anew" in adopted.stdout


def test_a_host_whose_last_certificate_has_expired_is_told_and_not_declared(heir: Heir) -> None:
    old = heir.old.found()
    old.issue("ipm1.example.com", "server", key=RSA)
    for file, year in (("first", 2024), ("second", 2025)):
        old.issue("gone.example.com", file=file, begin=f"{year}0101000000Z", end=f"{year}1201000000Z")
    adopted = heir.adopt()
    told = "certs/second.crt: the last certificate of 'gone.example.com' ended on 2025-12-01"
    assert told in adopted.out
    assert "ipmpki host add pki.toml gone.example.com --role client" in adopted.out
    assert "certs/first.crt" not in adopted.out
    assert "gone" not in heir.declaration.read_text()


def test_a_weak_authority_is_taken_and_told(heir: Heir) -> None:
    heir.old.found(key=("-newkey", "rsa:1024")).issue("ipm1.example.com", "server", key=RSA)
    assert left_of(heir) == {"weak-authority": ["cacert.pem"]}
    assert set(heir.changes()) == {("crl", None)}


def test_a_certificate_of_the_past_can_still_be_revoked(heir: Heir) -> None:
    old = heir.old.found()
    old.issue("ipm1.example.com", "server", key=RSA)
    old.issue("desk1.example.com")
    for path in (*old.folder.glob("*/desk1*"), old.folder / "newcerts/1001.pem"):
        path.unlink()
    assert left_of(heir) == {"certificate-file-missing": [""]}
    assert ipmpki("build", heir.declaration).status == 0
    revoked = ipmpki("revoke", heir.declaration, "1001", "--reason", "key-compromise")
    assert revoked.status == 0, revoked.err
    assert ipmpki("build", heir.declaration).status == 0
    crl = x509.load_pem_x509_crl((heir.folder / "dist/ca/crl.pem").read_bytes())
    assert [entry.serial_number for entry in crl] == [0x1001]


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(150))
def test_damage_anywhere_is_told_and_never_breaks_adopt(shop_heir: Heir, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- nothing secret: the same damage each time
    files = sorted(path for path in shop_heir.old.folder.rglob("*") if path.is_file())
    for path in chance.sample(files, chance.randint(1, 6)):
        content = bytearray(path.read_bytes())
        for _ in range(chance.randint(1, 8)):
            if not content:
                break
            begin = chance.randrange(len(content))
            if chance.random() < 0.3:
                del content[begin : begin + chance.randint(1, 200)]
            else:
                content[begin : begin + 1] = chance.randbytes(chance.randint(1, 3))
        path.write_bytes(content)
    adopted = shop_heir.adopt()
    assert adopted.status in {0, 1, 2}
    assert "should not" not in adopted.err
    if shop_heir.declaration.exists():
        assert "should not" not in ipmpki("plan", shop_heir.declaration).err
        assert "should not" not in ipmpki("build", shop_heir.declaration).err


def test_subjects_in_any_script_are_kept(heir: Heir) -> None:
    old = heir.old.found('/C=DE/O=Größe \\"&\\" Söhne/CN=Druckerei Großmann\'s CA')
    old.issue("ipm1.example.com", "server", key=RSA)
    assert left_of(heir) == {}
    fleet = heir.load().fleet
    assert fleet is not None
    assert fleet.authority.subject.common_name == "Druckerei Großmann's CA"
    assert set(heir.changes()) == {("crl", None)}


def test_a_damaged_private_key_is_not_taken(heir: Heir) -> None:
    old = heir.old.found()
    old.issue("ipm1.example.com", "server", key=RSA)
    key = old.folder / "private/ipm1.example.com.key"
    lines = key.read_text().splitlines()
    lines[20] = lines[20][::-1]
    key.write_text("\n".join(lines))
    left = left_of(heir)
    assert left["damaged"] == ["private/ipm1.example.com.key"]
    assert set(left) == {"damaged"}, "its request is there, so that the host keeps its key"
