"""docs/every-month.md: what looks every Monday, by cron or by systemd, mails what is due and nothing else."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import blocks
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PAGE = "docs/every-month.md"
BLOCKS = blocks(PAGE)
UNITS = {
    block.text.partition("\n")[0].removeprefix("# "): block.text
    for block in BLOCKS
    if block.language == "ini"
}
(CRONTAB,) = [block.text for block in BLOCKS if block.language == "crontab"]
(SCRIPT,) = [block.text for block in BLOCKS if block.argument == "ipmpki-due"]


DUE = ("Plan: 4 to renew; 2 kept.", 3)
WELL = ("Nothing to do: everything is as declared (6 artifacts).", 0)
BROKEN = ("error[toml-syntax]: a value is missing", 1)


def tools(folder: Path, plan: tuple[str, int], status: str = "") -> dict[str, str]:
    """An environment with the page's script, a ``mail`` that keeps what it gets, and such an ``ipmpki``.

    What ipmpki itself says on such days is held by the page's own transcript.
    """
    programs = folder / "bin"
    programs.mkdir()
    (programs / "ipmpki-due").write_text(SCRIPT)
    (programs / "mail").write_text(f'#!/bin/sh\n{{ echo "$@"; cat; }} > {folder}/mailed\n')
    (programs / "ipmpki").write_text(
        "#!/bin/sh\n"
        f'test -e pki.toml || exit 9\n[ "$1" != status ] || {{ echo "{status}"; exit 0; }}\n'
        f'[ "$*" = "plan pki.toml --exit-code" ] || exit 9\necho "{plan[0]}" >&2; exit {plan[1]}\n'
    )
    for program in programs.iterdir():
        program.chmod(0o755)
    (folder / "pki.toml").touch()
    return {"PATH": f"{programs}:{os.environ['PATH']}"}


def run(command: str, folder: Path, environment: Mapping[str, str]) -> str:
    """A line as cron or systemd runs it, in the place of /srv/ipmpki; what it prints."""
    completed = subprocess.run(
        ["/bin/sh", "-c", command.replace("/srv/ipmpki", str(folder))],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        env=environment,
    )
    return completed.stdout


def cron_command() -> str:
    schedule = CRONTAB.splitlines()[-1].split(maxsplit=5)
    assert schedule[:5] == ["0", "7", "*", "*", "1"]
    assert "%" not in schedule[5]  # which is a line end to cron (crontab(5))
    return schedule[5]


@pytest.mark.parametrize(
    ("plan", "status", "mailed"),
    [
        (WELL, "✓ ipm1.example.com  server  valid  renew from 2027-11-26", ""),
        (DUE, "", "Plan: 4 to renew; 2 kept.\n"),
        (BROKEN, "", "error[toml-syntax]: a value is missing\n"),
        (
            WELL,
            "✓ ipm1  server  valid  install by 2026-12-16",
            "✓ ipm1  server  valid  install by 2026-12-16\n",
        ),
    ],
)
def test_cron_mails_what_is_due_or_broken_and_nothing_else(
    tmp_path: Path, plan: tuple[str, int], status: str, mailed: str
) -> None:
    assert run(cron_command(), tmp_path, tools(tmp_path, plan, status)) == mailed


def test_cron_mails_that_the_folder_is_gone(tmp_path: Path) -> None:
    environment = tools(tmp_path, WELL)
    assert "gone" in run(f"{cron_command()}/gone || true", tmp_path, environment)


def service_command() -> str:
    line = next(line for line in UNITS["ipmpki-due.service"].splitlines() if line.startswith("ExecStart="))
    start, command = "ExecStart=/bin/sh -c '", line.removesuffix("'")
    assert command.startswith(start)
    return command.removeprefix(start).replace("$$", "$")  # as systemd does (systemd.service(5))


@pytest.mark.parametrize(("plan", "mails"), [(DUE, True), (WELL, False)])
def test_the_service_mails_only_when_something_is_due(
    tmp_path: Path, plan: tuple[str, int], *, mails: bool
) -> None:
    assert run(service_command(), tmp_path, tools(tmp_path, plan)) == ""
    assert (tmp_path / "mailed").exists() is mails
    if mails:
        sent = (tmp_path / "mailed").read_text()
        assert sent == f"-s ipmpki: something is due print-admins@example.com\n{DUE[0]}\n"


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    assert UNITS.keys() == {"ipmpki-due.timer", "ipmpki-due.service"}
    for name, text in UNITS.items():
        (tmp_path / name).write_text(text)
    checked = subprocess.run(
        [require("systemd-analyze"), "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not [line for line in checked.stderr.splitlines() if "ipmpki-due" in line], checked.stderr
    assert checked.returncode == 0, checked.stderr
