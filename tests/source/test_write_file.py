"""Files are written whole or not at all, in the order that a crash at any instant forgives."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ipmpki
from ipmpki.diagnostics.fault import Fault, WrongUse
from ipmpki.source import write_file

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the file system, in order."""
    taken: list[str] = []

    def told(name: str, what: Callable[..., str]) -> None:
        original = getattr(os, name)

        def call(*given: object, **further: object) -> object:
            taken.append(what(*given))
            return original(*given, **further)

        monkeypatch.setattr(os, name, call)

    told("fsync", lambda opened: "flush folder" if stat.S_ISDIR(os.fstat(opened).st_mode) else "flush file")
    told("link", lambda _source, target: f"link {Path(target).name}")
    told("replace", lambda _source, target: f"replace {Path(target).name}")
    return taken


def create(path: Path) -> None:
    write_file.create(path, b"new", overwrite=False)


def save(path: Path) -> None:
    path.write_bytes(b"old")
    write_file.save(path, b"old", b"new")


def create_private(path: Path) -> None:
    write_file.create_private(path, lambda file: file.write(b"new"), overwrite=False)


def publish(path: Path) -> None:
    assert write_file.publish(path, b"new")


@pytest.mark.parametrize("write", [create, save, create_private, publish])
def test_a_file_is_on_the_disk_before_it_gets_its_name_and_the_name_in_the_end(
    write: Callable[[Path], None], tmp_path: Path, steps: list[str]
) -> None:
    path = tmp_path / "file"
    write(path)
    given = "link" if write in {create, create_private} else "replace"
    assert steps == ["flush file", f"{given} file", "flush folder"]
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == (0o600 if write is create_private else 0o644)


@pytest.mark.parametrize("write", [create, save, create_private, publish])
def test_a_full_disk_leaves_what_was_there_and_nothing_else(
    write: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Fault, match="No space left on device; nothing was changed"):
        write(tmp_path / "file")
    assert [one.read_bytes() for one in tmp_path.iterdir()] == ([b"old"] if write is save else [])


def test_what_came_to_be_meanwhile_is_kept_where_a_file_system_has_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_source: Path, target: Path) -> None:
        Path(target).write_bytes(b"theirs")
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    with pytest.raises(WrongUse, match="exists already"):
        create(tmp_path / "file")
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"theirs"]


def test_a_folder_whose_names_cannot_be_flushed_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = os.fsync

    def no_folders(opened: int) -> None:
        if stat.S_ISDIR(os.fstat(opened).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        flush(opened)

    monkeypatch.setattr(os, "fsync", no_folders)
    create(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP])
def test_a_file_system_without_permissions_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refused(_file: object, _mode: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "chmod", refused)
    monkeypatch.setattr(os, "fchmod", refused)
    path = tmp_path / "file"
    path.write_bytes(b"old")
    before = os.umask(0o077)  # so that the new file is not as the old one
    try:
        write_file.save(path, b"old", b"new")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"new"


def test_a_file_that_must_be_private_is_none_where_others_may_read_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_file: object, _mode: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "chmod", refused)
    path = tmp_path / "file"
    path.write_bytes(b"a key")
    path_mode = stat.S_IMODE(path.stat().st_mode)
    assert path_mode & stat.S_IROTH
    with pytest.raises(PermissionError):
        write_file.set_mode(path, 0o600)


def test_a_working_directory_that_was_deleted_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    with pytest.raises(Fault, match="the folder that you work in was deleted"):
        create(Path("file"))


def test_there_is_no_second_writer_of_files() -> None:
    root = Path(ipmpki.__file__).parent
    flushing = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if "os.fsync(" in path.read_text("utf-8")
    }
    assert flushing == {"source/write_file.py"}
