"""The report says of every host what ``ipmpki status`` says of it on the day of the report."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ipmpki.declaration.vocabulary import RevocationReason
from ipmpki.operations.installed import record_installed
from ipmpki.operations.revoke import revoke
from tests.cli.command import ipmpki
from tests.operations.test_host_requests import KEPT, key, put, request
from tests.shop import HEAD, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STATES = {"renewal-due": "renew-soon", "renewal-awaited": "awaited"}


def told(shop: Shop) -> tuple[dict[str, tuple[str, bool, Any]], dict[str, tuple[str, bool, Any]]]:
    """By host, what the report and the status say: how it stands, installed or not, install by when."""
    report = json.loads((shop.dist / "report.json").read_text())
    ran = ipmpki("status", shop.declaration, "--format", "json", "--at", report["as_of"])
    status = json.loads(ran.out)
    reported = {
        host["name"]: (
            STATES.get(host["status"], host["status"]),
            host["installed_at"] is not None,
            host["install_by"],
        )
        for host in report["hosts"]
    }
    standing = {
        one["name"]: (one["state"], bool(one["is_installed"]), one["install_by"])
        for one in status["standings"]
        if one["kind"] in {"server", "client"}
    }
    return reported, standing


def moments(shop: Shop) -> Iterator[str]:
    """A year and more in a shop's life; each is a moment after a build."""
    yield "the first build"
    record_installed(shop.load(), ["ipm1.example.com", "desk1.example.com"])
    shop.edit("[tls]", "[defaults]\nlifetime = '90d'\n[tls]")
    yield "what was told to be installed"
    shop.now += timedelta(days=200)
    yield "all renewed, nothing installed again"
    record_installed(shop.load(), None)
    shop.edit('"Acme Print CA"\n', '"Acme Print CA"\ngeneration = 2\n')
    yield "a successor that all are to trust"
    record_installed(shop.load(), ["desk2.example.com"])
    yield "one of them does"


def test_report_and_status_agree_through_the_years(shop: Shop) -> None:
    seen = set()
    for moment in moments(shop):
        shop.build()
        reported, standing = told(shop)
        assert reported == standing, moment
        seen |= set(reported.values())
    assert {installed for _, installed, _ in seen} == {True, False}
    assert any(install_by for _, _, install_by in seen)


def test_they_agree_where_a_host_makes_its_own_key_and_loses_it(tmp_path: Path) -> None:
    (tmp_path / "csr").mkdir()
    shop = Shop(tmp_path, text=HEAD + KEPT)
    shop.build()
    reported, standing = told(shop)
    assert reported == standing == {"ipm1.example.com": ("awaited", False, None)}
    put(shop, request(key(), "ipm1.example.com"))
    shop.build()
    revoke(shop.load(), "ipm1.example.com", RevocationReason.KEY_COMPROMISE)
    shop.build()
    reported, standing = told(shop)
    assert reported == standing == {"ipm1.example.com": ("revoked", False, None)}
    assert "1 host with a revoked certificate" in (shop.dist / "report.txt").read_text()
