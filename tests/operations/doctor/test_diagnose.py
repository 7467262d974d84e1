"""``ipmpki doctor``: each thing that can be wrong with a store is named, with what to do about it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.build import build
from ipmpki.operations.load import load
from ipmpki.store.sqlite.schema import VERSION
from tests import preloaded
from tests.faults.ledger import sight
from tests.faults.running import Outcome, mortal, started
from tests.faults.test_contention import HOLDER
from tests.operations.keeper import ipmpki, rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.fleets import Fleet

OTHER_KEY = (
    "UPDATE key SET pem = (SELECT pem FROM key ORDER BY digest LIMIT 1)"
    " WHERE digest = (SELECT digest FROM key ORDER BY digest DESC LIMIT 1)"
)


def doctor(site: Path, *options: str) -> Outcome:
    return ipmpki(site, "doctor", "pki.toml", *options)


def spoil(site: Path, *statements: str) -> None:
    with closing(sqlite3.connect(site / "pki.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def codes(site: Path) -> set[str]:
    found = json.loads(doctor(site, "--format", "json").out)
    return {one["code"] for one in found["findings"] if one["severity"] == "error"}


def test_a_healthy_store_is_told_so_and_left_alone(site: Path, fleet: Fleet) -> None:
    fleet.remove(sorted(fleet.aliases)[:1])
    fleet.write(site)
    build(load(site / "pki.toml"))
    before = sight(site)
    done = doctor(site)
    assert (done.status, done.err) == (0, "")
    assert done.out == "pki.db is healthy: 1 authority, 3 certificates, 2 revocation lists, each looked at\n"
    assert sight(site) == before
    found = json.loads(doctor(site, "--format", "json").out)
    assert (found["version"], found["healthy"], found["readable"], found["findings"]) == (1, True, True, [])


@pytest.mark.parametrize(
    ("statement", "code", "words"),
    [
        (OTHER_KEY, "certificate-damaged", "has a key that does not belong to it"),
        ("UPDATE key SET pem = 'x'", "database-damaged", "non-BLOB value"),
        ("UPDATE key SET pem = x'00'", "certificate-damaged", "has a key that cannot be read"),
        ("UPDATE certificate SET pem = x'00'", "certificate-damaged", "cannot be read"),
        (
            "UPDATE certificate SET fingerprint = printf('%064d', rowid)",
            "certificate-damaged",
            "is another certificate than the store says",
        ),
        (
            "UPDATE certificate SET serial = printf('%040x', rowid)",
            "certificate-damaged",
            "another serial number than the store says",
        ),
        (
            "UPDATE certificate SET pem = (SELECT certificates FROM authority)",
            "certificate-damaged",
            "is for another key than the store says",
        ),
        ("UPDATE authority SET certificates = x'00'", "authority-damaged", "cannot be read"),
        ("UPDATE authority SET fingerprint = 'ab'", "authority-damaged", "another certificate"),
        (
            "UPDATE authority SET key = (SELECT pem FROM key LIMIT 1)",
            "authority-key-unusable",
            "has a key that does not belong to it",
        ),
        ("UPDATE authority SET key = x'00'", "authority-key-unusable", "has a key that cannot be read"),
        ("UPDATE revocation_list SET pem = x'00'", "revocation-list-damaged", "cannot be read"),
        ("UPDATE revocation_list SET number = 7", "revocation-list-damaged", "another number"),
        (
            "UPDATE certificate SET revoked_at = 1, listed_in = 1 WHERE rowid = 1",
            "revocation-unlisted",
            "the newest revocation list lacks it",
        ),
        ("DELETE FROM key", "database-damaged", "points to one of 'key' that is not there"),
        ("DELETE FROM authority", "database-damaged", "points to one of 'authority'"),
        ("DROP INDEX current_certificate", "", ""),
    ],
)
def test_what_is_wrong_is_named(site: Path, statement: str, code: str, words: str) -> None:
    if "'x'" in statement:  # a STRICT table takes no text for a BLOB: as another program's bug would leave it
        spoil(
            site,
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name = 'key'",
        )
        spoil(site, statement)
        spoil(
            site,
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE name = 'key'",
        )
    else:
        spoil(site, statement)
    done = doctor(site)
    assert done.status == (1 if code else 0), done
    if code:
        assert codes(site) == {code}
        assert words in done.err
        assert done.err.count("problem: ") == done.err.count("  help: ") >= 1


def test_a_foreign_signature_is_found(site: Path, fleet: Fleet) -> None:
    other = site.parent / "other"
    other.mkdir()
    fleet.write(other)
    build(load(other / "pki.toml"))
    ((certificate, fingerprint),) = rows(other / "pki.db", "SELECT certificates, fingerprint FROM authority")
    ((key,),) = rows(other / "pki.db", "SELECT key FROM authority")
    with closing(sqlite3.connect(site / "pki.db")) as connection, connection:
        connection.execute(
            "UPDATE authority SET certificates = ?, fingerprint = ?, key = ?", (certificate, fingerprint, key)
        )
    assert codes(site) == {"certificate-damaged", "revocation-list-damaged"}
    assert doctor(site).err.count("is not signed by its authority") == 4


def test_lists_dated_backwards_are_a_note(site: Path, fleet: Fleet) -> None:
    fleet.remove(sorted(fleet.aliases)[:1])
    fleet.write(site)
    build(load(site / "pki.toml"))
    spoil(site, "UPDATE revocation_list SET this_update = this_update - 86400 WHERE number = 2")
    done = doctor(site)
    assert done.status == 0
    assert "note: revocation list number 2 of CN=Acme Print CA is dated before number 1" in done.err


def test_an_encrypted_key_is_tried_where_its_passphrase_is(site: Path, fleet: Fleet) -> None:
    (site / "pki.toml").write_text(fleet.text().replace("[ca]\n", '[ca]\npassphrase = { env = "CA" }\n'))
    assert ipmpki(site, "build", env={"CA": "a passphrase"}).status == 0
    unknown = doctor(site)
    assert unknown.status == 0
    assert "it was not tried" in unknown.err
    known = ipmpki(site, "doctor", env={"CA": "a passphrase"})
    assert (known.status, known.err) == (0, "")
    wrong = ipmpki(site, "doctor", env={"CA": "another"})
    assert wrong.status == 1
    assert "the declared passphrase does not open" in wrong.err


def test_files_around_the_store(site: Path) -> None:
    (site / "pki.db").chmod(0o644)
    (site / ".pki.db.0123456789ab.restoring").write_bytes(b"")
    kept = site / "pki.db.before-restore-20270101T000000Z"
    kept.write_bytes(b"")
    kept.chmod(0o640)
    (site / "dist").rename(site / ".dist.staging")
    done = doctor(site)
    assert done.status == 1
    assert codes(site) == {"readable-by-others", "leftover"}
    assert done.err.count("can be read by others") == 2
    for words in (
        "left of a restore that was killed",
        "a store that was replaced",
        "killed while it published",
    ):
        assert words in done.err
    assert "note: there is no folder 'dist'" in done.err


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("missing", "there is no store"),
        ("no database", "damaged, or is not a store"),
        ("of another program", "a database of another program"),
        ("newer", "written by a newer ipmpki"),
        ("a folder", "is a folder"),
    ],
)
def test_what_cannot_be_read_at_all_has_status_4(site: Path, how: str, words: str) -> None:
    store = site / "pki.db"
    if how == "newer":
        spoil(site, f"PRAGMA user_version = {VERSION + 1}")
    else:
        store.unlink()
    if how == "no database":
        store.write_bytes(b"not a database" * 1000)
    elif how == "of another program":
        spoil(site, "CREATE TABLE bookmark (url TEXT)")
    elif how == "a folder":
        store.mkdir(mode=0o700)
    done = doctor(site)
    assert done.status == 4
    assert words in done.err
    found = json.loads(doctor(site, "--format", "json").out)
    assert (found["healthy"], found["readable"]) == (False, False)


def test_a_store_nobody_may_read(site: Path) -> None:
    (site / "pki.db").chmod(0)
    done = ipmpki(site, "doctor", prefix=mortal())
    assert done.status == 4
    assert "cannot be opened" in done.err


def test_a_damaged_page_is_found(site: Path) -> None:
    content = bytearray((site / "pki.db").read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xee" * 4096 * 3
    (site / "pki.db").write_bytes(content)
    done = doctor(site)
    assert done.status == 1
    assert codes(site) == {"database-damaged"}
    assert "ipmpki doctor --salvage" in done.err
    assert (site / "pki.db").read_bytes() == bytes(content)


def test_it_looks_while_a_build_is_at_work_and_after_it_was_killed(site: Path, fleet: Fleet) -> None:
    fleet.add(10)
    fleet.write(site)
    with started(site, *HOLDER) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == b"held\n"
        assert doctor(site).status == 0
    assert doctor(site).status == 0
    writing = (
        "import os, sqlite3\n"
        "db = sqlite3.connect('pki.db', isolation_level=None)\n"
        "db.execute('PRAGMA cache_size = 1')\n"
        "db.execute('BEGIN IMMEDIATE')\n"
        "db.execute('UPDATE certificate SET pem = randomblob(9000)')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    preloaded.run("-c", writing, cwd=site)
    assert (site / "pki.db-journal").exists()
    assert doctor(site).status == 0
