"""Encrypted keys, and several authorities in one folder."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ipmpki import build, load
from ipmpki.x509.protection import Protection, protection_of
from tests.cli.command import ipmpki
from tests.operations.adopt.old import RSA, OldPki
from tests.operations.adopt.test_leftovers import left_of
from tests.operations.verify import mint

if TYPE_CHECKING:
    from tests.operations.adopt.conftest import Heir


OWN, OTHER = "old and long", "another one"


@pytest.fixture
def locked_heir(heir: Heir) -> Heir:
    """An old authority whose key is encrypted, and a server whose key is, too."""
    old = heir.old
    old.opened = ("-passin", f"pass:{OWN}")
    old.found(passphrase=OWN)
    old.issue("ipm1.example.com", "server", key=RSA)
    old.issue("ipm2.example.com", "server", key=RSA, passphrase=OTHER)
    return heir


def test_a_passphrase_that_does_not_fit_is_named_as_such(locked_heir: Heir) -> None:
    wrong = locked_heir.folder / "wrong.txt"
    wrong.write_text("something else\n")
    wrong.chmod(0o600)
    refused = locked_heir.adopt("--passphrase-file", wrong)
    assert refused.status == 2
    assert "the passphrase of wrong.txt does not open private/cakey.pem" in refused.err


def test_without_a_passphrase_an_encrypted_authority_cannot_be_taken(locked_heir: Heir) -> None:
    refused = locked_heir.adopt()
    assert refused.status == 2
    assert "need a passphrase" in refused.err
    assert "--passphrase-env" in refused.err
    assert list(locked_heir.folder.iterdir()) == [] or not locked_heir.store.exists()


def test_the_key_stays_encrypted_and_pki_toml_says_where_its_passphrase_is(
    locked_heir: Heir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLD_PASSPHRASE", OWN)
    assert left_of(locked_heir, "--passphrase-env", "OLD_PASSPHRASE") == {
        "locked-key": ["private/ipm2.example.com.key"]
    }
    assert 'passphrase = { env = "OLD_PASSPHRASE" }' in locked_heir.declaration.read_text()
    connection = sqlite3.connect(locked_heir.store)
    (key,) = connection.execute("SELECT key FROM authority").fetchone()
    connection.close()
    assert protection_of(key) is Protection.SEALED
    assert ipmpki("build", locked_heir.declaration).status == 0
    monkeypatch.delenv("OLD_PASSPHRASE")
    text = locked_heir.declaration.read_text()
    locked_heir.declaration.write_text(text + 'ips = ["10.1.2.9"]\n')
    refused = ipmpki("build", locked_heir.declaration)
    assert refused.status == 1
    assert "the environment variable OLD_PASSPHRASE" in refused.err


def test_hosts_keys_are_opened_too_and_lie_open_as_ipm_needs_them(
    locked_heir: Heir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER", OTHER)
    (locked_heir.folder / "pass").write_text("old and long\nnot this\n")
    options = ("--passphrase-file", locked_heir.folder / "pass", "--passphrase-env", "OTHER")
    assert left_of(locked_heir, *options) == {}
    assert 'passphrase = { file = "pass" }' in locked_heir.declaration.read_text()
    assert set(locked_heir.changes()) == {("crl", None)}
    assert ipmpki("build", locked_heir.declaration).status == 0
    published = locked_heir.folder / "dist/hosts/ipm2.example.com/server-key.pem"
    assert published.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    told = locked_heir.adopt().err
    assert OTHER not in told


def test_a_key_in_the_old_encrypted_form_is_opened(heir: Heir, monkeypatch: pytest.MonkeyPatch) -> None:
    old = heir.old.found(key=RSA)
    old.openssl(
        *("rsa", "-in", "private/cakey.pem", "-aes256", "-traditional", "-passout", "pass:secret"),
        *("-out", "locked.pem"),
    )
    (old.folder / "locked.pem").rename(old.folder / "private/cakey.pem")
    old.opened = ("-passin", "pass:secret")
    old.issue("ipm1.example.com", "server", key=RSA)
    monkeypatch.setenv("P", "wrong")
    assert heir.adopt("--passphrase-env", "P").status == 2
    monkeypatch.setenv("P", "secret")
    assert heir.adopt("--passphrase-env", "P").status == 0
    assert ipmpki("build", heir.declaration).status == 0


def two_authorities(heir: Heir) -> OldPki:
    """A second authority in the folder of the first, with a certificate of its own."""
    (heir.old.folder / "second").mkdir()
    second = OldPki(heir.old.folder / "second").found("/CN=Second CA")
    second.issue("ipm9.example.com", "server", key=RSA)
    return second


def test_of_two_authorities_the_user_says_which(heir: Heir) -> None:
    heir.old.found().issue("ipm1.example.com", "server", key=RSA)
    second = two_authorities(heir)
    refused = heir.adopt()
    assert refused.status == 2
    assert "2 authorities" in refused.err
    assert "'Second CA' (second/cacert.pem)" in refused.err
    assert not heir.declaration.exists()
    left = left_of(heir, "--ca", second.folder / "cacert.pem")
    assert left == {
        "other-authority": ["cacert.pem"],
        "other-index": ["index.txt"],
        "other-issuer": ["certs/ipm1.example.com.crt"],
    }
    assert "ipm9.example.com" in heir.declaration.read_text()


def test_an_authority_below_a_root_is_adopted_with_the_chain_above_it(heir: Heir) -> None:
    root = heir.old.found("/CN=Root CA")
    root.issue("Print CA", "below", names="", file="sub")
    sub = OldPki(root.folder / "sub").found("/CN=unused")
    (sub.folder / "cacert.pem").write_bytes((root.folder / "certs/sub.crt").read_bytes())
    (sub.folder / "private/cakey.pem").write_bytes((root.folder / "private/sub.key").read_bytes())
    sub.issue("ipm1.example.com", "server", key=RSA)
    (root.folder / "private/cakey.pem").unlink()
    assert heir.adopt().status == 0
    assert set(heir.changes()) == {("crl", None)}
    assert ipmpki("build", heir.declaration).status == 0
    host = heir.folder / "dist/hosts/ipm1.example.com"
    root.openssl("verify", "-CAfile", str(host / "ca-cert.pem"), str(host / "server-cert.pem"))


def test_a_folder_without_an_authority_is_refused(heir: Heir) -> None:
    (heir.old.folder / "notes.txt").write_text("nothing")
    refused = heir.adopt()
    assert (refused.status, refused.out) == (2, "")
    assert "there is no authority's certificate" in refused.err
    heir.old.found()
    (heir.old.folder / "private/cakey.pem").unlink()
    refused = heir.adopt()
    assert refused.status == 2
    assert "the key of the authority 'Acme Print CA' is not in" in refused.err


def test_an_expired_authority_is_refused(heir: Heir) -> None:
    heir.old.found(days=1)
    name = "cacert.pem"
    heir.old.openssl("x509", "-in", name, "-signkey", "private/cakey.pem", "-days", "-1", "-out", "new.pem")
    (heir.old.folder / "new.pem").rename(heir.old.folder / name)
    assert "expired" in heir.adopt().err
    assert not heir.store.exists()


def test_a_key_that_others_have_or_can_compute_is_told_and_gives_way(heir: Heir) -> None:
    old = heir.old.found()
    old.issue("ipm1.example.com", "server", key=RSA)
    old.issue("ipm2.example.com", "server", key=("-key", "private/ipm1.example.com.key"))
    old.issue("desk1.example.com", key=("-key", "private/cakey.pem"))
    (old.folder / "private/unsound.key").write_bytes(
        mint.Made(mint.authority().certificate, mint.unsound_key()).key_pem()
    )
    old.issue("desk2.example.com", key=("-key", "private/unsound.key"))
    assert left_of(heir) == {
        "damaged": ["certs/desk2.example.com.csr"],
        "shared-key": ["certs/ipm2.example.com.crt"],
        "weak-key": ["certs/desk1.example.com.crt", "certs/desk2.example.com.crt"],
    }
    assert {key for key in heir.changes() if key[1] is not None} == {
        ("client-certificate", "desk1.example.com"),
        ("client-certificate", "desk2.example.com"),
    }


def test_an_authority_with_an_unsound_key_is_taken_and_told(heir: Heir) -> None:
    key = mint.Made(mint.authority().certificate, mint.unsound_key()).key_pem()
    (heir.old.folder / "private").mkdir()
    (heir.old.folder / "private/cakey.pem").write_bytes(key)
    heir.old.found(key=("-key", "private/cakey.pem")).issue("ipm1.example.com", "server", key=RSA)
    assert "was taken, but it has an exponent of 65 bits" in heir.adopt().out


def test_a_key_that_two_hosts_have_is_kept_for_neither(heir: Heir) -> None:
    old = heir.old.found()
    old.issue("ipm1.example.com", "server", key=RSA)
    old.issue("desk1.example.com")
    old.issue("desk2.example.com", key=("-key", "private/desk1.example.com.key"))
    left_of(heir)
    text = heir.declaration.read_text()
    heir.declaration.write_text(text.replace('renew_key = "new"', 'renew_key = "keep"'))
    build(load(heir.declaration, now=datetime.now(UTC)))
    build(load(heir.declaration, now=datetime.now(UTC) + timedelta(days=3000)))
    files = [heir.folder / f"dist/hosts/desk{one}.example.com/client-key.pem" for one in (1, 2)]
    before = (old.folder / "private/desk1.example.com.key").read_bytes()
    assert len({file.read_bytes() for file in files} | {before}) == 3
