"""An authority that exists already: its files are read and judged, and never copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.command import ipmpki
from tests.operations.verify import mint

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE = """\
schema = 1
[ca]
certificate = "ca.pem"
key_file = "ca.key"
[[hosts]]
name = "desk1.example.com"
role = "client"
"""
BOUGHT = """\
schema = 1
[ca]
kind = "third-party"
bundle = "ca.pem"
[[hosts]]
name = "desk1.example.com"
role = "client"
"""


def authority() -> mint.Made:
    return mint.authority("Acme Print CA", path_length=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an authority's key; its certificate and pki.toml are up to the test."""
    (tmp_path / "ca.key").write_bytes(authority().key_pem())
    (tmp_path / "ca.key").chmod(0o600)
    return tmp_path


def published(folder: Path) -> list[Path]:
    return [*folder.glob("dist/ca/ca-cert.pem"), *folder.glob("dist/hosts/*/ca-cert.pem")]


@pytest.mark.parametrize("text", [PRIVATE, BOUGHT], ids=["private", "third-party"])
def test_a_private_key_in_the_authoritys_file_is_never_published(folder: Path, text: str) -> None:
    (folder / "pki.toml").write_text(text)
    (folder / "ca.pem").write_bytes(b"a remark\n" + authority().key_pem() + authority().pem)
    (folder / "ca.pem").chmod(0o600)
    assert ipmpki("build", folder / "pki.toml").status == 0
    files = published(folder)
    assert len(files) == 2
    assert {file.read_bytes() for file in files} == {authority().pem}
    assert ipmpki("plan", folder / "pki.toml", "--exit-code").status == 0


@pytest.mark.parametrize("text", [PRIVATE, BOUGHT], ids=["private", "third-party"])
@pytest.mark.parametrize("form", ["DER", "CR", "UTF-16"])
def test_whatever_the_form_of_its_file_plain_pem_is_published(folder: Path, text: str, form: str) -> None:
    (folder / "pki.toml").write_text(text)
    (folder / "ca.pem").write_bytes(
        {
            "DER": authority().der,
            "CR": authority().pem.replace(b"\n", b"\r"),
            "UTF-16": authority().pem.decode().encode("utf-16"),
        }[form]
    )
    assert ipmpki("build", folder / "pki.toml").status == 0
    assert {file.read_bytes() for file in published(folder)} == {authority().pem}
