"""Putting an adoption in place: the store and pki.toml both, or neither, whatever happens meanwhile.

Everything is written into a folder beside pki.toml first. Then the store is moved in place, and pki.toml
last: it is what commands look for. Whoever comes after a run that died in between completes it, or throws
it away.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import WrongUse
from ipmpki.operations.adopt.rows import AUTHORITY
from ipmpki.operations.project import STORE_NAME
from ipmpki.source.write_file import NEW_FILE_MODE, clear_errors, flush, give_name, new_file, write_new
from ipmpki.store.records import StoredRevocationList
from ipmpki.store.sqlite.open import hold, open_store
from ipmpki.x509 import crl

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.operations.adopt.adopt import Adoption
    from ipmpki.store.sqlite.writer import Store

_BATCH = 2_000
_FOLDER_MODE = 0o700


def require_place(into: Path, folder: Path) -> None:
    """Raises WrongUse where pki.toml or the store is there already, or would lie in the old folder."""
    root, old = into.absolute().parent.resolve(), folder.resolve()
    if root.is_relative_to(old):
        raise WrongUse(
            f"'{into}' would lie in the old folder '{folder}', where nothing is to be touched",
            "name another place: --into FILE, such as ../ipmpki/pki.toml",
        )
    for path, what in ((into, "a declaration"), (into.with_name(STORE_NAME), "a store")):
        if os.path.lexists(path):
            raise WrongUse(
                f"'{path}' exists already, and {what} is never overwritten; nothing was changed",
                "name another place: --into FILE, in a folder of its own",
            )


def complete(into: Path) -> bool:
    """Whether an adoption that died after it had moved the store was brought to its end just now.

    What one left that died before is thrown away.
    """
    stage, store = _stage(into), into.with_name(STORE_NAME)
    if not stage.is_dir():
        return False
    with hold(store), clear_errors(into):
        is_half = store.exists() and not (stage / STORE_NAME).exists() and not os.path.lexists(into)
        if is_half and (stage / into.name).exists():
            _move_new(stage / into.name, into)
        else:
            is_half = False
        shutil.rmtree(stage)
    return is_half


def put_in_place(adoption: Adoption) -> None:
    """Write the store, the hosts' requests and pki.toml. Raises Fault, and leaves nothing behind."""
    options = adoption.options
    into, stage = options.into, _stage(options.into)
    store = into.with_name(STORE_NAME)
    with hold(store), clear_errors(into):
        require_place(into, options.folder)
        stage.mkdir(mode=_FOLDER_MODE)
        try:
            with open_store(stage / STORE_NAME, now=options.now) as opened:
                _record(adoption, opened)
            with new_file(stage / into.name, NEW_FILE_MODE) as file:
                file.write(adoption.text.encode())
            for name, pem in adoption.requests.items():
                _place_request(into.parent / name, pem)
            (stage / STORE_NAME).rename(store)
        except BaseException:
            shutil.rmtree(stage, ignore_errors=True)
            raise
        # From here on a run that dies is completed by the next: there is no way back.
        _move_new(stage / into.name, into)
        with contextlib.suppress(OSError):  # both stand; without power now, the next run completes it
            flush(into.parent)
        shutil.rmtree(stage)


def _stage(into: Path) -> Path:
    return into.with_name(f".{into.name}.adopting")


def _record(adoption: Adoption, store: Store) -> None:
    options = adoption.options
    store.add_authority(adoption.authority, f"adopted from {options.folder.name or options.folder}")
    for start in range(0, len(adoption.rows), _BATCH):
        store.adopt(adoption.rows[start : start + _BATCH])
        options.progress("recording", min(start + _BATCH, len(adoption.rows)), len(adoption.rows))
    old = adoption.revocation_list
    if old is not None:
        store.add_revocation_list(replace(old, authority=AUTHORITY), ())
    elif adoption.books.needs_list:
        _record_new_list(adoption, store)


def _record_new_list(adoption: Adoption, store: Store) -> None:
    """Count on from a CRL that is not there, or has no number, which nothing but the next CRL can tell."""
    options, fleet = adoption.options, adoption.project.fleet
    assert fleet is not None  # noqa: S101 -- the declaration was made here
    revoked = store.revocations(AUTHORITY)
    number = adoption.books.next_list
    next_update = min(options.now + fleet.crl_lifetime, adoption.authority.not_after)
    pem = crl.make_crl(
        adoption.issuer,
        [crl.RevokedEntry(one.serial, one.revoked_at, one.reason) for one in revoked],
        number=number,
        now=options.now,
        next_update=next_update,
    )
    store.add_revocation_list(
        StoredRevocationList(AUTHORITY, number, options.now, next_update, pem),
        [one.serial for one in revoked],
    )


def _place_request(path: Path, pem: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or path.read_bytes() != pem:
        write_new(path, lambda file: file.write(pem), _came_to_be(path))


def _move_new(source: Path, target: Path) -> None:
    give_name(source, target, _came_to_be(target))


def _came_to_be(target: Path) -> WrongUse:
    return WrongUse(
        f"'{target}' came to be in the meantime, and is not overwritten",
        "look at it, move it away, and run the command again",
    )
