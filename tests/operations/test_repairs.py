"""What had to be looked past to read a file is told by every command that reads it, as verify tells it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import ipmpki
from tests.operations.import_bought.seller import Seller, pem
from tests.operations.import_bought.test_import_bought import BOUGHT, bring, outcomes, request_of
from tests.operations.test_key_owners import keeping, own_key, put
from tests.operations.verify import mint
from tests.shop import HEAD, SERVER, Shop, client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "indented": (
        lambda text: b"  " + text.replace(b"\n", b"\n  ").rstrip(b" "),
        "OpenSSL cannot load this: its lines are indented",
    ),
    "UTF-16": (lambda text: text.decode().encode("utf-16"), "OpenSSL cannot load this: it is in UTF-16"),
    "with a mark": (lambda text: b"\xef\xbb\xbf" + text, "a byte-order mark stands before it"),
}
BROUGHT = HEAD.replace(
    'common_name = "Acme Print CA"\nkey = "ec-p256"', 'certificate = "ca.pem"\nkey_file = "ca.key"'
)


def notes(shop: Shop) -> dict[tuple[str | int, ...], str]:
    found = shop.load().problems
    return {
        one.problem.place.path: one.problem.message for one in found if one.problem.rule == "unusual-form"
    }


@pytest.mark.parametrize("form", FORMS)
def test_check_tells_of_the_files_that_pki_toml_names(tmp_path: Path, form: str) -> None:
    spoil, said = FORMS[form]
    shop = Shop(tmp_path, text=BROUGHT + SERVER + keeping("desk1"))
    (tmp_path / "ca.key").write_bytes(mint.authority().key_pem())
    (tmp_path / "ca.pem").write_bytes(mint.authority().pem)
    put(shop, "desk1", own_key())
    assert notes(shop) == {}
    for name in ("ca.pem", "desk1.csr"):
        (tmp_path / name).write_bytes(spoil((tmp_path / name).read_bytes()))
    found = notes(shop)
    assert set(found) == {("ca", "certificate"), ("hosts", 1, "csr")}
    assert all(said in message for message in found.values()), found
    shop.build()
    assert (shop.dist / "ca/ca-cert.pem").read_bytes() == mint.authority().pem


@pytest.mark.parametrize("form", FORMS)
def test_import_tells_of_what_came_and_takes_it(tmp_path: Path, form: str) -> None:
    spoil, said = FORMS[form]
    seller = Seller()
    (tmp_path / "root.pem").write_bytes(spoil(pem(seller.root)))
    shop = Shop(tmp_path, text=BOUGHT + SERVER + client("desk1"))
    assert said in notes(shop)["ca", "bundle"]
    shop.build()
    imported = bring(shop, spoil(pem(seller.sell(request_of(shop)), seller.intermediate)))
    assert outcomes(imported) == {"ipm1": "taken"}
    told = {(one.problem.rule, one.problem.severity.value) for one in imported.problems}
    assert told == {("unusual-form", "info")}
    assert any(said in one.problem.message for one in imported.problems)


def test_adopt_tells_of_what_it_read_all_the_same(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    spoil, said = FORMS["UTF-16"]
    (old / "ca.pem").write_bytes(spoil(mint.authority().pem))
    (old / "ca.key").write_bytes(mint.authority().key_pem())
    (old / "desk1.pem").write_bytes(mint.client().pem)
    (old / "desk1.key").write_bytes(mint.client().key_pem())
    adopted = ipmpki("adopt", old, "--into", tmp_path / "pki.toml", "--dry-run")
    assert f"Read all the same, and published in plain form:\n  ca.pem: {said}" in adopted.out
    adopted = ipmpki("adopt", old, "--into", tmp_path / "pki.toml", "--dry-run", "--format", "json")
    assert [one["file"] for one in json.loads(adopted.out)["repaired"]] == ["ca.pem"]
