"""The parts of the install scripts: each host has those that it can use."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from ipmpki.render import TEMPLATES
from ipmpki.render.host_folder import inputs
from ipmpki.render.host_folder.folder import render_host
from ipmpki.render.host_folder.script_parts import PARTS
from tests.render.host_folder.bundles import bundle_of

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.render.host_folder.contents import HostBundle

SCRIPTS = {"sh": "linux", "ps1": "windows"}


def script_of(bundle: HostBundle, suffix: str) -> str:
    named = {file.name: file.content for file in render_host(bundle)}
    return named[f"install.{suffix}"].decode().replace("\r\n", "\n")


def parts_in(script: str, suffix: str) -> set[str]:
    """The parts whose headings stand in a script."""
    headings = {
        part: (TEMPLATES / f"install_{suffix}/{part}.{suffix}").read_text().partition("\n")[0]
        for part in PARTS
    }
    return {part for part, heading in headings.items() if f"\n{heading}\n" in script}


@pytest.mark.parametrize("suffix", SCRIPTS)
def test_both_scripts_are_made_of_the_same_parts(suffix: str) -> None:
    folder = TEMPLATES / f"install_{suffix}"
    assert {path.name for path in folder.iterdir()} == {
        f"head.{suffix}.j2",
        *(f"{part}.{suffix}" for part in PARTS),
    }


@pytest.mark.parametrize(("suffix", "os"), SCRIPTS.items())
@pytest.mark.parametrize(
    ("role", "own_key", "without"),
    [
        ("server", False, {"own_key", "user"}),
        ("server", True, {"user"}),
        ("client", False, {"own_key"}),
        ("client", True, set()),
    ],
)
def test_a_host_has_the_parts_that_it_can_use(
    suffix: str, os: str, role: str, own_key: bool, without: set[str]
) -> None:
    script = script_of(bundle_of(role, os, mutual=True, own_key=own_key), suffix)
    assert parts_in(script, suffix) == set(PARTS) - without
    assert "#%" not in script


@pytest.mark.parametrize("suffix", SCRIPTS)
def test_a_change_of_any_part_is_another_digest(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a build would publish anew hangs on the digest: a part that it forgot would never reach a host."""
    copy = tmp_path / "templates"
    shutil.copytree(TEMPLATES, copy)
    monkeypatch.setattr(inputs, "TEMPLATES", copy)
    digest_now = inputs.templates_digest.__wrapped__
    seen = {digest_now()}
    for path in sorted((copy / f"install_{suffix}").iterdir()):
        path.write_bytes(path.read_bytes() + b"# another line\n")
        seen.add(digest_now())
    assert len(seen) == len(PARTS) + 2


@pytest.mark.parametrize(
    ("role", "own_key", "limit"),
    [
        ("client", False, 65_700),
        ("server", False, 72_900),
        ("client", True, 78_000),
        ("server", True, 82_300),
    ],
)
def test_install_sh_does_not_grow(role: str, own_key: bool, limit: int) -> None:
    """In bytes. The aim is 50 kB for a client and 58 kB for a server; these are what is reached."""
    for os in ("linux", "aix"):
        assert len(script_of(bundle_of(role, os, mutual=True, own_key=own_key), "sh")) <= limit


@pytest.mark.parametrize(
    ("role", "own_key", "limit"),
    [
        ("client", False, 99_500),
        ("server", False, 97_500),
        ("client", True, 110_500),
        ("server", True, 109_000),
    ],
)
def test_install_ps1_does_not_grow(role: str, own_key: bool, limit: int) -> None:
    """In bytes. The aim is 75 kB for a client and 85 kB for a server; these are what is reached."""
    assert len(script_of(bundle_of(role, "windows", mutual=True, own_key=own_key), "ps1")) <= limit


@pytest.mark.parametrize("own_key", [False, True])
@pytest.mark.parametrize("role", ["client", "server"])
def test_both_helps_name_the_same_options(role: str, own_key: bool) -> None:
    """But for -Repair: only Windows has rights that this script can mend."""
    named = {}
    for suffix, os in SCRIPTS.items():
        bundle = bundle_of(role, os, mutual=True, own_key=own_key, restart="true")
        script = script_of(bundle, suffix)
        start = script.index("usage: ")
        words = re.findall(
            r"(?<=[\[ |])--?[A-Za-z][A-Za-z-]+", script[start : script.index("exit status", start)]
        )
        named[suffix] = {word.replace("-", "").lower() for word in words} - {"help", "file"}
    assert named["ps1"] - named["sh"] == {"repair"}
    assert named["sh"] <= named["ps1"]
