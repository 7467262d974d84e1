"""install.sh --new-key: a key that never leaves its host, and what becomes of it with its certificate."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.extent import mostly_exhaustive
from tests.render.host_folder.bundles import bundle_of, write_folder
from tests.render.host_folder.installation import CLIENT, SERVER, SHELLS, public_sight, sight
from tests.render.host_folder.test_install_sh import faking, looked_at, mode, needs_root
from tests.render.host_folder.userland import make_userland
from tests.tools import require, unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.render.conftest import Prepare
    from tests.render.host_folder.installation import Installation

AWAITED = bundle_of(own_key=True, label="awaited")
QUICK = bundle_of("client", mutual=True, own_key=True, label="awaited", key_type="ec-p256")
WAITING = ".ipmpki/waiting-key.pem"


def openssl(*arguments: object) -> str:
    command = [require("openssl"), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def public_key(file: Path) -> str:
    """The public key of a key, a request or a certificate, as openssl shows it."""
    how = {
        "key.pem": ("pkey", "-pubout"),
        ".csr": ("req", "-noout", "-pubkey"),
        "cert.pem": ("x509", "-noout", "-pubkey"),
    }
    (command, *options) = next(words for end, words in how.items() if file.name.endswith(end))
    return openssl(command, "-in", file, *options)


def certify(installation: Installation, role: str = "server", **changes: object) -> None:
    """Carry the request away, and the folder with its certificate to the host."""
    request = installation.folder / f"{role}.csr"
    mutual = role == "client"
    bundle = bundle_of(role, mutual=mutual, request=request.read_bytes(), **changes)  # type: ignore[arg-type]
    request.unlink()
    write_folder(bundle, installation.folder)


def installed(prepare: Prepare, shell: str = "dash") -> Installation:
    """A server with a key that it made itself."""
    installation = prepare(AWAITED, shell)
    installation.run("--new-key")
    certify(installation)
    installation.run()
    return installation


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def belong_together(installation: Installation) -> bool:
    return public_key(installation.server("server-key.pem")) == public_key(
        installation.server("server-cert.pem")
    )


@pytest.mark.parametrize("shell", mostly_exhaustive(SHELLS, every_time=["ksh"]))
def test_from_the_first_key_to_the_next_and_back(prepare: Prepare, shell: str) -> None:
    installation = prepare(AWAITED, shell)
    waiting, request = installation.client(WAITING), installation.folder / "server.csr"
    said = installation.run("--new-key")
    assert f"  key      {waiting}\n  request  {request}\n" in said
    assert "as csr/server.csr" in said.partition("\nNext: ")[2]
    assert mode(waiting) == 0o600
    assert mode(waiting.parent) == 0o700
    assert mode(request) == 0o644
    assert "Private-Key: (2048 bit" in openssl("pkey", "-in", waiting, "-noout", "-text")
    assert public_key(request) == public_key(waiting)
    assert "DNS:print.example.com" in openssl("req", "-in", request, "-noout", "-text", "-verify")
    assert public_sight(installation.root).keys() == {"etc", CLIENT}

    first = public_key(waiting)
    certify(installation)
    said = installation.run()
    assert "create   server-key.pem   the new key, made on this host" in said
    assert public_key(installation.server("server-key.pem")) == first
    assert belong_together(installation)
    assert mode(installation.server("server-key.pem")) == 0o600
    assert not waiting.exists()
    assert "already up to date" in installation.run()
    assert "nothing differs" in installation.run("--verify")

    in_use = public_sight(installation.root)
    installation.run("--new-key")
    assert public_sight(installation.root) == in_use
    assert "a new key waits in" in installation.run("--verify")
    assert "already up to date" in installation.run()
    second = public_key(waiting)
    assert second != first
    certify(installation)
    assert "server-key.pem   other content" in installation.run("--verify", status=1)
    assert "replace  server-key.pem   the new key, made on this host" in installation.run()
    assert public_key(installation.server("server-key.pem")) == second
    assert belong_together(installation)
    rotated = public_sight(installation.root)

    assert "waits again" in installation.run("--rollback")
    assert public_sight(installation.root) == in_use
    assert public_key(waiting) == second
    installation.run()
    assert public_sight(installation.root) == rotated
    installation.run("--uninstall")
    assert not list(installation.root.rglob("*.pem"))
    assert not list(installation.root.rglob(".ipmpki*"))


@pytest.mark.parametrize(
    ("system", "shell", "role"),
    mostly_exhaustive(
        [("aix", "mksh", "server"), ("aix", "ksh", "client"), ("macos", "bash", "client")],
        every_time=[("macos", "bash", "client")],
    ),
)
def test_it_lives_on_the_commands_of_its_system(
    prepare: Prepare, tmp_path: Path, system: str, shell: str, role: str
) -> None:
    key_type = "rsa-2048" if role == "server" else "ec-p384"
    userland = make_userland(system, tmp_path / "land", shell)
    installation = prepare(
        bundle_of(role, system, mutual=True, own_key=True, label="awaited", key_type=key_type), shell
    )
    installation.env = {"PATH": userland.path}
    for _ in range(2):
        installation.run("--new-key", "--dry-run")
        installation.run("--new-key")
        installation.run("--new-key", "--force")
        certify(installation, role, os=system)
        installation.run()
        installation.run("--verify")
    installation.run("--rollback")
    installation.run("--uninstall")
    assert not list(installation.root.rglob("*.pem"))
    assert userland.refused() == []


@pytest.mark.parametrize("key_type", ["rsa-3072", "ec-p256", "ec-p384"])
def test_the_key_is_of_the_declared_kind(prepare: Prepare, key_type: str) -> None:
    installation = prepare(bundle_of("client", mutual=True, own_key=True, label="awaited", key_type=key_type))
    installation.run("--new-key")
    text = openssl("req", "-in", installation.folder / "client.csr", "-noout", "-text")
    assert {"rsa-3072": "(3072 bit)", "ec-p256": "prime256v1", "ec-p384": "secp384r1"}[key_type] in text
    assert "TLS Web Client Authentication" in text
    certify(installation, "client")
    installation.run()
    installation.run("--verify")


def test_a_second_run_writes_the_same_request_again_and_force_makes_another_key(prepare: Prepare) -> None:
    installation = prepare(AWAITED)
    request = installation.folder / "server.csr"
    installation.run("--new-key")
    before, asked = sight(installation.root, identity=False), public_key(request)
    request.unlink()
    assert "still waits; its request was written again" in installation.run("--new-key")
    assert sight(installation.root, identity=False) == before
    assert public_key(request) == asked
    assert "in place of the one that waits there" in installation.run("--new-key", "--force", "--dry-run")
    assert sight(installation.root, identity=False) == before
    installation.run("--new-key", "--force")
    assert public_key(request) == public_key(installation.client(WAITING)) != asked


def test_a_new_request_has_the_names_of_the_new_folder(prepare: Prepare) -> None:
    installation = prepare(AWAITED)
    installation.run("--new-key")
    asked = public_key(installation.folder / "server.csr")
    write_folder(bundle_of(own_key=True, label="awaited", aliases=("new.example.com",)), installation.folder)
    installation.run("--new-key")
    assert public_key(installation.folder / "server.csr") == asked
    assert "DNS:new.example.com" in openssl(
        "req", "-in", installation.folder / "server.csr", "-noout", "-text"
    )


def test_where_force_is_for_another_name_of_the_host_no_waiting_key_is_lost(
    prepare: Prepare, tmp_path: Path
) -> None:
    needs_root()
    installation = prepare(QUICK)
    script = installation.folder / "install.sh"
    root = tmp_path / "host"
    script.write_text(script.read_text().replace("client_folder='/etc/ipm'", f"client_folder='{root}'"))
    assert f"client_folder='{root}'" in script.read_text()
    assert "--force installs nevertheless" in installation.run_bare("--new-key", status=3)
    installation.run_bare("--new-key", "--force")
    before = (root / WAITING).read_bytes()
    said = installation.run_bare("--new-key", "--force")
    assert "--force was for the name of the host" in said
    assert (root / WAITING).read_bytes() == before
    faking(installation, tmp_path, hostname="echo ipm1")
    installation.run_bare("--new-key", "--force")
    assert (root / WAITING).read_bytes() != before


def test_a_dry_run_says_what_would_be_made_and_makes_nothing(prepare: Prepare) -> None:
    installation = prepare(AWAITED)
    said = installation.run("--dry-run", "--new-key")
    assert "would make a new key (rsa-2048)" in said
    assert str(installation.folder) in said
    assert "Nothing was changed." in said
    assert not list(installation.root.iterdir())
    assert not (installation.folder / "server.csr").exists()


@pytest.mark.parametrize("option", ["--rollback", "--uninstall", "--verify", "--restart"])
def test_it_stands_alone(prepare: Prepare, option: str) -> None:
    installation = prepare(bundle_of(own_key=True, label="awaited", restart="true"))
    assert "--new-key" in installation.run("--new-key", option, status=2)
    assert not list(installation.root.iterdir())


def test_a_host_whose_folder_carries_its_key_is_told_to_declare_csr(prepare: Prepare) -> None:
    installation = prepare()
    assert 'Declare csr = "csr/NAME.csr"' in installation.run("--new-key", status=2)
    assert not list(installation.root.iterdir())


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_folder_is_refused(prepare: Prepare, damage: str) -> None:
    installation = prepare(AWAITED)
    configuration = installation.folder / "request.cnf"
    if damage == "missing":
        configuration.unlink()
    else:
        configuration.write_bytes(configuration.read_bytes() + b"#\n")
    assert "request.cnf" in installation.run("--new-key", status=4)
    assert not list(installation.root.iterdir())


def test_only_root_may_make_a_key_without_a_root(prepare: Prepare, tmp_path: Path) -> None:
    installation = faking(prepare(AWAITED), tmp_path, id="echo 1000", hostname="echo ipm1")
    assert "only root can install" in installation.run_bare("--new-key", status=1)


def test_a_folder_that_awaits_its_certificate_says_what_to_do(prepare: Prepare) -> None:
    installation = prepare(AWAITED)
    for options in ((), ("--verify",), ("--dry-run",)):
        said = installation.run(*options, status=1)
        assert "there is nothing to install yet" in said
        assert "Next: sh install.sh --new-key makes a key" in said
    assert not list(installation.root.iterdir())
    installation.run("--new-key")
    for options in ((), ("--verify",), ("--dry-run",)):
        said = installation.run(*options, status=1)
        assert str(installation.client(WAITING)) in said
        assert "Next: put its request where pki.toml expects it, as csr/server.csr" in said


def test_uninstall_takes_a_waiting_key_away(prepare: Prepare) -> None:
    installation = prepare(AWAITED)
    installation.write(f"{SERVER}/server-key.pem", b"another's\n")
    (installation.root / "etc").mkdir()
    before = public_sight(installation.root)
    installation.run("--new-key")
    assert "remove   .ipmpki/waiting-key.pem" in installation.run("--uninstall", "--dry-run")
    assert installation.client(WAITING).exists()
    said = installation.run("--uninstall")
    assert "pdshutdown" not in said, "nothing that is in use has changed"
    assert public_sight(installation.root) == before
    assert not list(installation.root.rglob(".ipmpki*"))
    assert "nothing here was put" in installation.run("--uninstall")


@pytest.mark.parametrize(
    ("in_use", "waits", "words"),
    [
        (False, False, "there is no key for server-cert.pem here"),
        (True, False, "does not belong to the key in use"),
        (False, True, "does not belong to the new key that waits"),
        (True, True, "belongs neither to the key in use"),
    ],
)
def test_a_certificate_that_no_key_here_belongs_to_is_not_installed(
    prepare: Prepare, in_use: bool, waits: bool, words: str
) -> None:
    installation = prepare(AWAITED)
    if waits:
        installation.run("--new-key")
    if in_use:
        installation.write(f"{SERVER}/server-key.pem", b"another's\n", 0o600)
    write_folder(bundle_of(own_key=True), installation.folder)
    before = sight(installation.root)
    for options in ((), ("--dry-run",)):
        said = installation.run(*options, status=1)
        assert words in said
        assert str(installation.client(WAITING)) in said
        assert str(installation.server("server-key.pem")) in said
        assert "Nothing was changed" in said
    said = installation.run("--verify", status=1)
    assert ("does not belong to server-cert.pem" if in_use else "put the key here") in said
    assert ("the new key that waits does not belong" in said) is waits
    assert sight(installation.root) == before


def test_without_openssl_it_says_so_and_changes_nothing(prepare: Prepare, tmp_path: Path) -> None:
    userland = make_userland("macos", tmp_path / "land").without("openssl")
    installation = prepare(QUICK)
    installation.env = {"PATH": userland.path}
    assert "there is no openssl here" in installation.run("--new-key", status=1)
    assert not list(installation.root.iterdir())
    installation.env = {}
    installation.run("--new-key")
    certify(installation, "client")
    before = sight(installation.root)
    installation.env = {"PATH": userland.path}
    assert "without openssl nobody can tell" in installation.run(status=1)
    assert sight(installation.root) == before


def test_an_openssl_that_fails_changes_nothing(prepare: Prepare, tmp_path: Path) -> None:
    installation = prepare(QUICK)
    real = require("openssl")
    for command in ("genpkey", "req", "pkey"):
        fails = f'[ "$1" != {command} ] || {{ echo unlucky >&2; exit 1; }}; exec {real} "$@"'
        faking(installation, tmp_path, openssl=fails)
        said = installation.run("--new-key", status=1)
        assert "Nothing was changed" in said
        assert ("unlucky" in said) is (command != "pkey")
        assert not files_below(installation.root)
        assert not list(installation.folder.glob(".ipmpki*"))
        assert not (installation.folder / "client.csr").exists()


@pytest.mark.parametrize("spoils", ["genpkey", "req"])
def test_half_a_key_or_request_that_openssl_calls_done_is_found_out(
    prepare: Prepare, tmp_path: Path, spoils: str
) -> None:
    installation = prepare(QUICK)
    halve = (
        '"$real" "$@" || exit; for out; do :; done; head -c 100 "$out" >"$out.half"; mv "$out.half" "$out"'
    )
    spoil = f'case "$*" in {spoils}\\ *-out\\ *) {halve} ;; *) exec "$real" "$@" ;; esac'
    faking(installation, tmp_path, openssl=f"real={require('openssl')}; {spoil}")
    assert "Nothing was changed" in installation.run("--new-key", status=1)
    assert not files_below(installation.root)


def test_from_a_medium_that_cannot_be_written_the_request_goes_to_the_current_folder(
    prepare: Prepare, tmp_path: Path
) -> None:
    unshare = require("unshare")
    if subprocess.run(
        [unshare, "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
    ).returncode:
        unavailable("the right to mount a file system")
    installation = prepare(QUICK)
    (elsewhere := tmp_path / "else where").mkdir()
    script = (
        'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && cd "$2" && exec dash "$1/install.sh" '
        '--root "$3" --new-key ${4:+"$4"}'
    )

    def run(folder: Path, option: str = "") -> subprocess.CompletedProcess[str]:
        command: list[str | Path] = [
            unshare,
            "-m",
            "sh",
            "-c",
            script,
            "sh",
            installation.folder,
            folder,
            installation.root,
            option,
        ]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    for option in ("", "--dry-run"):
        done = run(installation.folder, option)
        assert done.returncode == 1
        assert "there is no place for the request" in done.stderr
        assert "Nothing was changed" in done.stderr
        assert not files_below(installation.root)
    done = run(elsewhere, "--dry-run")
    assert f"would write its request, client.csr, into\n  {elsewhere}\n" in done.stdout
    assert list(elsewhere.iterdir()) == []
    done = run(elsewhere)
    assert done.returncode == 0, done.stderr
    assert f"request  {elsewhere}/client.csr\n" in done.stdout
    assert [path.name for path in elsewhere.iterdir()] == ["client.csr"]


def test_what_lies_where_the_request_goes_is_replaced_and_never_followed(
    prepare: Prepare, tmp_path: Path
) -> None:
    installation = prepare(QUICK)
    (target := tmp_path / "precious").write_text("precious")
    (installation.folder / "client.csr").symlink_to(target)
    (installation.folder / ".ipmpki-request").symlink_to(tmp_path)
    installation.run("--new-key")
    assert target.read_text() == "precious"
    assert (installation.folder / "client.csr").read_text().startswith("-----BEGIN CERTIFICATE REQUEST")
    (installation.folder / "client.csr").unlink()
    (installation.folder / "client.csr").mkdir()
    assert "is a folder, not a file" in installation.run("--new-key", status=1)


def test_the_key_has_its_owner_from_the_first(prepare: Prepare) -> None:
    needs_root()
    installation = prepare(AWAITED)
    installation.run("--new-key", "--owner", "daemon")
    assert installation.client(WAITING).owner() == "daemon"
    certify(installation)
    installation.run()
    assert installation.server("server-key.pem").owner() == "daemon"
    installation.run("--new-key")
    assert installation.client(WAITING).owner() == "daemon", "as the key in use"
    certify(installation)
    assert "owner" in installation.run("--owner", "bin", "--dry-run")
    installation.run("--owner", "bin")
    assert installation.server("server-key.pem").owner() == "bin"
    assert "wrong owner: bin, not daemon" in installation.run("--owner", "daemon", "--verify", status=1)
    installation.run("--owner", "daemon")
    assert installation.server("server-key.pem").owner() == "daemon"
    assert belong_together(installation)


def test_a_group_that_was_named_may_read_a_clients_key(prepare: Prepare) -> None:
    needs_root()
    installation = prepare(QUICK)
    installation.run("--new-key", "--owner", "root:daemon")
    certify(installation, "client")
    installation.run()
    key = installation.client("client-key.pem")
    assert (mode(key), key.group()) == (0o640, "daemon")
    installation.run("--new-key")
    certify(installation, "client")
    installation.run()
    assert (mode(key), key.group()) == (0o640, "daemon")


def test_a_key_that_install_sh_brought_stays_when_the_host_begins_to_keep_its_own(prepare: Prepare) -> None:
    installation = prepare()
    installation.run()
    before = public_sight(installation.root)
    write_folder(bundle_of(own_key=True), installation.folder)
    (installation.folder / "server-key.pem").unlink()
    assert "already up to date" in installation.run()
    assert public_sight(installation.root) == before
    installation.run("--new-key")
    certify(installation)
    installation.run()
    assert belong_together(installation)
    installation.run("--rollback")
    assert public_sight(installation.root) == before
    installation.run("--uninstall")
    assert not list(installation.root.rglob("*.pem"))


def test_a_waiting_key_that_nothing_needs_any_more_is_told(prepare: Prepare) -> None:
    installation = prepare(AWAITED)
    installation.run("--new-key")
    write_folder(bundle_of(), installation.folder)
    assert "Nothing in this folder needs it" in installation.run()
    assert "Nothing in this folder needs it" in installation.run("--verify")
    assert installation.client(WAITING).exists()


def test_a_rollback_leaves_the_newest_waiting_key_alone(prepare: Prepare) -> None:
    installation = installed(prepare)
    installation.run("--new-key")
    before = installation.client(WAITING).read_bytes()
    assert "kept nowhere else, as a newer key waits" in installation.run("--rollback")
    assert installation.client(WAITING).read_bytes() == before
    assert not installation.server("server-key.pem").exists()


def test_a_key_put_there_by_hand_goes_with_its_certificate(prepare: Prepare) -> None:
    installation = prepare(AWAITED)
    steps = (
        "umask 077; openssl genrsa -out server-key.pem 2048 2>/dev/null; "
        "openssl req -new -config request.cnf -key server-key.pem -out server.csr"
    )
    subprocess.run([require("dash"), "-ec", steps], cwd=installation.folder, check=True)
    target = installation.write(f"{SERVER}/server-key.pem", b"", 0o600)
    (installation.folder / "server-key.pem").replace(target)
    before = target.read_bytes()
    certify(installation)
    installation.run()
    installation.run("--verify")
    assert (target.read_bytes(), belong_together(installation)) == (before, True)
    installation.run("--uninstall")
    assert target.read_bytes() == before


def test_a_user_makes_a_key_without_privilege(prepare: Prepare, tmp_path: Path) -> None:
    installation = prepare(QUICK)
    home = tmp_path / "home"
    installation.env = {"HOME": str(home), "SUDO_USER": ""}
    faking(installation, tmp_path, hostname="echo ipm1")
    installation.run_bare("--new-key", "--user")
    assert mode(home / ".ipm" / WAITING) == 0o600
    certify(installation, "client")
    installation.run_bare("--user")
    assert mode(home / ".ipm/client-key.pem") == 0o600
    assert not (home / ".ipm" / WAITING).exists()


def test_no_key_is_readable_more_widely_even_for_an_instant(prepare: Prepare, tmp_path: Path) -> None:
    installation = prepare(AWAITED)
    log = looked_at(installation, tmp_path, "*key*")
    subprocess.run(["chmod", "1777", str(installation.root)], check=True)
    installation.run("--new-key")
    certify(installation)
    installation.run()
    installation.run("--new-key")
    certify(installation)
    installation.run()
    installation.run("--rollback")
    assert log.read_text() == ""


@pytest.mark.parametrize(
    ("place", "pages", "status"),
    [("root", 1, 1), ("root", 2, 1), ("root", 3, 0), ("folder", 0, 1), ("folder", 1, 0)],
)
def test_a_full_disk_leaves_no_key_or_a_whole_one(
    prepare: Prepare, tmp_path: Path, place: str, pages: int, status: int
) -> None:
    """Of the host, where lock, key and record take a page each, or of the medium, for the request."""
    unshare = require("unshare")
    installation = prepare(QUICK)
    root, folder = installation.root, installation.folder
    (medium := tmp_path / "medium").mkdir()
    target, setup = root, ""
    if place == "folder":
        carried = ("install.sh", "request.cnf")
        pages += sum(-(-(folder / name).stat().st_size // 4096) for name in carried)
        target, setup = medium, '&& cp "$2/install.sh" "$2/request.cnf" "$1" && set -- "$1" "$1" "$3"'
    mount = f'mount -t tmpfs -o size={4 * pages}k,mode=755 none "$1"'
    if subprocess.run(
        [unshare, "-m", "sh", "-c", mount, "sh", "/mnt"], capture_output=True, check=False
    ).returncode:
        unavailable("the right to mount a file system")
    script = f"""{mount} {setup} || exit 99
        cd /proc && dash "$2/install.sh" --root "$3" --new-key; status=$?
        find "$3" -type f -exec sh -c 'echo "== $1"; cat "$1"' sh {{}} \\;
        find "$2" -name .ipmpki-request; exit $status"""
    done = subprocess.run(
        [unshare, "-m", "sh", "-c", script, "sh", target, folder, root],
        capture_output=True,
        text=True,
        check=False,
    )
    keys = re.findall(r"== \S.*?waiting-key.pem\n(.*?-----END PRIVATE KEY-----\n)?", done.stdout, re.DOTALL)
    assert ".ipmpki-request" not in done.stdout
    assert done.returncode == status, done.stdout + done.stderr
    if status == 0:
        assert len(keys) == 1
        assert keys[0].startswith("-----BEGIN")
    else:
        assert "Nothing was changed" in done.stderr
        assert keys == []


KILLED = {"first": (), "another": ("--force",)}


@pytest.mark.parametrize(
    ("job", "when", "stride"),
    mostly_exhaustive(
        [("first", "after", 8), *((job, when, 1) for job in KILLED for when in ("before", "after"))],
        every_time=[("first", "after", 8)],
        otherwise=pytest.mark.nightly,
    ),
)
def test_killed_at_a_program_it_leaves_no_key_or_a_whole_one(
    prepare: Prepare, tmp_path: Path, job: str, when: str, stride: int
) -> None:
    from tests.render.host_folder.test_install_sh_killed import Gallows, make_shims

    installation = prepare(QUICK)
    root, waiting = installation.root, installation.client(WAITING)
    if job == "another":
        installation.run("--new-key")
    start = tmp_path / "start"
    shutil.copytree(root, start)
    old = waiting.read_bytes() if waiting.exists() else None
    gallows = Gallows(installation, make_shims(tmp_path / "shims"))
    programs = gallows.run("never", "--new-key", *KILLED[job])
    assert programs > 20
    found: set[bool] = set()
    for at in range(1, programs + (when == "before"), stride):
        shutil.rmtree(root)
        shutil.copytree(start, root)
        gallows.run(f"{when} {at}", "--new-key", *KILLED[job])
        now = waiting.read_bytes() if waiting.exists() else None
        found.add(now == old)
        if now is not None:
            public_key(waiting)
            assert mode(waiting) == 0o600
        committed = installation.client(".ipmpki/commit/waiting-key.pem")
        decided = committed.read_bytes() if committed.exists() else now
        installation.run("--new-key")
        if decided is not None:
            assert waiting.read_bytes() == decided, f"killed {when} {at}"
        assert public_key(waiting) == public_key(installation.folder / "client.csr")
        left = {path.name for place in (root, installation.folder) for path in place.rglob("*")}
        assert not left & {"prepare", "commit", "settled", "lock", ".ipmpki-new", ".ipmpki-request"}
    assert found == {True, False}


@pytest.mark.parametrize(
    ("job", "stride"),
    mostly_exhaustive(
        [("install", 16), ("install", 1), ("--rollback", 1), ("--uninstall", 1)],
        every_time=[("install", 16)],
        otherwise=pytest.mark.nightly,
    ),
)
def test_killed_while_a_key_is_put_in_place_key_and_certificate_stay_together_and_none_is_lost(
    prepare: Prepare, tmp_path: Path, job: str, stride: int
) -> None:
    from tests.render.host_folder.test_install_sh_killed import Gallows, make_shims

    installation = prepare(QUICK)
    root, waiting, key = (
        installation.root,
        installation.client(WAITING),
        installation.client("client-key.pem"),
    )
    certificate = installation.client("client-cert.pem")
    installation.run("--new-key")
    certify(installation, "client")
    installation.run()
    first = key.read_bytes()
    installation.run("--new-key")
    second = waiting.read_bytes()
    certify(installation, "client")
    if job == "--rollback":
        installation.run()
    start = tmp_path / "start"
    shutil.copytree(root, start)
    gallows = Gallows(installation, make_shims(tmp_path / "shims"))
    options = [] if job == "install" else [job]
    programs = gallows.run("never", *options)
    for at in range(1, programs, stride):
        shutil.rmtree(root)
        shutil.copytree(start, root)
        gallows.run(f"after {at}", *options)
        if key.exists() and certificate.exists():
            assert public_key(key) == public_key(certificate), f"killed after {at}"
        installation.run(*(["--uninstall"] if job == "--uninstall" else []))
        if job == "--uninstall":
            assert not list(root.rglob("*key.pem"))
            continue
        # After a rollback that was killed, the next run completes it, or puts the new one in place again.
        assert public_key(key) == public_key(certificate)
        assert {path.read_bytes() for path in (key, waiting) if path.exists()} in ({second}, {first, second})
