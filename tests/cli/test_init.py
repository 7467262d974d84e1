"""``ipmpki init``: the file it writes is a declaration, explains every key, and overwrites nothing."""

from __future__ import annotations

import os
import stat
import tomllib
from typing import TYPE_CHECKING

import pytest

from ipmpki.declaration import model, tables
from ipmpki.declaration.model import known_keys

if TYPE_CHECKING:
    from tests.cli.terminal import Terminal


def test_the_file_is_written_and_has_no_problem(terminal: Terminal) -> None:
    before = os.umask(0o022)
    try:
        outcome = terminal("init")
    finally:
        os.umask(before)
    assert outcome.status == 0
    assert "ipmpki check pki.toml" in outcome.out
    assert stat.S_IMODE((terminal.folder / "pki.toml").stat().st_mode) == 0o644
    checked = terminal("check", "pki.toml", "--strict")
    assert (checked.status, checked.err) == (0, "pki.toml: no problems (2 hosts)\n")


def test_the_file_is_ascii_and_fits_a_terminal(terminal: Terminal) -> None:
    terminal("init")
    text = terminal.read("pki.toml")
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 100


def uncommented(text: str) -> str:
    """The template with every key that is shown as a remark in use."""
    lines = []
    for line in text.splitlines():
        key, equals, _ = line.removeprefix("# ").partition(" = ")
        is_key = line.startswith("# ") and equals and key.replace("_", "").isalpha()
        is_header = line.startswith("# [") and line.endswith("]") and "[[" not in line
        lines.append(line.removeprefix("# ") if is_key or is_header else line)
    return "\n".join(lines)


def test_every_key_is_shown_and_each_is_known(terminal: Terminal) -> None:
    terminal("init")
    shown = terminal.read("pki.toml")
    text = uncommented(shown).replace("passphrase = { file", "# passphrase = { file")
    values = tomllib.loads(text)
    for path in [
        (),
        ("ca",),
        ("tls",),
        ("defaults",),
        ("ipm", "keywords"),
        ("rollout",),
        ("rules",),
        ("hosts", 0),
    ]:
        table = values
        for step in path:
            table = table[step]  # type: ignore[index]
        missing = set(known_keys(tables.Declaration, path)) - set(table)
        assert not missing, f"{path} lacks {missing}"
    declaration, faults = model.read(tables.Declaration, values)
    assert faults == ()
    assert declaration is not None


def test_what_is_shown_as_a_default_is_the_default() -> None:
    from importlib import resources

    text = (resources.files("ipmpki.cli") / "templates/pki.toml").read_text("ascii")
    written, _ = model.read(tables.Declaration, tomllib.loads(text))
    bare, _ = model.read(tables.Declaration, {"ca": {"common_name": "Print CA"}})
    assert written is not None
    assert bare is not None
    assert (written.ca, written.tls, written.defaults, written.ipm, written.rollout) == (
        bare.ca,
        bare.tls,
        bare.defaults,
        bare.ipm,
        bare.rollout,
    )


@pytest.mark.parametrize("name", ["pki.toml", "other.toml"])
def test_a_file_that_exists_is_left_alone(terminal: Terminal, name: str) -> None:
    terminal.write(name, "mine")
    outcome = terminal("init", name)
    assert outcome.status == 2
    assert f"'{name}' exists already; nothing was changed" in outcome.err
    assert "--force" in outcome.err
    assert terminal.read(name) == "mine"


def test_force_overwrites(terminal: Terminal) -> None:
    terminal.write("pki.toml", "mine").chmod(0o600)
    assert terminal("init", "--force").status == 0
    assert "[ca]" in terminal.read("pki.toml")
    assert stat.S_IMODE((terminal.folder / "pki.toml").stat().st_mode) == 0o600


def test_a_folder_means_the_file_in_it(terminal: Terminal) -> None:
    (terminal.folder / "boulder").mkdir()
    outcome = terminal("init", "boulder")
    assert "wrote boulder/pki.toml" in outcome.out
    assert (terminal.folder / "boulder/pki.toml").is_file()


def test_a_folder_that_is_not_there_is_said(terminal: Terminal) -> None:
    outcome = terminal("init", "gone/pki.toml")
    assert outcome.status == 4
    assert "'gone/pki.toml' cannot be written" in outcome.err
    assert "folder 'gone'" in outcome.err


def test_a_disk_that_takes_nothing_leaves_no_half_file(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert terminal("init").status == 4
    assert list(terminal.folder.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_force_writes_into_a_pipe_rather_than_over_it(terminal: Terminal) -> None:
    pipe = terminal.folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert terminal("init", "--force", "pipe").status == 0
        assert b"[ca]" in os.read(reader, 1 << 16)
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
