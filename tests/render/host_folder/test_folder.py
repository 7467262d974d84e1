"""The folder of one host."""

from __future__ import annotations

import json
import subprocess
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from ipmpki.render.host_folder.folder import render_host
from ipmpki.render.host_folder.inputs import templates_digest
from tests.render.host_folder.bundles import bundle_of, pair, write_folder
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.render.host_folder.contents import RenderedFile

POSIX = ["aix", "linux", "macos"]
FIXED = {"ca-cert.pem": 0o644, "settings.json": 0o644, "manifest.json": 0o644, "README.txt": 0o644}
SCRIPTS = {
    "aix": {"install.sh": 0o755},
    "linux": {"install.sh": 0o755},
    "macos": {"install.sh": 0o755},
    "windows": {"install.ps1": 0o644, "install.cmd": 0o644},
}
CASES = [
    (role, os, mutual)
    for role in ("server", "client")
    for os in SCRIPTS
    for mutual in (False, True)
    if (role, os) != ("server", "macos")
]


def modes(files: tuple[RenderedFile, ...]) -> dict[str, int]:
    assert len({file.name for file in files}) == len(files)
    return {file.name: file.mode for file in files}


@pytest.mark.parametrize(("role", "os", "mutual"), CASES)
def test_a_folder_holds_what_the_host_needs_and_no_more(role: str, os: str, mutual: bool) -> None:
    identity = {f"{role}-cert.pem": 0o644, f"{role}-key.pem": 0o600}
    expected = FIXED | SCRIPTS[os] | (identity if role == "server" or mutual else {})
    assert modes(render_host(bundle_of(role, os, mutual=mutual))) == expected


def test_a_server_gets_a_revocation_list_when_there_is_one() -> None:
    assert modes(render_host(bundle_of(crl=b"the list")))["crl.pem"] == 0o644
    assert "crl.pem" not in modes(render_host(bundle_of("client", crl=b"the list")))


def test_a_host_that_keeps_its_key_gets_none() -> None:
    assert "server-key.pem" not in modes(render_host(bundle_of(own_key=True)))


@pytest.mark.parametrize(("role", "os", "mutual"), CASES)
def test_the_manifest_knows_every_file_but_itself(role: str, os: str, mutual: bool) -> None:
    files = {file.name: file for file in render_host(bundle_of(role, os, mutual=mutual))}
    manifest = json.loads(files.pop("manifest.json").content)
    assert (manifest["version"], manifest["host"]) == (1, "ipm1.example.com")
    assert manifest["files"] == [
        {"name": name, "sha256": sha256(file.content).hexdigest(), "mode": f"{file.mode:04o}"}
        for name, file in sorted(files.items())
    ]


@pytest.mark.parametrize("os", ["aix", "linux"])
def test_the_readme_has_the_command_whose_digest_is_in_the_manifest(os: str, tmp_path: Path) -> None:
    folder = write_folder(bundle_of(os=os), tmp_path / "carried")
    (line,) = [line for line in (folder / "README.txt").read_text().splitlines() if "sha256" in line]
    program, *words = line.split()
    said = subprocess.run([require(program), *words], cwd=folder, capture_output=True, text=True, check=True)
    listed = {
        file["name"]: file["sha256"] for file in json.loads((folder / "manifest.json").read_text())["files"]
    }
    assert listed["install.sh"] in said.stdout


@pytest.mark.parametrize("os", SCRIPTS)
def test_rendering_is_deterministic(os: str) -> None:
    assert render_host(bundle_of("client", os)) == render_host(bundle_of("client", os))


@pytest.mark.parametrize("os", POSIX)
def test_the_script_knows_the_digest_of_what_it_installs(os: str) -> None:
    files = {file.name: file for file in render_host(bundle_of("client", os, mutual=True))}
    script = files["install.sh"].content.decode()
    for name in ("ca-cert.pem", "client-cert.pem", "client-key.pem"):
        assert sha256(files[name].content).hexdigest() in script
    assert pair("first")[1].decode() not in script
    assert "{{" not in script


def test_scripts_of_two_hosts_with_the_same_needs_differ_in_their_first_block_only() -> None:
    first, second = (
        next(file for file in render_host(bundle) if file.name == "install.sh").content.split(
            b"# ---- Linux", 1
        )
        for bundle in (bundle_of(), bundle_of(mutual=True, name="s.example.com", label="second"))
    )
    assert first[0] != second[0]
    assert first[1] == second[1]


@pytest.mark.parametrize("os", ["linux", "windows"])
@pytest.mark.parametrize("mutual", [False, True])
@pytest.mark.parametrize("role", ["server", "client"])
def test_the_readme_tells_three_steps_and_how_to_check_and_undo(role: str, mutual: bool, os: str) -> None:
    bundle = bundle_of(role, os, mutual=mutual, authority="Two\nlines  CA")
    readme = next(file for file in render_host(bundle) if file.name == "README.txt").content.decode()
    command, check, undo, remove = (
        ("install.cmd", "-Verify", "-Rollback", "-Uninstall")
        if os == "windows"
        else ("sh install.sh", "--verify", "--rollback", "--uninstall")
    )
    for step in ("1. ", "2. ", "3. "):
        assert f"\n{step}" in readme
    assert "Two lines CA" in readme
    for option in (check, undo, remove):
        assert f"{command} {option}" in readme
    assert ("private key" in readme) is (role == "server" or mutual)
    assert max(len(line) for line in readme.splitlines()) <= 100
    assert (f"{command} {'-User' if os == 'windows' else '--user'}\n" in readme) is (role == "client")
    assert ("root:GROUP" in readme) is (role == "client" and mutual and os == "linux")


def test_the_readme_says_whose_the_key_becomes_and_what_to_restart() -> None:
    def readme(**changes: object) -> str:
        files = render_host(bundle_of(**changes))  # type: ignore[arg-type]
        return next(file for file in files if file.name == "README.txt").content.decode()

    assert "will belong to ipm1" in readme(account="ipm1")
    assert "sh install.sh --owner ACCOUNT" in readme()
    assert "readable by its user alone" in readme(own_key=True)
    assert "stopsrc -s ipm" in readme(restart="stopsrc -s ipm")
    assert "install.cmd -Owner ACCOUNT" in readme(os="windows")


@pytest.mark.parametrize("os", ["linux", "windows"])
@pytest.mark.parametrize("role", ["server", "client"])
def test_the_readme_of_a_host_that_makes_its_key_tells_how_and_where_the_request_goes(
    role: str, os: str
) -> None:
    bundle = bundle_of(role, os, mutual=True, own_key=True, label="awaited", account="ipm1")
    readme = next(file for file in render_host(bundle) if file.name == "README.txt").content.decode()
    command = "install.cmd -NewKey" if os == "windows" else "sh install.sh --new-key"
    assert f"       {command}\n" in readme
    assert f"       csr/{role}.csr\n" in readme
    assert f"{role}-key.pem\n" in readme.partition("put it there as\n")[2]
    assert ("belong to ipm1" in readme) is (role == "server" and os == "linux")
    assert max(len(line) for line in readme.splitlines()) <= 100


def test_the_digest_of_the_templates_is_a_sha256_and_stays() -> None:
    assert len(bytes.fromhex(templates_digest())) == 32
    assert templates_digest() == templates_digest()
