"""The wheel and the sdist: the same bytes from every build, and all in them that is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from ipmpki.version import __version__
from tests.places import REPOSITORY
from tests.tools import require, require_module

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.exhaustive
UNTRACKED = shutil.ignore_patterns(
    *(".git", ".venv", ".*_cache", ".hypothesis", ".coverage*", "__pycache__", "build", "dist", "pki.db*"),
    *("*.egg-info", "commit-date", "ca-*.pem"),
)
DAY = "2026-11-24"
PAGES = REPOSITORY / "data/share/man/man1"


def clone(folder: Path) -> Path:
    """The project as a clone of one commit, made on ``DAY``."""
    shutil.copytree(REPOSITORY, folder, ignore=UNTRACKED, copy_function=shutil.copy)
    moment = f"{DAY}T12:00:00Z"
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    for command in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message=All")):
        subprocess.run(
            [require("git"), *identity, *command],
            cwd=folder,
            check=True,
            env={**os.environ, "GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment},
        )
    return folder


def packages_of(folder: Path, *targets: str) -> dict[str, Path]:
    """What a build of a folder makes, by the end of its name."""
    require_module("hatchling")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", "../packages", *targets],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return {path.suffix: path for path in (folder.parent / "packages").iterdir()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The packages of a clone."""
    return packages_of(clone(tmp_path_factory.mktemp("built") / "ipmpki"))


@pytest.fixture(scope="module")
def unpacked(built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the sdist holds."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(built[".gz"]) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"ipmpki-{__version__}"


def test_two_builds_of_a_commit_are_the_same_bytes(built: dict[str, Path], tmp_path: Path) -> None:
    again = packages_of(clone(tmp_path / "elsewhere"))
    assert {path.name for path in again.values()} == {path.name for path in built.values()}
    for end, path in again.items():
        assert path.read_bytes() == built[end].read_bytes(), path.name


def test_the_wheel_of_the_sdist_is_the_wheel(built: dict[str, Path], unpacked: Path) -> None:
    again = packages_of(unpacked, "--target", "wheel")[".whl"]
    assert again.read_bytes() == built[".whl"].read_bytes()


def test_the_version_has_the_day_of_the_commit(built: dict[str, Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(built[".whl"]) as wheel:
        wheel.extractall(tmp_path)  # noqa: S202 -- our own, made a moment ago
    told = subprocess.run(
        [sys.executable, "-m", "ipmpki", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == f"ipmpki {__version__} ({DAY})\n"


def test_the_wheel_holds_the_package_and_its_manual_pages_alone(built: dict[str, Path]) -> None:
    with zipfile.ZipFile(built[".whl"]) as wheel:
        names = wheel.namelist()
    pages = {name.rpartition("/")[2] for name in names if "/share/man/man1/" in name}
    assert pages == {path.name for path in PAGES.iterdir()}
    meta = f"ipmpki-{__version__}"
    assert {name.partition("/")[0] for name in names} == {"ipmpki", f"{meta}.dist-info", f"{meta}.data"}
    assert {"ipmpki/py.typed", "ipmpki/cli/templates/pki.toml", "ipmpki/commit-date"} <= set(names)
    assert not [name for name in names if "__pycache__" in name]


def test_the_sdist_holds_all_that_a_clone_does(built: dict[str, Path]) -> None:
    listed = subprocess.run(
        [require("git"), "ls-files"],
        cwd=built[".gz"].parents[1] / "ipmpki",
        capture_output=True,
        text=True,
        check=True,
    )
    with tarfile.open(built[".gz"]) as archive:
        held = {one.name.partition("/")[2] for one in archive.getmembers() if one.isfile()}
    assert set(listed.stdout.splitlines()) <= held | {".gitignore"}
    assert held - set(listed.stdout.splitlines()) <= {"PKG-INFO", "ipmpki/commit-date"}


def test_the_sdist_passes_its_own_tests(unpacked: Path) -> None:
    """Those that read the project's files beside the package; the others are collected."""
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    for arguments in (["--collect-only", "-n", "0", "tests"], ["tests/docs", "tests/test_examples.py"]):
        told = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *arguments],
            cwd=unpacked,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stdout[-2000:]
