"""Following a declaration: what counts as a change, and what happens when one comes during a check."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from ipmpki.diagnostics.fault import Fault
from ipmpki.operations import watch
from ipmpki.operations.load import load
from tests.cli.command import ipmpki
from tests.problems import AUTHORITY, CLIENT, server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ipmpki.operations.project import Project

GOOD = 'include = ["sites/*.toml", "/nowhere"]\n' + AUTHORITY + server() + CLIENT


class Enough(Exception):
    """Ends a test that would follow for ever."""


def no_time(monkeypatch: pytest.MonkeyPatch, steps: Iterator[object]) -> None:
    """Let time pass at once: each rest between two looks runs the next step, and the last one ends it."""

    def sleep(seconds: float) -> None:
        if seconds == watch.INTERVAL_SECONDS and next(steps, Enough) is Enough:
            raise KeyboardInterrupt

    monkeypatch.setattr(watch, "time", SimpleNamespace(sleep=sleep))


def follow(path: Path, shown: list[str]) -> None:
    def show(result: Project | Fault, _: watch.Followed) -> None:
        shown.append(
            "fault" if isinstance(result, Fault) else str(len(result.fleet.hosts if result.fleet else ()))
        )

    with pytest.raises(KeyboardInterrupt):
        watch.follow(path, show)


def test_every_sort_of_change_is_a_change_and_nothing_else_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pki.toml"
    path.write_text(AUTHORITY + server())

    def steps() -> Iterator[None]:
        (tmp_path / "other").write_text("nobody's business")
        yield
        path.write_text(GOOD)  # its content
        yield
        path.unlink()  # that it is there
        yield
        path.write_text(GOOD)
        yield
        (tmp_path / "sites").mkdir()
        (tmp_path / "sites/a.toml").write_text(server(name="a.example.com"))  # what a pattern matches
        yield
        path.chmod(0o600)  # its permissions, which a rule judges
        yield
        (tmp_path / "pki.db").write_bytes(b"")  # the store, which is lost so
        yield

    no_time(monkeypatch, steps())
    shown: list[str] = []
    follow(path, shown)
    assert shown == ["1", "2", "fault", "2", "3", "3", "fault"]


def test_a_change_during_a_check_is_checked_before_anything_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pki.toml"
    path.write_text(AUTHORITY + server())
    loaded: list[Path] = []
    monkeypatch.setattr(watch, "load", loading(loaded, lambda: path.write_text(GOOD), times=1))
    no_time(monkeypatch, iter([]))
    shown: list[str] = []
    follow(path, shown)
    assert shown == ["2"]
    assert len(loaded) > 1


def test_a_file_that_never_comes_to_rest_is_shown_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pki.toml"
    path.write_text(AUTHORITY + server())
    loaded: list[Path] = []
    grow = loading(loaded, lambda: path.write_text(path.read_text() + "#"), times=1000)
    monkeypatch.setattr(watch, "load", grow)
    no_time(monkeypatch, iter([]))
    shown: list[str] = []
    follow(path, shown)
    assert shown == ["1"]


def loading(loaded: list[Path], disturb: Callable[[], object], *, times: int) -> Callable[[Path], Project]:
    """``load``, after which something changes, as often as told."""

    def disturbed(path: Path) -> Project:
        project = load(path)
        loaded.append(path)
        if len(loaded) <= times:
            disturb()
        return project

    return disturbed


def test_the_command_ends_well_when_it_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pki.toml"
    path.write_text(AUTHORITY + server() + CLIENT)
    no_time(monkeypatch, iter([path.name]))
    outcome = ipmpki("check", path, "--watch")
    assert outcome.status == 0
    assert outcome.err.startswith(f"{path}: no problems (2 hosts)\n")
    assert outcome.err.count("Ctrl-C ends it") == 1


def test_the_command_tells_a_fault_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pki.toml"
    path.write_text(AUTHORITY + server() + CLIENT)

    def steps() -> Iterator[None]:
        path.unlink()
        yield
        path.write_text(AUTHORITY + server() + CLIENT)
        yield

    no_time(monkeypatch, steps())
    outcome = ipmpki("check", path, "--watch")
    assert outcome.err.count("Ctrl-C ends it") == 3
    assert f"the declaration '{path}' cannot be read" in outcome.err


def test_what_include_does_not_take_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    for name in ("a.toml", "._a.toml"):
        (tmp_path / "sites" / name).write_text("")
    followed = watch.Followed(tmp_path, frozenset(), ("sites/*.toml", "/nowhere", ""))
    assert list(followed.state()) == [tmp_path / "sites/a.toml"]
