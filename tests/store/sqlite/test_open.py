"""The store: clear words for what it is not, one writer at a time, nothing overwritten."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest

from ipmpki.diagnostics.fault import Fault
from ipmpki.store.records import Issued
from ipmpki.store.sqlite.open import open_store
from ipmpki.store.sqlite.queries import read_issued
from ipmpki.store.sqlite.schema import APPLICATION_ID, VERSION
from tests.shop import TODAY, client

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shop import Shop


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_a_store_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert read_issued(tmp_path / "pki.db") == Issued()


def test_reading_creates_no_store(tmp_path: Path) -> None:
    read_issued(tmp_path / "pki.db")
    assert list(tmp_path.iterdir()) == []


def test_a_new_store_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with open_store(tmp_path / "pki.db", now=TODAY):
            pass
    finally:
        os.umask(before)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_file_is_a_store_that_was_lost(tmp_path: Path) -> None:
    (tmp_path / "pki.db").touch()
    with pytest.raises(Fault, match="empty"):
        read_issued(tmp_path / "pki.db")
    with pytest.raises(Fault, match="empty"), open_store(tmp_path / "pki.db", now=TODAY):
        pass
    assert (tmp_path / "pki.db").read_bytes() == b""


def test_a_store_gets_its_name_once_it_has_its_tables(tmp_path: Path) -> None:
    (tmp_path / ".pki.db.new").write_bytes(b"left by a build that was killed")
    with open_store(tmp_path / "pki.db", now=TODAY) as store:
        assert store.issued() == Issued()
    assert {path.name for path in tmp_path.iterdir()} == {"pki.db", "pki.db.lock"}


def test_garbage_is_not_a_store(tmp_path: Path) -> None:
    path = tmp_path / "pki.db"
    path.write_bytes(b"not a database at all, but long enough to look at" * 100)
    with pytest.raises(Fault, match="damaged, or is not a store") as fault:
        read_issued(path)
    assert "backup" in (fault.value.remedy or "")
    with pytest.raises(Fault, match="damaged"), open_store(path, now=TODAY):
        pass
    assert path.read_bytes().startswith(b"not a database")


def test_another_programs_database_is_not_a_store(tmp_path: Path) -> None:
    path = tmp_path / "pki.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE bookmark (url TEXT)")
    with pytest.raises(Fault, match="another program"):
        read_issued(path)
    with pytest.raises(Fault, match="another program"), open_store(path, now=TODAY):
        pass
    assert rows(path, "SELECT name FROM sqlite_schema") == [("bookmark",)]


def test_a_store_from_a_newer_version_is_left_alone(built_shop: Shop) -> None:
    with contextlib.closing(sqlite3.connect(built_shop.store)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(Fault, match="newer ipmpki"):
        read_issued(built_shop.store)


def test_a_damaged_page_is_found_before_anything_is_written(built_shop: Shop) -> None:
    content = bytearray(built_shop.store.read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xee" * 4096 * 3
    built_shop.store.write_bytes(content)
    with pytest.raises(Fault, match="damaged"), open_store(built_shop.store, now=TODAY):
        pass
    assert built_shop.store.read_bytes() == bytes(content)


def test_a_second_writer_is_told_who_holds_the_store(built_shop: Shop) -> None:
    with (
        open_store(built_shop.store, now=TODAY),
        pytest.raises(Fault, match=rf"held by process {os.getpid()} of .+ on .+, since \d{{4}}-"),
        open_store(built_shop.store, now=TODAY),
    ):
        pass


def test_the_store_can_be_read_while_another_writes(built_shop: Shop) -> None:
    with open_store(built_shop.store, now=TODAY):
        assert built_shop.plan().changes == ()


def test_the_lock_goes_with_its_holder(built_shop: Shop) -> None:
    for _ in range(2):
        with open_store(built_shop.store, now=TODAY):
            pass


def test_a_replaced_certificate_stays_in_the_ledger(built_shop: Shop) -> None:
    before = rows(built_shop.store, "SELECT serial, pem FROM certificate WHERE host LIKE 'ipm1%'")
    built_shop.edit("10.1.2.3", "10.1.2.4")
    built_shop.build()
    after = rows(built_shop.store, "SELECT serial, pem FROM certificate WHERE host LIKE 'ipm1%'")
    assert len(after) == 2
    assert set(before) < set(after)
    assert len(rows(built_shop.store, "SELECT * FROM key WHERE host LIKE 'ipm1%'")) == 2


def test_the_ledger_says_what_when_why_and_by_whom(built_shop: Shop) -> None:
    built_shop.edit(client("desk2"), "")
    built_shop.build()
    events = rows(built_shop.store, "SELECT kind, host, detail, user FROM event ORDER BY id")
    kinds = [event[0] for event in events]
    assert kinds == [
        "authority-made",
        *["certificate-issued"] * 3,
        "revocation-list-made",
        "certificate-revoked",
        "revocation-list-made",
    ]
    assert events[-2][1:3] == ("desk2.example.com", "host-removed: it is no longer declared")
    assert all(event[3] for event in events)


def test_a_failed_transaction_leaves_nothing(built_shop: Shop) -> None:
    before = read_issued(built_shop.store)
    one = before.current["desk1.example.com"]
    with open_store(built_shop.store, now=TODAY) as store, pytest.raises(AttributeError):
        store.revoke([(one, "superseded", "first"), (None, "superseded", "second")])  # type: ignore[list-item]
    assert read_issued(built_shop.store) == before


def test_two_current_certificates_of_one_host_cannot_be(built_shop: Shop) -> None:
    with (
        contextlib.closing(sqlite3.connect(built_shop.store)) as connection,
        pytest.raises(sqlite3.IntegrityError),
    ):
        connection.execute(
            "INSERT INTO certificate SELECT 'other', host, authority, profile, specification, not_before,"
            " not_after, fingerprint, issued_at, NULL, NULL, NULL, NULL, key, pem FROM certificate LIMIT 1"
        )


def test_the_file_says_whose_it_is(built_shop: Shop) -> None:
    assert rows(built_shop.store, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert rows(built_shop.store, "PRAGMA user_version") == [(VERSION,)]
