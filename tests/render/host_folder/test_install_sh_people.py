"""What people wrote into the files of install.sh is kept: in its place, or as a copy that is named."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from ipmpki.declaration.fleet import KeywordNames
from tests.render.host_folder.bundles import bundle_of, pair, write_folder
from tests.render.host_folder.installation import CLIENT, SERVER, public_sight
from tests.tools import require

if TYPE_CHECKING:
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
