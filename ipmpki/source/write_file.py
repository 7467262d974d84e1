"""Writing files for the command line: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import Fault, WrongUse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

NEW_FILE_MODE = 0o644
PRIVATE_FILE_MODE = 0o600
_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def save(path: Path, before: bytes, after: bytes) -> None:
    """Replace pki.toml at once, with the permissions and owner it had; a link is followed.

    ``before`` is what the edit started from. Raises Fault, and leaves the file as it is, where it is
    read-only, somebody else has changed it in the meantime, or the disk does not take it.
    """
    with _clear_errors(path):
        found = path.stat()
        # Renaming over a read-only file would work; whoever made it read-only did not want that.
        if not found.st_mode & _WRITABLE or not os.access(path, os.W_OK):
            raise Fault(
                f"'{path}' is read-only; nothing was changed", f"if it is yours to change: chmod u+w '{path}'"
            )
        if path.read_bytes() != before:
            raise Fault(
                f"somebody else changed '{path}' in the meantime; nothing was changed",
                "run the command again",
            )
        _replace(path, after, found)


def create(path: Path, content: bytes, *, overwrite: bool) -> None:
    """Write a new file, readable by all; into a pipe or a device, which overwriting cannot hurt, straight.

    Raises WrongUse where the file exists and may not be overwritten, Fault where it cannot be written.
    """
    with _clear_errors(path):
        if overwrite and path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        if overwrite and path.exists():
            save(path, path.read_bytes(), content)
            return
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, NEW_FILE_MODE)
        except FileExistsError:
            raise WrongUse(
                f"'{path}' exists already; nothing was changed",
                "name another file, or overwrite this one with --force",
            ) from None
        try:
            _write(descriptor, content)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def create_private(path: Path, write: Callable[[BinaryIO], None], *, overwrite: bool) -> None:
    """Write a file for its owner alone, which appears under its name only when it is whole and on the disk.

    Raises WrongUse where the file exists and may not be overwritten, Fault where it cannot be written.
    """
    taken = WrongUse(
        f"'{path}' exists already; nothing was changed",
        "name another file, or overwrite this one with --force",
    )
    if path.exists() and not overwrite:
        raise taken
    if path.exists() and not path.is_file():
        raise WrongUse(f"'{path}' is not a file that could be replaced", "name another file")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    with _clear_errors(path):
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE_MODE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            if overwrite:
                temporary.replace(path)
            else:
                _name(temporary, path, taken)
        finally:
            temporary.unlink(missing_ok=True)
        _flush_names(path.parent)


def _name(temporary: Path, path: Path, taken: WrongUse) -> None:
    """Give a file its name unless there is one of that name by now."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise taken from None
    except OSError:  # a file system without links, such as a stick's
        if path.exists():
            raise taken from None
        temporary.replace(path)


def _flush_names(folder: Path) -> None:
    if os.name != "posix":  # Windows lets no folder be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(path: Path, content: bytes) -> bool:
    """Put a file that is for all to read in place at once; whether it had to be written.

    A file with the same content and permissions is left alone; one that is there keeps its owner; a pipe or
    a device is written to straight. Raises Fault where it is read-only or cannot be written.
    """
    with _clear_errors(path):
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return True
        found = path.stat() if path.exists() else None
        if found is not None:
            if not found.st_mode & _WRITABLE or not os.access(path, os.W_OK):
                raise Fault(
                    f"'{path}' is read-only; nothing was changed",
                    f"if it is yours to change: chmod u+w '{path}'",
                )
            if stat.S_IMODE(found.st_mode) == NEW_FILE_MODE and path.read_bytes() == content:
                return False
        _replace(path, content, found, mode=NEW_FILE_MODE)
    return True


def _replace(path: Path, content: bytes, like: os.stat_result | None, mode: int | None = None) -> None:
    """Write beside the file (a link's target), then rename; ``like`` gives owner and permissions."""
    path = Path(os.path.realpath(path))
    if mode is None:
        mode = stat.S_IMODE(like.st_mode) if like is not None else NEW_FILE_MODE
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        if hasattr(os, "fchown"):
            # Edited by root, a colleague's file stays the colleague's.
            with contextlib.suppress(PermissionError):
                if like is not None:
                    os.fchown(descriptor, like.st_uid, like.st_gid)
            os.fchmod(descriptor, mode)
        _write(descriptor, content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write(descriptor: int, content: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Fault(
            f"'{path}' cannot be written: {error.strerror or error}; nothing was changed",
            f"check that the folder '{path.parent}' exists, is yours to write to and has room",
        ) from error
