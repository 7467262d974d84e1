"""How a store is laid out: its tables, and how times and serial numbers are kept in them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

APPLICATION_ID = 0x49504D50
"""«IPMP»: what tells a store from any other SQLite file."""
VERSION = 5
FILE_MODE = 0o600

_REQUESTS = """
CREATE TABLE request (
    id INTEGER PRIMARY KEY, host TEXT NOT NULL, specification TEXT NOT NULL, key TEXT NOT NULL REFERENCES key,
    made_at INTEGER NOT NULL, closed_at INTEGER, pem BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX open_request ON request (host) WHERE closed_at IS NULL;
"""

_INSTALLATIONS = """
CREATE TABLE installation (
    host TEXT PRIMARY KEY, at INTEGER NOT NULL, serials TEXT NOT NULL, trusted TEXT NOT NULL
) STRICT;
"""

_RETIREMENT = """
ALTER TABLE authority ADD COLUMN retired_at INTEGER;
UPDATE authority SET retired_at = made_at WHERE id NOT IN (
    SELECT max(id) FROM authority GROUP BY substr(specification, 1, 7) = 'bundle='
);
"""
"""Before, the newest authority was the only one; a trust bundle has a line of its own."""

_IN_USE = """
ALTER TABLE installation ADD COLUMN source TEXT NOT NULL DEFAULT 'operator';
ALTER TABLE installation ADD COLUMN files TEXT NOT NULL DEFAULT '';
ALTER TABLE installation ADD COLUMN lists TEXT NOT NULL DEFAULT '';
CREATE TABLE skip (
    host TEXT PRIMARY KEY, at INTEGER NOT NULL, reason TEXT NOT NULL
) STRICT;
CREATE TABLE backup (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, last_event INTEGER NOT NULL
) STRICT;
"""

ASKED_BEFORE = """EXISTS (
    SELECT 1 FROM certificate WHERE retired_at IS NULL AND (
        (host = substr(folder.path, 7) AND profile = 'server-mutual')
        OR host = substr(folder.path, 7) || '/client'
    )
)"""
"""Before, a server was told to ask clients as soon as it had what it shows where it is a client itself."""

_ASKING = f"""
ALTER TABLE folder ADD COLUMN asks_clients INTEGER NOT NULL DEFAULT 0;
UPDATE folder SET asks_clients = {ASKED_BEFORE} WHERE substr(path, 1, 6) = 'hosts/';
"""  # noqa: S608 -- our own names

UPGRADES = {1: _REQUESTS, 2: _INSTALLATIONS + _RETIREMENT, 3: _IN_USE, 4: _ASKING}
"""What a store of an older format lacks, by that format's number; each step leads to the next."""

TABLES = f"""
CREATE TABLE authority (
    id INTEGER PRIMARY KEY, subject TEXT NOT NULL, specification TEXT NOT NULL, key_type TEXT NOT NULL,
    fingerprint TEXT NOT NULL, not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,
    is_existing INTEGER NOT NULL, made_at INTEGER NOT NULL, certificates BLOB NOT NULL, key BLOB NOT NULL,
    retired_at INTEGER
) STRICT;
CREATE TABLE key (
    digest TEXT PRIMARY KEY, host TEXT NOT NULL, made_at INTEGER NOT NULL, pem BLOB NOT NULL
) STRICT;
CREATE TABLE certificate (
    serial TEXT PRIMARY KEY, host TEXT NOT NULL, authority INTEGER NOT NULL REFERENCES authority,
    profile TEXT NOT NULL, specification TEXT NOT NULL, not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL, fingerprint TEXT NOT NULL, issued_at INTEGER NOT NULL,
    retired_at INTEGER, revoked_at INTEGER, revocation_reason TEXT, listed_in INTEGER,
    key TEXT NOT NULL REFERENCES key, pem BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX current_certificate ON certificate (host) WHERE retired_at IS NULL;
CREATE INDEX revoked_certificate ON certificate (authority) WHERE revoked_at IS NOT NULL;
CREATE TABLE revocation_list (
    authority INTEGER NOT NULL REFERENCES authority, number INTEGER NOT NULL, this_update INTEGER NOT NULL,
    next_update INTEGER NOT NULL, pem BLOB NOT NULL, PRIMARY KEY (authority, number)
) STRICT;
CREATE TABLE folder (
    path TEXT PRIMARY KEY, inputs TEXT NOT NULL, published_at INTEGER NOT NULL, listing TEXT NOT NULL,
    asks_clients INTEGER NOT NULL
) STRICT;
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL, host TEXT,
    serial TEXT, detail TEXT NOT NULL, user TEXT NOT NULL
) STRICT;
CREATE TABLE holder (
    id INTEGER PRIMARY KEY CHECK (id = 1), pid INTEGER NOT NULL, node TEXT NOT NULL, user TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT;
{_REQUESTS}{_INSTALLATIONS}{_IN_USE}"""


def seconds(time: datetime) -> int:
    """A time as the store keeps it: whole seconds of Unix time."""
    return int(time.timestamp())


@lru_cache(maxsize=4096)
def moment(unix_time: int) -> datetime:
    """A kept time, aware. Remembered, as what is issued in one go has the same times."""
    return datetime.fromtimestamp(unix_time, UTC)


def hex_serial(serial: int) -> str:
    """A serial number as the store keeps it: SQLite's integers end at 63 bits."""
    return f"{serial:040x}"
