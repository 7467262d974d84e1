"""install.sh run by root, on hosts where other accounts are at work against it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.extent import mostly_exhaustive
from tests.render.host_folder.bundles import bundle_of, pair, write_folder
from tests.render.host_folder.installation import (
    CLIENT,
    CLIENT_SAMPLE,
    SAMPLE,
    SERVER,
    Installation,
    set_path,
    sight,
)
from tests.tools import require, unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.render.conftest import Prepare

ACCOUNT, UID = "ipm1", 4001
THREE_SHELLS = mostly_exhaustive(["dash", "ksh", "busybox"], every_time=["dash"])


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every account may look into: pytest's own are closed."""
    if os.geteuid() != 0:
        unavailable("root, who alone may be another account,")
    folder = Path(tempfile.mkdtemp(prefix="ipmpki-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def with_accounts(place: Path) -> tuple[str, ...]:
    """Words before a command that let it run where there is the server's account, and one without a shell."""
    mounts = ""
    for name, line in {
        "passwd": f"{ACCOUNT}:x:{UID}:{UID}::/nonexistent:/usr/sbin/nologin",
        "group": f"{ACCOUNT}:x:{UID}:",
        "shadow": f"{ACCOUNT}:*:19000::::::",
    }.items():
        own = place / name
        own.write_text(f"{Path('/etc', name).read_text()}{line}\n")
        mounts += f"mount --bind {own} /etc/{name} && "
    return (require("unshare"), "-m", "sh", "-c", f'{mounts} exec "$@"', "sh")


@pytest.fixture
def installation(place: Path) -> Installation:
    """A server whose folder belongs to the account that it runs as."""
    host = Installation(write_folder(bundle_of(account=ACCOUNT), place / "carried"), place / "root")
    host.write(f"{SERVER}/ipmssl.cfg", SAMPLE)
    for path in (host.server(""), host.server("").parent, host.server("ipmssl.cfg")):
        os.chown(path, UID, UID)
    return host


@pytest.mark.parametrize("shell", THREE_SHELLS)
def test_in_a_folder_of_the_servers_account_the_work_is_left_to_it(
    installation: Installation, with_accounts: tuple[str, ...], shell: str
) -> None:
    installation.shell = shell
    before = sight(installation.root / SERVER, identity=False)
    installation.run(prefix=with_accounts)
    key = installation.server("server-key.pem")
    assert key.read_bytes() == pair("first")[1]
    assert (key.stat().st_uid, key.stat().st_mode & 0o7777) == (UID, 0o600)
    assert b"\nEnableTLS = 1\n" in installation.server("ipmssl.cfg").read_bytes()
    assert {path.stat().st_uid for path in installation.server("").iterdir()} == {UID}
    assert "already up to date" in installation.run(prefix=with_accounts)
    installation.run("--verify", prefix=with_accounts)
    key.chmod(0o644)
    assert "wrong mode" in installation.run("--verify", prefix=with_accounts, status=1)
    installation.run(prefix=with_accounts)
    installation.run("--rollback", prefix=with_accounts)
    installation.run("--uninstall", prefix=with_accounts)
    assert sight(installation.root / SERVER, identity=False) == before
    assert not installation.client("").exists()


def test_a_run_that_was_killed_there_is_completed(
    installation: Installation, with_accounts: tuple[str, ...]
) -> None:
    """The run dies when it has decided, before a file is in its place."""
    fakes = installation.root.parent / "fakes"
    fakes.mkdir()
    (fakes / "mv").write_text(
        f'#!/bin/sh\n{require("mv")} "$@"\ncase $* in *commit*) kill -9 $PPID ;; esac\n'
    )
    (fakes / "mv").chmod(0o755)
    installation.env = {"PATH": f"{fakes}:/usr/bin:/bin"}
    installation.run(prefix=with_accounts, status=-9)
    assert not installation.server("server-key.pem").exists()
    installation.env = {}
    assert "completing it" in installation.run(prefix=with_accounts)
    assert installation.server("server-key.pem").read_bytes() == pair("first")[1]
    assert not installation.server(".ipmpki-new").exists()


SWAPS = """
import os, sys
folder, outside, uid = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
names = [".ipmpki-new", "ipmssl.cfg", "server-key.pem", "server-cert.pem", "ca-cert.pem"]

def swap(target, name):
    away = name + ".away"
    os.rename(name, away)
    os.symlink(target, name)
    if os.path.isdir(away) and not os.path.islink(away):
        os.rmdir(away)
    else:
        os.unlink(away)

def plant():
    os.mkdir(".ipmpki-new")
    for name in names[1:]:
        os.symlink(outside + "/secret", ".ipmpki-new/" + name)

def turn():
    os.rename(folder, folder + ".away")
    os.symlink(outside, folder)
    os.unlink(folder)
    os.rename(folder + ".away", folder)

n = 0
while True:
    n += 1
    os.chdir("/")
    for do, words in (
        (os.chdir, (folder,)),
        (swap, (outside + "/secret" * (n % 2), names[n % len(names)])),
        (plant, ()),
        (turn, ()),
    ):
        try:
            do(*words)
        except OSError:
            pass
"""


@pytest.mark.parametrize("shell", THREE_SHELLS)
def test_whatever_the_account_swaps_root_neither_reads_nor_writes_what_is_not_its_own(
    installation: Installation, with_accounts: tuple[str, ...], shell: str
) -> None:
    installation.shell = shell
    outside = installation.root.parent / "outside"
    outside.mkdir(mode=0o700)
    secret = outside / "secret"
    secret.write_text("EnableTLS=known to root alone\n")
    secret.chmod(0o600)
    before = sight(outside)
    attacker = subprocess.Popen(
        [sys.executable, "-c", SWAPS, str(installation.server("")), str(outside), str(UID)]
    )
    try:
        for options in ((), ("--verify",), ("--dry-run",), (), ("--rollback",), (), ("--uninstall",)):
            said = run_anyhow(installation, with_accounts, *options)
            assert "known to root alone" not in said
            assert sight(outside) == before, said
    finally:
        attacker.kill()
        attacker.wait()
    for path in installation.root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert b"known to root alone" not in path.read_bytes()
            assert path.stat().st_uid in (0, UID)
    for path in installation.client("").rglob("*"):
        assert path.lstat().st_uid == 0, "the account was given something of root's"


def run_anyhow(installation: Installation, prefix: tuple[str, ...], *options: str) -> str:
    """Run install.sh, whatever its exit status, and return what it said."""
    for status in (0, 1):
        try:
            return installation.run(*options, prefix=prefix, status=status)
        except AssertionError as error:
            said = str(error)
    return said


def test_root_touches_no_path_below_a_folder_that_another_account_may_change(
    installation: Installation, with_accounts: tuple[str, ...]
) -> None:
    """Every path that a process of root's gives to the kernel, as strace tells it."""
    log = installation.root.parent / "trace"
    strace = (require("strace"), "-f", "-qq", "-s", "300", "-e", "trace=%file,setuid,clone,clone3,fork,vfork")
    for options in ((), ("--verify",), ("--dry-run", "--uninstall"), ("--rollback",), (), ("--uninstall",)):
        installation.run(*options, prefix=(*with_accounts, *strace, "-o", str(log)))
        touched, others = paths_of_root(log.read_text())
        below = str(installation.server(""))
        assert [path for path in touched if path.startswith(below)] == []
        assert str(installation.server("").parent) in touched, "where it saw whose folder that is"
        assert below in others


def paths_of_root(trace: str) -> tuple[list[str], list[str]]:
    """The paths that processes of root's gave to the kernel, and those of others."""
    others: set[str] = set()
    paths: tuple[list[str], list[str]] = ([], [])
    for line in trace.splitlines():
        pid, _, call = line.partition(" ")
        if f"setuid({UID}" in call:
            others.add(pid)
        made = re.search(r"(?:fork|clone3?)\(.*= (\d+)$|resumed.*= (\d+)$", call)
        if made and pid in others:
            others.add(made[1] or made[2])
        if not call.lstrip().startswith("execve"):
            paths[pid in others].extend(re.findall(r'"(/[^"]*)"', call))
    return paths


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda host: host.client("").chmod(0o777), "chmod go-w {client}"),
        (lambda host: os.chown(host.client(""), UID, UID), "chown root {client}"),
        (lambda host: host.server("").chmod(0o775), "chmod go-w {server}"),
        (lambda host: host.server("").parent.chmod(0o777), "chmod go-w {above}"),
        (lambda host: os.chown(host.server(""), 0, 0), "chown ipm1 {server}"),
    ],
)
def test_what_cannot_be_left_to_one_account_is_refused_with_what_mends_it(
    installation: Installation, with_accounts: tuple[str, ...], spoil: object, said: str
) -> None:
    installation.client("").mkdir(parents=True)
    assert callable(spoil)
    spoil(installation)
    before = sight(installation.root)
    places = {
        "client": str(installation.client("")),
        "server": str(installation.server("")),
        "above": str(installation.server("").parent),
    }
    mends = said.format(**{name: place.rstrip("/") for name, place in places.items()})
    assert mends in installation.run(prefix=with_accounts, status=1)
    assert mends in installation.run("--verify", prefix=with_accounts, status=1)
    assert sight(installation.root) == before


def test_a_sample_that_another_account_may_change_is_not_read(place: Path) -> None:
    host = Installation(write_folder(bundle_of("client"), place / "carried"), place / "root")
    secret = host.write("secret", b"EnableTLS=known to root alone\n", 0o600)
    sample = host.root / CLIENT_SAMPLE
    sample.parent.mkdir(parents=True)
    sample.symlink_to(secret)
    os.chown(sample.parent, UID, UID)
    said = host.run()
    assert f"the sample {sample} was not read" in said
    assert b"known to root alone" not in host.client("ipmssl.cfg").read_bytes()
    assert "known to root alone" not in said


def test_a_key_for_another_account_than_the_folders_is_refused(
    installation: Installation, with_accounts: tuple[str, ...]
) -> None:
    before = sight(installation.root / SERVER)
    said = installation.run("--owner", "daemon", prefix=with_accounts, status=1)
    assert f"belongs to {ACCOUNT}, and its key is to belong to daemon" in said
    assert sight(installation.root / SERVER) == before


# ---- the folder that was carried here -------------------------------------------------------------------


@pytest.mark.parametrize("spoilt", ["the folder", "one above it", "its owner"])
def test_a_folder_that_others_may_change_is_refused_unless_it_is_trusted(place: Path, spoilt: str) -> None:
    host = Installation(write_folder(bundle_of(), place / "stick" / "carried"), place / "root")
    host.root.mkdir()
    if spoilt == "its owner":
        os.chown(host.folder, UID, UID)
    else:
        (host.folder if spoilt == "the folder" else host.folder.parent).chmod(0o777)
    said = host.run(status=4)
    assert "--trust-folder" in said
    assert ("mode drwxrwxrwx" in said) is (spoilt != "its owner")
    assert list(host.root.iterdir()) == []
    host.run("--force", status=4)
    assert "Note: --trust-folder: " in host.run("--trust-folder")


def test_whoever_called_sudo_may_have_carried_the_folder(place: Path) -> None:
    host = Installation(write_folder(bundle_of(), place / "carried"), place / "root")
    host.root.mkdir()
    os.chown(host.folder, UID, UID)
    host.env = {"SUDO_UID": str(UID)}
    host.run()


def test_what_was_checked_is_what_is_installed(prepare: Prepare, tmp_path: Path) -> None:
    """The file is another one as soon as its digest was taken."""
    host = prepare()
    fake = tmp_path / "fakes/sha256sum"
    fake.parent.mkdir()
    certificate = host.folder / "ca-cert.pem"
    fake.write_text(f'#!/bin/sh\n{require("sha256sum")} "$@"\necho other >"{certificate}"\n')
    fake.chmod(0o755)
    host.env = {"PATH": f"{fake.parent}:/usr/bin:/bin"}
    host.run()
    assert certificate.read_text() == "other\n"
    assert host.server("ca-cert.pem").read_bytes() == pair("authority of first")[0]


# ---- the environment ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_no_program_or_function_of_the_callers_runs(prepare: Prepare, tmp_path: Path, shell: str) -> None:
    host = prepare(shell=shell)
    ran = tmp_path / "ran"
    (tmp_path / "evil").mkdir()
    for name in ("id", "ls", "cat", "openssl", "awk", "uname", "sha256sum"):
        (tmp_path / "evil" / name).write_text(f'#!/bin/sh\necho {name} >>"{ran}"\n')
        (tmp_path / "evil" / name).chmod(0o755)
    (tmp_path / "module.cnf").write_text(f"openssl_conf = x\n[x]\nengines = y\n.include {ran}-included\n")
    host.env = {
        "BASH_FUNC_ls%%": f'() {{ echo function >>"{ran}"; }}',
        "BASH_FUNC_unset%%": f'() {{ echo function >>"{ran}"; }}',
        "BASH_FUNC_[%%": f'() {{ echo function >>"{ran}"; }}',
        "OPENSSL_CONF": str(tmp_path / "module.cnf"),
        "IFS": "/",
    }
    set_path(host.folder / "install.sh", "/usr/bin:/bin:/usr/sbin:/sbin")
    done = subprocess.run(
        [require(shell), str(host.folder / "install.sh"), "--root", str(host.root)],
        env={**os.environ, **host.env, "PATH": f"{tmp_path / 'evil'}:{os.environ['PATH']}"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not ran.exists(), ran.read_text()


@pytest.mark.parametrize("way", ["--uninstall", "--rollback"])
def test_through_a_link_of_the_account_root_reads_nothing_to_put_back(
    installation: Installation, with_accounts: tuple[str, ...], way: str
) -> None:
    secret = installation.write("secret", b"EnableTLS = topsecret\n", 0o600)
    settings = installation.server("ipmssl.cfg")
    installation.run(prefix=with_accounts)
    installation.run("--uninstall", prefix=with_accounts)
    settings.unlink()
    shown = installation.write("shown", SAMPLE)
    settings.symlink_to(shown)
    installation.run(prefix=with_accounts)
    assert not settings.is_symlink()
    with settings.open("a") as file:
        file.write("Port = 1\n")
    shown.unlink()
    shown.symlink_to(secret)
    installation.run(way, prefix=with_accounts)
    assert b"Port = 1\n" in settings.read_bytes()
    assert b"topsecret" not in settings.read_bytes()


def test_a_client_leaves_the_folder_of_a_servers_account_alone(place: Path) -> None:
    host = Installation(write_folder(bundle_of("client", mutual=True), place / "carried"), place / "root")
    planted = host.write(f"{SERVER}/.ipmpki-new/server-key.pem", b"planted\n")
    for path in (host.server(""), planted.parent, planted):
        os.chown(path, UID, UID)
    before = sight(host.root / SERVER)
    host.run()
    assert sight(host.root / SERVER) == before
    # What an earlier run put there while this host was a server is not removed by path.
    with host.client(".ipmpki/installed").open("a") as record:
        record.write(f"file server server-cert.pem {'0' * 64} no\n")
    said = host.run("--uninstall", status=1)
    assert f"belongs to {UID}" in said
    assert "To mend it: chown root" in said
    assert sight(host.root / SERVER) == before


# ---- the record -----------------------------------------------------------------------------------------

DIGEST = "0" * 64
BAD_LINES = {
    "a way out": f"file client ../../../etc/passwd {DIGEST} no",
    "another area": f"file .. ca-cert.pem {DIGEST} no",
    "a short digest": "file client ca-cert.pem 00 no",
    "too short": "file client ca-cert.pem",
    "foreign": "hello",
    "a folder elsewhere": "folder ../..",
    "an unknown word": f"file client ca-cert.pem {DIGEST} perhaps",
}


@pytest.mark.parametrize("what", BAD_LINES)
def test_a_record_that_install_sh_did_not_write_is_not_followed(prepare: Prepare, what: str) -> None:
    host = prepare(bundle_of("client"))
    host.run()
    record = host.client(".ipmpki/installed")
    lines = record.read_text().count("\n")
    record.write_text(f"{record.read_text()}{BAD_LINES[what]}\n")
    before = sight(host.root)
    for options in ((), ("--verify",), ("--uninstall",)):
        said = host.run(*options, status=1)
        assert f"installed is not as install.sh writes it, in line {lines + 1}: {BAD_LINES[what]}\n" in said
    assert sight(host.root) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("contents", "had client ../../../../victim\n"),
        ("contents", "lacked server ..\n"),
        ("promoted", "client ../victim\n"),
        ("installed", f"file client /etc/passwd {DIGEST} yes\n"),
    ],
)
def test_a_backup_that_install_sh_did_not_write_is_not_put_back(
    prepare: Prepare, name: str, text: str
) -> None:
    host = prepare(bundle_of("client"))
    host.run()
    (backup,) = host.client(".ipmpki").glob("backup-*")
    (backup / name).write_text(text)
    before = sight(host.root)
    assert f"{name} is not as install.sh writes it, in line 1: " in host.run("--rollback", status=1)
    assert sight(host.root) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [("used", "..\n"), ("stamp", "../../x\n"), ("gone", "client ../x\n"), ("farewell", "..\n")],
)
def test_what_a_killed_run_left_is_not_followed_where_another_wrote_it(
    prepare: Prepare, name: str, text: str
) -> None:
    host = prepare(bundle_of("client"))
    host.run()
    host.write(f"{CLIENT}/.ipmpki/commit/{name}", text.encode())
    before = sight(host.root, identity=False)
    assert f"commit/{name} is not as install.sh writes it, in line 1: " in host.run(status=1)
    assert sight(host.root, identity=False) == before


def test_state_that_another_account_owns_or_may_write_is_not_read(place: Path) -> None:
    host = Installation(write_folder(bundle_of("client"), place / "carried"), place / "root")
    host.root.mkdir()
    host.run()
    state = host.client(".ipmpki")
    os.chown(state, UID, UID)
    assert "belongs to another account" in host.run("--uninstall", status=1)
    os.chown(state, 0, 0)
    state.chmod(0o770)
    assert "others may write to it" in host.run("--rollback", status=1)
    state.chmod(0o700)
    state.rename(state.with_name("elsewhere"))
    state.symlink_to("elsewhere")
    assert "it is no folder" in host.run(status=1)
