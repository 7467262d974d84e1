"""``ipmpki backup``: consistent, encrypted, for its owner alone, and never over another file."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.backup.backup import make_backup
from ipmpki.operations.build import build
from ipmpki.operations.load import load
from tests.faults.fleets import Fleet
from tests.faults.ledger import sight
from tests.faults.mounts import remount, tmpfs
from tests.faults.running import mortal, started
from tests.faults.test_contention import HOLDER
from tests.operations.keeper import BACKUP_ENV, BACKUP_OPTION, PASSPHRASE, back_up, content, ipmpki, restore
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shop import Shop


def test_it_holds_the_store_encrypted_and_is_for_its_owner_alone(site: Path) -> None:
    done = back_up(site, prefix=("sh", "-c", 'umask 0; exec "$@"', "sh"))
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("pki.backup: the store and 1 file, encrypted\n")
    backup = site / "pki.backup"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    sealed = backup.read_bytes()
    assert b'"n":131072,"r":8,"p":1' in sealed.splitlines()[1], "what a guess costs"
    for open_text in (b"SQLite", b"PRIVATE", b"CERTIFICATE", b"pc000", b"Acme", PASSPHRASE.encode()):
        assert open_text not in sealed


def test_it_changes_nothing_but_what_the_store_knows_of_backups(site: Path) -> None:
    before, kept = sight(site), content(site / "pki.db")
    assert back_up(site, to="../pki.backup").status == 0
    after = sight(site)
    for seen in (before, after):
        del seen["pki.db"]
    assert after == before
    assert content(site / "pki.db") == kept


def test_an_existing_file_is_replaced_only_by_force(site: Path) -> None:
    (site / "pki.backup").write_bytes(b"the only good one")
    back_up(site).failed("'pki.backup' exists already", "--force", status=2)
    assert (site / "pki.backup").read_bytes() == b"the only good one"
    assert back_up(site, "--force").status == 0
    assert (site / "pki.backup").read_bytes().startswith(b"ipmpki backup 1\n")


@pytest.mark.parametrize("name", ["pki.db", "pki.toml"])
def test_what_is_backed_up_is_never_overwritten_by_its_backup(site: Path, name: str) -> None:
    before = sight(site)
    back_up(site, "--force", to=name).failed("is itself to be backed up", status=2)
    assert sight(site) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--passphrase-env", "UNSET"), "UNSET"),
        (("--passphrase-file", "empty"), "an empty first line"),
        (("--passphrase-file", "nowhere"), "'nowhere' cannot be read"),
        (("--passphrase-file", "binary"), "not text in UTF-8"),
        (("--passphrase-file", "empty", "--passphrase-env", "UNSET"), "two places"),
        ((), "no terminal"),
    ],
)
def test_a_passphrase_that_cannot_be_had(site: Path, arguments: tuple[str, ...], words: str) -> None:
    (site / "empty").write_bytes(b"\n")
    (site / "binary").write_bytes(b"\xff\xfe\n")
    before = sight(site)
    ipmpki(site, "backup", "pki.toml", "pki.backup", *arguments).failed(words, status=2)
    assert sight(site) == before


def test_a_short_passphrase_is_remarked_on(site: Path) -> None:
    (site / "pass").write_text("secret\n")
    done = ipmpki(site, "backup", "pki.toml", "pki.backup", "--passphrase-file", "pass")
    assert done.status == 0
    assert "fewer than 12 characters" in done.err
    assert "secret" not in done.err + done.out


def test_on_a_terminal_it_asks_twice(site: Path) -> None:
    script = require("script")
    command = f"{sys.executable} -m ipmpki backup pki.toml pki.backup"
    for answers, is_made in (("first try\nsecond one\n", False), (f"{PASSPHRASE}\n{PASSPHRASE}\n", True)):
        with subprocess.Popen(
            [script, "-qec", command, os.devnull],
            cwd=site,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            seen = b""
            for line in answers.splitlines():
                while not seen.rstrip().endswith(b":"):
                    octet = process.stdout.read(1)
                    assert octet, seen
                    seen += octet
                seen = b""
                process.stdin.write(line.encode() + b"\n")
                process.stdin.flush()
            if not is_made:
                process.kill()
        assert (site / "pki.backup").exists() == is_made
    assert restore(site).status == 0


def test_it_is_made_while_a_build_holds_the_store(site: Path, fleet: Fleet) -> None:
    before = content(site / "pki.db")
    fleet.add(10)
    fleet.write(site)
    with started(site, *HOLDER) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == b"held\n"
        done = back_up(site)
        assert done.status == 0
        assert "the backup is written, but status does not know of it: pki.db is held by" in done.err
        builder.communicate(b"go on\n")
    assert builder.returncode == 0
    assert back_up(site, to="later.backup").status == 0
    for backup, expected in (("pki.backup", before), ("later.backup", content(site / "pki.db"))):
        fresh = site.parent / backup
        fresh.mkdir()
        assert restore(fresh, source=str(site / backup)).status == 0
        assert content(fresh / "pki.db") == expected


def test_a_writer_in_the_midst_neither_waits_nor_spoils_it(site: Path) -> None:
    writing = (
        "import sqlite3, sys, time\n"
        "db = sqlite3.connect('pki.db', timeout=5)\n"
        "for n in range(10**9):\n"
        "    with db:\n"
        '        db.execute("UPDATE folder SET inputs = ?", (str(n),))\n'
        '        db.execute("UPDATE holder SET since = ?", (n,))\n'
        "    if n == 0:\n"
        "        print('go', flush=True)\n"
        "    time.sleep(0.005)\n"
    )
    with started(site, "-c", writing) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        for number in range(3):
            assert back_up(site, to=f"{number}.backup").status == 0
        assert writer.poll() is None
    for number in range(3):
        fresh = site.parent / f"fresh{number}"
        fresh.mkdir()
        assert restore(fresh, source=str(site / f"{number}.backup")).status == 0
        with closing(sqlite3.connect(fresh / "pki.db")) as connection:
            assert len(set(connection.execute("SELECT inputs FROM folder").fetchall())) == 1


def test_everything_the_declaration_names_comes_along_but_secrets(site: Path, fleet: Fleet) -> None:
    require("openssl")
    fleet.settings = 'include = ["sites/*.toml"]\n'
    text = fleet.text()
    head, _, rest = text.partition("[ca]")
    (site / "pki.toml").write_text(
        'include = ["sites/*.toml"]\n' + (head + "[ca]" + rest).replace(fleet.settings, "")
    )
    (site / "sites").mkdir()
    (site / "sites/far.toml").write_text(
        '[[hosts]]\nname = "far.example.com"\nrole = "client"\ncsr = "csr/far.csr"\n'
    )
    (site / "csr").mkdir()
    subprocess.run(
        [
            "openssl",
            "req",
            "-new",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            site / "far.key",
            "-subj",
            "/CN=far.example.com",
            "-out",
            site / "csr/far.csr",
        ],
        check=True,
        capture_output=True,
    )
    build(load(site / "pki.toml"))
    done = back_up(site)
    assert done.out.startswith("pki.backup: the store and 3 files, encrypted\n")
    fresh = site.parent / "fresh"
    fresh.mkdir()
    told = restore(fresh, source=str(site / "pki.backup"))
    assert told.status == 0
    for name in ("pki.toml", "sites/far.toml", "csr/far.csr"):
        assert (fresh / name).read_bytes() == (site / name).read_bytes()
        assert f"{name}: written from the backup" in told.out
    assert not (fresh / "far.key").exists()
    planned = ipmpki(fresh, "plan").out
    assert "restore" in planned
    assert "create" not in planned
    assert "replace" not in planned


def test_a_damaged_store_is_not_backed_up_as_if_it_were_sound(site: Path) -> None:
    store = site / "pki.db"
    damaged = bytearray(store.read_bytes())
    damaged[4096 * 3 : 4096 * 6] = b"\xee" * 4096 * 3
    store.write_bytes(damaged)
    back_up(site).failed("damaged", "ipmpki doctor")
    assert not (site / "pki.backup").exists()


def test_without_a_store_there_is_nothing_to_back_up(site: Path) -> None:
    (site / "pki.db").unlink()
    back_up(site).failed("there is no store", "ipmpki build")
    (site / "pki.toml").write_text("[ca\n")
    back_up(site).failed("pki", status=4)


def test_a_full_disk_leaves_no_half_of_it(site: Path) -> None:
    with tmpfs(site.parent / "stick", "size=64k") as stick:
        target = stick / "pki.backup"
        failed = back_up(site, to=str(target))
        failed.failed("No space left", "has room")
        assert list(stick.iterdir()) == []
        remount(stick, "size=4m")
        assert back_up(site, to=str(target)).status == 0
        good = target.read_bytes()
        remount(stick, f"size={-(-len(good) // 4096) * 4096 + 8192}")
        back_up(site, "--force", to=str(target)).failed("No space left")
        assert target.read_bytes() == good


def test_a_folder_that_cannot_be_written_to(site: Path) -> None:
    stick = site.parent / "stick"
    stick.mkdir(mode=0o555)
    try:
        back_up(site, to=str(stick / "pki.backup"), prefix=mortal()).failed("cannot be written", "yours to")
    finally:
        stick.chmod(0o755)
    back_up(site, to="nowhere/pki.backup").failed("cannot be written", "exists")
    back_up(site, "--force", to="dist").failed("not a file that could be replaced", status=2)


@pytest.mark.parametrize("name", ["größe.backup", "-b", "a b\n"])
def test_odd_names(site: Path, name: str) -> None:
    done = ipmpki(site, "backup", *BACKUP_OPTION, "--", "pki.toml", name, env=BACKUP_ENV)
    assert done.status == 0
    shutil.move(site / name, site / "pki.backup")
    assert restore(site).status == 0


def test_a_store_on_a_medium_that_cannot_be_written_to(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "size=8m") as disk:
        Fleet.of(1, servers=0).write(disk)
        build(load(disk / "pki.toml"))
        remount(disk, "ro")
        assert back_up(disk, to="../pki.backup").status == 0
        assert ipmpki(disk, "doctor").status == 0
        assert ipmpki(disk, "doctor", "--salvage", "../saved.db").status == 0
        restore(disk, source="../pki.backup").failed("writ")


def test_the_declaration_of_this_folder_needs_no_name(site: Path) -> None:
    short = ipmpki(site, "backup", "short.backup", *BACKUP_OPTION, env=BACKUP_ENV)
    assert (short.status, short.err) == (0, "")
    assert ipmpki(site, "restore", "short.backup", *BACKUP_OPTION, env=BACKUP_ENV).status == 0
    ipmpki(site, "backup").failed("the file of the backup is missing", status=2)
    ipmpki(site, "backup", "a", "b", "c").failed("one backup at a time", status=2)


def test_neither_the_key_of_the_ca_nor_its_passphrase_is_among_the_files(shop: Shop) -> None:
    openssl = (require("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    subprocess.run(
        [*openssl, *("-passout", "pass:the presses wait", "-keyout", "ca.key", "-out", "ca.crt"),
         *("-days", "900", "-subj", "/CN=Acme Root", "-addext", "keyUsage=critical,keyCertSign,cRLSign")],
        cwd=shop.folder, check=True, capture_output=True,
    )  # fmt: skip
    (shop.folder / "ca.pass").write_text("the presses wait\n")
    for secret in ("ca.key", "ca.pass"):
        (shop.folder / secret).chmod(0o600)
    shop.edit(
        'common_name = "Acme Print CA"\nkey = "ec-p256"\n',
        'certificate = "ca.crt"\nkey_file = "ca.key"\npassphrase = { file = "ca.pass" }\n',
    )
    shop.now = datetime.now(UTC) + timedelta(minutes=1)
    shop.build()
    made = make_backup(shop.declaration, shop.folder / "pki.backup", now=shop.now)
    assert (set(made.files), made.left_out) == ({"pki.toml", "ca.crt"}, ())
