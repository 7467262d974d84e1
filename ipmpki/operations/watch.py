"""Notice when a declaration, or anything that its check looks at, has changed on the disk.

By looking at the files now and then rather than by the system's notifications: it works on network drives and
on AIX, notices files that editors replace and those that an include comes to match, and never waits for a
folder as large as dist/.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ipmpki.diagnostics.fault import Fault
from ipmpki.operations.load import load
from ipmpki.source.files import matching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ipmpki.operations.project import Project

INTERVAL_SECONDS = 0.3
"""How often the files are looked at; a person does not notice it."""
SETTLING_SECONDS = 0.15
"""How long nothing must change before a check: editors write in several steps, and several files at once."""
_MOST_RESTARTS = 5
"""Checks begun anew because something changed under them, before one is shown all the same."""

_State: TypeAlias = "dict[Path, tuple[int, int, int, int] | None]"
"""Of each file: time of change, size, inode (a replaced file's is another), mode; None where it is not."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What a check looks at: files by path, and patterns of files below a folder."""

    root: Path
    files: frozenset[Path]
    patterns: tuple[str, ...] = ()

    def state(self) -> _State:
        """How the files lie on the disk now."""
        return {path: _stat(path) for path in sorted({*self.files, *self._matches()})}

    def _matches(self) -> Iterator[Path]:
        for pattern in self.patterns:
            try:
                yield from matching(self.root, pattern)
            except (ValueError, NotImplementedError, OSError):  # the check says what is wrong with it
                continue


def followed_by(project: Project) -> Followed:
    """The files that a project was judged by."""
    root, fleet = project.root, project.fleet
    named: list[str | None] = []
    patterns: tuple[str, ...] = ()
    if fleet is not None:
        patterns = fleet.declared.include
        named += [host.declared.csr for host in fleet.hosts]
        if fleet.existing is not None:
            named += [fleet.existing.certificate, fleet.existing.key_file]
        if fleet.passphrase is not None:
            named.append(fleet.passphrase.file)
        if fleet.bundle is not None:
            named.append(fleet.bundle.path)
    files = {project.path, project.store, *(root / name for name in named if name)}
    return Followed(root, frozenset(files), patterns)


def follow(path: Path, show: Callable[[Project | Fault, Followed], None]) -> None:
    """Check now and after each change, for ever, and ``show`` each time what came of it.

    A fault, such as a file that is away while an editor replaces it, is shown and does not end it.
    """
    absolute = path.absolute()
    followed = Followed(absolute.parent, frozenset({absolute}))
    shown: _State | None = None
    while True:
        state = followed.state()
        if state != shown:
            followed, shown = _check(path, followed, show)
        time.sleep(INTERVAL_SECONDS)


def _check(
    path: Path, followed: Followed, show: Callable[[Project | Fault, Followed], None]
) -> tuple[Followed, _State]:
    """Show one check, of files that did not change while it was made; what it looked at, and their state."""
    for _ in range(_MOST_RESTARTS):
        state = _settled(followed)
        result: Project | Fault
        try:
            result = load(path)
        except Fault as fault:
            result = fault
        else:
            followed = followed_by(result)
        if followed.state() == state:
            break
    show(result, followed)
    return followed, state


def _settled(followed: Followed) -> _State:
    state = followed.state()
    while True:
        time.sleep(SETTLING_SECONDS)
        later = followed.state()
        if later == state:
            return state
        state = later


def _stat(path: Path) -> tuple[int, int, int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode
