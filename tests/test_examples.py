"""The examples: each says how it is built, has no problem, and builds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ipmpki
from ipmpki import cli
from ipmpki.diagnostics.problem import Severity
from tests.places import EXAMPLES
from tests.tools import require

SOUND = ("print-room", "one-server", "existing-ca")
SCHEMA = EXAMPLES.parent / "schemas" / "pki.schema.json"
PASSPHRASE = "correct horse battery staple"  # noqa: S105 -- it protects a key made for one test


@pytest.fixture
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of an example's folder, so that nothing is built beside the original."""
    folder: Path = tmp_path / str(request.param)
    shutil.copytree(EXAMPLES / request.param, folder)
    return folder


@pytest.mark.parametrize("name", SOUND)
def test_an_example_begins_with_what_it_shows_and_how_it_is_built(name: str) -> None:
    text = (EXAMPLES / name / "pki.toml").read_text("utf-8")
    header = text[: text.index("\n\nschema")]
    assert all(line.startswith("#") for line in header.splitlines())
    assert "#   ipmpki build pki.toml\n" in header


def test_no_example_holds_a_key() -> None:
    ours = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "."],
        cwd=EXAMPLES,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    for name in ours:
        path = EXAMPLES / name
        assert not path.is_file() or b"PRIVATE KEY-----" not in path.read_bytes(), name


@pytest.mark.parametrize("example", ["print-room", "one-server"], indirect=True)
def test_an_example_checks_without_error_or_warning(example: Path) -> None:
    found = ipmpki.load(example / "pki.toml").problems
    assert [one.problem for one in found if one.problem.severity is not Severity.INFO] == []


def test_the_print_room_is_realistic() -> None:
    values = tomllib.loads((EXAMPLES / "print-room/pki.toml").read_text("utf-8"))
    assert values["tls"]["mutual_auth"] == "required"
    default = values["defaults"]["os"]
    systems = {
        role: {host.get("os", default) for host in values["hosts"] if host["role"] == role}
        for role in ("server", "client")
    }
    assert systems == {"server": {"aix", "linux", "windows"}, "client": {"aix", "linux", "windows", "macos"}}
    addresses = [address for host in values["hosts"] for address in host.get("ips", [])]
    assert any(":" in address for address in addresses)
    assert any("." in address for address in addresses)
    assert any(host.get("subject", "").startswith("*.") for host in values["hosts"])
    assert any(host.get("aliases") for host in values["hosts"])


@pytest.mark.parametrize("example", ["print-room", "one-server"], indirect=True)
def test_an_example_builds_a_folder_for_every_host(example: Path) -> None:
    built = ipmpki.build(ipmpki.load(example / "pki.toml"))
    hosts = tomllib.loads((example / "pki.toml").read_text("utf-8"))["hosts"]
    assert {path.name for path in (example / "dist/hosts").iterdir()} == {host["name"] for host in hosts}
    assert not [one for one in built.problems if one.problem.severity is not Severity.INFO]
    assert ipmpki.plan(ipmpki.load(example / "pki.toml")).changes == ()


@pytest.mark.parametrize("example", ["existing-ca"], indirect=True)
def test_an_existing_authority_is_made_and_used(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("openssl")
    script = ["sh", "make-ca.sh"]
    bare = {key: value for key, value in os.environ.items() if key != "IPMPKI_CA_PASSPHRASE"}
    assert subprocess.run(script, cwd=example, env=bare, capture_output=True, check=False).returncode == 2
    monkeypatch.setenv("IPMPKI_CA_PASSPHRASE", PASSPHRASE)
    subprocess.run(script, cwd=example, capture_output=True, check=True)
    assert (example / "ca-key.pem").read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert (example / "ca-key.pem").stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in example.iterdir()) == [
        "ca-cert.pem",
        "ca-key.pem",
        "make-ca.sh",
        "pki.toml",
    ]
    again = subprocess.run(script, cwd=example, capture_output=True, check=False)
    assert again.returncode == 1
    loaded = ipmpki.load(example / "pki.toml")
    assert not [one for one in loaded.problems if one.problem.severity is not Severity.INFO]
    ipmpki.build(loaded)
    assert (example / "dist/ca/ca-cert.pem").read_bytes() == (example / "ca-cert.pem").read_bytes()


@pytest.mark.parametrize("name", SOUND)
def test_taplo_accepts_an_example_by_the_schema(name: str) -> None:
    _lint(EXAMPLES / name / "pki.toml")


def test_taplo_accepts_the_file_of_init(tmp_path: Path) -> None:
    template = Path(cli.__file__).parent / "templates" / "pki.toml"
    shutil.copy(template, tmp_path / "pki.toml")
    _lint(tmp_path / "pki.toml")


def _lint(path: Path) -> None:
    beside = Path(sys.executable).with_name("taplo")  # where pip puts it, be the environment active or not
    linted = subprocess.run(
        [
            beside if beside.is_file() else require("taplo"),
            "lint",
            "--no-auto-config",
            "--schema",
            SCHEMA.as_uri(),
            str(path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stderr
