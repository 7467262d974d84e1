"""Shell completion: the scripts, and what they are answered."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ipmpki.cli.main import COMMANDS
from tests.tools import require

if TYPE_CHECKING:
    from tests.cli.terminal import Terminal


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("bash", "complete -o nosort -F _ipmpki_completion ipmpki"),
        ("zsh", "#compdef ipmpki"),
        ("fish", "complete --no-files --command ipmpki"),
    ],
)
def test_a_script_is_printed_for_each_shell(terminal: Terminal, shell: str, words: str) -> None:
    outcome = terminal("completion", shell)
    assert (outcome.status, outcome.err) == (0, "")
    assert words in outcome.out
    assert f"_IPMPKI_COMPLETE={shell}_complete" in outcome.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_accepts_its_script(terminal: Terminal, shell: str) -> None:
    script = terminal("completion", shell).out
    checked = subprocess.run(
        [require(shell), "-n"], input=script, text=True, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_another_shell_is_refused(terminal: Terminal) -> None:
    assert terminal("completion", "ksh").status == 2


def offered(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, words: str) -> list[str]:
    """What bash is offered where the cursor stands at the end of the words."""
    monkeypatch.setenv("_IPMPKI_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    outcome = terminal()
    assert outcome.status == 0
    return outcome.out.split()


def test_all_commands_are_offered(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    found = offered(terminal, monkeypatch, "ipmpki ")
    assert [line for line in found if not line.startswith("plain,-")] == [
        f"plain,{name}" for name in COMMANDS
    ]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("ipmpki ho", ["plain,host"]),
        ("ipmpki host ", ["plain,add", "plain,list", "plain,remove", "plain,set"]),
        ("ipmpki host set --role ", ["plain,server", "plain,client"]),
        ("ipmpki host remove pki.toml d", ["plain,desk1.example.com"]),
        ("ipmpki host remove I", ["plain,ipm1.example.com", "file,I"]),
        ("ipmpki host remove gone.toml d", []),
        ("ipmpki check ", ["file,"]),
        ("ipmpki completion z", ["plain,zsh"]),
    ],
)
def test_what_fits_is_offered(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, words: str, answer: list[str]
) -> None:
    terminal("init")
    assert offered(terminal, monkeypatch, words) == answer


def test_a_press_of_the_tab_key_works_in_a_process(terminal: Terminal) -> None:
    asking = {"_IPMPKI_COMPLETE": "bash_complete", "COMP_WORDS": "ipmpki ex", "COMP_CWORD": "1"}
    answer = subprocess.run(
        [sys.executable, "-m", "ipmpki"],
        env={**os.environ, **asking},
        cwd=terminal.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "plain,explain\n", "")
