"""A declaration and its included files while they are edited: as on the disk, with what is not saved yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ipmpki.declaration.validate import included_patterns
from ipmpki.operations.check import check, read
from ipmpki.rules.context import Surroundings
from ipmpki.source.files import SourceFile, read_file, read_included

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from ipmpki.diagnostics.problem import Place, Problem
    from ipmpki.operations.check import Checked


@dataclass(frozen=True, slots=True)
class Draft:
    """pki.toml (the first file) and those it includes; ``unreadable`` are the includes that are not there."""

    path: Path
    files: tuple[SourceFile, ...]
    unreadable: tuple[Problem, ...]

    @property
    def contents(self) -> dict[str, bytes]:
        """What each file holds, by its name."""
        return {one.name: one.content for one in self.files}

    def with_content(self, name: str, content: bytes) -> Draft:
        """The same with one file's bytes replaced; files that it includes now are read."""
        main = self.files[0]
        contents = self.contents | {name: content}
        if name == main.name and _patterns(name, content) != _patterns(name, main.content):
            fresh = _open(self.path, SourceFile(name, content))
            contents = fresh.contents | {one: kept for one, kept in contents.items() if one in fresh.contents}
            return replace(fresh, files=tuple(SourceFile(*one) for one in contents.items()))
        return replace(self, files=tuple(SourceFile(*one) for one in contents.items()))

    def check(self, now: datetime) -> Checked:
        """Judge what the files say. The store is left alone: what was issued is no matter of an edit."""
        readings = [read(one.name, one.content) for one in self.files]
        return check(readings, Surroundings(now), self.unreadable)


def open_draft(path: Path) -> Draft:
    """Read a declaration and the files it includes. Raises UnreadableFile."""
    return _open(path, SourceFile(str(path), read_file(path, what="the declaration")))


def _open(path: Path, main: SourceFile) -> Draft:
    patterns = _patterns(main.name, main.content)
    included, unreadable = read_included(path.absolute(), main.name, patterns)
    return Draft(path, (main, *included), unreadable)


def _patterns(name: str, content: bytes) -> tuple[tuple[str, Place], ...]:
    return included_patterns(read(name, content).document)
