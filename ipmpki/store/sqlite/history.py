"""Reading what happened from a store: its ledger of events, and a host's certificates of all times."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ipmpki.declaration.fleet import tools_holder
from ipmpki.store.events import Deed, Event, LedgerCertificate
from ipmpki.store.sqlite.connection import reading
from ipmpki.store.sqlite.reader import read_certificates
from ipmpki.store.sqlite.schema import hex_serial, moment, seconds

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

_ALL = -1
"""SQLite's LIMIT for no limit."""


def read_events(
    path: Path, *, host: str | None = None, since: datetime | None = None, last: int | None = None
) -> tuple[Event, ...]:
    """The ledger's events, oldest first: all, or a host's, those ``since`` a moment, the ``last`` so many.

    Raises Fault where the store cannot be read.
    """
    with reading(path) as connection:
        if connection is None:
            return ()
        rows = connection.execute(
            "SELECT at, kind, host, serial, detail, user FROM event"
            " WHERE (?1 IS NULL OR host IN (?1, ?2)) AND (?3 IS NULL OR at >= ?3) ORDER BY id DESC LIMIT ?4",
            (
                host,
                tools_holder(host or ""),
                None if since is None else seconds(since),
                _ALL if last is None else last,
            ),
        ).fetchall()
    return tuple(
        Event(moment(at), kind, of, None if serial is None else int(serial, 16), detail, user)
        for at, kind, of, serial, detail, user in reversed(rows)
    )


_DEEDS = """
SELECT at, kind, reason, count(*), min(host), max(host) FROM (
  SELECT id, at, kind, host,
    CASE WHEN kind LIKE 'certificate-%' AND instr(detail, ': ')
    THEN substr(detail, 1, instr(detail, ': ') - 1) ELSE '' END AS reason
  FROM event WHERE at IN (SELECT DISTINCT at FROM event ORDER BY at DESC LIMIT ?)
) GROUP BY at, kind, reason ORDER BY at DESC, min(id)"""


def read_deeds(connection: sqlite3.Connection, moments: int) -> tuple[Deed, ...]:
    """What was done at the last so many moments at which anything was, the newest first."""
    rows = connection.execute(_DEEDS, (moments,)).fetchall()
    return tuple(Deed(moment(at), *others) for at, *others in rows)


def read_holders(path: Path) -> tuple[str, ...]:
    """Every host the store knows or knew, and holder of a second certificate, in the alphabet's order."""
    with reading(path) as connection:
        if connection is None:
            return ()
        rows = connection.execute(
            "SELECT host FROM event WHERE host IS NOT NULL UNION SELECT host FROM certificate ORDER BY 1"
        )
        return tuple(host for (host,) in rows)


def read_kept(path: Path, holder: str) -> tuple[LedgerCertificate, ...]:
    """A holder's certificates of all times, the oldest first."""
    with reading(path) as connection:
        if connection is None:
            return ()
        rows = connection.execute("SELECT serial, pem FROM certificate WHERE host = ?", (holder,))
        pems = {int(serial, 16): pem for serial, pem in rows}
        oldest_first = "host = ? ORDER BY retired_at IS NULL, issued_at, rowid"
        return tuple(
            LedgerCertificate(one, pems[one.serial])
            for one in read_certificates(connection, oldest_first, (holder,))
        )


def find_serial(path: Path, serials: Iterable[int]) -> tuple[str, int] | None:
    """The host and the number of the first of these serial numbers that the ledger has."""
    wanted = [hex_serial(serial) for serial in serials]
    with reading(path) as connection:
        if connection is None:
            return None
        rows = connection.execute(
            "SELECT serial, host FROM certificate WHERE serial IN (SELECT value FROM json_each(?))",
            (json.dumps(wanted),),
        ).fetchall()
    found = dict(rows)
    return next(((found[serial], int(serial, 16)) for serial in wanted if serial in found), None)
