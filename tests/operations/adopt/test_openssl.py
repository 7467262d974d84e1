"""A folder of ``openssl ca`` is adopted: what is in force stays in force, under the old authority."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from tests.cli.command import ipmpki
from tests.operations.adopt.old import EC, RSA
from tests.operations.verify.test_published import published_is_accepted
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    from tests.operations.adopt.conftest import Heir


def crl_of(heir: Heir) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl((heir.folder / "dist/ca/crl.pem").read_bytes())


def crl_number(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def verify(certificate: Path, heir: Heir, *options: str) -> str:
    """What openssl says of a certificate, by the old authority's own file."""
    completed = subprocess.run(
        [
            *(require("openssl"), "verify", "-x509_strict", *options),
            *("-CAfile", str(heir.old.folder / "cacert.pem"), str(certificate)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return completed.stdout + completed.stderr


def test_what_conforms_is_kept_and_the_first_plan_only_publishes(shop_heir: Heir) -> None:
    adopted = shop_heir.adopt()
    assert (adopted.status, adopted.err) == (0, "")
    assert "Not taken" not in adopted.out
    assert ipmpki("check", "--strict", shop_heir.declaration).status == 0
    assert shop_heir.changes() == {}
    built = ipmpki("build", shop_heir.declaration)
    assert built.status == 0
    assert ipmpki("plan", "--exit-code", shop_heir.declaration).status == 0
    for host, file in (("ipm1", "server"), ("desk1", "client")):
        published = (shop_heir.folder / f"dist/hosts/{host}.example.com/{file}-cert.pem").read_bytes()
        old = (shop_heir.old.folder / f"certs/{host}.example.com.crt").read_bytes()
        assert x509.load_pem_x509_certificate(published) == x509.load_pem_x509_certificate(old)


def test_nothing_in_the_old_folder_is_touched(shop_heir: Heir) -> None:
    before = shop_heir.old.state()
    shop_heir.adopt("--dry-run")
    shop_heir.adopt()
    ipmpki("build", shop_heir.declaration)
    assert shop_heir.old.state() == before


def test_the_declaration_says_what_the_certificates_say(shop_heir: Heir) -> None:
    shop_heir.adopt()
    fleet = shop_heir.load().fleet
    assert fleet is not None
    assert fleet.mutual_auth
    assert fleet.authority.subject.organization == "Acme"
    assert fleet.declared.defaults.lifetime.days == 365
    server, *clients = fleet.hosts
    assert (server.name, server.role, server.aliases) == (
        "ipm1.example.com",
        "server",
        ("print.example.com",),
    )
    assert [str(one) for one in server.addresses] == ["10.1.2.3"]
    assert [one.name for one in clients] == ["desk1.example.com", "desk2.example.com"]
    text = shop_heir.declaration.read_text()
    assert text.count("# a guess: aix linux windows macos") == 3
    assert '# A guess, as clients have certificates in the old folder:\nmutual_auth = "required"' in text
    assert text.lower().count("a guess") == 5  # by_hand, too; names and roles stand in the certificates
    assert "Adopted on " in text


def test_the_next_crl_counts_on_and_lists_what_was_revoked_before(shop_heir: Heir) -> None:
    shop_heir.adopt()
    text = shop_heir.declaration.read_text()
    begin = text.index('[[hosts]]\nname = "desk2.example.com"')
    shop_heir.declaration.write_text(text[:begin])
    assert ipmpki("build", shop_heir.declaration).status == 0
    crl = crl_of(shop_heir)
    assert crl_number(crl) == 2
    reasons = {
        entry.serial_number: entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
        for entry in crl
    }
    assert reasons == {0x1003: "keyCompromise", 0x1002: "cessationOfOperation"}
    lists = ("-crl_check", "-CRLfile", str(shop_heir.folder / "dist/ca/crl.pem"))
    certificates = shop_heir.old.folder / "certs"
    assert verify(certificates / "desk1.example.com.crt", shop_heir, *lists).endswith("OK\n")
    for revoked in ("desk2", "desk3"):
        assert "certificate revoked" in verify(certificates / f"{revoked}.example.com.crt", shop_heir, *lists)


def test_a_renewed_certificate_verifies_under_the_old_authority(shop_heir: Heir) -> None:
    shop_heir.adopt()
    text = shop_heir.declaration.read_text()
    shop_heir.declaration.write_text(text.replace('"10.1.2.3"', '"10.1.2.4"'))
    assert ipmpki("build", shop_heir.declaration).status == 0
    new = shop_heir.folder / "dist/hosts/ipm1.example.com/server-cert.pem"
    assert verify(new, shop_heir, "-purpose", "sslserver", "-verify_ip", "10.1.2.4").endswith("OK\n")


def test_a_crl_that_was_lost_is_made_anew_with_a_higher_number(shop_heir: Heir) -> None:
    (shop_heir.old.folder / "crlnumber").write_text("2A\n")
    (shop_heir.old.folder / "crl.pem").unlink()
    adopted = shop_heir.adopt()
    assert "revocation list: a new one, number 42" in adopted.out
    assert shop_heir.changes() == {}
    ipmpki("build", shop_heir.declaration)
    crl = crl_of(shop_heir)
    assert crl_number(crl) == 42
    assert [entry.serial_number for entry in crl] == [0x1003]


def test_a_revocation_that_no_crl_holds_yet_gets_into_the_next(shop_heir: Heir) -> None:
    shop_heir.old.revoke("desk2.example.com", "superseded")
    shop_heir.adopt()
    assert shop_heir.changes() == {
        ("crl", None): (
            "renew",
            "revoked: 1 not listed yet; files-missing: crl.pem has not been published yet",
        )
    }
    ipmpki("build", shop_heir.declaration)
    assert {entry.serial_number for entry in crl_of(shop_heir)} == {0x1002, 0x1003}


@pytest.mark.parametrize("keeps_crl", [True, False])
def test_a_revocation_is_not_forgotten_with_its_certificate(shop_heir: Heir, *, keeps_crl: bool) -> None:
    for path in (*shop_heir.old.folder.glob("*/*desk3*"), shop_heir.old.folder / "newcerts/1003.pem"):
        path.unlink()
    if keeps_crl:
        (shop_heir.old.folder / "index.txt").unlink()
    else:
        (shop_heir.old.folder / "crl.pem").unlink()
    assert shop_heir.adopt().status == 0
    shown = ipmpki("show", shop_heir.declaration, "1003")
    assert (shown.status, "the certificate itself is not here" in " ".join(shown.out.split())) == (0, True)
    assert ipmpki("show", "--format", "json", shop_heir.declaration, "1003").status == 0
    assert ipmpki("status", shop_heir.declaration).status == 0
    ipmpki("build", shop_heir.declaration)
    assert [entry.serial_number for entry in crl_of(shop_heir)] == [0x1003]
    healthy = ipmpki("doctor", shop_heir.declaration)
    assert (healthy.status, healthy.err) == (0, "")
    saved = shop_heir.folder / "saved.db"
    assert "nothing is known to be lost" in ipmpki("doctor", shop_heir.declaration, "--salvage", saved).out
    saved.replace(shop_heir.store)
    assert ipmpki("revoke", shop_heir.declaration, "desk1.example.com", "--reason", "superseded").status == 0
    ipmpki("build", shop_heir.declaration)
    assert 0x1003 in {entry.serial_number for entry in crl_of(shop_heir)}


def test_a_crl_of_version_1_has_no_number_to_go_on_from(heir: Heir) -> None:
    old = heir.old.found()
    old.issue("desk1.example.com")
    old.issue("desk2.example.com")
    old.revoke("desk2.example.com")
    text = (old.folder / "openssl.cnf").read_text()
    for line in ("crl_extensions = crl\n", "crlnumber = $dir/crlnumber\n"):
        text = text.replace(line, "")
    (old.folder / "openssl.cnf").write_text(text)
    (old.folder / "crlnumber").unlink()
    old.list_revocations()
    assert "revocation list: a new one, number 1" in heir.adopt().out
    ipmpki("build", heir.declaration)
    assert [entry.serial_number for entry in crl_of(heir)] == [0x1001]


def test_history_goes_into_the_ledger(heir: Heir) -> None:
    old = heir.old.found()
    old.issue("desk1.example.com", file="first", end="20250101000000Z", begin="20240101000000Z")
    old.issue("desk1.example.com", file="second", begin="20250601000000Z", end="20400101000000Z")
    old.issue("desk1.example.com", file="third", begin="20260101000000Z")
    adopted = heir.adopt()
    assert "history: 2 certificates (1 expired, 1 not in use here)" in adopted.out
    connection = sqlite3.connect(heir.store)
    rows = connection.execute(
        "SELECT serial, retired_at IS NULL, length(certificate.pem) > 0, length(key.pem) > 0 FROM certificate"
        " JOIN key ON key.digest = certificate.key ORDER BY serial"
    ).fetchall()
    assert [(int(serial, 16), *others) for serial, *others in rows] == [
        (0x1000, 0, 1, 1),
        (0x1001, 0, 1, 1),
        (0x1002, 1, 1, 1),
    ]
    kinds = connection.execute("SELECT DISTINCT kind FROM event ORDER BY kind").fetchall()
    assert kinds == [("authority-made",), ("certificate-adopted",)]
    assert heir.store.stat().st_mode & 0o777 == 0o600
    connection.close()


def test_what_deviates_is_replaced_by_the_plan_with_its_reason(heir: Heir) -> None:
    old = heir.old.found()
    old.issue("desk1.example.com")
    old.issue("ipm1.example.com", "server-alone", key=RSA)
    old.issue("ipm2.example.com", "server", key=RSA, names="DNS:print.example.com")
    old.issue("ipm3.example.com", "server")
    old.issue("ipm4.example.com", "server", key=RSA, more=("-md", "sha1"))
    old.issue("ipm5.example.com", "bare", key=RSA)
    assert heir.adopt().status == 0
    changes = heir.changes()
    assert {host: reason for (_, host), (_, reason) in changes.items()} == {
        None: "files-missing: the authority has no revocation list yet",
        "ipm1.example.com": "profile-changed: profile: no clientAuth -> server-mutual",
        "ipm2.example.com": "names-changed: dns: print.example.com -> ipm2.example.com print.example.com",
        "ipm3.example.com": "key-changed: ec-p256 -> rsa-2048",
        "ipm4.example.com": "profile-changed: profile: signed with sha1 -> server-mutual",
        "ipm5.example.com": "profile-changed: profile: no digitalSignature, no keyEncipherment,"
        " no serverAuth, no clientAuth -> server-mutual",
    }
    assert "# a guess: its certificate does not say" in heir.declaration.read_text()
    assert ipmpki("build", heir.declaration).status == 0
    assert ipmpki("plan", "--exit-code", heir.declaration).status == 0


def test_without_clients_there_is_no_mutual_authentication(heir: Heir) -> None:
    heir.old.found(days=400).issue("ipm1.example.com", "server-alone", key=RSA)
    adopted = heir.adopt()
    assert adopted.status == 0
    assert 'mutual_auth = "off"' in heir.declaration.read_text()
    assert set(heir.changes()) == {("crl", None)}


def test_an_adopted_authority_can_have_a_successor(shop_heir: Heir) -> None:
    shop_heir.adopt()
    assert ipmpki("build", shop_heir.declaration).status == 0
    text = shop_heir.declaration.read_text()
    shop_heir.declaration.write_text(text.replace("# generation = 1 ", "generation = 2 "))
    assert "step 1 of 3" in ipmpki("plan", shop_heir.declaration).out
    assert ipmpki("build", shop_heir.declaration).status == 0
    both = (shop_heir.folder / "dist/hosts/ipm1.example.com/ca-cert.pem").read_bytes()
    old = x509.load_pem_x509_certificate((shop_heir.old.folder / "cacert.pem").read_bytes())
    assert old in x509.load_pem_x509_certificates(both)
    assert both.count(b"BEGIN CERTIFICATE") == 2


def test_json_has_all_of_it_by_its_schema(shop_heir: Heir) -> None:
    import jsonschema

    from ipmpki.render.json_schemas import schema_text

    document = json.loads(shop_heir.adopt("--format", "json").out)
    jsonschema.validate(document, json.loads(schema_text("adoption")))
    assert document["is_written"]
    assert [host["name"] for host in document["hosts"]] == [
        "ipm1.example.com",
        "desk1.example.com",
        "desk2.example.com",
    ]
    assert document["past"][0]["reason"] == "key-compromise"
    assert document["next_revocation_list"] == 2


def test_what_is_built_after_an_adoption_is_accepted(shop_heir: Heir) -> None:
    assert shop_heir.adopt().status == 0
    assert ipmpki("build", shop_heir.declaration).status == 0
    now = f"{shop_heir.load().now + timedelta(minutes=1):%Y-%m-%dT%H:%M}"
    assert published_is_accepted(shop_heir.folder / "dist", now, mutual_auth=True) == 3


def test_an_adopted_issuing_authoritys_server_goes_on_sending_it(heir: Heir) -> None:
    """So that clients which trust the root alone, as before, go on trusting the server."""
    old = heir.old.found("/CN=Acme Issuing CA")
    old.openssl("req", "-x509", *EC, "-nodes", "-keyout", "k", "-out", "root.pem", "-subj", "/CN=Acme Root")
    old.openssl("req", "-new", "-key", "private/cakey.pem", "-subj", "/CN=Acme Issuing CA", "-out", "ca.csr")
    (old.folder / "ext").write_text(
        "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
        "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
    )
    old.openssl(
        *("x509", "-req", "-in", "ca.csr", "-CA", "root.pem", "-CAkey", "k", "-days", "3000"),
        *("-extfile", "ext", "-out", "cacert.pem"),
    )
    (old.folder / "k").unlink()
    leaf = old.issue("ipm1.example.com", "server", key=RSA)
    with leaf.open("ab") as file:
        file.write((old.folder / "cacert.pem").read_bytes())
    assert heir.adopt().status == 0
    assert ipmpki("build", heir.declaration).status == 0
    sent = heir.folder / "dist/hosts/ipm1.example.com/server-cert.pem"
    assert len(x509.load_pem_x509_certificates(sent.read_bytes())) == 2
    old.openssl("verify", "-CAfile", "root.pem", "-untrusted", str(sent), str(sent))
    assert heir.changes() == {}
