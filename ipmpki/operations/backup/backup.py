"""Making a backup: one encrypted file with the store and the declaration, while others work."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from ipmpki.declaration.validate import included_patterns
from ipmpki.diagnostics.fault import Fault, UnreadableFile, WrongDeclaration, WrongUse
from ipmpki.operations.backup.archive import Manifest, write_archive
from ipmpki.operations.check import read
from ipmpki.operations.load import understand_text
from ipmpki.operations.project import store_path
from ipmpki.operations.status import find_store
from ipmpki.source.files import read_file, read_included
from ipmpki.store.sqlite.open import open_store
from ipmpki.store.sqlite.queries import is_of_this_format
from ipmpki.store.sqlite.snapshot import last_event_in, snapshot
from ipmpki.x509.sealed_file import Sealer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import BinaryIO

    from ipmpki.declaration.fleet import Fleet


@dataclass(frozen=True, slots=True)
class WrittenBackup:
    """A backup ready to be written. ``left_out`` are files the declaration names that are not in it."""

    manifest: Manifest
    files: dict[str, bytes]
    store: bytes
    left_out: tuple[str, ...]

    def write(self, sink: BinaryIO, passphrase: bytes) -> None:
        """Write it, encrypted."""
        write_archive(Sealer(sink, passphrase, os.urandom), self.manifest, self.files, self.store)


def make_backup(declaration: Path, target: Path, *, now: datetime) -> WrittenBackup:
    """A copy, at one moment, of the store of a declaration, with the declaration and the files it names.

    Files with secrets, that is the CA's key and its passphrase, are not among them. Raises WrongUse where
    ``target`` is one of the files to be copied, WrongDeclaration where the declaration cannot be understood,
    and Fault where there is no sound store.
    """
    path = declaration.absolute()
    content = read_file(declaration, what="the declaration")
    fleet = understand_text(path, str(declaration), content).fleet
    if fleet is None:
        raise WrongDeclaration(
            f"'{declaration}' cannot be understood, so it is not known where its store is",
            "run 'ipmpki check', and mend it",
        )
    store = store_path(path, fleet)
    files, left_out = _files(path, content, fleet)
    for one in (path, store, *(path.parent / name for name in files)):
        if target.exists() and one.exists() and target.samefile(one):
            raise WrongUse(f"'{target}' is itself to be backed up", "name another file")
    manifest = Manifest(now, path.name, fleet.declared.store or store.name)
    return WrittenBackup(manifest, files, snapshot(store), left_out)


def note_backup(declaration: Path, made: WrittenBackup, *, now: datetime) -> Fault | None:
    """Record in the store that a backup was written, so that status knows; the reason why not, if it cannot.

    A store of an older version is left as it is: a backup upgrades nothing.
    """
    try:
        store = find_store(declaration)
        if not is_of_this_format(store):
            return Fault(f"{store.name} is of an older version", "the next build brings it up to date")
        with open_store(store, now=now) as opened:
            opened.record_backup(last_event_in(made.store))
    except Fault as fault:
        return fault
    return None


def _files(path: Path, content: bytes, fleet: Fleet) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """What is to be copied beside the store, by relative path, and the names of what cannot be."""
    root = path.parent
    included, _ = read_included(path, "", included_patterns(read(path.name, content).document))
    files = {path.name: content} | {PurePath(one.name).as_posix(): one.content for one in included}
    left_out = []
    for named in dict.fromkeys(_named(fleet)):
        if not (root / named).is_file():
            continue
        if PurePath(named).is_absolute() or ".." in PurePath(named).parts:
            left_out.append(named)
            continue
        try:
            files[PurePath(named).as_posix()] = read_file(root / named, what="the file")
        except UnreadableFile:
            left_out.append(named)
    outside = [name for name in files if ".." in PurePath(name).parts or PurePath(name).is_absolute()]
    for name in outside:
        del files[name]
    return files, (*left_out, *outside)


def _named(fleet: Fleet) -> Iterator[str]:
    """The files without secrets that a declaration names, beside those it includes."""
    if fleet.existing is not None:
        yield fleet.existing.certificate
    if fleet.bundle is not None:
        yield fleet.bundle.path
    for host in fleet.hosts:
        if host.certificate is not None and host.certificate.kept_key is not None:
            yield host.certificate.kept_key.path
