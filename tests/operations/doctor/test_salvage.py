"""``ipmpki doctor --salvage``: what can be read of a damaged store is saved, what is lost is told."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.build import build
from ipmpki.operations.load import load
from ipmpki.store.sqlite.salvage import find_rows
from tests.faults.fleets import Fleet
from tests.faults.ledger import sight
from tests.faults.mounts import tmpfs
from tests.operations.keeper import content, ipmpki, rows
from tests.tools import unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.running import Outcome

PAGE = 4096


def salvage(site: Path, name: str = "saved.db") -> Outcome:
    return ipmpki(site, "doctor", "pki.toml", "--salvage", name)


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with history: 40 hosts, some certified again, some revoked."""
    folder = tmp_path_factory.mktemp("aged")
    fleet = Fleet.of(40, servers=0)
    names = sorted(fleet.aliases)
    changes: tuple[Callable[[], object], ...] = (
        lambda: None,
        lambda: fleet.rename(names[:15]),
        lambda: fleet.remove(names[30:]),
    )
    for change in changes:
        change()
        fleet.write(folder)
        build(load(folder / "pki.toml"))
    return folder


@pytest.fixture
def damaged(aged: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return shutil.copytree(aged, tmp_path / "damaged")


def spoil(site: Path, change: Callable[[bytearray], None]) -> bytes:
    spoilt = bytearray((site / "pki.db").read_bytes())
    change(spoilt)
    (site / "pki.db").write_bytes(spoilt)
    return bytes(spoilt)


def blanked(page: int) -> Callable[[bytearray], None]:
    def blank(octets: bytearray) -> None:
        octets[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)

    return blank


def pages_of(site: Path, table: str) -> list[int]:
    """The pages below a table, by their numbers from 0."""
    with closing(sqlite3.connect(site / "pki.db")) as connection:
        try:
            found = connection.execute("SELECT pageno FROM dbstat WHERE name = ?", (table,)).fetchall()
        except sqlite3.OperationalError:  # this SQLite was built without it
            unavailable("SQLite's table dbstat")
    return [number - 1 for (number,) in found]


def test_of_a_sound_store_everything_is_saved(damaged: Path) -> None:
    before = sight(damaged)
    done = salvage(damaged, "../saved.db")
    assert (done.status, done.err) == (0, "")
    assert "40 keys" not in done.out
    assert "55 certificates" in done.out
    assert "nothing is known to be lost" in done.out
    assert sight(damaged) == before
    saved = damaged.parent / "saved.db"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert content(saved) == content(damaged / "pki.db")
    old = rows(damaged / "pki.db", "SELECT * FROM event")
    assert rows(saved, "SELECT * FROM event")[: len(old)] == old


def test_no_key_is_saved_where_everybody_may_write(damaged: Path) -> None:
    place = damaged.parent / "open"
    place.mkdir()
    place.chmod(0o777)
    salvage(damaged, str(place / "saved.db")).failed("the saved store, with every key,", "chmod o-w")
    assert list(place.iterdir()) == []


def test_a_saved_store_is_a_store(damaged: Path) -> None:
    spoil(damaged, lambda octets: octets.__setitem__(slice(0, 100), bytes(100)))
    assert ipmpki(damaged, "plan").status == 4
    assert salvage(damaged).status == 0
    (damaged / "saved.db").replace(damaged / "pki.db")
    assert ipmpki(damaged, "doctor").status == 0
    assert ipmpki(damaged, "plan", "--exit-code").status == 3  # the report tells of the ledger's state
    assert ipmpki(damaged, "build").status == 0
    assert ipmpki(damaged, "plan", "--exit-code").status == 0


@pytest.mark.parametrize("wiped", [100, PAGE, 2 * PAGE])
def test_a_destroyed_header_loses_next_to_nothing(damaged: Path, aged: Path, wiped: int) -> None:
    spoilt = spoil(damaged, lambda octets: octets.__setitem__(slice(0, wiped), os.urandom(wiped)))
    assert salvage(damaged).status in {0, 1}
    assert (damaged / "pki.db").read_bytes() == spoilt
    kept, saved = content(aged / "pki.db"), content(damaged / "saved.db")
    for table in ("certificate", "key", "revocation_list"):
        assert saved[table] == kept[table]


@pytest.mark.parametrize("table", ["certificate", "key", "revocation_list", "authority", "folder"])
def test_garbage_on_a_table_s_pages_costs_the_rows_on_them_alone(
    damaged: Path, aged: Path, table: str
) -> None:
    pages = pages_of(damaged, table)
    hit = pages[len(pages) // 2]
    spoilt = spoil(
        damaged, lambda octets: octets.__setitem__(slice(hit * PAGE, hit * PAGE + PAGE), os.urandom(PAGE))
    )
    done = salvage(damaged)
    assert done.status in {0, 1}
    assert (damaged / "pki.db").read_bytes() == spoilt
    kept, saved = content(aged / "pki.db"), content(damaged / "saved.db")
    for name in set(kept) - {table, "key"}:
        assert saved[name] == kept[name], name
    lacking = set(kept[table]) - set(saved[table])
    if table in {"certificate", "revocation_list", "authority"} and lacking:
        assert done.status == 1
        assert "Lost, as far as can be told:" in done.err
    if table == "certificate":
        for serial, host, *_ in lacking:
            assert f"the certificate of {host}, serial number {str(serial).lstrip('0')}" in done.err


def test_a_certificate_whose_key_is_lost_can_still_be_revoked(damaged: Path) -> None:
    for page in pages_of(damaged, "key"):
        spoil(damaged, blanked(page))
    done = salvage(damaged)
    assert done.status == 1
    assert "the key of pc000.example.com, for the certificate" in done.err
    (damaged / "saved.db").replace(damaged / "pki.db")
    assert ipmpki(damaged, "doctor").status == 0
    text = (damaged / "pki.toml").read_text()
    head, _, _ = text.rpartition("[[hosts]]")
    (damaged / "pki.toml").write_text(head)
    planned = ipmpki(damaged, "plan")
    assert planned.status == 0
    assert "revoke" in planned.out


@pytest.mark.parametrize("share", [30, 60, 90])
def test_of_a_truncated_file_what_is_there_is_saved(damaged: Path, aged: Path, share: int) -> None:
    length = (damaged / "pki.db").stat().st_size * share // 100
    spoil(damaged, lambda octets: octets.__delitem__(slice(length, None)))
    done = salvage(damaged)
    assert done.status == 1
    assert "Lost, as far as can be told:" in done.err
    kept, saved = content(aged / "pki.db"), content(damaged / "saved.db")
    assert set(saved["certificate"]) <= set(kept["certificate"])
    assert share < 90 or len(saved["certificate"]) > len(kept["certificate"]) / 2


def test_an_overwritten_middle_of_a_key_or_certificate_is_not_taken_for_sound(damaged: Path) -> None:
    store = bytearray((damaged / "pki.db").read_bytes())
    at = store.find(b"-----BEGIN CERTIFICATE-----") + 200
    spoil(damaged, lambda octets: octets.__setitem__(slice(at, at + 8), b"AAAAAAAA"))
    done = salvage(damaged)
    assert done.status == 1
    assert "its octets are damaged" in done.err


def test_nothing_of_a_store_in_a_file(damaged: Path) -> None:
    (damaged / "pki.db").write_bytes(os.urandom(50_000))
    salvage(damaged).failed("nothing of a store can be found", "ipmpki restore")
    assert not (damaged / "saved.db").exists()
    (damaged / "pki.db").unlink()
    salvage(damaged).failed("cannot be read")


def test_no_file_is_overwritten(damaged: Path) -> None:
    before = sight(damaged)
    for name in ("pki.toml", "pki.db", "dist"):
        salvage(damaged, name).failed("exists already", status=2)
    assert sight(damaged) == before


def test_a_full_disk_leaves_no_half_of_it(damaged: Path) -> None:
    with tmpfs(damaged.parent / "stick", "size=64k") as stick:
        salvage(damaged, str(stick / "saved.db")).failed("no room left")
        assert list(stick.iterdir()) == []


@pytest.mark.parametrize("seed", range(12))
def test_no_damage_makes_it_fail_or_invent(damaged: Path, aged: Path, seed: int) -> None:
    """Random damage of every kind: what is found was there, and nothing else happens."""
    chance = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    octets = bytearray((damaged / "pki.db").read_bytes())
    for _ in range(chance.choice((1, 5, 60))):
        at, length = chance.randrange(len(octets)), chance.choice((1, 4, 300, PAGE, 5 * PAGE))
        octets[at : at + length] = chance.choice((bytes(length), chance.randbytes(length)))
    (damaged / "pki.db").write_bytes(octets)
    done = salvage(damaged)
    assert done.status in {0, 1, 4}, done
    if done.status == 4:
        return
    kept, saved = content(aged / "pki.db"), content(damaged / "saved.db")
    assert {row[-1] for row in saved["certificate"]} <= {row[-1] for row in kept["certificate"]}
    assert {row[-1] for row in saved["key"]} <= {row[-1] for row in kept["key"]} | {b""}
    assert rows(damaged / "saved.db", "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("size", [512, 1024, 8192, 65536])
def test_every_page_size_is_read_with_and_without_a_header(aged: Path, tmp_path: Path, size: int) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(aged / "pki.db", copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {size}")
        connection.execute("VACUUM")
    expected = content(aged / "pki.db")
    for octets in (copy.read_bytes(), bytes(16) + copy.read_bytes()[16:]):
        found = find_rows(octets)
        for table, known in expected.items():
            assert sorted(tuple(row.values()) for row in found.rows[table].values()) == known, table
