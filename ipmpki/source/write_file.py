"""Files written whole or not at all: the one place that does so, but for ``dist/`` and SQLite's own files.

What a process that is killed, or a computer without power, leaves is the old file or the new one, because of
the order:

1. The content goes into a new file beside, which nobody asks for, with its owner and permissions from its
   first byte on: at no instant may others read a secret, or anyone find half a file.
2. It is on the disk (fsync) before it gets its name. A file system may write names before contents; without
   power in between, the name would be that of an empty file.
3. It gets its name at one instant: with rename, which replaces what is there (POSIX.1-2017, rename), or,
   where nothing may be replaced, with link, which refuses where rename would not.
4. The folder is on the disk, too: a name is the folder's content, and not flushed with the file (fsync(2)).
"""

from __future__ import annotations

import contextlib
import errno
import os
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
_CANNOT_BE_FLUSHED = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}
"""What some file systems answer where names are to be flushed, such as those of shared folders."""
_HAS_NO_MODES = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS}
_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH


# --- A file with its name ---------------------------------------------------------------------------


def save(path: Path, before: bytes, after: bytes) -> None:
    """Replace pki.toml at once, with the permissions and owner it had; a link is followed.

    ``before`` is what the edit started from. Raises Fault, and leaves the file as it is, where it is
    read-only, somebody else has changed it in the meantime, or the disk does not take it.
    """
    with clear_errors(path):
        found = _writable(path)
        if path.read_bytes() != before:
            raise Fault(
                f"somebody else changed '{path}' in the meantime; nothing was changed",
                "run the command again",
            )
        _replace(path, after, found, stat.S_IMODE(found.st_mode))


def create(path: Path, content: bytes, *, overwrite: bool) -> None:
    """Write a new file, readable by all; into a pipe or a device, which overwriting cannot hurt, straight.

    Raises WrongUse where the file exists and may not be overwritten, Fault where it cannot be written.
    """
    with clear_errors(path):
        if overwrite and path.exists() and not path.is_file():
            path.write_bytes(content)
        elif overwrite and path.exists():
            save(path, path.read_bytes(), content)
        else:
            write_new(path, lambda file: file.write(content), _taken(path))


def create_private(path: Path, write: Callable[[BinaryIO], object], *, overwrite: bool) -> None:
    """Write a file for its owner alone.

    Raises WrongUse where the file exists and may not be overwritten, Fault where it cannot be written.
    """
    if path.exists() and not overwrite:
        raise _taken(path)  # before whatever ``write`` takes
    if path.exists() and not path.is_file():
        raise WrongUse(f"'{path}' is not a file that could be replaced", "name another file")
    with clear_errors(path):
        write_new(path, write, None if overwrite else _taken(path), mode=PRIVATE_FILE_MODE)


def publish(path: Path, content: bytes) -> bool:
    """Put a file that is for all to read in place at once; whether it had to be written.

    A file with the same content and permissions is left alone; one that is there keeps its owner; a pipe or
    a device is written to straight. Raises Fault where it is read-only or cannot be written.
    """
    with clear_errors(path):
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return True
        found = _writable(path) if path.exists() else None
        if (
            found is not None
            and stat.S_IMODE(found.st_mode) == NEW_FILE_MODE
            and path.read_bytes() == content
        ):
            return False
        _replace(path, content, found, NEW_FILE_MODE)
    return True


def _taken(path: Path) -> WrongUse:
    return WrongUse(
        f"'{path}' exists already; nothing was changed",
        "name another file, or overwrite this one with --force",
    )


def _writable(path: Path) -> os.stat_result:
    """What stat says of a file. Raises Fault where it is read-only."""
    found = path.stat()
    # Renaming over a read-only file would work; whoever made it read-only did not want that.
    if not found.st_mode & _WRITABLE or not os.access(path, os.W_OK):
        raise Fault(
            f"'{path}' is read-only; nothing was changed", f"if it is yours to change: chmod u+w '{path}'"
        )
    return found


@contextlib.contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turn what the system says into a Fault of writing ``path``."""
    try:
        yield
    except OSError as error:
        require_working_directory(path)
        raise Fault(
            f"'{path}' cannot be written: {error.strerror or error}; nothing was changed",
            f"check that the folder '{path.parent}' exists, is yours to write to and has room",
        ) from error


def require_working_directory(path: Path) -> None:
    """Raises Fault where ``path`` lies in the folder that the shell stands in, and that is deleted."""
    if path.is_absolute():
        return
    try:
        Path.cwd()
    except FileNotFoundError:
        raise Fault(
            "the folder that you work in was deleted; nothing was changed", "go to another: cd DIRECTORY"
        ) from None


# --- The steps --------------------------------------------------------------------------------------


def write_new(
    path: Path, write: Callable[[BinaryIO], object], taken: WrongUse | None, *, mode: int = NEW_FILE_MODE
) -> None:
    """Write a file beside ``path`` and give it the name. Raises ``taken`` if there is one, unless None."""
    temporary = _beside(path)
    try:
        with new_file(temporary, mode) as file:
            write(file)
        if taken is None:
            temporary.replace(path)
        else:
            give_name(temporary, path, taken)
    finally:
        temporary.unlink(missing_ok=True)
    flush(path.parent)


def _replace(path: Path, content: bytes, like: os.stat_result | None, mode: int) -> None:
    """Write a file, or a link's target, anew; ``like`` gives it its owner."""
    path = Path(os.path.realpath(path))

    def write(file: BinaryIO) -> None:
        if hasattr(os, "fchown"):
            # Edited by root, a colleague's file stays the colleague's.
            with contextlib.suppress(PermissionError):
                if like is not None:
                    os.fchown(file.fileno(), like.st_uid, like.st_gid)
            set_mode(file.fileno(), mode)  # the umask took bits away
        file.write(content)

    write_new(path, write, None, mode=mode)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.urandom(6).hex()}.new")


@contextlib.contextmanager
def new_file(path: Path, mode: int) -> Iterator[BinaryIO]:
    """A file that was not there; its content is on the disk in the end, or after an exception it is gone."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def give_name(temporary: Path, path: Path, taken: WrongUse) -> None:
    """Rename a file unless there is one of that name by now. Raises ``taken`` if so; then it is gone."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise taken from None
    except OSError:  # a file system without links, such as a stick's
        if os.path.lexists(path):
            raise taken from None
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def set_mode(file: Path | int, mode: int) -> None:
    """Give a file its permissions, where they are not these already.

    A file system without any, such as that of a shared folder, refuses (chmod(2), EPERM and ENOTSUP): there
    they are what it was mounted with. Raises OSError where another account may read what is private.
    """
    has = stat.S_IMODE(os.stat(file).st_mode)  # noqa: PTH116 -- of a descriptor, too
    if has == mode:
        return
    try:
        os.chmod(file, mode)  # noqa: PTH101 -- as above
    except OSError as error:
        if error.errno not in _HAS_NO_MODES or has & ~mode & _OTHERS_READ:
            raise


def flush(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    is_folder = path.is_dir()
    if is_folder and os.name != "posix":  # Windows lets no folder be opened
        return
    descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not is_folder or error.errno not in _CANNOT_BE_FLUSHED:
            raise
    finally:
        os.close(descriptor)
