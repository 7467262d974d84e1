"""Every regular file of a folder, read and never written; what cannot be read is told."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.fault import UnreadableFile, WrongUse
from ipmpki.operations.adopt.findings import LeftCode, LeftOut

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST_FILE = 32 * 1024 * 1024
"""An index.txt of 100,000 certificates has some 10 MiB; a disk image has more than this."""
MOST_FILES = 200_000
"""What holds more files than this is a whole disk, named by mistake."""


def read_folder(folder: Path) -> Iterator[tuple[str, bytes | LeftOut]]:
    """The name, below ``folder``, and the bytes of each file, by name; a LeftOut for what cannot be read.

    Links to files are read, links to folders are not followed, so that no loop leads on for ever, and what is
    neither, such as a named pipe, is not opened. Raises UnreadableFile where the folder itself cannot be
    read, WrongUse where there are more than MOST_FILES.
    """
    try:
        with os.scandir(folder):
            pass
    except OSError as error:
        raise UnreadableFile(
            f"the folder '{folder}' cannot be read: {error.strerror or error}",
            "name the folder that holds the authority's certificate and its key",
        ) from error
    count = 0
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        entries = _entries(folder, inside)
        if isinstance(entries, LeftOut):
            yield inside, entries
            continue
        below = []
        for name, is_folder in entries:
            count += 1
            if count > MOST_FILES:
                raise WrongUse(
                    f"'{folder}' holds more than {MOST_FILES} files: that is no PKI",
                    "name the folder that holds the authority's certificate and its key",
                )
            if is_folder:
                below.append(name)
            else:
                yield name, _read(folder, name)
        waiting += reversed(below)


def _entries(folder: Path, inside: str) -> list[tuple[str, bool]] | LeftOut:
    try:
        with os.scandir(folder / inside) as found:
            return sorted(
                (f"{inside}/{one.name}" if inside else one.name, one.is_dir(follow_symlinks=False))
                for one in found
            )
    except OSError as error:
        return _unreadable(shown(inside), error)


def _read(folder: Path, name: str) -> bytes | LeftOut:
    path, told = folder / name, shown(name)
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            return LeftOut(
                LeftCode.UNREADABLE,
                told,
                "a link to a folder, which is not followed",
                "if a part of the PKI lies there, adopt a folder that holds it all",
            )
        if not stat.S_ISREG(found.st_mode):
            return LeftOut(LeftCode.UNREADABLE, told, "not a regular file; it was not opened", None)
        if found.st_size > LARGEST_FILE:
            size = f"{found.st_size // 1024**2} MiB"
            return LeftOut(
                LeftCode.UNREADABLE, told, f"too large to be part of a PKI, {size}; not read", None
            )
        with path.open("rb") as file:
            return file.read(LARGEST_FILE)
    except OSError as error:
        return _unreadable(told, error)


def shown(name: str) -> str:
    """A file's name as it can be shown: what is no text, or would act on a terminal, is escaped."""
    return visible(name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))


def _unreadable(told: str, error: OSError) -> LeftOut:
    return LeftOut(
        LeftCode.UNREADABLE,
        told,
        f"cannot be read: {error.strerror or error}",
        "run the command as a user who may read it",
    )
