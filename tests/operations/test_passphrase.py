"""``ipmpki passphrase``: the CA's key under another passphrase, with nothing left that the old one opens."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.build import build
from ipmpki.operations.load import load
from ipmpki.x509 import keys
from ipmpki.x509.protection import Protection, protection_of
from tests.faults.fleets import Fleet
from tests.faults.ledger import sight
from tests.faults.mounts import remount, tmpfs
from tests.faults.running import Outcome, mortal, started
from tests.faults.test_contention import HOLDER
from tests.operations.keeper import ipmpki, killed_at, rows
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = "die alte Größe", "the new one, ☂ and all"
ENV = {"CA_PASS": OLD, "NEW_PASS": NEW}


@pytest.fixture
def locked(site: Path, fleet: Fleet) -> Path:
    """A site whose CA's key is encrypted, as declared."""
    declare(site, fleet, 'passphrase = { env = "CA_PASS" }')
    assert ipmpki(site, "build", env=ENV).status == 0
    return site


def declare(site: Path, fleet: Fleet, line: str) -> None:
    (site / "pki.toml").write_text(fleet.text().replace("[ca]\n", f"[ca]\n{line}\n"))


def change(site: Path, *options: str, **env: str) -> Outcome:
    return ipmpki(site, "passphrase", "pki.toml", *options, env={**ENV, **env})


def to_new(site: Path) -> Outcome:
    return change(site, "--new-passphrase-env", "NEW_PASS")


def key_of(site: Path, identity: int = 1) -> bytes:
    ((key,),) = rows(site / "pki.db", f"SELECT key FROM authority WHERE id = {identity}")  # noqa: S608
    assert isinstance(key, bytes)
    return key


def opens(key: bytes, passphrase: str) -> bool:
    """Whether a passphrase opens the key, or it lies open."""
    if protection_of(key) is Protection.OPEN:
        return True
    try:
        keys.load(key, passphrase.encode())
    except keys.WrongPassphrase:
        return False
    return True


def traces(site: Path, key: bytes) -> list[str]:
    """The files below the site that hold a part of the key as it was kept."""
    lines = [line for line in key.splitlines() if b"-----" not in line and len(line) > 20]
    der = base64.b64decode(b"".join(lines))
    start = der.find(b"}\n") + 40  # a sealed key's header is the same for all but the salt
    pieces = [
        *lines[3 if start > 40 else 0 :],
        *(der[at : at + 16] for at in range(max(start, 40), len(der) - 16, 16)),
    ]
    found = []
    for path in site.glob("pki.db*"):
        content = path.read_bytes()
        found += [path.name for piece in pieces if piece in content]
    return found


def test_the_new_passphrase_opens_the_key_and_the_old_does_not(locked: Path) -> None:
    before = key_of(locked)
    assert opens(before, OLD)
    done = to_new(locked)
    assert (done.status, done.err) == (0, "")
    assert 'say in [ca] where the passphrase is: passphrase = { env = "NEW_PASS" }' in done.out
    assert opens(key_of(locked), NEW)
    assert not opens(key_of(locked), OLD)
    assert not traces(locked, before)
    assert traces(locked, key_of(locked))


def test_a_build_goes_on_with_what_it_advises(locked: Path, fleet: Fleet) -> None:
    assert to_new(locked).status == 0
    fleet.add(1)
    declare(locked, fleet, 'passphrase = { env = "CA_PASS" }')
    ipmpki(locked, "build", env=ENV).failed(
        "the passphrase does not open the authority's key in the store", status=1
    )
    declare(locked, fleet, 'passphrase = { env = "NEW_PASS" }')
    assert ipmpki(locked, "build", env=ENV).status == 0
    assert ipmpki(locked, "plan", "--exit-code", env=ENV).status == 0


def test_one_is_set_where_there_was_none_and_nothing_of_the_open_key_is_left(site: Path) -> None:
    plain = key_of(site)
    (site / "ca-pass.txt").write_text(NEW + "\n")
    done = change(site, "--new-passphrase-file", "ca-pass.txt")
    assert (done.status, done.err) == (0, "")
    assert "was set" in done.out
    assert 'passphrase = { file = "ca-pass.txt" }' in done.out
    assert opens(key_of(site), NEW)
    assert not traces(site, plain)


def test_it_is_removed_only_when_asked_to(locked: Path) -> None:
    ipmpki(locked, "passphrase", "pki.toml", env=ENV).failed("no terminal", "--remove", status=2)
    done = change(locked, "--remove")
    assert done.status == 0
    assert "take 'passphrase' out of [ca]" in done.out
    assert opens(key_of(locked), "")
    assert "nothing to do" in change(locked, "--remove").out


def test_the_ledger_tells_of_it_and_not_of_the_passphrase(locked: Path) -> None:
    assert to_new(locked).status == 0
    events = rows(locked / "pki.db", "SELECT kind, detail FROM event ORDER BY id DESC LIMIT 1")
    assert events == [("authority-passphrase-changed", "with another one")]
    content = (locked / "pki.db").read_bytes()
    assert NEW.encode() not in content
    assert OLD.encode() not in content


def test_again_and_again_leaves_no_trace(locked: Path) -> None:
    """Keys of other lengths fall on other pages: none of them may be found afterwards."""
    former = [key_of(locked)]
    for number in range(8):
        arguments = ("--remove",) if number % 3 == 2 else ("--new-passphrase-env", f"PASS{number}")
        env = {f"PASS{n}": f"passphrase number {n}" for n in range(9)}
        old = () if number % 3 == 0 and number else ("--old-passphrase-env", f"PASS{number - 1}")
        if number == 0:
            old = ()
        assert change(locked, *arguments, *old, **env).status == 0
        former.append(key_of(locked))
    assert not [name for key in former[:-1] for name in traces(locked, key)]


def test_former_authorities_follow_and_those_that_do_not_open_are_named(locked: Path, fleet: Fleet) -> None:
    line = 'passphrase = { env = "CA_PASS" }\nlocality = "Ulm"'
    declare(locked, fleet, line)
    assert ipmpki(locked, "build", "--replace-ca", env=ENV).status == 0
    assert "and that of 1 older key" in to_new(locked).out
    assert opens(key_of(locked, 1), NEW)
    assert opens(key_of(locked, 2), NEW)
    declare(locked, fleet, line.replace("CA_PASS", "THIRD").replace("Ulm", "Bonn"))
    env = {"THIRD": "a third passphrase", **ENV}
    assert ipmpki(locked, "build", "--replace-ca", env=env).status == 0
    done = ipmpki(locked, "passphrase", "pki.toml", "--new-passphrase-env", "CA_PASS", env=env)
    assert done.status == 0
    assert done.err.count("the key of the former authority") == 2
    assert opens(key_of(locked, 1), NEW)
    assert opens(key_of(locked, 3), OLD)


def test_an_authority_that_existed_keeps_its_own_file(tmp_path: Path, site: Path, fleet: Fleet) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "ca-key.pem").write_bytes(key_of(site))
    (other / "ca-key.pem").chmod(0o600)
    ((certificate,),) = rows(site / "pki.db", "SELECT certificates FROM authority")
    assert isinstance(certificate, bytes)
    (other / "ca-cert.pem").write_bytes(certificate)
    declare(other, fleet, 'certificate = "ca-cert.pem"\nkey_file = "ca-key.pem"')
    (other / "pki.toml").write_text(
        (other / "pki.toml").read_text().replace('key = "ec-p256"\n\n[tls]', "[tls]")
    )
    (other / "pki.toml").write_text(
        (other / "pki.toml").read_text().replace('common_name = "Acme Print CA"\n', "")
    )
    assert ipmpki(other, "build").status == 0
    done = to_new(other)
    assert done.status == 0
    assert "ca-key.pem stays as it is" in done.out
    assert opens((other / "ca-key.pem").read_bytes(), "")
    assert opens(key_of(other), NEW)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--old-passphrase-env", "NEW_PASS", "--new-passphrase-env", "NEW_PASS"), "does not open"),
        (("--new-passphrase-env", "UNSET"), "UNSET"),
        (("--new-passphrase-env", "NEW_PASS", "--remove"), "--remove says there shall be none"),
        (("--new-passphrase-env", "A", "--new-passphrase-file", "B"), "two places"),
    ],
)
def test_what_cannot_be_done_changes_nothing(locked: Path, options: tuple[str, ...], words: str) -> None:
    before = key_of(locked)
    done = change(locked, *options)
    assert done.status in {1, 2}
    done.failed(words, status=done.status)
    assert OLD not in done.err
    assert key_of(locked) == before


def test_without_the_old_one_and_without_a_terminal_nothing_happens(locked: Path) -> None:
    before = key_of(locked)
    for env in ({"CA_PASS": "wrong"}, {"CA_PASS": ""}):
        change(locked, "--new-passphrase-env", "NEW_PASS", **env).failed("--old-passphrase-env", status=2)
    assert key_of(locked) == before


def test_without_a_key_there_is_nothing_to_encrypt(tmp_path: Path, fleet: Fleet) -> None:
    fleet.write(tmp_path)
    change(tmp_path, "--remove").failed("no CA key in the store yet")


def test_whoever_buys_certificates_has_no_ca_key(tmp_path: Path, site: Path) -> None:
    ((certificate,),) = rows(site / "pki.db", "SELECT certificates FROM authority")
    assert isinstance(certificate, bytes)
    (tmp_path / "root.pem").write_bytes(certificate)
    (tmp_path / "pki.toml").write_text(
        'schema = 1\n[ca]\nkind = "third-party"\nbundle = "root.pem"\n'
        '[[hosts]]\nname = "ipm1.example.com"\nrole = "server"\n'
    )
    assert ipmpki(tmp_path, "build").status == 0
    to_new(tmp_path).failed("there is no CA key here", status=2)


def test_the_second_says_who_holds_the_store(
    locked: Path, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.add(6)
    declare(locked, fleet, 'passphrase = { env = "CA_PASS" }')
    monkeypatch.setenv("CA_PASS", OLD)
    with started(locked, *HOLDER) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == b"held\n"
        to_new(locked).failed("pki.db is held by", f"process {builder.pid}")
        builder.communicate(b"go on\n")
    assert opens(key_of(locked), OLD)


def test_killed_at_any_moment_one_of_the_two_opens_it(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    kills = 0
    for number in range(3, 200, 4):
        if not killed_at(locked, number, "passphrase", "pki.toml", "--new-passphrase-env", "NEW_PASS"):
            break
        kills += 1
        key = key_of(locked)
        assert opens(key, OLD) or opens(key, NEW)
        assert rows(locked / "pki.db", "PRAGMA integrity_check") == [("ok",)]
        if opens(key, NEW):
            monkeypatch.setenv("CA_PASS", NEW)
    assert kills > 5
    assert opens(key_of(locked), NEW)


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "size=8m") as disk:
        site = disk / "site"
        site.mkdir()
        Fleet.of(1, servers=0).write(site)
        build(load(site / "pki.toml"))
        before = key_of(site)
        free = os.statvfs(disk).f_bavail * 4096
        (disk / "ballast").write_bytes(b"x" * free)
        to_new(site).failed("no room left")
        assert key_of(site) == before
        (disk / "ballast").unlink()
        remount(disk, "ro")
        to_new(site).failed("writ")
        remount(disk, "rw")
        assert to_new(site).status == 0


def test_a_folder_that_cannot_be_written_to(locked: Path) -> None:
    before = sight(locked)
    (locked / "pki.db.lock").unlink(missing_ok=True)
    before = sight(locked)
    locked.chmod(0o555)
    try:
        done = ipmpki(
            locked, "passphrase", "pki.toml", "--new-passphrase-env", "NEW_PASS", env=ENV, prefix=mortal()
        )
        done.failed("cannot be", "writable")
    finally:
        locked.chmod(0o755)
    assert sight(locked) == before


def test_on_a_terminal_it_asks_for_what_it_needs(locked: Path) -> None:
    command = f"{sys.executable} -m ipmpki passphrase pki.toml"
    with subprocess.Popen(
        [require("script"), "-qec", command, os.devnull],
        cwd=locked,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "CA_PASS": "not the old one"},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        seen = b""
        for answer in (OLD, NEW, NEW):
            asked = b""
            while not asked.rstrip().endswith(b":"):
                octet = process.stdout.read(1)
                assert octet, seen
                asked += octet
            seen += asked
            process.stdin.write(answer.encode() + b"\n")
            process.stdin.flush()
        seen += process.stdout.read()
    assert process.returncode == 0, seen
    assert NEW.encode() not in seen
    assert b"from now on the environment variable CA_PASS has to hold the new passphrase" in seen
    assert opens(key_of(locked), NEW)
