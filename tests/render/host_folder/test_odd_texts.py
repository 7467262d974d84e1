"""install.sh with names, owners, commands and folders that hold what shells are fond of."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.extent import mostly_exhaustive
from tests.render.host_folder.bundles import bundle_of, write_folder
from tests.render.host_folder.installation import (
    CLIENT,
    SAMPLE,
    SERVER,
    SERVER_SAMPLE,
    SHELLS,
    Installation,
    public_sight,
    sight,
)
from tests.tools import require, unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.render.conftest import Prepare

ALL_AT_ONCE = '-r  it\'s "so" $HOME $(id) `id` ${x 100%s%n \\n\\c *[!a]? ;&|#~<(!x) Drück印刷 \\'

ODD = {
    "all at once": ALL_AT_ONCE.replace(" Dr", "\nDr"),
    "blanks": "  a  b\t c ",
    "quotes": 'it\'s "so" `id`',
    "dollars": "$HOME $(id) ${x $",
    "percents": "100%s%n%",
    "backslashes": "a\\nb\\tc\\",
    "a hyphen": "-rf",
    "globs": "*[!a]?{b,c}",
    "other letters": "Drucküche印刷",
    "other bytes": os.fsdecode(b"Dr\xfccker"),
    "signs": "a;b&c|d#e~f(g)<h>=:,",
    "a carriage return": "a\rb",
    "a newline": "a\nb\n c",
    "length": "x" * 200,
}
"""Names of folders; each would be a name of an account, and most a command, too."""

THREE = ("dash", "mksh", "zsh")


def needs_root() -> None:
    if os.geteuid() != 0:
        unavailable("root, who alone may give files away,")


UNSEEN = re.compile(
    "[\x01-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]",
)


def as_told(text: str) -> str:
    """A text as install.sh tells it: what would drive a terminal, or nobody sees, by its number."""
    return UNSEEN.sub(
        lambda found: f"\\x{ord(found[0]):02x}" if found[0] < "\x80" else f"\\u{ord(found[0]):04x}", text
    )


def live_in(place: Path, odd: str, shell: str) -> None:
    """Run every mode with ``odd`` in the names of the bundle's folder, the root, TMPDIR and HOME."""
    root, work = place / odd / f"root{odd}", place / odd / "tmp" / odd
    root.mkdir(parents=True)
    work.mkdir(parents=True)
    installation = Installation(
        write_folder(bundle_of(mutual=True), place / odd / odd),
        root,
        shell,
        {"TMPDIR": str(work), "HOME": str(work)},
    )
    installation.write(SERVER_SAMPLE, SAMPLE)
    installation.write(f"{CLIENT}/ca-cert.pem", b"the vendor's\n")
    start = public_sight(root)

    shown = as_told(os.fsencode(root).decode(errors="replace"))
    assert f"\n  {shown}/{SERVER}\n    create   ca-cert.pem\n" in installation.run("--dry-run")
    assert f"\n  {shown}/{CLIENT}\n    replace  ca-cert.pem      other content\n" in installation.run()
    installed = sight(root)
    assert "already up to date" in installation.run()
    assert "nothing differs" in installation.run("--verify")
    assert sight(root) == installed
    installation.run("--rollback")
    assert start.items() <= public_sight(root).items()
    installation.run()
    installation.run("--uninstall")
    after = public_sight(root)
    assert start.items() <= after.items()
    assert not [name for name in after if name not in start and (root / name).is_file()]
    assert list(work.iterdir()) == []
    assert {path.name for path in (place / odd).iterdir()} == {odd, f"root{odd}", "tmp"}


@pytest.mark.parametrize("shell", mostly_exhaustive(THREE, every_time=["mksh"]))
@pytest.mark.parametrize("odd", mostly_exhaustive(ODD, every_time=["all at once"]))
def test_folders_may_have_any_name(tmp_path: Path, odd: str, shell: str) -> None:
    live_in(tmp_path, ODD[odd], shell)


@pytest.mark.exhaustive
@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(
        st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=40
    ).filter(lambda name: name not in {".", ".."} and not name.endswith("\n"))
)
def test_folders_may_have_whatever_name_comes(
    tmp_path_factory: pytest.TempPathFactory, shell: str, name: str
) -> None:
    live_in(tmp_path_factory.mktemp("any"), name, shell)


@pytest.mark.parametrize("shell", mostly_exhaustive(THREE, every_time=["mksh"]))
def test_relative_names_may_begin_with_a_hyphen(tmp_path: Path, shell: str) -> None:
    program, *as_posix = SHELLS[shell]
    write_folder(bundle_of("client"), tmp_path / "-rf")
    (tmp_path / "-t").mkdir()
    for script, options in (("./-rf/install.sh", ["--root", "-root"]), ("./-rf/install.sh", ["--root=-p m"])):
        subprocess.run(
            [require(program), *as_posix, script, *options],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": "./-t"},
            check=True,
            capture_output=True,
        )
    for root in ("-root", "-p m"):
        assert (tmp_path / root / CLIENT / "ca-cert.pem").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["-p m", "-rf", "-root", "-t"]


@pytest.mark.parametrize("shell", mostly_exhaustive(THREE, every_time=["mksh"]))
@pytest.mark.parametrize(
    "owners",
    [
        (ALL_AT_ONCE[3:], "x" * 200),
        pytest.param(
            ("a b", "'", '"', "$(id)", "*", "100%s", "Jürgen", "a\\nb", "no\nbody"),
            marks=pytest.mark.exhaustive,
        ),
    ],
    ids=["all at once", "one by one"],
)
def test_an_owner_may_have_any_name_and_is_then_not_there(
    prepare: Prepare, shell: str, owners: tuple[str, ...]
) -> None:
    needs_root()
    installation = prepare(bundle_of("client", mutual=True), shell)
    for owner in owners:
        said = installation.run("--dry-run", "--owner", owner)
        assert f"Note: there is no account or group '{owner}' here, so the key's owner is not set." in said
    assert list(installation.root.iterdir()) == []


@pytest.mark.parametrize("shell", mostly_exhaustive(THREE, every_time=["mksh"]))
def test_what_is_declared_may_be_any_line(prepare: Prepare, tmp_path: Path, shell: str) -> None:
    """The account that owns the key, the command that restarts, and the name of the authority."""
    needs_root()
    out = tmp_path / "it's run"
    quoted = "'" + ALL_AT_ONCE.replace("'", "'\\''") + "'"
    command = f"printf '%s' {quoted} >\"{out}\" # $x `"
    installation = prepare(bundle_of(account=ALL_AT_ONCE, restart=command, authority=ALL_AT_ONCE), shell)
    said = installation.run("--restart")
    assert f"Note: there is no account or group '{ALL_AT_ONCE}' here" in said
    assert f"\nRunning: {command}\n" in said
    assert out.read_text() == ALL_AT_ONCE
    installation.server("ca-cert.pem").unlink()
    assert installation.run().endswith(f"\nNext: restart, for this to take effect: {command}\n")
