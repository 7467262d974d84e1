"""Paths in pki.toml that a system can look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ipmpki.declaration.texts import LONGEST_FILE_NAME, LONGEST_PATH, file_path
from tests.cli.command import ipmpki
from tests.shop import HEAD, SERVER

if TYPE_CHECKING:
    from pathlib import Path

TOO_LONG = [
    "a" * (LONGEST_FILE_NAME + 1),
    "abcdefghi/" * (LONGEST_PATH // 10) + "b",
]
KEYS = ["csr", "store", "include", "certificate", "bundle", "certdata", "passphrase"]


def declared(key: str, path: str) -> str:
    """A declaration with the path at a key."""
    third = HEAD.replace('common_name = "Acme Print CA"', f'kind = "third-party"\n{key} = "{path}"')
    passed = HEAD.replace("[ca]", f'[ca]\npassphrase = {{ file = "{path}" }}')
    owned = HEAD.replace("[ca]", f'[ca]\ncertificate = "{path}"\nkey_file = "{path}"')
    texts = {"certificate": owned, "bundle": third, "certdata": third, "passphrase": passed}
    if key == "csr":
        return HEAD + SERVER + f'csr = "{path}"\n'
    given = f'["{path}"]' if key == "include" else f'"{path}"'
    return texts.get(key, f"{key} = {given}\n" + HEAD) + SERVER


@pytest.mark.parametrize("path", TOO_LONG, ids=["name", "path"])
@pytest.mark.parametrize("key", KEYS)
def test_a_path_that_no_system_takes_is_told_at_its_place(key: str, path: str, tmp_path: Path) -> None:
    file = tmp_path / "pki.toml"
    file.write_text(declared(key, path))
    for command in ("check", "plan", "build"):
        done = ipmpki(command, file)
        told = done.out + done.err
        assert done.status == 1
        assert "is longer than the name of a file may be" in told or "leads through more than" in told
        assert "pki.toml:" in told


@pytest.mark.parametrize("path", ["a" * LONGEST_FILE_NAME, "pkcs11:object=" + "a" * 300, "sites/*.toml"])
def test_what_systems_take_is_a_path(path: str) -> None:
    assert file_path(path) == path


@pytest.mark.parametrize("command", ["check", "plan", "build", "status", "show", "log", "doctor", "verify"])
def test_a_path_on_the_command_line_that_is_too_long_is_told(command: str, tmp_path: Path) -> None:
    done = ipmpki(command, tmp_path / ("a" * 300))
    assert done.status in {1, 2}
    assert "should not" not in done.err
