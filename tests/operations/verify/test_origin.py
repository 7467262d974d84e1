"""Verify tells what it saw: each certificate, and what the store knows of it."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.command import ipmpki
from tests.render.test_json_outputs import validate
from tests.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop built today, as verify judges by the clock; the user stands in its folder."""
    made = Shop(tmp_path, now=datetime.now(UTC).replace(microsecond=0))
    made.build()
    monkeypatch.chdir(tmp_path)
    return made


def seen(*arguments: object, status: int = 0) -> list[dict[str, Any]]:
    """What ``verify --format json`` says of certificates, by its schema."""
    done = ipmpki("verify", *arguments, "--format", "json")
    assert done.status == status, done.err
    document = json.loads(done.out)
    validate(document, "verify")
    certificates: list[dict[str, Any]] = document["certificates"]
    return certificates


def origins(*arguments: object, status: int = 0) -> dict[str, str | None]:
    return {one["common_name"]: one["origin"] for one in seen(*arguments, status=status)}


def test_each_certificate_is_told_as_openssl_reads_it(shop: Shop) -> None:
    file = shop.host("ipm1") / "server-cert.pem"
    (one,) = seen(file)
    told = subprocess.run(
        ["openssl", "x509", "-in", file, "-noout", "-serial", "-fingerprint", "-sha256", "-subject"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert f"serial={one['serial']}" in told
    assert one["fingerprint"] in told.replace(":", "")
    assert one["subject"] == "CN=ipm1.example.com"
    assert (one["dns_names"], one["addresses"]) == (["ipm1.example.com", "print.example.com"], ["10.1.2.3"])
    assert one["issuer"] == "CN=Acme Print CA"
    assert one["days_left"] == 396
    assert (one["origin"], one["host"]) == ("current", "ipm1.example.com")


def test_as_text_it_stands_before_what_is_wrong(shop: Shop) -> None:
    done = ipmpki("verify", shop.host("ipm1"), "--name", "other.example.com")
    assert done.status == 1
    assert "ipm1.example.com/server-cert.pem: ipm1.example.com\n  Subject  CN=ipm1.example.com\n" in done.out
    assert "  Names    ipm1.example.com, print.example.com, 10.1.2.3\n" in done.out
    assert ", 396 days left\n" in done.out
    assert "  Store    the current certificate of ipm1.example.com\n" in done.out
    assert "  Store    an authority of this store\n" in done.out
    assert "other.example.com" in done.err


def test_one_that_was_replaced_or_revoked_is_known_as_such(shop: Shop) -> None:
    old = (shop.host("ipm1") / "server-cert.pem").read_bytes()
    (shop.folder / "old.pem").write_bytes(old)
    shop.edit("10.1.2.3", "10.1.2.4")
    shop.build()
    assert origins("old.pem") == {"ipm1.example.com": "replaced"}
    done = ipmpki("revoke", shop.declaration, "desk1.example.com", "--reason", "superseded")
    assert done.status == 0
    assert origins(shop.host("desk1") / "client-cert.pem") == {"desk1.example.com": "revoked"}


def test_an_authority_that_was_replaced_is_known_as_such(shop: Shop) -> None:
    (shop.folder / "old-ca.pem").write_bytes((shop.dist / "ca" / "ca-cert.pem").read_bytes())
    shop.edit('common_name = "Acme Print CA"', 'common_name = "Acme Press CA"')
    shop.build(replace_ca=True)
    assert origins("old-ca.pem") == {"Acme Print CA": "former-authority"}
    assert origins(shop.dist / "ca" / "ca-cert.pem") == {"Acme Press CA": "authority"}


def test_what_others_issued_is_not_the_stores(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Shop(tmp_path_factory.mktemp("other"), now=shop.now)
    other.build()
    assert origins(other.host("ipm1") / "server-cert.pem") == {"ipm1.example.com": "unknown"}
    assert origins(other.host("ipm1") / "server-cert.pem", "--pki", other.declaration) == {
        "ipm1.example.com": "current"
    }


def test_where_no_store_is_at_hand_none_is_spoken_of(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    file = shop.host("ipm1") / "server-cert.pem"
    assert origins(file) == {"ipm1.example.com": None}
    assert "Store" not in ipmpki("verify", file).out


def test_a_store_that_nobody_named_and_that_cannot_be_read_is_not_spoken_of(shop: Shop) -> None:
    shop.store.write_bytes(b"")
    file = shop.host("ipm1") / "server-cert.pem"
    assert origins(file) == {"ipm1.example.com": None}
    named = ipmpki("verify", file, "--pki", shop.declaration)
    assert named.status == 4
    assert "pki.db" in named.err


def test_after_its_end_it_says_since_when(shop: Shop) -> None:
    day = (shop.now + timedelta(days=400)).date()
    done = ipmpki("verify", shop.host("ipm1") / "server-cert.pem", "--at", day)
    assert done.status == 1
    assert re.search(r", ended [23] days ago\n", done.out)
    (one,) = seen(shop.host("ipm1") / "server-cert.pem", "--at", day, status=1)
    assert one["days_left"] < 0


def test_of_a_bundle_only_the_number_is_told(shop: Shop) -> None:
    text = (shop.dist / "ca" / "ca-cert.pem").read_text("ascii")
    (shop.folder / "bundle.pem").write_text(text * 6)
    done = ipmpki("verify", "bundle.pem")
    assert done.out == "bundle.pem: 6 certificates (--format json tells each)\n"
    assert len(seen("bundle.pem")) == 6
