"""The publisher: folders whole or not at all, never more readable than promised, strangers kept."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from ipmpki.diagnostics.fault import Fault
from ipmpki.publish.dist import Publisher, survey
from ipmpki.render.host_folder.contents import RenderedFile
from ipmpki.store.records import PublishedFolder, listing_of
from tests.shop import TODAY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KEY = RenderedFile("server-key.pem", b"a key\n", 0o600)
CERTIFICATE = RenderedFile("server-cert.pem", b"a certificate\n", 0o644)
MANIFEST = RenderedFile(
    "manifest.json", b'{"files": [{"name": "server-key.pem"}, {"name": "server-cert.pem"}]}', 0o644
)
FILES = (KEY, CERTIFICATE, MANIFEST)
NAME = "ipm1.example.com"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    return tmp_path / "dist"


def changed(files: Sequence[RenderedFile], name: str) -> tuple[RenderedFile, ...]:
    return tuple(
        RenderedFile(file.name, file.content + b"changed\n", file.mode) if file.name == name else file
        for file in files
    )


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes_are_as_promised_whatever_the_umask(dist: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        Publisher(dist).place_host(NAME, FILES)
    finally:
        os.umask(before)
    folder = dist / "hosts" / NAME
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes(folder) == {"server-key.pem": 0o600, "server-cert.pem": 0o644, "manifest.json": 0o644}


def test_a_folder_that_is_right_is_not_touched(dist: Path) -> None:
    Publisher(dist).place_host(NAME, FILES)
    before = (dist / "hosts" / NAME).stat().st_ino
    assert not Publisher(dist).place_host(NAME, FILES).changed
    assert (dist / "hosts" / NAME).stat().st_ino == before


def test_a_file_that_does_not_change_keeps_its_identity(dist: Path) -> None:
    Publisher(dist).place_host(NAME, FILES)
    before = (dist / "hosts" / NAME / "server-key.pem").stat()
    placed = Publisher(dist).place_host(NAME, changed(FILES, "server-cert.pem"))
    after = (dist / "hosts" / NAME / "server-key.pem").stat()
    assert placed.changed
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (dist / "hosts" / NAME / "server-cert.pem").read_bytes() == b"a certificate\nchanged\n"


def test_a_strangers_file_stays(dist: Path) -> None:
    Publisher(dist).place_host(NAME, FILES)
    (dist / "hosts" / NAME / "notes.txt").write_text("ask Bob")
    Publisher(dist).place_host(NAME, changed(FILES, "server-cert.pem"))
    assert (dist / "hosts" / NAME / "notes.txt").read_text() == "ask Bob"
    Publisher(dist).remove_host(NAME, [file.name for file in FILES])
    assert [path.name for path in (dist / "hosts" / NAME).iterdir()] == ["notes.txt"]


def test_a_removed_host_leaves_nothing(dist: Path) -> None:
    publisher = Publisher(dist)
    publisher.place_host(NAME, FILES)
    publisher.remove_host(NAME, [file.name for file in FILES])
    publisher.finish()
    assert not (dist / "hosts" / NAME).exists()
    assert sorted(path.name for path in dist.parent.iterdir()) == ["dist"]


def test_a_file_that_is_no_longer_published_goes(dist: Path) -> None:
    Publisher(dist).place_host(NAME, FILES)
    fewer = (CERTIFICATE, RenderedFile("manifest.json", b'{"files": [{"name": "server-cert.pem"}]}', 0o644))
    Publisher(dist).place_host(NAME, fewer)
    assert sorted(modes(dist / "hosts" / NAME)) == ["manifest.json", "server-cert.pem"]


def test_a_build_killed_between_the_renames_is_put_right(dist: Path) -> None:
    Publisher(dist).place_host(NAME, FILES)
    old = dist.parent / ".dist.staging" / "old"
    old.mkdir(parents=True, mode=0o700)
    (dist / "hosts" / NAME).rename(old / NAME)
    Publisher(dist).recover()
    assert (dist / "hosts" / NAME / "server-key.pem").read_bytes() == KEY.content
    assert not old.parent.exists()


def test_strangers_in_an_old_folder_are_brought_home(dist: Path) -> None:
    Publisher(dist).place_host(NAME, FILES)
    old = dist.parent / ".dist.staging" / "old" / NAME
    old.mkdir(parents=True, mode=0o700)
    (old / "manifest.json").write_bytes(MANIFEST.content)
    (old / "server-key.pem").write_text("the old key")
    (old / "notes.txt").write_text("ask Bob")
    Publisher(dist).recover()
    assert (dist / "hosts" / NAME / "notes.txt").read_text() == "ask Bob"
    assert (dist / "hosts" / NAME / "server-key.pem").read_bytes() == KEY.content


def test_a_link_in_place_of_a_folder_is_not_followed(dist: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (dist / "hosts").mkdir(parents=True)
    (dist / "hosts" / NAME).symlink_to(elsewhere)
    Publisher(dist).place_host(NAME, FILES)
    assert list(elsewhere.iterdir()) == []
    assert not (dist / "hosts" / NAME).is_symlink()


def test_dist_that_is_a_file_is_a_fault(dist: Path) -> None:
    dist.write_text("mine")
    with pytest.raises(Fault, match="cannot be written") as fault:
        Publisher(dist).place_files(".", FILES)
    assert fault.value.remedy
    assert dist.read_text() == "mine"


def published(dist: Path) -> dict[str, PublishedFolder]:
    placed = Publisher(dist).place_host(NAME, FILES)
    return {f"hosts/{NAME}": PublishedFolder(f"hosts/{NAME}", "", TODAY, listing_of(placed.files))}


def test_a_survey_finds_nothing_where_nothing_changed(dist: Path) -> None:
    drift = survey(dist, published(dist))
    assert not drift.missing
    assert not drift.changed


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("contents", "server-cert.pem (contents)"),
        ("same-size", "server-cert.pem (contents)"),
        ("permissions", "server-cert.pem (permissions)"),
        ("link", "server-cert.pem (not a file)"),
        ("folder", "the folder (permissions)"),
    ],
)
def test_a_survey_tells_what_changed(dist: Path, fault: str, found: str) -> None:
    folders = published(dist)
    path = dist / "hosts" / NAME / "server-cert.pem"
    if fault == "contents":
        path.write_text("another")
    elif fault == "same-size":
        path.write_bytes(bytes(reversed(CERTIFICATE.content)))
        os.utime(path, (1, 1))
    elif fault == "permissions":
        path.chmod(0o666)
    elif fault == "link":
        path.unlink()
        path.symlink_to("server-key.pem")
    else:
        path.parent.chmod(0o755)
    assert survey(dist, folders).changed == {f"hosts/{NAME}": (found,)}


def test_a_file_that_was_only_touched_has_not_changed(dist: Path) -> None:
    folders = published(dist)
    os.utime(dist / "hosts" / NAME / "server-cert.pem", (1, 1))
    assert not survey(dist, folders).changed
