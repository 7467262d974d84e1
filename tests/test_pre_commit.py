"""The hooks for pre-commit, run by pre-commit itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.places import REPOSITORY
from tests.problems import AUTHORITY, CLIENT, server
from tests.tools import require

MANIFEST = REPOSITORY / ".pre-commit-hooks.yaml"
GOOD = AUTHORITY + server() + CLIENT


def pre_commit(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pre-commit in a folder, with its cache beside it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path, "PRE_COMMIT_HOME": str(folder.parent / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def git(folder: Path, *arguments: str) -> None:
    name = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    command = [require("git"), *name, *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with a declaration, all of it added."""
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "pki.toml").write_text(GOOD)
    git(folder, "add", "pki.toml")
    return folder


def test_pre_commit_finds_the_manifest_valid() -> None:
    found = pre_commit(REPOSITORY, "validate-manifest", str(MANIFEST))
    assert found.returncode == 0, found.stdout


def configure(folder: Path) -> None:
    """Use the hooks with the ipmpki that is being tested, rather than with one that is installed for them."""
    hooks = [{**hook, "language": "system"} for hook in yaml.safe_load(MANIFEST.read_text("utf-8"))]
    config = {"repos": [{"repo": "local", "hooks": hooks}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    git(folder, "add", ".pre-commit-config.yaml")


def test_a_good_declaration_passes(shop: Path) -> None:
    configure(shop)
    done = pre_commit(shop, "run", "--color", "never")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("Passed") == 2


def test_a_mistake_stops_the_commit_and_is_shown(shop: Path) -> None:
    configure(shop)
    (shop / "pki.toml").write_text(GOOD.replace('"server"', '"sever"'))
    git(shop, "add", "pki.toml")
    done = pre_commit(shop, "run", "ipmpki-check", "--color", "never")
    assert done.returncode == 1
    assert "error[wrong-value]: 'sever' is not a role" in done.stdout


def test_what_is_fixed_is_left_to_be_looked_at(shop: Path) -> None:
    configure(shop)
    (shop / "pki.toml").write_text(GOOD.replace('"server"', '"sever"'))
    git(shop, "add", "pki.toml")
    done = pre_commit(shop, "run", "ipmpki-fix", "--color", "never")
    assert done.returncode == 1
    assert "files were modified by this hook" in done.stdout
    assert (shop / "pki.toml").read_text() == GOOD


def test_a_mistake_in_an_included_file_stops_the_commit_too(shop: Path) -> None:
    configure(shop)
    (shop / "site.toml").write_text('[[hosts]]\nname = "a"\nrole = "client"\n')
    (shop / "pki.toml").write_text('include = ["site.toml"]\n' + GOOD)
    git(shop, "add", "pki.toml", "site.toml")
    git(shop, "commit", "--quiet", "--no-verify", "--message", "All")
    (shop / "site.toml").write_text('[[hosts]]\nname = "b"\nrole = "client"\n')
    git(shop, "add", "site.toml")
    done = pre_commit(shop, "run", "ipmpki-check", "--color", "never")
    assert done.returncode == 1
    assert "site.toml:2:8" in done.stdout


@pytest.mark.exhaustive
def test_pre_commit_installs_and_runs_the_hooks(shop: Path) -> None:
    done = pre_commit(shop, "try-repo", str(REPOSITORY), "ipmpki-check", "--all-files", "--color", "never")
    assert done.returncode == 0, done.stdout
    assert "Passed" in done.stdout
