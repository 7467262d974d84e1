"""``ipmpki restore``: it looks before it replaces, keeps what was there, and is all or nothing."""

from __future__ import annotations

import io
import os
import sqlite3
import stat
import tarfile
from contextlib import closing
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, cast

import pytest
from cryptography import x509

from ipmpki.operations.backup.archive import Manifest, write_archive
from ipmpki.operations.build import build
from ipmpki.operations.load import load
from ipmpki.store.sqlite.schema import VERSION
from ipmpki.x509.sealed_file import Sealer, normal
from tests import preloaded
from tests.faults.fleets import Fleet
from tests.faults.ledger import sight
from tests.faults.mounts import tmpfs
from tests.faults.running import mortal, started
from tests.faults.test_contention import HOLDER
from tests.operations.keeper import (
    BACKUP_ENV,
    PASSPHRASE,
    back_up,
    content,
    ipmpki,
    killed_at,
    restore,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WRITING_AND_KILLED = (
    "import os, sqlite3\n"
    "db = sqlite3.connect('pki.db', isolation_level=None)\n"
    "db.execute('PRAGMA cache_size = 1')\n"
    "db.execute('BEGIN IMMEDIATE')\n"
    "db.execute('UPDATE folder SET inputs = zeroblob(1) || hex(randomblob(9000))')\n"
    "db.execute('UPDATE certificate SET specification = hex(randomblob(9000))')\n"
    "os.kill(os.getpid(), 9)\n"
)


@pytest.fixture
def kept(site: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the site's store held when its backup was made."""
    assert back_up(site).status == 0
    return content(site / "pki.db")


def age(site: Path, fleet: Fleet) -> None:
    """Let the site go on after its backup: a host comes, one gets another certificate, one is revoked."""
    names = sorted(fleet.aliases)
    fleet.add(1)
    fleet.rename(names[:1])
    fleet.remove(names[1:2])
    fleet.write(site)
    build(load(site / "pki.toml"))


def is_restored(site: Path, kept: dict[str, list[tuple[object, ...]]]) -> bool:
    """Whether the store is that of the backup, with what a newer dist/ told beside it."""
    held = content(site / "pki.db")
    kinds = {kind for (kind,) in rows(site / "pki.db", "SELECT kind FROM event")}
    serials = {row[0] for row in held["certificate"]}
    return (
        "store-restored" in kinds
        and held["authority"] == kept["authority"]
        and serials >= {row[0] for row in kept["certificate"]}
    )


def before_restore(site: Path) -> list[Path]:
    return sorted(site.glob("pki.db.before-restore-*"))


def nothing_lies_about(site: Path) -> None:
    assert not list(site.glob(".pki.db*"))
    assert not list(site.glob("pki.db-*"))


def test_on_a_new_computer_backup_and_passphrase_are_all_it_takes(
    site: Path, kept: dict[str, list[tuple[object, ...]]]
) -> None:
    fresh = site.parent / "fresh"
    fresh.mkdir()
    done = restore(fresh, source=str(site / "pki.backup"), prefix=("sh", "-c", 'umask 0; exec "$@"', "sh"))
    assert (done.status, done.err) == (0, "")
    assert "pki.toml: written from the backup" in done.out
    assert content(fresh / "pki.db") == kept
    assert stat.S_IMODE((fresh / "pki.db").stat().st_mode) == 0o600
    assert ipmpki(fresh, "build").status == 0
    for name in ("ca/ca-cert.pem", "hosts/pc000.example.com/client-key.pem"):
        assert (fresh / "dist" / name).read_bytes() == (site / "dist" / name).read_bytes()
    assert ipmpki(fresh, "plan", "--exit-code").status == 0
    nothing_lies_about(fresh)


def test_the_ledger_tells_of_it(site: Path, kept: dict[str, list[tuple[object, ...]]]) -> None:
    (site / "pki.db").unlink()
    assert restore(site).status == 0
    ((kind, detail),) = rows(site / "pki.db", "SELECT kind, detail FROM event ORDER BY id DESC LIMIT 1")
    assert kind == "store-restored"
    assert str(detail).startswith("from a backup of 20")
    assert content(site / "pki.db") == kept


def test_what_was_issued_since_is_listed_and_needs_force(
    site: Path, fleet: Fleet, kept: dict[str, list[tuple[object, ...]]]
) -> None:
    age(site, fleet)
    before = sight(site)
    refused = restore(site)
    refused.failed("the present store holds what the backup", "restore --force", status=2)
    listed = refused.err.partition("error: ")[0]
    assert "the certificate of pc000.example.com of 20" in listed
    assert "the certificate of pc003.example.com of 20" in listed
    assert "the revocation of the certificate of pc001.example.com" in listed
    assert "number 2 of the revocation lists of CN=Acme Print CA" in listed
    assert "pc002" not in listed
    assert sight(site) == before
    aged = (site / "pki.db").read_bytes()
    done = restore(site, "--force")
    assert done.status == 0
    assert done.err.startswith("Forgotten, as the backup lacks it:" + listed.partition(":")[2])
    assert is_restored(site, kept)
    (old,) = before_restore(site)
    assert old.name in done.out
    assert old.read_bytes() == aged
    assert stat.S_IMODE(old.stat().st_mode) == 0o600


def test_no_number_of_a_forgotten_revocation_list_is_given_again(site: Path, fleet: Fleet) -> None:
    def published() -> int:
        crl = x509.load_pem_x509_crl((site / "dist/ca/crl.pem").read_bytes())
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number

    assert published() == 1
    assert back_up(site).status == 0
    age(site, fleet)
    forgotten = published()
    assert forgotten == 2
    assert restore(site, "--force").status == 0
    fleet.remove(sorted(fleet.aliases)[:1])
    fleet.write(site)
    build(load(site / "pki.toml"))
    first = published()
    assert first > forgotten
    fleet.remove(sorted(fleet.aliases)[:1])
    fleet.write(site)
    build(load(site / "pki.toml"))
    assert published() > first


def test_restoring_what_is_there_needs_no_force(
    site: Path, kept: dict[str, list[tuple[object, ...]]]
) -> None:
    for number in (1, 2, 3):
        assert restore(site).status == 0
        assert len(before_restore(site)) == number
        assert content(site / "pki.db") == kept
    nothing_lies_about(site)


def test_a_changed_declaration_is_left_alone_unless_asked_for(
    site: Path, fleet: Fleet, kept: dict[str, list[tuple[object, ...]]]
) -> None:
    old = (site / "pki.toml").read_bytes()
    fleet.add(1)
    fleet.write(site)
    new = (site / "pki.toml").read_bytes()
    assert "'pki.toml' differs from the backup's" in restore(site).err
    assert (site / "pki.toml").read_bytes() == new
    assert "pki.toml: written from the backup" in restore(site, "--with-declaration").out
    assert (site / "pki.toml").read_bytes() == old
    (aside,) = site.glob("pki.toml.before-restore-*")
    assert aside.read_bytes() == new
    assert content(site / "pki.db") == kept


def test_another_authority_is_not_replaced_by_mistake(
    site: Path, kept: dict[str, list[tuple[object, ...]]]
) -> None:
    other = site.parent / "other"
    other.mkdir()
    text = (site / "pki.toml").read_text()
    (other / "pki.toml").write_text(text.replace("Acme Print CA", "Other CA"))
    build(load(other / "pki.toml"))
    before = sight(other)
    source = str(site / "pki.backup")
    restore(other, source=source).failed("of another authority: of CN=Acme Print CA", "CN=Other CA", status=2)
    assert sight(other) == before
    assert restore(other, "--force", source=source).status == 0
    assert content(other / "pki.db") == kept


@pytest.mark.parametrize("how", ["damaged", "no database", "of another program", "newer"])
def test_a_store_that_cannot_be_compared_is_replaced_only_by_force(
    site: Path, kept: dict[str, list[tuple[object, ...]]], how: str
) -> None:
    store = site / "pki.db"
    if how == "damaged":
        store.write_bytes(store.read_bytes()[:4096] + b"\xee" * (store.stat().st_size - 4096))
    elif how == "no database":
        store.write_bytes(b"not a database" * 1000)
    elif how == "newer":
        with closing(sqlite3.connect(store)) as connection:
            connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    else:
        store.unlink()
        with closing(sqlite3.connect(store)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE bookmark (url TEXT)")
    before = store.read_bytes()
    restore(site).failed("cannot be compared", "ipmpki doctor", "restore --force", status=2)
    assert store.read_bytes() == before
    assert restore(site, "--force").status == 0
    assert content(store) == kept
    assert before_restore(site)[0].read_bytes() == before
    nothing_lies_about(site)


def test_a_killed_build_s_journal_is_not_played_back_into_the_restored_store(
    site: Path, kept: dict[str, list[tuple[object, ...]]]
) -> None:
    """A hot journal belongs to the old store; beside the new one, SQLite would undo into it."""
    for is_readable in (True, False):
        preloaded.run("-c", WRITING_AND_KILLED, cwd=site)
        assert (site / "pki.db-journal").stat().st_size > 512
        if not is_readable:
            (site / "pki.db").write_bytes(b"\xee" * (site / "pki.db").stat().st_size)
        assert restore(site, "--force").status == 0
        nothing_lies_about(site)
        assert content(site / "pki.db") == kept
        assert rows(site / "pki.db", "PRAGMA integrity_check") == [("ok",)]


def test_journals_that_a_deleted_store_left_do_not_meet_the_restored_one(
    site: Path, kept: dict[str, list[tuple[object, ...]]]
) -> None:
    preloaded.run("-c", WRITING_AND_KILLED, cwd=site)
    (site / "pki.db").unlink()
    (site / "pki.db-wal").write_bytes(b"its log")
    journal = (site / "pki.db-journal").read_bytes()
    assert restore(site).status == 0
    nothing_lies_about(site)
    assert content(site / "pki.db") == kept
    aside = {path.name.rpartition("-")[2]: path.read_bytes() for path in before_restore(site)}
    assert aside == {"journal": journal, "wal": b"its log"}


def test_a_write_ahead_log_of_the_old_store_goes_with_it(
    site: Path, fleet: Fleet, kept: dict[str, list[tuple[object, ...]]]
) -> None:
    age(site, fleet)
    writing = (
        "import os, sqlite3\n"
        "db = sqlite3.connect('pki.db', isolation_level=None)\n"
        "db.execute('PRAGMA journal_mode = WAL')\n"
        "db.execute('UPDATE holder SET since = since + 1')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    preloaded.run("-c", writing, cwd=site)
    assert (site / "pki.db-wal").exists()
    assert restore(site, "--force").status == 0
    nothing_lies_about(site)
    assert is_restored(site, kept)
    assert len(rows(before_restore(site)[0], "SELECT * FROM certificate")) == 5


@pytest.mark.parametrize("at", [0, 20, 200, 9_000, -1])
def test_a_damaged_backup_changes_nothing(
    site: Path, fleet: Fleet, kept: dict[str, list[tuple[object, ...]]], at: int
) -> None:
    del kept
    age(site, fleet)
    backup = site / "pki.backup"
    sound = backup.read_bytes()
    flipped = bytearray(sound)
    flipped[at] ^= 4
    for damaged in (bytes(flipped), sound[:at], sound + b"\0"):
        backup.write_bytes(damaged)
        before = sight(site)
        restore(site, "--force").failed("'pki.backup'", status=2)
        assert sight(site) == before


def test_the_wrong_passphrase_changes_nothing(site: Path, kept: dict[str, list[tuple[object, ...]]]) -> None:
    del kept
    before = sight(site)
    done = ipmpki(
        site, "restore", "pki.toml", "pki.backup", "--passphrase-env", "WRONG", env={"WRONG": "passphrase"}
    )
    done.failed("the passphrase does not open 'pki.backup'", status=2)
    assert sight(site) == before


def test_a_file_that_is_no_backup(site: Path) -> None:
    before = sight(site)
    restore(site, source="pki.toml").failed("not a backup made by ipmpki", status=2)
    assert restore(site, source="nowhere").status == 2
    assert sight(site) == before


def test_it_waits_for_nobody_and_disturbs_nobody(site: Path, fleet: Fleet) -> None:
    assert back_up(site).status == 0
    fleet.add(10)
    fleet.write(site)
    with started(site, *HOLDER) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == b"held\n"
        restore(site, "--force").failed("pki.db is held by", f"process {builder.pid}")
        builder.communicate(b"go on\n")
    assert builder.returncode == 0
    assert ipmpki(site, "plan", "--exit-code").status == 0


def test_two_restores_at_once_leave_one_whole_store(
    site: Path, kept: dict[str, list[tuple[object, ...]]]
) -> None:
    words = (
        "-m",
        "ipmpki",
        "restore",
        "pki.toml",
        "pki.backup",
        "--force",
        "--passphrase-env",
        "BACKUP_PASS",
    )
    both = [preloaded.start(*words, cwd=site, env={**os.environ, **BACKUP_ENV}) for _ in range(2)]
    for one in both:
        with one:
            _, err = one.communicate()
        assert one.returncode == 0 or b"is held by" in err, err
    assert content(site / "pki.db") == kept
    nothing_lies_about(site)


def _killed(site: Path, fleet: Fleet, numbers: range) -> int:
    """Restore over an aged store and be killed at each of these moments; how many there were."""
    kept = content(site / "pki.db")
    age(site, fleet)
    aged = content(site / "pki.db")
    aged_bytes = (site / "pki.db").read_bytes()
    kills = 0
    for number in numbers:
        if not killed_at(
            site, number, "restore", "pki.toml", "pki.backup", "--force", "--passphrase-env", "BACKUP_PASS"
        ):
            break
        kills += 1
        assert content(site / "pki.db") == aged or is_restored(site, kept)
        assert rows(site / "pki.db", "PRAGMA integrity_check") == [("ok",)]
        for path in site.rglob("*pki.db*"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        if is_restored(site, kept):
            assert before_restore(site)[-1].read_bytes() == aged_bytes
        (site / "pki.db").unlink()
        (site / "pki.db").write_bytes(aged_bytes)
        (site / "pki.db").chmod(0o600)
        for path in before_restore(site):
            path.unlink()
    assert restore(site, "--force").status == 0
    assert is_restored(site, kept)
    nothing_lies_about(site)
    return kills


def test_killed_at_some_moments_there_is_the_old_store_or_the_new(
    site: Path, fleet: Fleet, kept: dict[str, list[tuple[object, ...]]]
) -> None:
    del kept
    assert _killed(site, fleet, range(3, 70, 6)) > 3


@pytest.mark.exhaustive
def test_killed_at_any_moment_there_is_the_old_store_or_the_new(
    site: Path, fleet: Fleet, kept: dict[str, list[tuple[object, ...]]]
) -> None:
    del kept
    assert _killed(site, fleet, range(1, 500)) > 20


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "size=8m") as disk:
        site = disk / "site"
        site.mkdir()
        Fleet.of(3, servers=0).write(site)
        build(load(site / "pki.toml"))
        assert back_up(site).status == 0
        free = os.statvfs(disk).f_bavail * 4096
        (disk / "ballast").write_bytes(b"x" * (free - 40_000))
        before = sight(site)
        restore(site).failed("No space left", "see whether there is room")
        assert sight(site) == before
        (disk / "ballast").unlink()
        assert restore(site).status == 0


def test_a_folder_that_cannot_be_written_to(site: Path, kept: dict[str, list[tuple[object, ...]]]) -> None:
    del kept
    before = sight(site)
    site.chmod(0o555)
    try:
        restore(site, prefix=mortal()).failed("cannot be opened for writing", "writable")
    finally:
        site.chmod(0o755)
    assert sight(site) == before


def test_a_store_elsewhere_is_put_back_where_it_is_declared(site: Path) -> None:
    elsewhere = site.parent / "safe"
    elsewhere.mkdir()
    text = (site / "pki.toml").read_text()
    (site / "pki.toml").write_text('store = "../safe/acme.db"\n' + text)
    (site / "pki.db").rename(elsewhere / "real.db")
    (elsewhere / "acme.db").symlink_to("real.db")
    assert back_up(site).status == 0
    done = restore(site)
    assert (done.status, done.err) == (0, "")
    assert (elsewhere / "acme.db").is_symlink()
    assert len(list(elsewhere.glob("real.db.before-restore-*"))) == 1
    assert not list(site.glob("*before-restore*"))


def forge(site: Path, files: dict[str, bytes], store: bytes, place: str = "pki.db") -> None:
    """A backup that opens with the passphrase, and whose content ipmpki would never write."""
    with (site / "pki.backup").open("wb") as sink:
        sealer = Sealer(sink, normal(PASSPHRASE.encode()), os.urandom)
        write_archive(sealer, Manifest(datetime.now(UTC), "pki.toml", place), files, store)


@pytest.mark.parametrize("place", ["../away/pki.db", "{away}/pki.db"])
def test_a_backup_alone_puts_no_store_outside_the_folder(site: Path, place: str) -> None:
    away, fresh = site.parent / "away", site.parent / "fresh"
    away.mkdir()
    fresh.mkdir()
    named = place.format(away=away)
    text = f'store = "{named}"\n{(site / "pki.toml").read_text()}'
    forge(site, {"pki.toml": text.encode()}, (site / "pki.db").read_bytes(), named)
    backup = str(site / "pki.backup")
    restore(fresh, source=backup).failed("lay outside the folder of 'pki.toml'", "--store", status=2)
    assert (list(away.iterdir()), list(fresh.iterdir())) == ([], [])
    assert restore(fresh, "--store", str(away / "pki.db"), source=backup).status == 0
    assert (away / "pki.db").is_file()


@pytest.mark.parametrize("link", ["sites", "sites/a.toml"])
def test_a_restore_follows_no_link(site: Path, link: str) -> None:
    away = site.parent / "away"
    away.mkdir()
    files = {"pki.toml": (site / "pki.toml").read_bytes(), "sites/a.toml": b"# from the backup\n"}
    forge(site, files, (site / "pki.db").read_bytes())
    (site / link).parent.mkdir(exist_ok=True)
    (site / link).symlink_to(away if link == "sites" else away / "a.toml")
    before = sight(site)
    restore(site, "--force").failed("is a link", "move the link away", status=2)
    assert sight(site) == before
    assert list(away.iterdir()) == []


def test_a_member_is_never_larger_than_the_backup(site: Path) -> None:
    with (site / "pki.backup").open("wb") as sink:
        sealer = Sealer(sink, normal(PASSPHRASE.encode()), os.urandom)
        with tarfile.open(fileobj=cast("IO[bytes]", sealer), mode="w|", format=tarfile.PAX_FORMAT) as archive:
            manifest = Manifest(datetime.now(UTC), "pki.toml", "pki.db").to_json()
            for name, content in (("manifest.json", manifest), ("store", b"")):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                if name == "store":  # GNU's sparse format 1.0: a megabyte of header may stand for a terabyte
                    member.pax_headers = {
                        "GNU.sparse.major": "0",
                        "GNU.sparse.minor": "1",
                        "GNU.sparse.map": "0,0",
                        "GNU.sparse.size": str(2**40),
                        "GNU.sparse.realsize": str(2**40),
                    }
                archive.addfile(member, io.BytesIO(content))
        sealer.close()
    restore(site, "--force").failed("holds something else than a backup of ipmpki", status=2)


@pytest.mark.parametrize(
    "name",
    [
        "../evil.toml",
        "sites/../../evil.toml",
        "/evil.toml",
        ".git/hooks/post-checkout",
        "sites/.GIT/config",
        "pki.db-journal",
        "pki.db-wal",
        "pki.db-journal/x",
        "pki.db",
        "PKI.DB",
        "pki.db.lock",
        "pki.toml/x",
        "dist/hosts/desk1.example.com/install.sh",
        "x" * 201,
    ],
    ids=lambda name: name[:20],
)
def test_a_backup_writes_nothing_outside_the_folder(site: Path, name: str) -> None:
    inside = site / "below"
    inside.mkdir()
    path = str(site / "evil.toml") if name.startswith("/") else name
    forge(inside, {"pki.toml": (site / "pki.toml").read_bytes(), path: b""}, (site / "pki.db").read_bytes())
    before = sight(site)
    restore(inside).failed("holds something else than a backup of ipmpki", status=2)
    assert sight(site) == before


@pytest.mark.parametrize(
    "place", [".git/config", "pki.toml", "pki.db-wal", "dist/hosts/x", "x" * 201], ids=lambda name: name[:20]
)
def test_a_backup_puts_its_store_where_one_can_be(site: Path, place: str) -> None:
    fresh = site.parent / "fresh"
    fresh.mkdir()
    forge(site, {"pki.toml": (site / "pki.toml").read_bytes()}, (site / "pki.db").read_bytes(), place)
    done = restore(fresh, source=str(site / "pki.backup"))
    done.failed("holds something else than a backup of ipmpki", status=2)
    assert list(fresh.iterdir()) == []


def test_a_store_s_place_that_the_backup_alone_says_is_reached_through_no_link(site: Path) -> None:
    fresh, away = site.parent / "fresh", site.parent / "away"
    fresh.mkdir()
    away.mkdir()
    (fresh / "sub").symlink_to(away)
    forge(site, {"pki.toml": (site / "pki.toml").read_bytes()}, (site / "pki.db").read_bytes(), "sub/pki.db")
    restore(fresh, source=str(site / "pki.backup")).failed("is a link", status=2)
    assert list(away.iterdir()) == []


@pytest.mark.parametrize(("make", "noun"), [(os.mkfifo, "a file"), (os.mkdir, "a file")])
def test_a_restore_replaces_nothing_but_files(site: Path, make: Callable[[Path], None], noun: str) -> None:
    files = {"pki.toml": (site / "pki.toml").read_bytes(), "sites.toml": b"# from the backup\n"}
    forge(site, files, (site / "pki.db").read_bytes())
    make(site / "sites.toml")
    before = sight(site)
    restore(site, "--force").failed(f"is not {noun}", "move it away", status=2)
    assert sight(site) == before


def test_a_pipe_is_no_backup(site: Path) -> None:
    os.mkfifo(site / "pipe")
    restore(site, source="pipe").failed("is a pipe or a device", status=2)


def test_a_backup_of_a_damaged_store_takes_the_place_of_none(
    site: Path, kept: dict[str, list[tuple[object, ...]]]
) -> None:
    damaged = bytearray((site / "pki.db").read_bytes())
    damaged[4096 * 3 : 4096 * 6] = b"\xee" * 4096 * 3
    forge(site, {"pki.toml": (site / "pki.toml").read_bytes()}, bytes(damaged))
    restore(site, "--force").failed("in 'pki.backup', ", "damaged", status=2)
    assert content(site / "pki.db") == kept
    nothing_lies_about(site)
    forge(site, {}, b"")
    restore(site, "--force").failed("in 'pki.backup', ", status=2)
    assert content(site / "pki.db") == kept
