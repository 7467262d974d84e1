"""A host that is renamed is one host: what it had stays in force until what replaces it is installed."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from ipmpki.operations.installed import record_installed
from ipmpki.plans.installation import Cause, in_use_of
from tests.cli.command import ipmpki as run
from tests.shop import HEAD, Shop, client

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two clients, installed; then one is renamed."""
    shop = Shop(tmp_path, text=HEAD + client("desk1") + client("desk2"))
    shop.build()
    record_installed(shop.load(), None)
    words = ("desk1.example.com", "--rename", "desk9.example.com")
    assert run("host", "set", shop.declaration, *words).status == 0
    shop.text = shop.declaration.read_text("utf-8")
    return shop


def revoked(shop: Shop) -> int:
    """How many certificates the published list names."""
    return len(list(x509.load_pem_x509_crl((shop.dist / "ca" / "crl.pem").read_bytes())))


def test_the_former_name_is_written_beside_the_new_one(shop: Shop) -> None:
    (renamed, _) = tomllib.loads(shop.text)["hosts"]
    assert (renamed["name"], renamed["formerly"]) == ("desk9.example.com", "desk1.example.com")


def test_a_second_new_name_keeps_the_name_that_was_issued(shop: Shop) -> None:
    words = ("desk9.example.com", "--rename", "desk10.example.com")
    assert run("host", "set", shop.declaration, *words).status == 0
    (renamed, _) = tomllib.loads(shop.declaration.read_text("utf-8"))["hosts"]
    assert (renamed["name"], renamed["formerly"]) == ("desk10.example.com", "desk1.example.com")


def test_what_it_had_stays_until_what_replaces_it_is_installed(shop: Shop) -> None:
    assert shop.actions()["client-certificate", "desk9"] == "create"
    assert ("client-certificate", "desk1") not in shop.actions()
    shop.build()
    assert revoked(shop) == 0
    assert shop.host("desk1").is_dir()
    assert shop.plan().changes == ()
    record_installed(shop.load(), ["desk9.example.com"])
    assert shop.actions()["client-certificate", "desk1"] == "revoke"
    shop.build()
    assert revoked(shop) == 1
    assert not shop.host("desk1").exists()
    assert shop.plan().changes == ()


def test_the_new_name_is_due_at_once(shop: Shop) -> None:
    shop.build()
    project = shop.load()
    assert project.fleet is not None
    duties = in_use_of(project.fleet.hosts[0], project.fleet, project.issued).duties
    assert [one.cause for one in duties] == [Cause.NAMES]


def test_without_it_a_new_name_is_a_removal_and_a_new_host(shop: Shop) -> None:
    shop.edit('formerly = "desk1.example.com"\n', "")
    shop.build()
    assert revoked(shop) == 1
    assert not shop.host("desk1").exists()
