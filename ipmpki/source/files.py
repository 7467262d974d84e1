"""The source reader: the only place that reads the declaration and the files it names."""

from __future__ import annotations

import fnmatch
import os
import stat
from glob import has_magic
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.diagnostics.fault import UnreadableFile
from ipmpki.diagnostics.problem import Fix, Problem, Related, Remove, Severity
from ipmpki.diagnostics.wording import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from ipmpki.diagnostics.problem import Place

LARGEST_FILE = 64 * 1024 * 1024
"""No declaration, certificate or key is larger; a device or a disk image is."""
MOST_STEPS = 100
"""Folders that a pattern leads through, each within the other."""


MOST_PASSED = 100_000
"""Files and folders that a pattern of ``include`` is followed past: with more, a whole disk is meant."""


class SourceFile(NamedTuple):
    """A file of the declaration as read: its name as shown to people, and its bytes."""

    name: str
    content: bytes


def read_file(path: Path, *, what: str, may_be_pipe: bool = False) -> bytes:
    """The bytes of a file. Raises UnreadableFile, saying ``what`` it should have been.

    A pipe or a device is read only where who runs this named it, with ``may_be_pipe``: one that a declaration
    names would keep everybody waiting.
    """
    try:
        # O_NONBLOCK: opening a pipe that nobody writes would wait for who does (open(2)).
        flags = 0 if may_be_pipe else getattr(os, "O_NONBLOCK", 0)
        with os.fdopen(os.open(path, os.O_RDONLY | flags), "rb") as file:
            if not (may_be_pipe or stat.S_ISREG(os.fstat(file.fileno()).st_mode)):
                raise UnreadableFile(f"{what} '{path}' is a pipe or a device, not a file", "name a file")
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UnreadableFile(
            f"{what} '{path}' cannot be read: {error.strerror or error}", "check the path and its permissions"
        ) from error
    if len(content) > LARGEST_FILE:
        raise UnreadableFile(
            f"{what} '{path}' is larger than {LARGEST_FILE // 1024**2} MiB", "check the path"
        )
    return content


def read_included(
    declaration: Path,
    shown: str,
    patterns: Iterable[tuple[str, Place]],
    unsaved: Mapping[Path, bytes] | None = None,
) -> tuple[tuple[SourceFile, ...], tuple[Problem, ...]]:
    """Read the files that ``include`` brings in, in the order of patterns and names, each once.

    ``declaration`` is pki.toml, which no pattern brings in, and ``shown`` its name as people gave it.
    ``unsaved`` has, by resolved path, the bytes of files that are being edited.
    """
    unsaved = unsaved or {}
    files: dict[Path, SourceFile] = {}
    problems: list[Problem] = []
    owners: dict[Path, Place] = {}
    root, itself = declaration.parent, declaration.resolve()
    inside = (root.resolve(), itself.parent)
    prefix = os.path.dirname(shown)  # noqa: PTH120 -- how the user wrote it, not a path to use
    for pattern, place in patterns:
        try:
            found = sorted(path for path in matching(root, pattern) if path.is_file())
        except (ValueError, NotImplementedError, OSError) as error:
            problems.append(unreadable(f"the pattern '{pattern}' cannot be followed: {error}", place))
            continue
        if not found:
            problems.append(unreadable(f"no file matches '{pattern}'", place))
        further = {path: resolved for path in found if (resolved := path.resolve()) != itself}
        outside = [
            path for path, resolved in further.items() if not any(map(resolved.is_relative_to, inside))
        ]
        if outside:
            problems.append(_outside(pattern, outside[0], root, place))
            further = {path: resolved for path, resolved in further.items() if path not in outside}
        if found and not outside and all(resolved in owners for resolved in further.values()):
            problems.append(_without_effect(pattern, place, [owners[one] for one in further.values()]))
        for path, resolved in further.items():
            if owners.setdefault(resolved, place) != place:
                continue
            try:
                content = unsaved.get(resolved)
                if content is None:
                    content = read_file(path, what="the included file")
            except UnreadableFile as fault:
                problems.append(unreadable(fault.message, place))
                continue
            name = os.path.join(prefix, path.relative_to(root).as_posix())  # noqa: PTH118 -- as above
            files.setdefault(resolved, SourceFile(name, content))
    return tuple(files.values()), tuple(problems)


def _outside(pattern: str, path: Path, root: Path, place: Place) -> Problem:
    """The problem of a pattern that leads out of the project, where nobody meant to have files quoted."""
    linked = path.relative_to(root).as_posix()
    how = "" if ".." in pattern or PurePath(pattern).is_absolute() else f", as '{linked}' is a link"
    return unreadable(
        f"the pattern {quote(pattern)} leads out of the folder of pki.toml{how}: nothing there is read",
        place,
        "put the file into the folder of pki.toml, or below it",
    )


def matching(root: Path, pattern: str) -> list[Path]:
    """The files that a pattern of ``include`` stands for. Raises ValueError for one that leads elsewhere.

    As in every shell, "*" stands for no name that begins with a dot: an editor's copy, macOS's "._x".
    """
    if os.path.isabs(pattern) or not pattern:  # noqa: PTH117 -- how the user wrote it
        raise ValueError("Non-relative patterns are unsupported" if pattern else "it is empty")
    if pattern.count("/") >= MOST_STEPS:
        raise ValueError(f"it leads through more than {MOST_STEPS} folders")
    return list(dict.fromkeys(_Walk(root).to("", PurePath(pattern).parts or (pattern,))))


class _Walk:
    """Follows patterns below a folder. glob's own would never end where links lead back to where they are."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._passed = 0

    def to(self, base: str, parts: tuple[str, ...]) -> Iterator[Path]:
        """What the parts of a pattern lead to from a folder, which is named relative to the root.

        Raises ValueError where they lead past more than MOST_PASSED files.
        """
        head, rest = parts[0], parts[1:]
        if not has_magic(head):
            yield from self._on(os.path.join(base, head), rest)  # noqa: PTH118 -- as it is shown
            return
        entries = self._entries(base, are_hidden=head.startswith("."))
        if head == "**":
            if rest:
                yield from self.to(base, rest)
            for one in entries:
                if one.is_dir(follow_symlinks=False):
                    yield from self.to(os.path.join(base, one.name), parts)  # noqa: PTH118
                elif not rest:
                    yield self._root / base / one.name
            return
        for name in fnmatch.filter([one.name for one in entries], head):
            yield from self._on(os.path.join(base, name), rest)  # noqa: PTH118

    def _on(self, path: str, rest: tuple[str, ...]) -> Iterator[Path]:
        if rest:
            yield from self.to(path, rest)
        else:
            yield self._root / path

    def _entries(self, base: str, *, are_hidden: bool) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._root / base) as found:
                entries = [one for one in found if one.name.startswith(".") == are_hidden]
        except OSError:
            return []
        self._passed += 1 + len(entries)
        if self._passed > MOST_PASSED:
            raise ValueError(f"it leads past more than {MOST_PASSED:,} files")
        return sorted(entries, key=lambda one: one.name)


def _without_effect(pattern: str, place: Place, owners: list[Place]) -> Problem:
    """The problem of a pattern that matches files which ``owners`` bring in, or else pki.toml alone."""
    if not owners:
        return Problem(
            "include-without-effect",
            Severity.WARNING,
            f"the pattern {quote(pattern)} matches no file but this one",
            "name the files that hold further hosts, such as 'sites/*.toml', or leave it out",
            place,
        )
    return Problem(
        "include-without-effect",
        Severity.WARNING,
        f"the pattern {quote(pattern)} brings in no file that is not there already",
        "take it out, or correct it if other files are meant",
        place,
        tuple(Related("this one brings it in", owner) for owner in dict.fromkeys(owners)),
        fix=Fix("take it out", (Remove(place),)),
    )


def unreadable(
    message: str,
    place: Place,
    remedy: str = "check the path, which is relative to pki.toml, and its permissions",
) -> Problem:
    """The problem of a file that the declaration names and that cannot be read."""
    return Problem(
        "file-unreadable",
        Severity.ERROR,
        message,
        remedy,
        place,
    )
