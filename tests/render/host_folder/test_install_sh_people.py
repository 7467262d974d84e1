"""What people wrote into the files of install.sh is kept: in its place, or as a copy that is named."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipmpki.declaration.fleet import KeywordNames
from tests.render.host_folder.bundles import bundle_of, pair, write_folder
from tests.render.host_folder.installation import CLIENT, SERVER, public_sight
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.render.conftest import Prepare
    from tests.render.host_folder.installation import Installation

FURTHER = bundle_of(label="second", keywords=KeywordNames(ca_file="CAFile"))
BY_HAND = b"TraceLevel = 9\n"


def add(host: Installation, line: bytes = BY_HAND) -> None:
    with host.server("ipmssl.cfg").open("ab") as file:
        file.write(line)


@pytest.mark.parametrize("existing", [b"#EnableTLS = 0\nPort = 1\n", b"EnableTLS = 0\n", None])
def test_a_line_added_between_two_installs_outlives_the_uninstall(
    prepare: Prepare, existing: bytes | None
) -> None:
    host = prepare()
    if existing is not None:
        host.write(f"{SERVER}/ipmssl.cfg", existing)
    host.run()
    add(host)
    write_folder(FURTHER, host.folder)
    host.run()
    said = host.run("--uninstall")
    assert "only what install.sh had set goes back" in said
    lines = host.server("ipmssl.cfg").read_bytes().splitlines(keepends=True)
    assert BY_HAND in lines
    assert [line for line in lines if line.startswith((b"CertFile", b"KeyFile", b"CAFile"))] == []
    assert (b"EnableTLS = 0\n" in lines) is (existing == b"EnableTLS = 0\n")
    assert [line for line in lines if line.startswith(b"EnableTLS") and b"1" in line] == []


def test_a_line_added_after_the_last_install_outlives_the_rollback(prepare: Prepare) -> None:
    host = prepare()
    host.run()
    before = host.server("ipmssl.cfg").read_bytes()
    write_folder(FURTHER, host.folder)
    host.run()
    assert b"\nCAFile=ca-cert.pem\n" in host.server("ipmssl.cfg").read_bytes()
    add(host)
    assert "only what install.sh had set goes back" in host.run("--rollback")
    after = host.server("ipmssl.cfg").read_bytes()
    assert after == before + b"#CAFile=ca-cert.pem\n" + BY_HAND
    host.run("--rollback")
    lines = host.server("ipmssl.cfg").read_bytes().splitlines(keepends=True)
    assert BY_HAND in lines
    assert b"#EnableTLS=1\n" in lines


def test_a_key_put_there_by_hand_outlives_the_rollback_as_a_copy_that_is_named(prepare: Prepare) -> None:
    host = prepare()
    host.run()
    write_folder(bundle_of(label="second"), host.folder)
    host.run()
    by_hand = pair("expired")[1]
    host.server("server-key.pem").write_bytes(by_hand)
    said = host.run("--rollback")
    assert f"a copy of it stays in {host.client('.ipmpki/changed')}" in said.replace("\n      ", " ")
    (copy,) = host.client(".ipmpki/changed").iterdir()
    assert copy.read_bytes() == by_hand
    assert copy.stat().st_mode & 0o777 == 0o600
    assert host.server("server-key.pem").read_bytes() == pair("first")[1]
    host.run("--uninstall")
    assert [path.name for path in host.client(".ipmpki").iterdir()] == ["changed"]


def test_a_file_put_there_by_hand_between_two_installs_comes_back_with_the_uninstall(
    prepare: Prepare,
) -> None:
    host = prepare()
    host.run()
    by_hand = pair("expired")[1]
    host.server("server-key.pem").write_bytes(by_hand)
    host.run()
    assert host.server("server-key.pem").read_bytes() == pair("first")[1]
    host.run("--uninstall")
    assert host.server("server-key.pem").read_bytes() == by_hand


def test_without_the_originals_an_uninstall_takes_them_from_the_oldest_backup(prepare: Prepare) -> None:
    host = prepare()
    host.write(f"{CLIENT}/ca-cert.pem", b"the company's\n")
    before = public_sight(host.root)
    host.run()
    write_folder(bundle_of(label="second"), host.folder)
    host.run()
    shutil.rmtree(host.client(".ipmpki/original"))
    host.run("--uninstall")
    assert public_sight(host.root)[f"{CLIENT}/ca-cert.pem"] == before[f"{CLIENT}/ca-cert.pem"]


def test_what_install_sh_replaced_and_cannot_find_again_is_not_passed_over(prepare: Prepare) -> None:
    host = prepare()
    host.write(f"{CLIENT}/ca-cert.pem", b"the company's\n")
    host.run()
    shutil.rmtree(host.client(".ipmpki/original"))
    for backup in host.client(".ipmpki").glob("backup-*"):
        shutil.rmtree(backup)
    before = public_sight(host.root)
    said = host.run("--uninstall", status=1)
    assert "took the place of another file, which is not in" in said
    assert public_sight(host.root) == before


def test_a_file_that_somebody_changed_stays_and_nothing_else_is_left_of_an_uninstall(
    prepare: Prepare,
) -> None:
    host = prepare()
    before = host.write(f"{SERVER}/server-key.pem", b"bought long ago\n", 0o600).read_bytes()
    host.run()
    host.server("server-key.pem").write_bytes(b"by hand\n")
    said = host.run("--uninstall").replace("\n      ", " ")
    assert "was changed since install.sh put it there, and stays" in said
    assert "nothing here was put" not in said
    assert host.server("server-key.pem").read_bytes() == b"by hand\n"
    assert [path.name for path in host.client(".ipmpki").iterdir()] == ["changed"]
    (copy,) = host.client(".ipmpki/changed").iterdir()
    assert copy.read_bytes() == before
    assert copy.stat().st_mode & 0o777 == 0o600
    again = host.run("--uninstall")
    assert "nothing here was put" in again
    assert "changed since" not in again


@pytest.mark.parametrize("left", ["", None])
def test_without_its_record_an_uninstall_deletes_no_copies(prepare: Prepare, left: str | None) -> None:
    host = prepare(bundle_of("client"))
    host.write(f"{CLIENT}/ca-cert.pem", b"the company's\n")
    host.run()
    record = host.client(".ipmpki/installed")
    record.unlink()
    if left is not None:
        record.write_text(left)
    assert "is missing or empty, so nobody can tell" in host.run("--uninstall", status=1)
    assert host.client(".ipmpki/original/client/ca-cert.pem").read_bytes() == b"the company's\n"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_a_record_that_is_no_file_is_said(prepare: Prepare, make: Callable[[Path], None]) -> None:
    host = prepare(bundle_of("client"))
    host.run()
    record = host.client(".ipmpki/installed")
    record.unlink()
    make(record)
    for option in ("--verify", "--uninstall"):
        assert "installed is not a file" in host.run(option, status=1)


@pytest.mark.parametrize("made_here", [True, False])
def test_after_an_uninstall_whose_restart_failed_another_leaves_nothing(
    prepare: Prepare, made_here: bool
) -> None:
    host = prepare(bundle_of("client", restart="false"))
    if not made_here:
        host.client("").mkdir(parents=True)
    before = public_sight(host.root) if host.root.exists() else {}
    host.run()
    said = host.run("--uninstall", "--restart", status=5)
    assert "run install.sh --uninstall --restart again" in said
    assert host.client(".ipmpki/restart-due").exists()
    said = host.run("--uninstall", "--restart", status=5)
    assert "Running: false" in said, "it is due until it succeeds"
    assert "remove   .ipmpki" in host.run("--uninstall")
    assert public_sight(host.root) == before
    assert list(host.root.rglob(".ipmpki")) == []


def set_clock(host: Installation, change: str) -> None:
    """Let the host's clock be wrong."""
    fakes = host.root.parent / "fakes"
    fakes.mkdir()
    (fakes / "date").write_text(f'#!/bin/sh\nexec {require("date")} -d "{change}" "$@"\n')
    (fakes / "date").chmod(0o755)
    host.env = {"PATH": f"{fakes}:/usr/bin:/bin"}


# ---- which backup is the last ---------------------------------------------------------------------------


def test_backups_are_in_the_order_of_the_installs_whatever_the_clock_says(prepare: Prepare) -> None:
    host = prepare()
    set_clock(host, "+2 days")
    host.run()
    host.env = {}
    first = public_sight(host.root)
    write_folder(bundle_of(label="second"), host.folder)
    host.run()
    host.run("--rollback")
    assert public_sight(host.root) == first


def test_a_backup_without_its_list_is_said(prepare: Prepare) -> None:
    host = prepare()
    host.run()
    (backup,) = host.client(".ipmpki").glob("backup-*")
    (backup / "contents").unlink()
    assert "has no list of what it holds" in host.run("--rollback", status=1)
    (backup / "contents").touch()
    assert "has no list of what it holds" in host.run("--rollback", status=1)


def test_a_backup_without_one_of_its_files_is_said(prepare: Prepare) -> None:
    host = prepare()
    host.run()
    write_folder(bundle_of(label="second"), host.folder)
    host.run()
    *_, backup = sorted(host.client(".ipmpki").glob("backup-*"))
    (backup / "server/server-key.pem").unlink()
    for option in ((), ("--dry-run",)):
        said = host.run("--rollback", *option, status=1)
        assert "is not whole: server/server-key.pem, which its list names, is missing" in said


def test_a_folder_that_only_looks_like_a_backup_is_none(prepare: Prepare) -> None:
    host = prepare()
    host.client(".ipmpki/backup-of-mine").mkdir(parents=True)
    host.client(".ipmpki").chmod(0o700)
    assert "there is no backup" in host.run("--rollback", status=1)


def test_a_rollback_that_was_killed_at_its_end_is_not_repeated(prepare: Prepare) -> None:
    """All was in place, and nobody was told: the folder 'settled' is what is left of that moment."""
    host = prepare()
    host.run()
    first = public_sight(host.root)
    write_folder(bundle_of(label="second"), host.folder)
    host.run()
    host.run("--rollback")
    host.write(f"{CLIENT}/.ipmpki/settled/used", b"backup-000002-20260101T000000Z\n")
    assert "completed what an earlier run had prepared" in host.run("--rollback")
    assert public_sight(host.root) == first
    host.run("--rollback")
    assert public_sight(host.root) != first


def test_a_certificate_of_tomorrow_is_not_valid_yet(prepare: Prepare) -> None:
    host = prepare()
    host.run()
    set_clock(host, "-60 days")
    said = host.run("--verify", status=1)
    assert "server-cert.pem  not valid yet: see the clock, which says 20" in said


# ---- what stands in the way -----------------------------------------------------------------------------

MODES = [(), ("--dry-run",), ("--verify",)]


@pytest.mark.parametrize("mode", MODES)
def test_what_is_no_folder_is_found_before_the_change(prepare: Prepare, mode: tuple[str, ...]) -> None:
    host = prepare(bundle_of("client"))
    way = host.root / CLIENT
    way.parent.mkdir(parents=True)
    way.touch()
    assert f"{way}: not a folder" in host.run(*mode, status=1)
    way.unlink()
    way.symlink_to("nowhere")
    assert f"{way}: not a folder" in host.run(*mode, status=1)
    way.unlink()
    way.symlink_to(way.name)
    said = host.run(*mode, status=1)
    assert f"rm {way}" in said or f"mv {way}" in said
    assert "parameter" not in said
    assert "cannot remove" not in said


@pytest.mark.parametrize("mode", [("--rollback",), ("--uninstall",)])
def test_a_target_that_has_become_a_folder_ends_a_way_back_before_it_changes_anything(
    prepare: Prepare, mode: tuple[str, ...]
) -> None:
    host = prepare()
    host.run()
    host.server("server-key.pem").unlink()
    host.server("server-key.pem").mkdir()
    before = public_sight(host.root)
    assert "server-key.pem is a folder, not a file. Move it away" in host.run(*mode, status=1)
    assert public_sight(host.root) == before


def test_a_target_that_is_a_pipe_is_refused(prepare: Prepare) -> None:
    host = prepare(bundle_of("client"))
    host.client("").mkdir(parents=True)
    os.mkfifo(host.client("ca-cert.pem"))
    assert "ca-cert.pem is neither a file nor a folder" in host.run(status=1)
