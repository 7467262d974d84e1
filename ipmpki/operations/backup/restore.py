"""Putting a backup back: it is read to its end and compared before anything is replaced."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import Fault, UnreadableFile, WrongUse
from ipmpki.operations.backup.archive import Archive
from ipmpki.operations.load import understand_text
from ipmpki.operations.project import DIST_NAME, store_path
from ipmpki.operations.recovery.authority import stranger_in
from ipmpki.operations.recovery.forgotten import take_over
from ipmpki.source import files
from ipmpki.source.write_file import publish
from ipmpki.store.sqlite.connection import EmptyStore
from ipmpki.store.sqlite.open import hold
from ipmpki.store.sqlite.replace import candidate, put_in_place, revise, settle
from ipmpki.store.sqlite.snapshot import holdings, require_sound_store
from ipmpki.x509.sealed_file import BackupUnreadable, Unsealer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from typing import BinaryIO

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.store.sqlite.writer import Store


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    ``kept`` is where the old store is, None where there was none. ``written`` are the declaration's files
    that were put back, ``differing`` those that differ from the backup's and were left alone. ``lost`` is
    what the old store held and the new one does not, ``taken`` what dist/ proved that the backup lacks and
    the new one has from there, both in words. ``stranger`` is an authority in dist/ that neither knows.
    """

    made_at: datetime
    store: Path
    kept: Path | None
    written: tuple[str, ...]
    differing: tuple[str, ...]
    lost: tuple[str, ...]
    taken: tuple[str, ...]
    stranger: str | None


class WouldLose(WrongUse):
    """A backup that lacks something the present store holds; ``lost`` says what, in words."""

    def __init__(self, message: str, remedy: str, lost: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy)
        self.lost = lost


def restore(  # noqa: PLR0913 -- what the edge gives
    declaration: Path,
    backup: Path,
    *,
    passphrase: Callable[[], bytes],
    now: datetime,
    force: bool = False,
    with_declaration: bool = False,
    at: Path | None = None,
) -> Restored:
    """Put the store of ``backup`` in the place where ``declaration`` has it, and files that are missing.

    The declaration itself may be missing, as on a new computer: it is in the backup. Files that differ from
    the backup's are left alone, unless ``with_declaration``, which keeps them beside. ``at`` is where the
    store is to be, where the backup alone says so and names a place outside the declaration's folder.

    Raises UnreadableFile for a backup that is damaged or that the passphrase does not open, WrongUse where
    something would be written outside the folder or through a link, WouldLose where something issued since
    the backup would be forgotten, or that cannot be told, unless ``force``; then nothing was changed.
    """
    name = str(backup)
    with _opened(backup) as source:
        archive = Archive(Unsealer(source, passphrase, name), name, os.fstat(source.fileno()).st_size)
        path = declaration.absolute()
        declared, fleet = _declared_store(path, declaration, archive, at)
        for target, _ in _to_be_written(path, archive, replace=with_declaration):
            _require_way(path.parent, target)
        with hold(declared):
            place = Path(os.path.realpath(declared))
            with candidate(place, secrets.token_hex(6)) as (new, file):
                with _room(place):
                    archive.copy_store(file)
                    file.flush()
                try:
                    require_sound_store(new)
                except Fault as fault:
                    raise BackupUnreadable(f"in '{name}', {fault.message}", fault.remedy or "") from fault
                lost = _lost(place, new, archive.manifest.made_at, force=force)
                with revise(new, now) as revised:
                    revised.record("store-restored", f"from a backup of {_day(archive.manifest.made_at)}")
                    taken, stranger = _compared(revised, new, path, fleet)
                kept = _beside(place, now) if place.exists() else None
                put_in_place(place, new, kept or _beside(place, now))
        written, differing = _put_files(path, archive, now, replace=with_declaration)
    return Restored(archive.manifest.made_at, declared, kept, written, differing, lost, taken, stranger)


def _compared(
    store: Store, place: Path, declaration: Path, fleet: Fleet | None
) -> tuple[tuple[str, ...], str | None]:
    """What was taken over from dist/, being newer than the backup, and another authority that lies there."""
    dist = declaration.parent / DIST_NAME
    if fleet is None or not dist.is_dir():
        return (), None
    taken = take_over(store, dist, fleet)
    stranger = stranger_in(dist, fleet, store.issued(), place)
    words = tuple(
        f"{change.host}: {reason.detail}" if change.host else reason.detail
        for change in taken
        for reason in change.reasons
    )
    return words, stranger.words if stranger is not None else None


def _declared_store(path: Path, shown: Path, archive: Archive, at: Path | None) -> tuple[Path, Fleet | None]:
    """Where the store is to be: as the present declaration says, or else that of the backup."""
    fleet = None
    if path.exists():
        content = files.read_file(shown, what="the declaration")
        fleet = understand_text(path, str(shown), content).fleet
    if fleet is None:
        if path.name != archive.manifest.declaration and not path.exists():
            raise WrongUse(
                f"there is no '{shown}', and the backup is of '{archive.manifest.declaration}'",
                f"restore it as '{shown.with_name(archive.manifest.declaration)}'",
            )
        named = path.parent / archive.manifest.store
        is_outside = PurePath(archive.manifest.store).is_absolute() or ".." in named.parts
        if is_outside and (at is None or os.path.abspath(at) != os.path.normpath(named)):  # noqa: PTH100 -- links stay
            raise WrongUse(
                f"the backup's store lay outside the folder of '{shown.name}', at '{archive.manifest.store}'",
                f"if it is to lie there again, say so: ipmpki restore … --store {os.path.normpath(named)}",
            )
        if not is_outside:
            _require_way(path.parent, named)
        return named, None
    return store_path(path, fleet), fleet


def _lost(place: Path, new: Path, made_at: datetime, *, force: bool) -> tuple[str, ...]:
    """What the present store holds and the backup does not. Raises WouldLose unless there is leave for it."""
    if not place.exists():
        return ()
    try:
        present, copy = holdings(place), holdings(new)
    except EmptyStore:  # there is nothing that could be lost
        return ()
    except Fault as fault:
        if force:
            return ()
        raise WouldLose(
            f"the present store cannot be compared with the backup: {fault.message}; nothing was changed",
            f"what was issued after {_day(made_at)} is not in the backup, and would be forgotten; see 'ipmpki"
            " doctor' for what can be saved, or say: ipmpki restore --force",
        ) from fault
    settle(place)
    lost = present.lacking_in(copy)
    if force:
        return lost
    if present.is_of_another_authority(copy):
        theirs, ours = (", ".join(one.authorities.values()) for one in (copy, present))
        raise WouldLose(
            f"the backup is of another authority: of {theirs}, and the present store is of {ours};"
            " nothing was changed",
            "see whether it is the right file; to replace the authority all the same: ipmpki restore --force",
        )
    if lost:
        raise WouldLose(
            f"the present store holds what the backup of {_day(made_at)} lacks; nothing was changed",
            "a store that forgets them cannot revoke or renew them; to restore all the same: ipmpki restore"
            " --force",
            lost,
        )
    return ()


def _put_files(
    path: Path, archive: Archive, now: datetime, *, replace: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write the declaration's files that are missing; the names of those and of those that differ."""
    written = []
    for target, content in _to_be_written(path, archive, replace=replace):
        _require_way(path.parent, target)
        if target.is_file():
            publish(_beside(target, now), target.read_bytes())
        target.parent.mkdir(parents=True, exist_ok=True)
        publish(target, content)
        written.append(target.relative_to(path.parent).as_posix())
    differing = (
        target.relative_to(path.parent).as_posix()
        for target, content in _targets(path, archive)
        if target.is_file() and target.read_bytes() != content
    )
    return tuple(written), tuple(differing)


def _targets(path: Path, archive: Archive) -> Iterator[tuple[Path, bytes]]:
    for name, content in archive.files.items():
        yield path.parent / (path.name if name == archive.manifest.declaration else name), content


def _to_be_written(path: Path, archive: Archive, *, replace: bool) -> list[tuple[Path, bytes]]:
    """The files that are missing, and with ``replace`` those that differ."""
    return [
        (target, content)
        for target, content in _targets(path, archive)
        if not target.is_file() or (replace and target.read_bytes() != content)
    ]


def _require_way(root: Path, target: Path) -> None:
    """Let nothing be written where a link leads, nor where no file can be. Raises WrongUse."""
    for place in (target, *target.parents):
        if place == root:
            return
        try:
            mode = place.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue  # what is no folder is found above
        except OSError as error:
            raise WrongUse(f"'{place}' cannot be written: {error.strerror}", "see what lies there") from error
        if stat.S_ISLNK(mode):
            raise WrongUse(
                f"'{place}' is a link, and what a restore writes stays in the folder of the declaration",
                "move the link away, then restore again",
            )
        noun, is_one = ("file", stat.S_ISREG) if place == target else ("folder", stat.S_ISDIR)
        if not is_one(mode):
            raise WrongUse(
                f"'{place}' is not a {noun}, and the backup has one there",
                "move it away, then restore again",
            )


@contextlib.contextmanager
def _opened(backup: Path) -> Iterator[BinaryIO]:
    try:
        # A pipe would wait for who writes it, and has no size to hold against what is said in it.
        source = os.fdopen(os.open(backup, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb")
    except OSError as error:
        raise UnreadableFile(
            f"the backup '{backup}' cannot be read: {error.strerror or error}", "check the path"
        ) from error
    with source:
        if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
            raise UnreadableFile(f"the backup '{backup}' is a pipe or a device, not a file", "name a file")
        yield source


def _beside(path: Path, now: datetime) -> Path:
    """Where what is replaced is kept."""
    kept = path.with_name(f"{path.name}.before-restore-{now:%Y%m%dT%H%M%SZ}")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.before-restore-{now:%Y%m%dT%H%M%SZ}-{number}")
    return kept


@contextlib.contextmanager
def _room(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Fault(
            f"no backup can be unpacked beside {place.name}: {error.strerror or error}; nothing was changed",
            f"see whether there is room in '{place.parent}', then run the command again",
        ) from error


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
