"""Who else gets at a declaration's files: held against git itself, and against real permissions."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations import surroundings
from tests.cli.command import ipmpki
from tests.tools import require, unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.diagnostics.problem import LocatedProblem
    from tests.shop import Shop

IGNORED = "secrets-not-ignored-by-git"
SERVED = "secrets-under-web-root"
WRITABLE = "writable-by-everyone"


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, with no settings but its own."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    command = [require("git"), "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    return subprocess.run(
        [*command, *arguments], check=True, capture_output=True, text=True, env=environment
    ).stdout


def found(shop: Shop, rule: str) -> list[LocatedProblem]:
    """What a rule finds in a shop."""
    return [one for one in shop.load().problems if one.problem.rule == rule]


def messages(shop: Shop, rule: str = IGNORED) -> list[str]:
    return [one.problem.message for one in found(shop, rule)]


@pytest.fixture
def repository(shop: Shop) -> Shop:
    """A shop in a git repository of its own."""
    git(shop.folder, "init", "--quiet")
    return shop


# --- Git --------------------------------------------------------------------------------------------


def test_keys_that_git_does_not_ignore_are_told_before_and_after_they_are_there(repository: Shop) -> None:
    before = messages(repository)
    assert before == [
        "git does not ignore 'dist/' and 'pki.db': the secrets there go with the next commit of everything"
    ]
    repository.build()
    assert messages(repository) == before
    assert "dist/hosts/ipm1.example.com/server-key.pem" in git(
        repository.folder, "status", "--porcelain", "--untracked-files=all"
    )


def test_the_lines_that_the_remedy_names_are_enough_for_git(repository: Shop) -> None:
    repository.build()
    (problem,) = found(repository, IGNORED)
    remedy = problem.problem.help
    assert remedy == (
        f"write into '{repository.folder}/.gitignore' on lines of their own: '/dist/', '/pki.db*'"
    )
    (repository.folder / ".gitignore").write_text("/dist/\n/pki.db*\n")
    assert messages(repository) == []
    git(repository.folder, "add", "--all")
    assert git(repository.folder, "ls-files").split() == [".gitignore", "pki.toml"]


@pytest.mark.parametrize(
    "files",
    [
        {".gitignore": "dist\n*.db\n"},
        {".gitignore": "*-key.pem\npki.*\n!pki.toml\n"},
        {".git/info/exclude": "/dist/\n/pki.db\n"},
        {"dist/.gitignore": "*\n", ".gitignore": "pki.db\n"},
        {".gitignore": "*\n!pki.toml\n"},
    ],
    ids=["names", "patterns", "exclude", "a nested file", "all but the declaration"],
)
def test_any_way_of_ignoring_will_do(repository: Shop, files: dict[str, str]) -> None:
    for name, text in files.items():
        (repository.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (repository.folder / name).write_text(text)
    assert messages(repository) == []


def test_only_what_is_not_ignored_is_named(repository: Shop) -> None:
    (repository.folder / ".gitignore").write_text("/dist/\n")
    assert [message.partition(":")[0] for message in messages(repository)] == ["git does not ignore 'pki.db'"]


def test_a_secret_that_was_committed_is_told_though_it_is_ignored_now(repository: Shop) -> None:
    (repository.folder / ".gitignore").write_text("/dist/\n/pki.db*\n")
    repository.build()
    git(repository.folder, "add", "--force", "pki.db")
    assert [message.partition(":")[0] for message in messages(repository)] == ["git has 'pki.db' already"]


def test_files_of_the_authoritys_secrets_stand_at_their_place(repository: Shop) -> None:
    (repository.folder / ".gitignore").write_text("/dist/\n/pki.db*\n")
    (repository.folder / "secret.txt").write_text("x\n")
    repository.edit("\n[tls]", 'passphrase = { file = "secret.txt" }\n\n[tls]')
    (problem,) = found(repository, IGNORED)
    assert problem.problem.place.path == ("ca", "passphrase", "file")
    assert "hosts/" not in problem.problem.message


def test_a_repository_further_up_counts_and_one_further_down_does_not(tmp_path: Path, shop: Shop) -> None:
    folder = tmp_path / "work" / "pki"
    folder.mkdir(parents=True)
    git(tmp_path / "work", "init", "--quiet")
    (folder / "inner").mkdir()
    git(folder / "inner", "init", "--quiet")
    shop.folder = folder
    shop.write(shop.text)
    (problem,) = found(shop, IGNORED)
    assert problem.problem.help is not None
    assert "'/pki/dist/', '/pki/pki.db*'" in problem.problem.help


def test_a_second_work_tree_is_one_too(repository: Shop, tmp_path: Path) -> None:
    git(repository.folder, "add", "pki.toml")
    git(repository.folder, "commit", "--quiet", "--message", "x")
    second = tmp_path / "second"
    git(repository.folder, "worktree", "add", "--quiet", str(second))
    assert (second / ".git").is_file()
    outcome = ipmpki("check", str(second / "pki.toml"))
    assert f"warning[{IGNORED}]" in outcome.err


def test_a_hook_of_another_repository_does_not_mislead(
    repository: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    (other / ".gitignore").write_text("*\n")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert len(messages(repository)) == 1


def test_where_no_git_is_nothing_is_told(repository: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository.folder))
    assert messages(repository) == []


def test_outside_a_repository_git_is_not_run(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = tmp_path / "called"
    shim(tmp_path / "bin", f"touch {called}", monkeypatch)
    assert messages(shop) == []
    assert not called.exists()


def shim(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a script in the place of git."""
    folder.mkdir()
    program = folder / "git"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    "script",
    ["exec sleep 60", "exit 128", "kill -9 $$", "cat >/dev/null; printf '\\377\\000'; exit 2"],
    ids=["hangs", "refuses", "dies", "talks nonsense"],
)
def test_a_git_that_cannot_be_asked_holds_nothing_up(
    repository: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    shim(tmp_path / "bin", script, monkeypatch)
    monkeypatch.setattr(surroundings, "_PATIENCE_SECONDS", 0.2)
    begin = time.monotonic()
    assert messages(repository) == []
    assert time.monotonic() - begin < 10


def test_another_users_repository_is_not_trusted(repository: Shop) -> None:
    if os.geteuid():
        unavailable("root, who alone can give a folder away,")
    for path in (repository.folder, *repository.folder.rglob("*")):
        os.chown(path, 65534, 65534)
    assert messages(repository) == []


def test_nothing_that_a_repository_configures_is_run(repository: Shop, tmp_path: Path) -> None:
    called = tmp_path / "called"
    program = tmp_path / "monitor"
    program.write_text(f"#!/bin/sh\ntouch {called}\n")
    program.chmod(0o755)
    git(repository.folder, "add", "pki.toml")
    git(repository.folder, "config", "core.fsmonitor", str(program))
    assert len(messages(repository)) == 1
    assert not called.exists()
    git(repository.folder, "status")
    assert called.exists(), "the trap must be one"


def test_a_program_called_git_in_the_folder_at_hand_is_not_run(
    repository: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = tmp_path / "called"
    shim(tmp_path / "here", f"touch {called}", monkeypatch)
    monkeypatch.chdir(tmp_path / "here")
    assert messages(repository) == []
    assert not called.exists()


def test_a_place_with_odd_characters_is_asked_for_as_it_is(tmp_path: Path, shop: Shop) -> None:
    folder = tmp_path / "a *b\n[c]"
    folder.mkdir()
    git(folder, "init", "--quiet")
    shop.folder = folder
    shop.write(shop.text)
    assert len(messages(shop)) == 1
    (folder / ".gitignore").write_text("/dist/\n/pki.db*\n")
    assert messages(shop) == []


# --- Web roots --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["public_html", "htdocs", "wwwroot"])
def test_a_folder_that_web_servers_publish_is_told(shop: Shop, tmp_path: Path, name: str) -> None:
    shop.folder = tmp_path / name / "pki"
    shop.folder.mkdir(parents=True)
    shop.write(shop.text)
    assert messages(shop, SERVED) == [
        f"secrets lie in '{tmp_path / name}', which web servers publish: 'dist/' and 'pki.db'"
    ]


def test_a_link_into_such_a_folder_is_one(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "public_html").mkdir()
    shop.dist.symlink_to(tmp_path / "public_html", target_is_directory=True)
    assert [message.rpartition(": ")[2] for message in messages(shop, SERVED)] == ["'dist/'"]


# --- Permissions ------------------------------------------------------------------------------------

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")


@posix
def test_files_that_everybody_may_write_are_told(shop: Shop) -> None:
    (shop.folder / "sites").mkdir()
    (shop.folder / "csr").mkdir()
    site = shop.folder / "sites" / "a.toml"
    site.write_text('[[hosts]]\nname = "desk9.example.com"\nrole = "client"\ncsr = "csr/desk9.csr"\n')
    request = shop.folder / "csr" / "desk9.csr"
    request.write_text("x")
    shop.write('include = ["sites/*.toml"]\n' + shop.text)
    assert messages(shop, WRITABLE) == []
    for path in (shop.declaration, site, request):
        path.chmod(0o666)
    assert [(one.label.file.rpartition("/")[2], one.problem.place.path) for one in found(shop, WRITABLE)] == [
        ("pki.toml", ()),
        ("a.toml", ()),
        ("a.toml", ("hosts", 0, "csr")),
    ]


@posix
def test_a_name_relative_to_the_folder_at_hand_leads_to_the_same_files(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop.folder / "sites").mkdir()
    site = shop.folder / "sites" / "a.toml"
    site.write_text("")
    shop.write('include = ["sites/a.toml"]\n' + shop.text)
    site.chmod(0o666)
    monkeypatch.chdir(shop.folder.parent)
    outcome = ipmpki("check", f"{shop.folder.name}/pki.toml")
    assert "everybody on this computer may write 'sites/a.toml' (mode 0666)" in outcome.err
    monkeypatch.chdir(shop.folder)
    assert "everybody on this computer may write 'sites/a.toml' (mode 0666)" in ipmpki("check").err


@posix
def test_a_folder_in_which_everybody_may_rename_is_told_once(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "open" / "inner"
    folder.mkdir(parents=True)
    shop.folder = folder
    shop.write(shop.text)
    folder.parent.chmod(0o777)
    assert messages(shop, WRITABLE) == [
        f"everybody on this computer may write the folder '{folder.parent}' (mode 0777), and so put another"
        " file in the place of this one"
    ]
    folder.parent.chmod(0o1777)
    assert messages(shop, WRITABLE) == []


@posix
def test_a_group_of_operators_may_write(shop: Shop) -> None:
    shop.declaration.chmod(0o664)
    shop.folder.chmod(0o775)
    assert messages(shop, WRITABLE) == []


def test_what_git_tracks_already_is_not_to_be_ignored_but_taken_out(repository: Shop) -> None:
    repository.build()
    git(repository.folder, "add", "--all")
    (repository.folder / ".gitignore").write_text("/dist/\n/pki.db*\n")
    shown = ipmpki("check", repository.declaration)
    assert "git has 'dist/' and 'pki.db' already" in shown.err
    assert "git rm -r --cached dist pki.db; and have the keys made anew" in shown.err
    assert "on lines of their own" not in shown.err
