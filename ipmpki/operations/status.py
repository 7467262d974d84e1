"""A declaration's status, read from the store alone: nothing is planned, locked or looked for in dist/.

pki.toml is read for two things: it says where the store lies, and how long before its end each certificate
is to be renewed. Whatever is wrong with it, the certificates in the store are shown: whoever edits pki.toml
does not blind the monitor meanwhile.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import UnreadableFile
from ipmpki.diagnostics.problem import Severity
from ipmpki.operations.check import read
from ipmpki.operations.load import understand_text
from ipmpki.operations.project import STORE_NAME, store_path
from ipmpki.plans.mutual_auth import change_of, in_force
from ipmpki.plans.status import Status, last_backup, shown_subject, stand, unknown_hosts, waited_for
from ipmpki.source import files
from ipmpki.store.sqlite.queries import read_issued

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.store.records import Issued


def find_store(path: Path) -> Path:
    """Where the store of a declaration is, whatever else stands in it. Raises UnreadableFile."""
    main = read(str(path), files.read_file(path, what="the declaration"))
    declared = main.document.values.get("store")
    return _existing(path.absolute().parent / (declared if isinstance(declared, str) else STORE_NAME), path)


def _existing(store: Path, declaration: Path) -> Path:
    if not store.exists():
        raise UnreadableFile(
            f"there is no store '{store.name}' in '{store.parent}'",
            f"'ipmpki build {declaration}' makes it; if there was one, put your backup of it there instead",
        )
    return store


def watch(path: Path, at: datetime | None = None) -> Status:
    """How every certificate of the declaration at ``path`` stands, now or ``at`` another time (aware).

    Raises Fault where the declaration or the store cannot be read.
    """
    content = files.read_file(path, what="the declaration")
    understood = understand_text(path.absolute(), str(path), content)
    issued = read_issued(_existing(store_path(path.absolute(), understood.fleet), path))
    now = (at or datetime.now(UTC)).astimezone(UTC)
    fleet = in_force(understood.fleet, issued) if understood.fleet is not None else None
    errors = sum(problem.severity is Severity.ERROR for problem in understood.problems)
    standings, without = stand(fleet, issued, now, is_sound=not errors)
    waiting = waited_for(fleet, issued)
    unknown = unknown_hosts(fleet, issued, now)
    skipped = tuple(sorted(issued.skipped.items()))
    turn = change_of(fleet, issued) if fleet is not None else None
    return Status(
        str(path),
        _named(issued, path),
        now,
        standings,
        without,
        errors,
        waiting,
        unknown,
        skipped,
        turn,
        last_backup(issued),
    )


def _named(issued: Issued, path: Path) -> str:
    """What people call the whole: the authority's common name, or the file where nobody signs here."""
    return path.name if issued.signer is None else shown_subject(issued.signer.subject)


__all__ = ["find_store", "watch"]
