"""What is committed to the store stays there when the power goes, and what is deleted does not."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from ipmpki.operations.backup.restore import restore
from ipmpki.store.sqlite.open import open_store
from tests.durability import assert_survives_a_power_cut, watched
from tests.operations.keeper import PASSPHRASE, back_up
from tests.shop import TODAY, Shop

if TYPE_CHECKING:
    import pytest


def test_the_writer_waits_for_the_disk_and_wipes_what_it_deletes(
    built_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    connect = sqlite3.connect

    def listening(*arguments: object, **options: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)  # type: ignore[call-overload]
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr(sqlite3, "connect", listening)
    with open_store(built_shop.store, now=TODAY):
        pass
    begin = next(at for at, one in enumerate(statements) if one.startswith("BEGIN"))
    before = statements[:begin]
    assert "PRAGMA synchronous = FULL" in before
    assert "PRAGMA secure_delete = ON" in before
    assert not [one for one in statements[begin:] if one.startswith(("PRAGMA synchronous", "PRAGMA secure"))]


def test_a_new_store_has_its_name_on_the_disk_before_anything_is_committed(shop: Shop) -> None:
    with watched(shop.folder) as done:
        shop.build()
    named = next(
        at for at, (what, which) in enumerate(done) if what == "named" and which.endswith(f" {shop.store}")
    )
    assert ("fsync", str(shop.folder)) in done[named:]


def test_a_store_that_is_put_back_is_on_the_disk_before_it_takes_the_place_of_another(
    built_shop: Shop,
) -> None:
    assert back_up(built_shop.folder).status == 0

    with watched(built_shop.folder) as done:
        backup = built_shop.folder / "pki.backup"
        passphrase = PASSPHRASE.encode
        restore(built_shop.declaration, backup, passphrase=passphrase, now=TODAY, force=True)
    assert_survives_a_power_cut(done, built_shop.store)
    (kept,) = (at for at, (what, which) in enumerate(done) if what == "named" and "before-restore" in which)
    (put,) = (
        at
        for at, (what, which) in enumerate(done)
        if what == "named" and which.endswith(" " + str(built_shop.store))
    )
    assert ("fsync", str(built_shop.folder)) in done[kept:put], "the old store may be lost"
