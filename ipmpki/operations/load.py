"""Read a declaration, the files it names and its store, and judge them together."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ipmpki.declaration.validate import included_patterns
from ipmpki.diagnostics.problem import Severity
from ipmpki.operations.check import Understood, conclude, judged, read, understand
from ipmpki.operations.configured_authority import authority_problems
from ipmpki.operations.existing_authority import unusable_files
from ipmpki.operations.host_requests import read_requests
from ipmpki.operations.key_owners import keys_of_others
from ipmpki.operations.project import DIST_NAME, Project, in_force, store_path
from ipmpki.operations.recovery.authority import require_more_than_nothing
from ipmpki.operations.repairs import declared_repairs
from ipmpki.operations.surroundings import missing_files, no_place_for, surroundings_of
from ipmpki.operations.trust_bundle import bundle_problems
from ipmpki.source.files import read_file, read_included
from ipmpki.store.sqlite.connection import EmptyStore
from ipmpki.store.sqlite.queries import read_issued

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ipmpki.diagnostics.problem import LocatedProblem
    from ipmpki.store.records import Issued


def load(path: str | os.PathLike[str], *, now: datetime | None = None) -> Project:
    """Read a declaration, its included files and its store, and judge them.

    ``now`` is the time to judge by (aware; the clock's where it is not given). Raises Fault where a file
    or the store cannot be read; what is wrong in the declaration becomes problems.
    """
    now = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    name = os.fspath(path)
    absolute = Path(name).absolute()
    content = read_file(Path(name), what="the declaration", may_be_pipe=True)
    return load_text(absolute, name, content, now=now)


def load_text(
    path: Path, name: str, content: bytes, *, now: datetime, unsaved: Mapping[Path, bytes] | None = None
) -> Project:
    """The same for a declaration whose bytes are given, such as one that is about to be saved.

    ``unsaved`` has, by resolved path, what included files hold in an editor.
    """
    understood = understand_text(path, name, content, unsaved)
    fleet = understood.fleet
    store = store_path(path, fleet)
    try:
        issued = read_issued(store)
    except EmptyStore:
        if fleet is not None:
            require_more_than_nothing(path.parent / DIST_NAME, fleet, store)
        raise
    if fleet is not None:
        missing = missing_files(path.parent, fleet, is_adopted=_is_adopted(issued))
        fleet, found = read_requests(path.parent, fleet)
        found = (*found, *no_place_for(path.parent, store, fleet))
        understood = replace(understood, fleet=fleet, problems=(*understood.problems, *found))
        authority = authority_problems(path.parent, fleet, issued, now)
        taken = keys_of_others(path.parent, fleet, store, issued)
        unusable = bundle_problems(path.parent, fleet, now)
        unread = unusable_files(path.parent, fleet, issued)
        repaired = declared_repairs(path.parent, fleet)
        beside = (*repaired, *missing, *unread, *unusable, *authority, *taken)
        understood = judged(replace(understood, problems=(*understood.problems, *beside)))
    checked = conclude(understood, surroundings_of(path, understood, store, issued, now))
    if fleet is not None:
        fleet = in_force(path.parent, fleet, issued)
    return Project(path, name, understood, checked.problems, issued, store, now, fleet)


def understand_text(
    path: Path, name: str, content: bytes, unsaved: Mapping[Path, bytes] | None = None
) -> Understood:
    """What a declaration and the files it includes say, before any rule judges it."""
    main = read(name, content)
    patterns = included_patterns(main.document)
    included, found = read_included(path, name, patterns, unsaved)
    sites = [read(file.name, file.content) for file in included]
    is_whole = all(problem.severity is not Severity.ERROR for problem in found)
    return understand((main, *sites), found, is_whole=is_whole)


def _is_adopted(issued: Issued) -> bool:
    return issued.signer is not None and issued.signer.is_existing


def check(project: Project) -> tuple[LocatedProblem, ...]:
    """Every problem of a project, in document order."""
    return project.problems
