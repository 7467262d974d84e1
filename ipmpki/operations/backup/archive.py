"""What is in a backup: a tar archive of the declaration's files and, last, the store.

manifest.json           when and from what it was made
files/pki.toml          the declaration, under its own name, and what it names; no key, no passphrase
files/sites/a.toml      … with paths relative to the folder of pki.toml
store                   the SQLite database
"""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from ipmpki.x509.sealed_file import BackupUnreadable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

    from ipmpki.x509.sealed_file import Sealer, Unsealer

_MANIFEST = "manifest.json"
_FILES = "files/"
_STORE = "store"
_VERSION = 1
_BLOCK = 1024 * 1024
_LONGEST_NAME = 200
"""Bytes of a file's name: what is kept of an older one has a longer name, and file systems take 255."""
LARGEST_FILE = 64 * 1024 * 1024
"""As for a file that a declaration names."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """When a backup was made, the declaration's name, and the store's path as declared."""

    made_at: datetime
    declaration: str
    store: str

    def to_json(self) -> bytes:
        """As it stands in the archive."""
        values = {
            "version": _VERSION,
            "made_at": self.made_at.isoformat(),
            "declaration": self.declaration,
            "store": self.store,
        }
        return json.dumps(values).encode()


def write_archive(sealer: Sealer, manifest: Manifest, files: Mapping[str, bytes], store: bytes) -> None:
    """Write a backup. ``files`` are the declaration's, by their paths relative to its folder."""
    with tarfile.open(fileobj=cast("IO[bytes]", sealer), mode="w|", format=tarfile.PAX_FORMAT) as archive:
        members = {_MANIFEST: manifest.to_json()}
        members |= {_FILES + name: content for name, content in files.items()}
        members[_STORE] = store
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = 0o600
            member.mtime = int(manifest.made_at.timestamp())
            archive.addfile(member, io.BytesIO(content))
    sealer.close()


class Archive:
    """A backup that is being read: its manifest and files at once, its store when it is asked for.

    Raises BackupUnreadable, here or from ``copy_store``, where it is not whole.
    """

    def __init__(self, text: Unsealer, name: str, size: int) -> None:
        """``size`` is that of the sealed file in octets, which nothing within it can exceed."""
        self._text = text
        self._name = name
        self._size = size
        self.files: dict[str, bytes] = {}
        try:
            self._archive = tarfile.open(  # noqa: SIM115 -- it goes on in copy_store
                fileobj=cast("IO[bytes]", text), mode="r|"
            )
            self.manifest = self._read_manifest()
            self._member = self._read_files()
        except (tarfile.TarError, ValueError, KeyError, TypeError, EOFError):
            raise self._strange() from None

    def copy_store(self, target: BinaryIO) -> None:
        """Write the store out; when this returns, the whole backup has been read and vouched for."""
        try:
            source = self._archive.extractfile(self._member)
            assert source is not None  # noqa: S101 -- a regular file, as was seen to
            while block := source.read(_BLOCK):
                target.write(block)
            self._text.drain()
        except (tarfile.TarError, EOFError):
            raise self._strange() from None

    def _read_manifest(self) -> Manifest:
        member = self._next()
        if member.name != _MANIFEST:
            raise self._strange()
        values = json.loads(self._content(member))
        if values["version"] != _VERSION:
            raise BackupUnreadable(f"'{self._name}' is a backup of a newer ipmpki", "use the newer ipmpki")
        made_at = datetime.fromisoformat(values["made_at"])
        manifest = Manifest(made_at, str(values["declaration"]), str(values["store"]))
        declaration, store = PurePosixPath(manifest.declaration), PurePosixPath(manifest.store)
        is_elsewhere = store.is_absolute() or ".." in store.parts  # so that only whoever restores can say it
        if len(declaration.parts) != 1 or not (_is_plain(declaration) and (is_elsewhere or _is_plain(store))):
            raise self._strange()
        return manifest

    def _read_files(self) -> tarfile.TarInfo:
        """Read the declaration's files; the member after them is the store."""
        while (member := self._next()).name.startswith(_FILES):
            path = PurePosixPath(member.name.removeprefix(_FILES))
            if not _is_plain(path):
                raise self._strange()
            self.files[str(path)] = self._content(member)
        store = self.manifest.store
        if member.name != _STORE or _clash([*self.files, store, f"{store}.lock"]):
            raise self._strange()
        return member

    def _next(self) -> tarfile.TarInfo:
        member = self._archive.next()
        # A sparse member is as large as its header says, however short the archive is.
        if member is None or not member.isreg() or member.issparse() or member.size > self._size:
            raise self._strange()
        return member

    def _content(self, member: tarfile.TarInfo) -> bytes:
        if member.size > LARGEST_FILE:
            raise self._strange()
        source = self._archive.extractfile(member)
        assert source is not None  # noqa: S101 -- a regular file, as was seen to
        return source.read()

    def _strange(self) -> BackupUnreadable:
        return BackupUnreadable(
            f"'{self._name}' holds something else than a backup of ipmpki", "name the right file"
        )


def _is_plain(path: PurePosixPath) -> bool:
    """Whether a file may be put back at a path: below the declaration's folder, and nothing that others run.

    What lies in a .git tells git what to run, what lies in dist/hosts is run on hosts, and SQLite plays a
    journal back into the store beside it.
    """
    parts = [part.lower() for part in path.parts]
    is_outside = path.is_absolute() or ".." in parts or not parts
    is_run = ".git" in parts or parts[:2] == ["dist", "hosts"]
    is_journal = any(part.endswith(("-journal", "-wal", "-shm")) for part in parts)
    is_too_long = any(len(part.encode(errors="surrogateescape")) > _LONGEST_NAME for part in path.parts)
    return not (is_outside or is_run or is_journal or is_too_long)


def _clash(names: list[str]) -> bool:
    """Whether one is to be where another is, or a folder where another is a file, on any file system."""
    paths = [PurePosixPath(name.lower()) for name in names]
    taken = set(paths)
    return len(taken) < len(paths) or any(parent in taken for path in paths for parent in path.parents)
