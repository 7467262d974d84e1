"""The command line as such: help, version, failures in one line with a remedy, exit statuses."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from ipmpki.cli import console
from ipmpki.cli.main import COMMANDS, cli
from ipmpki.version import version_line
from tests.cli.command import ipmpki

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shop import Shop


def test_help_shows_every_command_and_examples() -> None:
    shown = ipmpki("--help")
    assert shown.status == 0
    assert all(f"  {name} " in shown.out for name in COMMANDS)
    assert "ipmpki build pki.toml" in shown.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    shown = ipmpki(name, "--help")
    assert shown.status == 0
    assert shown.out.startswith(f"Usage: ipmpki {name}")


def test_every_line_of_the_overview_is_the_commands_own() -> None:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        assert command.help


def test_the_version_is_one_line() -> None:
    assert ipmpki("--version").out == f"{version_line()}\n"


@pytest.mark.parametrize("how", [["-m", "ipmpki"]])
def test_it_runs_as_a_module_and_imports_nothing_heavy_for_the_version(how: list[str]) -> None:
    completed = subprocess.run(
        [sys.executable, "-X", "importtime", *how, "--version"], capture_output=True, text=True, check=True
    )
    assert completed.stdout == f"{version_line()}\n"
    assert not any(name in completed.stderr for name in ("click", "pydantic", "cryptography", "rich"))


def test_a_misspelt_command_is_guessed() -> None:
    failed = ipmpki("bild")
    assert (failed.status, failed.out) == (2, "")
    assert (
        failed.err
        == "error: there is no command 'bild'; did you mean 'build'?\n  help: see 'ipmpki --help'\n"
    )


def test_an_unknown_option_is_wrong_usage() -> None:
    failed = ipmpki("check", "--frmat", "json")
    assert failed.status == 2
    assert "ipmpki check --help" in failed.err


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    failed = ipmpki("check", tmp_path / "pki.toml")
    assert failed.status == 2
    assert "does not exist" in failed.err


def test_an_unforeseen_failure_is_one_line_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pki.toml").write_text("")

    def broken(*_: object, **__: object) -> None:
        message = "with a secret in it"
        raise ZeroDivisionError(message)

    monkeypatch.setattr("ipmpki.operations.load.load", broken)
    failed = ipmpki("check", tmp_path / "pki.toml")
    assert failed.status == 4
    assert "ZeroDivisionError" in failed.err
    assert "secret" not in failed.err
    assert "Traceback" not in failed.err
    monkeypatch.setenv("IPMPKI_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        ipmpki("check", tmp_path / "pki.toml")


def test_an_interrupt_says_how_to_carry_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pki.toml").write_text("")

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ipmpki.operations.load.load", interrupted)
    failed = ipmpki("check", tmp_path / "pki.toml")
    assert failed.status == 130
    assert (
        failed.err.lstrip()
        == "error: interrupted\n  help: run the command again: it carries on where it was\n"
    )


class Terminal:
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_and_never_with_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert console.wants_colour(Terminal())  # type: ignore[arg-type]
    monkeypatch.setenv("NO_COLOR", "1")
    assert not console.wants_colour(Terminal())  # type: ignore[arg-type]
    monkeypatch.delenv("NO_COLOR")
    assert not console.wants_colour(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not console.wants_colour(Terminal())  # type: ignore[arg-type]


def test_a_reader_that_leaves_early_is_no_failure() -> None:
    command = f"'{sys.executable}' -m ipmpki rules | head -n 1"
    completed = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert completed.stderr == ""


@pytest.mark.parametrize("command", ["check", "plan", "status"])
def test_what_issues_nothing_loads_no_library_that_could(built_shop: Shop, command: str) -> None:
    """It would be a third of what one waits for."""
    code = (
        "import sys\nfrom ipmpki.cli.main import run\n"
        "try:\n    run(sys.argv[1:])\n"
        "except SystemExit:\n    pass\n"
        "print({'cryptography', 'jinja2', 'tomlkit'} & set(sys.modules))"
    )
    words = [sys.executable, "-c", code, command, str(built_shop.store.with_name("pki.toml"))]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.endswith("set()\n")


@pytest.mark.parametrize("command", [("check",), ("plan",), ("build", "pki.toml"), ("status",)])
def test_a_folder_that_was_deleted_under_ones_feet_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    done = ipmpki(*command)
    assert done.status == 2
    assert done.err == "error: the folder that you work in was deleted\n  help: go to another: cd DIRECTORY\n"
