"""install.sh, run for real below a folder."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ipmpki.declaration.fleet import KeywordNames
from tests.extent import mostly_exhaustive
from tests.render.host_folder.bundles import bundle_of, pair, write_folder
from tests.render.host_folder.installation import (
    CLIENT,
    CLIENT_SAMPLE,
    SAMPLE,
    SERVER,
    SERVER_SAMPLE,
    SHELLS,
    SYSTEM_PATH,
    Installation,
    public_sight,
    sight,
)
from tests.render.host_folder.userland import make_userland
from tests.tools import require, unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.render.conftest import Prepare


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def fake(folder: Path, name: str, script: str) -> None:
    """Put a program that answers with ``script`` on a PATH that begins with ``folder``."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def faking(installation: Installation, tmp_path: Path, **programs: str) -> Installation:
    for name, script in programs.items():
        fake(tmp_path / "fakes", name, script)
    installation.env = {**installation.env, "PATH": f"{tmp_path / 'fakes'}:{os.environ['PATH']}"}
    return installation


def needs_root() -> None:
    if os.geteuid() != 0:
        unavailable("root, who alone may give files away,")


def test_it_installs_once_verifies_rolls_back_and_uninstalls(prepare: Prepare) -> None:
    installation = prepare(bundle_of(mutual=True, keywords=KeywordNames(ca_file="CAFile")))
    installation.write(SERVER_SAMPLE, SAMPLE)
    before = installation.write(f"{CLIENT}/ca-cert.pem", b"the vendor's\n").read_bytes()
    untouched = public_sight(installation.root)

    said = installation.run()
    assert installation.server("server-key.pem").read_bytes() == pair("first")[1]
    assert mode(installation.server("server-key.pem")) == 0o600
    assert mode(installation.server("server-cert.pem")) == 0o644
    assert mode(installation.client("ipmssl.cfg")) == 0o644
    assert installation.server("ipmssl.cfg").read_bytes() == (
        b"# TLS of InfoPrint Manager\n#\nEnableTLS = 1\nCertFile = server-cert.pem\n"
        b"KeyFile = server-key.pem\nCAFile = ca-cert.pem\n"
    )
    assert "pdshutdown" in said.split("\nNext: ")[1]

    installed = sight(installation.root)
    assert "already up to date" in installation.run()
    assert sight(installation.root) == installed
    assert "nothing differs" in installation.run("--verify")

    installation.run("--rollback")
    assert installation.client("ca-cert.pem").read_bytes() == before
    assert not installation.server("server-key.pem").exists()

    installation.run()
    installation.run("--uninstall")
    seen = public_sight(installation.root)
    assert {name: seen[name] for name in untouched} == untouched
    assert not [name for name in seen if name not in untouched and (installation.root / name).is_file()]
    assert not (installation.root / CLIENT / ".ipmpki").exists()


def test_a_server_gets_both_folders_and_a_client_its_own(prepare: Prepare) -> None:
    installation = prepare(bundle_of("client", "macos"))
    installation.run()
    assert sorted(path.name for path in installation.client("").iterdir()) == [
        ".ipmpki",
        "ca-cert.pem",
        "ipmssl.cfg",
    ]
    assert not (installation.root / "var").exists()


def test_with_root_another_host_is_a_note_and_force_is_welcome(prepare: Prepare) -> None:
    installation = prepare()
    assert "made for ipm1.example.com" in installation.run("--dry-run")
    installation.run("--force")


@pytest.mark.parametrize(
    "hostname", ["ipm1.example.com", "IPM1.Example.COM", "print.example.com", "ipm1", "print", "ipm1.local"]
)
def test_the_right_host_is_known_by_name_or_alias_without_case(
    prepare: Prepare, tmp_path: Path, hostname: str
) -> None:
    installation = prepare(bundle_of("client"))
    faking(installation, tmp_path, hostname=f"echo {hostname}", uname="echo other", id="echo 0")
    said = installation.run_bare("--dry-run")
    assert "Note: this is" not in said


@pytest.mark.parametrize("hostname", ["ipm2.example.com", "ipm1.example.org", "ipm", "localhost", "'*'"])
def test_the_wrong_host_is_refused_unless_forced(prepare: Prepare, tmp_path: Path, hostname: str) -> None:
    installation = prepare(bundle_of("client", aliases=("print.example.com",)))
    faking(installation, tmp_path, hostname=f"echo {hostname}", uname=f"echo {hostname}", id="echo 0")
    for options in (["--dry-run"], ["--rollback"], ["--uninstall"], []):
        said = installation.run_bare(*options, status=3)
        assert "made for ipm1.example.com" in said
        assert "Nothing was changed" in said
    said = installation.run_bare("--verify", status=1)
    assert f"wrong host: this is {hostname.strip(chr(39))}, and the folder was made for" in said
    installation.run_bare("--force", "--dry-run")


def test_only_root_may_install_without_a_root(prepare: Prepare, tmp_path: Path) -> None:
    installation = faking(prepare(), tmp_path, id="echo 1000", hostname="echo ipm1")
    assert "only root can install" in installation.run_bare(status=1)


@pytest.mark.parametrize(
    "options",
    [
        ("--nonsense",),
        ("extra",),
        ("--root",),
        ("--root", ""),
        ("--owner",),
        ("--owner", "-R"),
        ("--owner", ":sys"),
        ("--owner", "ipm1:"),
        ("--rollback", "--owner", "ipm1"),
        ("--verify", "--rollback"),
        ("--verify", "--dry-run"),
        ("--uninstall", "--rollback"),
        ("--verify", "--restart"),
        ("--restart",),
        ("--new-key",),
        ("--new-key", "--verify"),
    ],
)
def test_wrong_usage_is_said_with_status_2(prepare: Prepare, options: tuple[str, ...]) -> None:
    installation = prepare()
    said = installation.run_bare(*options, status=2)
    assert "install.sh --help" in said
    assert not list(installation.root.iterdir())


FOR_EVERY_HOST = {"dry-run", "verify", "rollback", "uninstall", "root", "force", "trust-folder"}
OPTIONS = {
    "a client that can use all": (
        bundle_of("client", mutual=True, own_key=True, restart="true"),
        {"new-key", "user", "owner", "restart"},
    ),
    "a client without a key": (bundle_of("client"), {"user"}),
    "a server": (bundle_of(), {"owner"}),
    "a server that makes its key": (bundle_of(own_key=True), {"owner", "new-key"}),
}


@pytest.mark.parametrize("host", OPTIONS)
def test_help_tells_every_status_and_the_options_that_this_host_has_a_use_for(
    prepare: Prepare, host: str
) -> None:
    bundle, own = OPTIONS[host]
    installation = prepare(bundle)
    said = installation.run_bare("--help")
    assert set(re.findall(r"^  --([a-z-]+)", said, re.MULTILINE)) == FOR_EVERY_HOST | own
    assert set(re.findall(r"--([a-z-]+)", said.partition("(nothing)")[0])) == FOR_EVERY_HOST | own
    for status in range(6):
        assert f"{status} " in said.partition("exit status: ")[2]
    for option in {"new-key", "user", "owner", "restart"} - own:
        words = (f"--{option}", "daemon") if option == "owner" else (f"--{option}",)
        said = installation.run_bare(*words, status=2)
        assert said.startswith(f"install.sh: --{option}")
        assert "unknown option" not in said


@pytest.mark.parametrize("name", ["ca-cert.pem", "server-cert.pem", "server-key.pem"])
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_folder_is_refused_and_nothing_changes(prepare: Prepare, name: str, damage: str) -> None:
    installation = prepare()
    file = installation.folder / name
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes() + b"\n")
    for option in ([], ["--dry-run"], ["--verify"]):
        said = installation.run(*option, status=4)
        assert name in said
        assert "Nothing was changed" in said
    assert not list(installation.root.iterdir())


def test_a_key_that_is_not_the_certificates_is_refused(prepare: Prepare) -> None:
    bundle = bundle_of()
    mixed = replace(bundle, certificate=pair("first")[0], key=pair("second")[1])
    installation = prepare(mixed)
    assert "do not belong together" in installation.run(status=4)
    assert not list(installation.root.iterdir())


def test_dry_run_shows_the_difference_and_changes_nothing(prepare: Prepare) -> None:
    installation = prepare()
    installation.write(SERVER_SAMPLE, SAMPLE)
    installation.write(f"{SERVER}/server-cert.pem", b"old\n")
    before = sight(installation.root)
    said = installation.run("--dry-run")
    assert "+EnableTLS = 1" in said
    assert "-#EnableTLS = 0" in said
    assert "replace" in said
    assert "Nothing was changed" in said
    assert sight(installation.root) == before
    assert list(installation.root.rglob(".ipmpki*")) == []

    installation.run()
    before = sight(installation.root)
    assert "already up to date" in installation.run("--dry-run")
    for option in ("--rollback", "--uninstall"):
        assert "this would change" in installation.run(option, "--dry-run")
    assert sight(installation.root) == before


def test_it_leaves_no_working_files_behind(prepare: Prepare, tmp_path: Path) -> None:
    installation = prepare()
    (tmp_path / "tmp dir").mkdir()
    installation.env = {"TMPDIR": str(tmp_path / "tmp dir")}
    installation.run("--dry-run")
    installation.run()
    installation.run("--verify")
    assert not list((tmp_path / "tmp dir").iterdir())
    assert not list(installation.root.rglob("*-new"))
    assert not list(installation.root.rglob("lock"))


def test_what_a_killed_run_left_of_its_working_files_is_not_in_the_way(
    prepare: Prepare, tmp_path: Path
) -> None:
    installation = prepare()
    words = ("dash", str(installation.folder / "install.sh"), "--root", str(installation.root))
    # exec keeps the process number, which names the folder of working files.
    script = 'mkdir "$TMPDIR/ipmpki-install.$$" || exit 9; exec "$@"'
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([require("dash"), "-c", script, "sh", *words], env=env, check=True)
    assert installation.server("server-key.pem").exists()
    assert len(list(tmp_path.glob("ipmpki-install.*"))) == 1


def test_it_runs_from_any_folder_and_by_any_way_of_naming_it(prepare: Prepare) -> None:
    installation = prepare()
    dash = require("dash")
    for cwd, script in ((installation.folder, "install.sh"), (installation.folder.parent, None)):
        name = script or f"{installation.folder.name}/install.sh"
        subprocess.run(
            [dash, name, "--root", str(installation.root)], cwd=cwd, check=True, capture_output=True
        )
    done = subprocess.run(
        [dash, "install.sh", "--root=relative root"],
        cwd=installation.folder,
        check=True,
        capture_output=True,
        env={**os.environ, "CDPATH": "/"},
    )
    assert b"changed" in done.stdout
    assert (installation.folder / "relative root" / SERVER / "server-key.pem").exists()


DRIFT = {
    "missing": lambda i: i.server("server-cert.pem").unlink(),
    "other content": lambda i: i.client("ca-cert.pem").write_bytes(b"other\n"),
    "wrong mode": lambda i: i.server("server-key.pem").chmod(0o644),
    "-EnableTLS = 0": lambda i: i.server("ipmssl.cfg").write_bytes(
        i.server("ipmssl.cfg").read_bytes().replace(b"TLS = 1", b"TLS = 0")
    ),
}


@pytest.mark.parametrize("what", mostly_exhaustive(DRIFT, every_time=["missing", "wrong mode"]))
def test_verify_says_what_drifted_and_a_run_mends_it(prepare: Prepare, what: str) -> None:
    installation = prepare()
    installation.write(SERVER_SAMPLE, SAMPLE)
    installation.run()
    DRIFT[what](installation)
    before = sight(installation.root)
    said = installation.run("--verify", status=1)
    assert what in said
    assert sight(installation.root) == before
    installation.run()
    assert "nothing differs" in installation.run("--verify")


def test_verify_says_that_a_certificate_has_expired(prepare: Prepare) -> None:
    installation = prepare(bundle_of(label="expired"))
    assert "expired" in installation.run()
    said = installation.run("--verify", status=1)
    assert "server-cert.pem  expired" in said
    assert "Next: run 'ipmpki build' where pki.toml is, and carry the new folder" in said
    assert "sh install.sh does it" not in said


def test_a_renewed_certificate_replaces_the_old_and_rolls_back(prepare: Prepare) -> None:
    installation = prepare(bundle_of(label="first"))
    installation.run()
    first = public_sight(installation.root)
    write_folder(bundle_of(label="second"), installation.folder)
    assert "other content" in installation.run("--verify", status=1)
    installation.run()
    assert installation.server("server-cert.pem").read_bytes() == pair("second")[0]
    assert installation.server("ipmssl.cfg").stat().st_mtime_ns  # and it was not touched:
    assert public_sight(installation.root)[f"{SERVER}/ipmssl.cfg"] == first[f"{SERVER}/ipmssl.cfg"]
    installation.run("--rollback")
    assert public_sight(installation.root) == first
    installation.run("--rollback")
    assert not installation.server("server-cert.pem").exists()
    assert "no backup" in installation.run("--rollback", status=1)


def test_backups_are_closed_to_others(prepare: Prepare) -> None:
    installation = prepare()
    installation.run()
    write_folder(bundle_of(label="second"), installation.folder)
    installation.run()
    remembered = installation.client(".ipmpki")
    assert mode(remembered) == 0o700
    backups = sorted(path.name for path in remembered.glob("backup-*"))
    assert len(backups) == 2
    assert (remembered / backups[1] / "server/server-key.pem").read_bytes() == pair("first")[1]
    assert mode(remembered / backups[1]) == 0o700


def test_uninstall_puts_back_what_was_there_and_leaves_what_changed_since(prepare: Prepare) -> None:
    installation = prepare()
    installation.write(f"{SERVER}/server-cert.pem", b"bought long ago\n")
    installation.write(f"{SERVER}/other.pem", b"not ours\n")
    installation.write(f"{SERVER}/ipmssl.cfg", b"; mine\nEnableTLS=0\n", 0o640)
    before = public_sight(installation.root)
    installation.run()
    write_folder(bundle_of(label="second"), installation.folder)
    installation.run()
    changed = installation.server("ipmssl.cfg")
    assert mode(changed) == 0o640
    changed.write_bytes(changed.read_bytes() + b"Port=1\n")
    installation.server("ca-cert.pem").write_bytes(b"by hand\n")

    said = installation.run("--uninstall")
    assert "changed since" in said
    after = public_sight(installation.root)
    for name in (f"{SERVER}/server-cert.pem", f"{SERVER}/other.pem"):
        assert after[name] == before[name]
    assert changed.read_bytes() == (
        b"; mine\nEnableTLS=0\n;CertFile=server-cert.pem\n;KeyFile=server-key.pem\nPort=1\n"
    )
    assert installation.server("ca-cert.pem").read_bytes() == b"by hand\n"
    assert not installation.server("server-key.pem").exists()


def test_uninstall_of_nothing_is_no_failure(prepare: Prepare) -> None:
    assert "nothing here was put" in prepare().run("--uninstall")


def test_uninstall_needs_no_whole_folder(prepare: Prepare) -> None:
    installation = prepare()
    installation.run()
    (installation.folder / "server-key.pem").unlink()
    installation.run("--uninstall")
    assert not installation.server("server-key.pem").exists()


def test_what_the_declaration_wants_no_more_goes(prepare: Prepare) -> None:
    keywords = KeywordNames(mutual_auth="VerifyClient=require", ca_file="CAFile")
    installation = prepare(bundle_of("client", mutual=True, keywords=keywords))
    installation.write(CLIENT_SAMPLE, SAMPLE)
    installation.run()
    assert b"CertFile = client-cert.pem" in installation.client("ipmssl.cfg").read_bytes()
    assert b"VerifyClient" not in installation.client("ipmssl.cfg").read_bytes()
    write_folder(bundle_of("client"), installation.folder)
    installation.run("--verify", status=1)
    installation.run()
    assert not installation.client("client-key.pem").exists()
    assert installation.client("ipmssl.cfg").read_bytes() == (
        b"# TLS of InfoPrint Manager\n#\nEnableTLS = 1\n#CertFile = client-cert.pem\n"
        b"#KeyFile = client-key.pem\n#CAFile = ca-cert.pem\n"
    )
    assert "up to date" in installation.run()


def test_mutual_authentication_is_set_and_taken_out_of_force(prepare: Prepare) -> None:
    keywords = KeywordNames(mutual_auth="VerifyClient=require")
    installation = prepare(bundle_of(mutual=True, keywords=keywords))
    installation.run()
    assert b"\nVerifyClient=require\n" in installation.server("ipmssl.cfg").read_bytes()
    write_folder(bundle_of(keywords=keywords), installation.folder)
    installation.run()
    assert b"\n#VerifyClient=require\n" in installation.server("ipmssl.cfg").read_bytes()


def test_the_key_goes_to_its_owner(prepare: Prepare) -> None:
    needs_root()
    installation = prepare(bundle_of(account="nobody"))
    installation.run()
    assert installation.server("server-key.pem").owner() == "nobody"
    assert mode(installation.server("server-key.pem")) == 0o600
    assert installation.server("server-cert.pem").owner() == "root"
    installation.run("--owner", "daemon:sys")
    assert installation.server("server-key.pem").owner() == "daemon"
    assert installation.server("server-key.pem").group() == "sys"
    assert "wrong owner" in installation.run("--verify", status=1)
    assert "up to date" in installation.run("--owner=daemon:sys")


def test_the_owner_of_the_key_stays_when_nobody_names_one(prepare: Prepare) -> None:
    needs_root()
    installation = prepare()
    installation.run("--owner", "daemon:sys")
    assert "up to date" in installation.run()
    write_folder(bundle_of(label="second"), installation.folder)
    assert "server-key.pem belongs to 'daemon'" in installation.run()
    assert installation.server("server-key.pem").owner() == "daemon"
    assert installation.server("server-key.pem").group() == "sys"


def test_an_account_that_is_not_there_is_noted_below_a_root_and_refused_without(
    prepare: Prepare, tmp_path: Path
) -> None:
    needs_root()
    installation = prepare(bundle_of("client", mutual=True))
    assert "there is no account or group 'no-such-user'" in installation.run("--owner", "no-such-user")
    assert mode(installation.client("client-key.pem")) == 0o600
    faking(installation, tmp_path, hostname="echo ipm1")
    said = installation.run_bare("--dry-run", "--owner", "no-such-user", status=1)
    assert "Nothing was changed" in said


def test_a_clients_key_is_closed_until_a_group_is_named(prepare: Prepare) -> None:
    needs_root()
    installation = prepare(bundle_of("client", mutual=True))
    assert "only 'root' may read client-key.pem" in installation.run()
    assert mode(installation.client("client-key.pem")) == 0o600
    said = installation.run("--owner", "root:daemon")
    assert "may read client-key.pem" not in said
    assert mode(installation.client("client-key.pem")) == 0o640
    assert installation.client("client-key.pem").group() == "daemon"
    write_folder(bundle_of("client", mutual=True, label="second"), installation.folder)
    installation.run()
    assert mode(installation.client("client-key.pem")) == 0o640
    assert installation.client("client-key.pem").group() == "daemon"


def test_a_host_that_keeps_its_key_gets_the_certificate_only(prepare: Prepare) -> None:
    installation = prepare(bundle_of(own_key=True))
    assert not (installation.folder / "server-key.pem").exists()
    assert "there is no key for server-cert.pem here" in installation.run(status=1)
    assert not list(installation.root.iterdir())
    installation.write(f"{SERVER}/server-key.pem", pair("first")[1], 0o600)
    installation.run()
    installation.server("server-key.pem").unlink()
    assert "put the key here" in installation.run("--verify", status=1)
    installation.write(f"{SERVER}/server-key.pem", pair("second")[1], 0o600)
    assert "does not belong to" in installation.run("--verify", status=1)
    installation.write(f"{SERVER}/server-key.pem", pair("first")[1], 0o600)
    installation.run("--verify")
    installation.run("--uninstall")
    assert installation.server("server-key.pem").exists()


def test_restart_runs_the_declared_command_only_when_told(prepare: Prepare, tmp_path: Path) -> None:
    ran = tmp_path / "it's run"
    command = f"echo again >>'{str(ran).replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}'"
    installation = prepare(bundle_of(restart=command))
    assert installation.run().splitlines()[-1].startswith("Next: restart")
    assert not ran.exists()
    assert "would run" not in installation.run("--dry-run", "--restart")
    installation.run("--restart")  # nothing changes now, but the change before has not been restarted for
    assert ran.read_text() == "again\n"
    installation.run("--restart")
    assert ran.read_text() == "again\n"
    installation.server("ca-cert.pem").unlink()
    assert "would run" in installation.run("--dry-run", "--restart")
    installation.run("--restart")
    assert ran.read_text() == "again\n" * 2
    installation.run("--uninstall", "--restart")
    assert ran.read_text() == "again\n" * 3


def test_the_restarted_server_gets_the_callers_umask_locale_and_signals(
    prepare: Prepare, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    own = tmp_path / "own.sh"
    own.write_text(f'umask >"{seen}"; echo "${{LC_ALL-none}}" >>"{seen}"; trap >>"{seen}"\n')
    installation = prepare(bundle_of(restart=f"sh '{own}'"))
    old = os.umask(0o027)
    try:
        installation.env = {"LC_ALL": "C.UTF-8"}
        installation.run("--restart")
    finally:
        os.umask(old)
    assert seen.read_text() == "0027\nC.UTF-8\n"


def test_a_restart_that_fails_is_said(prepare: Prepare) -> None:
    installation = prepare(bundle_of(restart="exit 7"))
    assert "are in place, but the restart command failed" in installation.run("--restart", status=5)
    assert "nothing was changed now, but the restart" in installation.run("--restart", status=1)
    assert "is gone, but the restart command failed" in installation.run("--uninstall", "--restart", status=5)
    write_folder(bundle_of(restart="true"), installation.folder)
    assert "Running: true" in installation.run("--uninstall", "--restart")
    assert not installation.client(".ipmpki").exists()


def test_a_target_that_is_a_folder_is_refused(prepare: Prepare) -> None:
    installation = prepare()
    installation.server("server-key.pem").mkdir(parents=True)
    assert "is a folder" in installation.run(status=1)
    assert [path.name for path in installation.root.rglob("*") if path.is_file()] == []


def test_a_symbolic_link_gives_way_and_what_it_showed_stays(prepare: Prepare) -> None:
    installation = prepare(bundle_of("client"))
    shared = installation.write("etc/pki/roots.pem", b"the company's roots\n")
    installation.client("").mkdir(parents=True)
    installation.client("ca-cert.pem").symlink_to(shared)
    assert "symbolic link" in installation.run()
    assert not installation.client("ca-cert.pem").is_symlink()
    assert shared.read_bytes() == b"the company's roots\n"


def test_after_an_uninstall_a_link_is_a_link_again_and_no_folder_that_was_made_is_left(
    prepare: Prepare,
) -> None:
    installation = prepare()
    before = public_sight(installation.root)
    installation.run()
    installation.run("--uninstall")
    assert public_sight(installation.root) == before == {}
    installation.run()
    installation.run("--rollback")
    assert public_sight(installation.root) == {}
    installation.write("elsewhere/ca.pem", b"of the vendor\n")
    installation.client("").mkdir(parents=True)
    link = installation.client("ca-cert.pem")
    link.symlink_to("../../elsewhere/ca.pem")
    for way in ("--rollback", "--uninstall"):
        installation.run()
        assert not link.is_symlink()
        installation.run(way)
        assert str(link.readlink()) == "../../elsewhere/ca.pem"
        assert link.read_bytes() == b"of the vendor\n"
    assert [path.name for path in installation.client("").iterdir()] == ["ca-cert.pem"]


READ_ONLY = 'mount --bind "{0}" "{0}" && mount -o remount,ro,bind "{0}" && exec "$@"'


@pytest.mark.parametrize("target", [CLIENT, SERVER, f"{SERVER}/server-key.pem"])
def test_what_is_mounted_read_only_is_found_before_the_change(prepare: Prepare, target: str) -> None:
    if os.geteuid() != 0:
        unavailable("root, who may mount,")
    installation = prepare()
    installation.write(f"{CLIENT}/ipmssl.cfg", SAMPLE)
    installation.write(f"{SERVER}/server-key.pem", b"an older one\n", 0o600)
    before = sight(installation.root)
    alone = (require("unshare"), "-m", "sh", "-c", READ_ONLY.format(installation.root / target), "sh")
    for options in ((), ("--dry-run",)):
        said = installation.run(*options, prefix=alone, status=1)
        assert f"{installation.root / target} cannot be" in said
        assert "read-only" in said
        assert "Nothing was changed." in said
        assert sight(installation.root) == before


def test_a_dry_run_after_a_kill_shows_what_the_run_then_does(prepare: Prepare, tmp_path: Path) -> None:
    """The killed run had decided; the folder that is installed next is another one."""
    installation = prepare()
    installation.run()
    write_folder(bundle_of(label="second"), installation.folder)
    fakes = tmp_path / "fakes"
    fakes.mkdir()
    (fakes / "mv").write_text(
        f'#!/bin/sh\n{require("mv")} "$@"\ncase $* in *commit*) kill -9 $PPID ;; esac\n'
    )
    (fakes / "mv").chmod(0o755)
    installation.env = {"PATH": f"{fakes}:{SYSTEM_PATH}"}
    installation.run(status=-9)
    installation.env = {}
    before = sight(installation.root)
    said = installation.run("--dry-run")
    assert "The next one completes it first:" in said
    assert f"  {installation.server('server-cert.pem')}\n" in said
    assert "already up to date" in said
    write_folder(bundle_of("server", mutual=True, label="second"), installation.folder)
    said = installation.run("--dry-run")
    assert sight(installation.root) == before
    changes = re.findall("^    (?:create|replace|edit|restore|remove) .*$", said, re.MULTILINE)
    assert changes
    assert "server-cert.pem" not in "".join(changes)
    done = installation.run()
    assert re.findall("^    (?:create|replace|edit|restore|remove) .*$", done, re.MULTILINE) == changes


@pytest.mark.parametrize("shell", SHELLS)
def test_what_others_wrote_reaches_no_terminal_raw(prepare: Prepare, shell: str) -> None:
    installation = prepare(shell=shell)
    odd = "\x1b]0;gone\x07\x9b2J\u202e\u200b\u2066\ufeff\r\x7f Drück\t印"
    installation.write(f"{SERVER}/ipmssl.cfg", f"EnableTLS = 0 # {odd}\n".encode())
    installation.env = {"TMPDIR": str(installation.root)}
    said = installation.run("--dry-run", "--owner", "a\x1b[1m\u202eb")
    shown = r"\x1b]0;gone\x07\u009b2J\u202e\u200b\u2066\ufeff\x0d\x7f Drück" "\t印"
    assert f"-EnableTLS = 0 # {shown}\n" in said
    assert f"+EnableTLS = 1 # {shown}\n" in said
    assert r"no account or group 'a\x1b[1m\u202eb' here" in said
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u200b", "\r"} & set(said)
    installation.run()
    assert odd.encode() in installation.server("ipmssl.cfg").read_bytes()


@pytest.mark.parametrize(
    "tool", mostly_exhaustive(["cat", "cp", "chmod", "mkdir", "date"], every_time=["cp"])
)
def test_a_failing_write_changes_nothing(prepare: Prepare, tmp_path: Path, tool: str) -> None:
    """A full disk, as the tools report it: they fail as soon as they are to write below the root."""
    installation = prepare(bundle_of(label="first"))
    installation.run()
    before = public_sight(installation.root)
    write_folder(bundle_of(label="second"), installation.folder)
    real = require(tool)
    fails = (
        f'case "$*" in */prepare/*|*-new/*) echo No space left on device >&2; exit 1;; esac; exec {real} "$@"'
        if tool in {"chmod", "cp"}
        else f'[ -d "{installation.root}/etc/ipm/.ipmpki/prepare" ] && exit 1; exec {real} "$@"'
    )
    faking(installation, tmp_path, **{tool: fails})
    assert "Nothing was changed" in installation.run(status=1)
    assert public_sight(installation.root) == before
    assert not list(installation.root.rglob("prepare"))


@pytest.mark.parametrize("size", mostly_exhaustive(["12k", "28k", "44k", "80k"], every_time=["28k"]))
def test_a_full_disk_leaves_all_as_it_was(prepare: Prepare, size: str) -> None:
    """A file system of that size, on which at most the last one has room."""
    unshare = require("unshare")
    mount = f'mount -t tmpfs -o size={size} none "$1"'
    if subprocess.run(
        [unshare, "-m", "sh", "-c", mount, "sh", "/mnt"], capture_output=True, check=False
    ).returncode:
        unavailable("the right to mount a file system")
    installation = prepare()
    installation.write(f"{CLIENT}/ca-cert.pem", b"the old one\n")
    shutil.copytree(installation.root, seed := installation.root.parent / "seed")
    script = f"""{mount} && cp -Rp "$2/." "$1" || exit 99
        dash "$3/install.sh" --root "$1"; status=$?
        find "$1" -type f ! -path "*/.ipmpki/*"; cat "$1/etc/ipm/ca-cert.pem"; exit $status"""
    done = subprocess.run(
        [unshare, "-m", "sh", "-c", script, "sh", installation.root, seed, installation.folder],
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line for line in done.stdout.splitlines() if line.startswith(str(installation.root))]
    if size == "80k":
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(found) == 6
    else:
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Nothing was changed" in done.stderr
        assert found == [str(installation.client("ca-cert.pem"))]
        assert done.stdout.endswith("the old one\n")


@pytest.mark.parametrize(
    "size", mostly_exhaustive(["4k", "8k", "12k", "16k", "24k", "32k"], every_time=["12k"])
)
def test_a_full_temporary_folder_leaves_all_as_it_was(prepare: Prepare, tmp_path: Path, size: str) -> None:
    """Half a plan must not become half a set. Each file takes a page of 4 KiB there."""
    unshare = require("unshare")
    mount = f'mount -t tmpfs -o size={size} none "$1"'
    if subprocess.run(
        [unshare, "-m", "sh", "-c", mount, "sh", "/mnt"], capture_output=True, check=False
    ).returncode:
        unavailable("the right to mount a file system")
    installation = prepare()
    installation.write(SERVER_SAMPLE, SAMPLE * 100)
    before = sight(installation.root)
    small = tmp_path / "small"
    small.mkdir()
    script = f'{mount} && TMPDIR="$1" dash "$2/install.sh" --root "$3"'
    done = subprocess.run(
        [unshare, "-m", "sh", "-c", script, "sh", small, installation.folder, installation.root],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Nothing was changed" in done.stderr
    assert sight(installation.root) == before


def test_a_client_folder_that_users_may_write_to_or_not_look_into_is_told(prepare: Prepare) -> None:
    installation = prepare(bundle_of("client"))
    installation.client("").mkdir(parents=True)
    installation.client("").chmod(0o700)
    installation.run()
    assert "users must be able to look into it" in installation.run("--verify", status=1)
    installation.client("").chmod(0o777)
    assert "mode drwxrwxrwx: " in installation.run("--verify", status=1)
    installation.client("").chmod(0o755)
    installation.run("--verify")


def test_an_owner_is_not_asked_for_where_no_key_is(prepare: Prepare) -> None:
    assert "there is no key" in prepare(bundle_of("client")).run("--owner", "nobody", status=2)


def test_a_file_that_cannot_be_put_in_place_brings_all_back(prepare: Prepare, tmp_path: Path) -> None:
    installation = prepare(bundle_of(label="first"))
    installation.run()
    before = public_sight(installation.root)
    write_folder(bundle_of(label="second"), installation.folder)
    mv = require("mv")
    # Moves the first file, and then fails: as when one of the targets is immutable.
    faking(
        installation,
        tmp_path,
        mv=f'case "$*" in *default_cell/ssl/.ipmpki-new/*" "*default_cell/ssl/*-new*) '
        f'for to; do :; done; {mv} -f "$2" "$to"; exit 1;; esac; exec {mv} "$@"',
    )
    assert "put back" in installation.run(status=1)
    assert public_sight(installation.root) == before
    installation.env = {}
    installation.run()
    assert installation.server("server-key.pem").read_bytes() == pair("second")[1]


def looked_at(installation: Installation, tmp_path: Path, name: str) -> Path:
    """Let every program that the script starts look first for files of this name that others may read."""
    log = tmp_path / "seen"
    look = f'/usr/bin/find "{installation.root}" -name "{name}" -type f -perm /077 >>"{log}"'
    for tool in ("chmod", "cmp", "mv", "cat", "chown", "rmdir", "cp", "openssl", "rm"):
        fake(tmp_path / "fakes", tool, f'{look}; exec {require(tool)} "$@"')
    installation.env = {"PATH": f"{tmp_path / 'fakes'}:{os.environ['PATH']}"}
    return log


def test_no_key_is_readable_more_widely_even_for_an_instant(prepare: Prepare, tmp_path: Path) -> None:
    """Every program the script starts looks first at all that stands below the root."""
    installation = prepare(bundle_of(mutual=True))
    log = looked_at(installation, tmp_path, "*key.pem")
    subprocess.run(["chmod", "1777", str(installation.root)], check=True)
    installation.run()
    assert log.read_text() == ""


@pytest.mark.parametrize("shell", mostly_exhaustive(SHELLS, every_time=["dash", "mksh"]))
def test_interrupted_it_tidies_up_and_says_so(prepare: Prepare, tmp_path: Path, shell: str) -> None:
    installation = prepare(shell=shell)
    installation.write(f"{CLIENT}/ca-cert.pem", b"the old one\n")
    installation.server("").mkdir(parents=True)
    before = sight(installation.root, identity=False)
    faking(installation, tmp_path, cp=f'kill -TERM $PPID; exec {require("cp")} "$@"')
    assert "interrupted. Nothing was changed" in installation.run(status=1)
    assert sight(installation.root, identity=False) == before


def read_by_nobody(installation: Installation, *options: str, errors: bool) -> None:
    """Run install.sh into a pipe that nobody reads any more."""
    shell, *as_posix = SHELLS[installation.shell]
    reader, writer = os.pipe()
    os.close(reader)
    try:
        subprocess.run(
            [require(shell), *as_posix, str(installation.folder / "install.sh"), *options],
            stdout=writer,
            stderr=writer if errors else subprocess.DEVNULL,
            env={**os.environ, **installation.env},
            check=False,
        )
    finally:
        os.close(writer)


DASH_BEFORE_OTHERS = [
    pytest.param(shell, marks=[] if shell == "dash" else pytest.mark.exhaustive) for shell in SHELLS
]


@pytest.mark.parametrize("errors", [False, True])
@pytest.mark.parametrize("shell", DASH_BEFORE_OTHERS)
def test_when_nobody_reads_its_words_it_tidies_up(
    prepare: Prepare, tmp_path: Path, shell: str, errors: bool
) -> None:
    installation = prepare(shell=shell)
    (tmp_path / "tmp").mkdir()
    installation.env = {"TMPDIR": str(tmp_path / "tmp")}
    below = ("--root", str(installation.root))
    read_by_nobody(installation, *below, "--dry-run", errors=errors)
    assert not list(installation.root.iterdir())
    read_by_nobody(installation, *below, errors=errors)
    assert not list((tmp_path / "tmp").iterdir())
    assert not list(installation.root.rglob("lock"))
    installation.run()
    installation.run("--verify")


@pytest.mark.parametrize("shell", DASH_BEFORE_OTHERS)
def test_without_its_standard_streams_it_works_all_the_same(prepare: Prepare, shell: str) -> None:
    installation = prepare(shell=shell)
    installation.write(SERVER_SAMPLE, SAMPLE)
    words = (*SHELLS[shell], str(installation.folder / "install.sh"), "--root", str(installation.root))
    require(shell)
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full"):
        command = f'"$@" {closed}'
        subprocess.run([require("dash"), "-c", command, "sh", *words], check=True, capture_output=True)
        assert b"EnableTLS = 1" in installation.server("ipmssl.cfg").read_bytes()
        installation.run("--verify")
        subprocess.run(
            [require("dash"), "-c", command, "sh", *words, "--uninstall"], check=True, capture_output=True
        )
        assert not installation.server("server-key.pem").exists()


def test_a_second_install_at_the_same_time_says_who_is_at_work(prepare: Prepare) -> None:
    installation = prepare()
    installation.write(f"{CLIENT}/.ipmpki/lock", f"{os.getpid()}\n".encode())
    for options in ([], ["--dry-run"], ["--verify"]):
        assert f"process {os.getpid()}" in installation.run(*options, status=1)
    installation.write(f"{CLIENT}/.ipmpki/lock", b"99999999\n")
    installation.run()
    assert not installation.client(".ipmpki/lock").exists()


@pytest.mark.exhaustive
def test_of_two_installs_at_once_one_works_and_neither_undoes_the_other(prepare: Prepare) -> None:
    installation = prepare()
    for _ in range(5):
        command = [require("dash"), str(installation.folder / "install.sh"), "--root", str(installation.root)]
        runs = [subprocess.Popen(command, stdout=-1, stderr=-1) for _ in range(3)]
        said = [run.communicate() for run in runs]
        statuses = [run.returncode for run in runs]
        assert 0 in statuses
        for status, (_, complaint) in zip(statuses, said, strict=True):
            assert status == 0 or b"another install.sh is at work" in complaint, complaint
        assert "nothing differs" in installation.run("--verify")
        installation.run("--uninstall")
        assert not any(path.is_file() for path in installation.root.rglob("*"))


def for_user(prepare: Prepare, tmp_path: Path, **changes: str) -> Installation:
    installation = prepare(bundle_of("client", mutual=True))
    installation.env = {"HOME": str(tmp_path / "a user's home/"), **changes}
    return installation


def test_a_user_installs_for_himself_without_privilege(prepare: Prepare, tmp_path: Path) -> None:
    installation = faking(for_user(prepare, tmp_path), tmp_path, hostname="echo ipm1")
    home = tmp_path / "a user's home"
    home.mkdir(0o755)
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        for folder in (installation.folder, home):
            subprocess.run(["chown", "-R", "daemon", str(folder)], check=True)
        for folder in (tmp_path, *tmp_path.parents[:-2]):
            folder.chmod(0o755)
        prefix = (require("setpriv"), "--reuid=daemon", "--clear-groups")
    said = installation.run_bare("--user", prefix=prefix)
    own = home / ".ipm"
    assert {path.name for path in own.iterdir()} == {
        ".ipmpki",
        "ca-cert.pem",
        "client-cert.pem",
        "client-key.pem",
        "ipmssl.cfg",
    }
    assert mode(own) == 0o700
    assert mode(own / "client-key.pem") == 0o600
    assert "CertFile=client-cert.pem" in (own / "ipmssl.cfg").read_text()
    assert "the place of ca-cert.pem is /etc/ipm" in said
    assert "nobody else" not in said
    assert "already up to date" in installation.run_bare("--user", prefix=prefix)
    assert "nothing differs" in installation.run_bare("--user", "--verify", prefix=prefix)
    own.chmod(0o777)
    assert "others may write to it" in installation.run_bare("--user", "--verify", prefix=prefix, status=1)
    own.chmod(0o700)
    installation.run_bare("--user", "--uninstall", prefix=prefix)
    assert list(home.iterdir()) == []


def test_a_users_files_and_the_hosts_stand_side_by_side(prepare: Prepare, tmp_path: Path) -> None:
    installation = for_user(prepare, tmp_path, HOME="/home/jo")
    installation.run()
    host = public_sight(installation.root)
    said = installation.run("--user")
    assert "etc/ipm/ipmssl.cfg overrides this one" in said
    assert "the place of ca-cert.pem" not in said
    assert (installation.root / "home/jo/.ipm/client-key.pem").exists()
    installation.run("--user", "--rollback")
    assert not (installation.root / "home/jo/.ipm/client-key.pem").exists()
    for name, marks in public_sight(installation.root).items():
        assert name.startswith("home") or host[name] == marks


def test_a_user_who_names_the_keyword_for_the_ca_file_needs_no_administrator(prepare: Prepare) -> None:
    installation = prepare(bundle_of("client", keywords=KeywordNames(ca_file="CAFile")))
    installation.env = {"HOME": "/home/jo"}
    assert "the place of ca-cert.pem" not in installation.run("--user")


@pytest.mark.parametrize(
    ("role", "options", "why"),
    [("server", [], "made for a server"), ("client", ["--owner", "jo"], "exclude each other")],
)
def test_what_does_not_go_with_user_is_wrong_usage(
    prepare: Prepare, role: str, options: list[str], why: str
) -> None:
    assert why in prepare(bundle_of(role, mutual=True)).run_bare("--user", *options, status=2)


def test_for_a_user_there_must_be_a_home_and_no_sudo(prepare: Prepare, tmp_path: Path) -> None:
    installation = faking(prepare(bundle_of("client")), tmp_path, id="echo 0")
    before = installation.env
    for name, value, why in [
        ("SUDO_USER", "jo", "without sudo"),
        ("HOME", "somewhere", "HOME does not name a folder"),
        ("HOME", "", "HOME does not name a folder"),
    ]:
        installation.env = {**before, name: value}
        assert why in installation.run_bare("--user", status=2)


def test_a_run_that_completes_an_interrupted_one_does_not_call_it_up_to_date(
    prepare: Prepare, tmp_path: Path
) -> None:
    installation = prepare()
    installation.env = {"TMPDIR": str(tmp_path)}
    mv = require("mv")
    faking(installation, tmp_path, mv=f'{mv} "$@"; case $* in */commit) kill -9 $PPID;; esac')
    installation.run(status=-9)
    installation.env = {}
    assert "of an interrupted run, which the next run completes" in installation.run("--verify", status=1)
    said = installation.run()
    assert "completing it" in said
    assert "completed what an earlier run had prepared" in said
    assert "\nNext: stop the server" in said
    assert "already up to date" in installation.run()


def test_without_openssl_it_says_that_nobody_looked_for_expiry(prepare: Prepare, tmp_path: Path) -> None:
    installation = prepare(bundle_of("client", "macos", mutual=True))
    installation.env = {"PATH": make_userland("macos", tmp_path / "land").without("openssl").path}
    installation.run()
    assert "nobody looked whether a certificate has expired" in installation.run("--verify")


@pytest.mark.parametrize(
    ("role", "system", "mutual", "own_key"),
    mostly_exhaustive(
        [
            ("server", "aix", True, False),
            ("server", "linux", False, True),
            ("client", "macos", False, False),
            ("client", "linux", True, False),
            ("client", "aix", True, True),
        ],
        every_time=[("client", "aix", True, True)],
    ),
)
def test_shellcheck_and_checkbashisms_find_nothing(
    prepare: Prepare, role: str, system: str, mutual: bool, own_key: bool
) -> None:
    script = str(prepare(bundle_of(role, system, mutual=mutual, own_key=own_key)).folder / "install.sh")
    found = subprocess.run(
        [require("shellcheck"), "-s", "sh", script], capture_output=True, text=True, check=False
    )
    assert found.stdout == ""
    found = subprocess.run(
        [require("checkbashisms"), "-p", "-f", script], capture_output=True, text=True, check=False
    )
    assert found.stdout + found.stderr == ""
