"""The only writer of dist/.

A host's folder is swapped in whole: written in a staging folder beside dist/, then renamed into its place,
so that at every instant it holds the complete old set, the complete new one, or is absent; a certificate
never lies beside another one's key. What a killed build left in the staging folder, the next one puts
right. Files are created with their final permissions, never widened to others and narrowed after.
Everything here can be made again from the store, so nothing is flushed to the disk file by file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import Fault
from ipmpki.plans.plan import Drift
from ipmpki.store.records import PublishedFile, PublishedFolder, file_stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ipmpki.render.host_folder.contents import RenderedFile

PRIVATE_FOLDER = 0o700
PUBLIC_FOLDER = 0o755

_HAS_MODES = os.name == "posix"
"""Windows keeps no permission bits: there they are neither set nor judged."""


def survey(dist: Path, folders: Mapping[str, PublishedFolder]) -> Drift:
    """Compare published folders with the disk. A file whose size, mode and time are unchanged is not read.

    Raises Fault where a folder cannot be looked into.
    """
    try:
        return _survey(dist, folders)
    except OSError as error:
        raise Fault(
            f"'{error.filename or dist}' cannot be read: {error.strerror or error}",
            f"make '{dist}' readable and writable for this user, then run the command again",
        ) from error


def _survey(dist: Path, folders: Mapping[str, PublishedFolder]) -> Drift:
    missing: dict[str, tuple[str, ...]] = {}
    changed: dict[str, tuple[str, ...]] = {}
    for path, folder in folders.items():
        root = f"{dist}/{path}"
        gone, other = [], []
        for file in folder.files:
            fault = _drift_of(f"{root}/{file.name}", file)
            if fault == "missing":
                gone.append(file.name)
            elif fault:
                other.append(f"{file.name} ({fault})")
        if _HAS_MODES and not gone and path.startswith("hosts/") and _mode(os.lstat(root)) != PRIVATE_FOLDER:
            other.append("the folder (permissions)")
        if gone:
            missing[path] = tuple(gone)
        if other:
            changed[path] = tuple(other)
    return Drift(missing, changed)


def _drift_of(path: str, published: PublishedFile) -> str:
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    if file_stamp(stat.S_IMODE(found.st_mode), found.st_size, found.st_mtime_ns) == published.stamp:
        return "" if stat.S_ISREG(found.st_mode) else "not a file"
    if not stat.S_ISREG(found.st_mode):
        return "not a file"
    mode, size, _ = published.stamp.split(" ")
    if _HAS_MODES and f"{_mode(found):o}" != mode:
        return "permissions"
    if str(found.st_size) != size or _digest_of(path) != published.sha256:
        return "contents"
    return ""


def _mode(found: os.stat_result) -> int:
    return stat.S_IMODE(found.st_mode)


def _digest_of(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a folder's files, and whether any of them changed."""

    files: tuple[PublishedFile, ...]
    changed: bool


class Publisher:
    """Writes below one dist/ folder. Whoever uses it holds the store's lock.

    Raises Fault where the disk is full or a folder cannot be written.
    """

    def __init__(self, dist: Path) -> None:
        self._dist = dist
        self._staging = _staging_of(dist)
        self._hosts = dist / "hosts"
        self._made: set[str] = set()
        self._staged: set[str] = set()

    def recover(self) -> None:
        """Put right what a killed build left behind: an old folder without its successor goes back."""
        if not os.path.lexists(self._staging):
            return
        with _clear_errors(self._dist):
            old = self._staging / "old"
            for folder in sorted(old.iterdir()) if old.is_dir() else ():
                place = self._dist / "hosts" / folder.name
                if place.exists():
                    _keep_strangers(folder, place, _names_in_manifest(folder))
                else:
                    place.parent.mkdir(mode=PUBLIC_FOLDER, exist_ok=True)
                    folder.rename(place)
            shutil.rmtree(self._staging)

    def prepare(self) -> None:
        """Before anything is issued, see that dist/ can be written."""
        with _clear_errors(self._dist):
            self._folder(".")
            self._staging.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)

    def finish(self) -> None:
        """Remove the staging folder; it is empty but for what is of no use."""
        with contextlib.suppress(OSError):
            shutil.rmtree(self._staging)

    def place_host(self, name: str, files: Sequence[RenderedFile]) -> Placed:
        """Put a host's folder in place, whole; a folder that is right already is not touched."""
        # Texts and os functions: a fleet has 10,000 folders, and a Path costs more than most calls it makes.
        place = f"{self._hosts}/{name}"
        with _clear_errors(self._dist):
            exists = os.path.lexists(place)
            if exists:
                found = _as_published(Path(place), files)
                if found is not None and (not _HAS_MODES or _mode(os.lstat(place)) == PRIVATE_FOLDER):
                    return Placed(found, changed=False)
            fresh = self._stage("new", name)
            os.mkdir(fresh, PRIVATE_FOLDER)
            if exists and not os.path.islink(place):  # what a link points to is not ours to share
                published = [_write_or_link(Path(place), Path(fresh), file) for file in files]
            else:
                published = [_write(f"{fresh}/{file.name}", file) for file in files]
            if exists:
                self._retire(Path(place), name, {file.name for file in files}, successor=Path(fresh))
            else:
                self._folder("hosts")
                os.rename(fresh, place)
            return Placed(tuple(published), changed=True)

    def remove_host(self, name: str, published: Iterable[str]) -> None:
        """Remove a host's folder; a file that was not published there stays, with the folder."""
        place = self._dist / "hosts" / name
        if os.path.lexists(place):
            with _clear_errors(self._dist):
                self._retire(place, name, set(published), successor=None)

    def place_files(self, folder: str, files: Sequence[RenderedFile]) -> Placed:
        """Put single files into a folder below dist/ (``.`` is dist/ itself), each by one rename."""
        published = []
        changed = False
        with _clear_errors(self._dist):
            place = self._folder(folder)
            for file in files:
                found = _existing(place / file.name, file)
                if found is None:
                    staged = self._stage("files", file.name)
                    found = _write(staged, file)
                    os.replace(staged, place / file.name)
                    changed = True
                published.append(found)
        return Placed(tuple(published), changed)

    def _folder(self, path: str) -> Path:
        """A folder below dist/ that anyone may enter, made where it is not there."""
        folder = self._dist / path
        if path not in self._made:
            self._dist.mkdir(mode=PUBLIC_FOLDER, exist_ok=True)  # parents=True would give it the umask's mode
            folder.mkdir(mode=PUBLIC_FOLDER, exist_ok=True)
            self._made.add(path)
        return folder

    def _stage(self, kind: str, name: str) -> str:
        """A free place in the staging folder, which only its owner can enter."""
        if kind not in self._staged:
            self._folder(".")
            self._staging.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            (self._staging / kind).mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            self._staged.add(kind)
        place = f"{self._staging}/{kind}/{name}"
        if os.path.lexists(place):
            _discard(Path(place))
        return place

    def _retire(self, place: Path, name: str, published: set[str], successor: Path | None) -> None:
        old = Path(self._stage("old", name))
        known = published | (_names_in_manifest(place) if place.is_dir() else set())
        place.rename(old)
        if successor is not None:
            successor.rename(place)
        if old.is_dir() and not old.is_symlink():
            _keep_strangers(old, place, known)
        _discard(old)


def _write_or_link(place: Path, fresh: Path, file: RenderedFile) -> PublishedFile:
    """A file that does not change keeps its identity in the new folder, by a second link to it."""
    found = _existing(place / file.name, file)
    if found is not None:
        with contextlib.suppress(OSError):  # a file system without links: it is written again
            os.link(place / file.name, fresh / file.name)
            return found
    return _write(f"{fresh}/{file.name}", file)


def _discard(path: Path) -> None:
    """Remove a folder and what is in it, or a file; never what a link points to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _staging_of(dist: Path) -> Path:
    """Beside dist/, so that dist/ never shows anything half-done; inside where dist/ is a mount."""
    real = Path(os.path.realpath(dist))
    with contextlib.suppress(OSError):
        if real.stat().st_dev != real.parent.stat().st_dev:
            return real / ".staging"
    return real.with_name(f".{real.name}.staging")


def _names_in_manifest(folder: Path) -> set[str]:
    """The files a folder was published with, so that anything else in it is its user's own."""
    names = {"manifest.json"}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        names |= {str(file["name"]) for file in json.loads((folder / "manifest.json").read_bytes())["files"]}
    return names


def _keep_strangers(old: Path, place: Path, published: set[str]) -> None:
    for entry in sorted(old.iterdir()):
        if entry.name not in published:
            place.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            if not os.path.lexists(place / entry.name):
                entry.rename(place / entry.name)


def _as_published(place: Path, files: Sequence[RenderedFile]) -> tuple[PublishedFile, ...] | None:
    """The files' records where a folder holds them all already, byte for byte."""
    found = []
    for file in files:
        existing = _existing(place / file.name, file)
        if existing is None:
            return None
        found.append(existing)
    stale = _names_in_manifest(place) - {file.name for file in files}
    return None if stale else tuple(found)


def _existing(path: Path, wanted: RenderedFile) -> PublishedFile | None:
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size != len(wanted.content):
            return None
        if (_HAS_MODES and _mode(found) != wanted.mode) or path.read_bytes() != wanted.content:
            return None
    except OSError:  # missing or unreadable: it will be written
        return None
    return _record(wanted, found)


def _write(path: str | Path, file: RenderedFile) -> PublishedFile:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), file.mode)
    try:
        written = memoryview(file.content)
        while written:
            written = written[os.write(descriptor, written) :]
        found = os.fstat(descriptor)
        if _HAS_MODES and _mode(found) != file.mode:
            os.fchmod(
                descriptor, file.mode
            )  # a umask took bits away: only ever gives back what was asked for
        return _record(file, found)
    finally:
        os.close(descriptor)


def _record(file: RenderedFile, found: os.stat_result) -> PublishedFile:
    return PublishedFile(file.name, file_stamp(file.mode, found.st_size, found.st_mtime_ns), file.sha256)


@contextlib.contextmanager
def _clear_errors(dist: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Fault(
                f"no room left on the disk to write '{dist}'",
                "make room, then run the command again: what was issued is safe in the store",
            ) from error
        where = error.filename2 or error.filename or dist
        if error.errno == errno.EISDIR:
            raise Fault(
                f"'{where}' cannot be written: there is a folder where a file should be",
                "move the folder away, then run the command again",
            ) from error
        if error.errno in {errno.EEXIST, errno.ENOTDIR}:
            raise Fault(
                f"'{where}' cannot be written: there is a file where a folder should be",
                "move the file away, then run the command again",
            ) from error
        raise Fault(
            f"'{where}' cannot be written: {error.strerror or error}",
            f"make '{dist}' writable for this user, then run the command again",
        ) from error
