"""Writing a store: each method is one transaction, and nothing is overwritten."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ipmpki.declaration.specification import BUNDLE
from ipmpki.store.sqlite.entries import INSERT_CERTIFICATE, Keeping, Material, Revoked, certificate_row
from ipmpki.store.sqlite.history import read_deeds
from ipmpki.store.sqlite.reader import read, read_certificates, serials_of
from ipmpki.store.sqlite.schema import APPLICATION_ID, TABLES, UPGRADES, VERSION, hex_serial, moment, seconds
from ipmpki.store.sqlite.user import login_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ipmpki.store.events import Deed
    from ipmpki.store.records import (
        Installation,
        Issued,
        IssuedCertificate,
        PublishedFolder,
        StoredAuthority,
        StoredRevocationList,
    )
    from ipmpki.store.sqlite.entries import (
        AdoptedCertificate,
        BoughtCertificate,
        Forgotten,
        NewCertificate,
        NewRequest,
    )

_KEY = "INSERT OR IGNORE INTO key VALUES (?, ?, ?, ?)"
"""A key that its host keeps is certified again and again; its row has no private key, an empty blob."""
_CERTIFICATE = "INSERT INTO certificate VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL, ?, ?)"
_EVENT = "INSERT INTO event (at, kind, host, serial, detail, user) VALUES (?, ?, ?, ?, ?, ?)"


class Store:
    """An open store: whoever has one is its only writer."""

    def __init__(self, connection: sqlite3.Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._user = login_name()

    def sign_in(self, *, is_new: bool) -> None:
        """Become the store's holder; create the tables that are not there, be it for their age."""
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA secure_delete = ON")  # a key that was encrypted leaves no plain copy
        with self._transaction() as execute:
            if is_new:
                _create(execute, TABLES)
                execute(f"PRAGMA application_id = {APPLICATION_ID}")
            else:
                (version,) = execute("PRAGMA user_version").fetchone()
                for older in range(version, VERSION):
                    _create(execute, UPGRADES[older])
            execute(f"PRAGMA user_version = {VERSION}")
            execute(
                "REPLACE INTO holder VALUES (1, ?, ?, ?, ?)",
                (os.getpid(), platform.node(), self._user, seconds(datetime.now(UTC))),
            )

    def issued(self) -> Issued:
        """All that plan, rules and report look at."""
        return read(self._connection)

    def materials(self, serials: Sequence[int]) -> dict[int, Material]:
        """Certificates with their keys, by serial number."""
        rows = self._connection.execute(
            "SELECT serial, certificate.pem, key.pem FROM certificate"
            " JOIN key ON key.digest = certificate.key WHERE serial IN (SELECT value FROM json_each(?))",
            (json.dumps([hex_serial(serial) for serial in serials]),),
        )
        return {int(serial, 16): Material(certificate, key) for serial, certificate, key in rows}

    def with_shared_keys(self) -> frozenset[int]:
        """The serial numbers of current certificates whose key another current one has, too."""
        rows = self._connection.execute(
            "SELECT serial FROM certificate WHERE retired_at IS NULL AND key IN"
            " (SELECT key FROM certificate WHERE retired_at IS NULL GROUP BY key HAVING count(*) > 1)"
        )
        return frozenset(int(serial, 16) for (serial,) in rows)

    def revocations(self, authority: int) -> list[Revoked]:
        """All revocations of an authority's certificates that have not expired (RFC 5280, 3.3)."""
        rows = self._connection.execute(
            "SELECT serial, revoked_at, revocation_reason FROM certificate"
            " WHERE authority = ? AND revoked_at IS NOT NULL AND (listed_in IS NULL OR not_after >= ?)",
            (authority, seconds(self._now)),
        )
        return [Revoked(int(serial, 16), moment(revoked_at), reason) for serial, revoked_at, reason in rows]

    def is_put_back(self) -> bool:
        """Whether the store is a copy of an earlier state, so that it may not know what was issued since."""
        (is_there,) = self._connection.execute(
            "SELECT EXISTS (SELECT 1 FROM event WHERE kind IN ('store-restored', 'store-salvaged'))"
        ).fetchone()
        return bool(is_there)

    def add_authority(self, authority: StoredAuthority, detail: str, *, replaces: bool = False) -> None:
        """Record a new authority; with ``replaces`` it takes the place of those that signed before."""
        with self._transaction() as execute:
            if replaces:
                self._retire_authorities(execute, "substr(specification, 1, ?) != ?", (len(BUNDLE), BUNDLE))
            execute(
                "INSERT INTO authority (subject, specification, key_type, fingerprint, not_before, not_after,"
                " is_existing, made_at, certificates, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    authority.subject,
                    authority.specification,
                    authority.key_type,
                    authority.fingerprint,
                    seconds(authority.not_before),
                    seconds(authority.not_after),
                    authority.is_existing,
                    seconds(self._now),
                    authority.certificates_pem,
                    authority.key_pem,
                ),
            )
            self._tell(execute, "authority-made", None, None, detail)

    def retire_authority(self, identity: int, detail: str) -> None:
        """Record that an authority is not trusted any more; its key and what it issued stay."""
        with self._transaction() as execute:
            self._retire_authorities(execute, "id = ?", (identity,))
            self._tell(execute, "authority-retired", None, None, detail)

    def _retire_authorities(
        self, execute: Callable[..., sqlite3.Cursor], condition: str, values: tuple[int | str, ...]
    ) -> None:
        statement = f"UPDATE authority SET retired_at = ? WHERE retired_at IS NULL AND {condition}"  # noqa: S608 -- conditions are this class's own
        execute(statement, (seconds(self._now), *values))

    def replace_authority_certificates(self, identity: int, certificates_pem: bytes, detail: str) -> None:
        """Put an authority's certificate, with others above it than before, in place of what is there."""
        with self._transaction() as execute:
            execute("UPDATE authority SET certificates = ? WHERE id = ?", (certificates_pem, identity))
            self._tell(execute, "authority-chain-changed", None, None, detail)

    def replace_authority_keys(self, changed: Mapping[int, bytes], kind: str, detail: str) -> None:
        """Put the same keys, otherwise kept, in place of what is there, by authority."""
        with self._transaction() as execute:
            for identity, key_pem in changed.items():
                execute("UPDATE authority SET key = ? WHERE id = ?", (key_pem, identity))
            self._tell(execute, kind, None, None, detail)

    def take_over(self, rows: Mapping[str, Sequence[Mapping[str, object]]]) -> dict[str, int]:
        """Put rows of another store into the tables of this new one; how many of each were there already."""
        refused = {}
        with self._transaction() as execute:
            for table, each in rows.items():
                taken = 0
                for row in each:
                    names, marks = ", ".join(row), ", ".join("?" * len(row))
                    taken += execute(
                        f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})",  # noqa: S608 -- our own names
                        tuple(row.values()),
                    ).rowcount
                refused[table] = len(each) - taken
        return refused

    def record(self, kind: str, detail: str) -> None:
        """Tell the ledger of an event that changes no table but itself."""
        with self._transaction() as execute:
            self._tell(execute, kind, None, None, detail)

    def add_certificates(self, batch: Sequence[NewCertificate]) -> None:
        """Record certificates and their keys; what their hosts had before is retired."""
        now = seconds(self._now)
        with self._transaction():
            many = self._connection.executemany
            many(
                "UPDATE certificate SET retired_at = ? WHERE host = ? AND retired_at IS NULL",
                [(now, new.certificate.host) for new in batch],
            )
            many(
                _KEY,
                [(new.key_digest, new.certificate.host, now, new.key_pem) for new in batch],
            )
            many(
                _CERTIFICATE,
                [(*certificate_row(new.certificate), new.key_digest, new.pem) for new in batch],
            )
            many(
                _EVENT,
                [
                    (
                        now,
                        new.event,
                        new.certificate.host,
                        hex_serial(new.certificate.serial),
                        new.detail,
                        self._user,
                    )
                    for new in batch
                ],
            )

    def adopt(self, batch: Sequence[AdoptedCertificate]) -> None:
        """Record certificates that were issued before there was a store, current ones and past ones."""
        now = seconds(self._now)
        with self._transaction():
            many = self._connection.executemany
            many(_KEY, [(new.key_digest, new.certificate.host, now, new.key_pem) for new in batch])
            many(INSERT_CERTIFICATE, [new.row for new in batch])
            many(
                _EVENT,
                [
                    (
                        now,
                        "certificate-adopted",
                        new.certificate.host,
                        hex_serial(new.certificate.serial),
                        new.detail,
                        self._user,
                    )
                    for new in batch
                ],
            )

    def recent_deeds(self, moments: int) -> tuple[Deed, ...]:
        """What was done at the last so many moments at which anything was, the newest first."""
        return read_deeds(self._connection, moments)

    def serials(self) -> dict[int, bool]:
        """Every serial number that was given out, and whether its certificate is revoked."""
        return serials_of(self._connection)

    def take_from_dist(self, forgotten: Forgotten) -> None:
        """Record what dist/ proves, where this store is a copy of an earlier state."""
        now = seconds(self._now)
        with self._transaction() as execute:
            for one in forgotten.lists:
                execute("INSERT INTO revocation_list VALUES (?, ?, ?, ?, ?)", _list_row(one))
                self._tell(
                    execute, "revocation-list-made", None, None, f"number {one.number}, taken over from dist/"
                )
            for number, listed in forgotten.revocations:
                serial = hex_serial(listed.serial)
                execute(
                    "UPDATE certificate SET revoked_at = ?, revocation_reason = ?, listed_in = ?"
                    " WHERE serial = ? AND revoked_at IS NULL",
                    (seconds(listed.revoked_at), listed.reason, number, serial),
                )
                (host,) = execute("SELECT host FROM certificate WHERE serial = ?", (serial,)).fetchone()
                self._tell(execute, "certificate-revoked", host, serial, "as the list in dist/ says")
            for new in forgotten.certificates:
                one_host = new.certificate.host
                if new.certificate.retired_at is None:
                    execute(
                        "UPDATE certificate SET retired_at = ? WHERE host = ? AND retired_at IS NULL",
                        (now, one_host),
                    )
                execute(_KEY, (new.key_digest, one_host, now, new.key_pem))
                execute(INSERT_CERTIFICATE, new.row)
                serial = hex_serial(new.certificate.serial)
                self._tell(execute, "certificate-adopted", one_host, serial, new.detail)

    def add_requests(self, batch: Sequence[NewRequest]) -> None:
        """Record requests and their keys; what their hosts had open before is closed."""
        now = seconds(self._now)
        with self._transaction() as execute:
            for new in batch:
                one = new.request
                self._close(execute, one.host)
                execute(_KEY, (one.key_digest, one.host, now, new.key_pem))
                execute(
                    "INSERT INTO request (host, specification, key, made_at, pem) VALUES (?, ?, ?, ?, ?)",
                    (one.host, one.specification, one.key_digest, seconds(one.made_at), one.pem),
                )
                self._tell(execute, "request-made", one.host, None, new.detail)

    def keeping(self, digests: Sequence[str]) -> Keeping:
        """What is known of the keys with these digests."""
        given = (json.dumps(list(digests)),)
        asked = self._connection.execute(
            "SELECT key, host FROM request"
            " WHERE closed_at IS NULL AND key IN (SELECT value FROM json_each(?))"
            " UNION SELECT key, host FROM certificate"
            " WHERE retired_at IS NULL AND key IN (SELECT value FROM json_each(?))",
            given * 2,
        )
        known = self._connection.execute(
            "SELECT fingerprint FROM certificate WHERE key IN (SELECT value FROM json_each(?))", given
        )
        return Keeping(dict(asked.fetchall()), frozenset(fingerprint for (fingerprint,) in known))

    def add_bought(self, batch: Sequence[BoughtCertificate]) -> None:
        """Record certificates that were bought; what hosts had is retired, the requests are closed."""
        now = seconds(self._now)
        with self._transaction() as execute:
            for new in batch:
                one = new.certificate
                execute(
                    "UPDATE certificate SET retired_at = ? WHERE host = ? AND retired_at IS NULL",
                    (now, one.host),
                )
                execute(
                    "UPDATE request SET closed_at = ? WHERE host = ? AND key = ? AND closed_at IS NULL",
                    (now, one.host, new.key_digest),
                )
                execute(_CERTIFICATE, (*certificate_row(one), new.key_digest, new.pem))
                self._tell(execute, "certificate-imported", one.host, hex_serial(one.serial), new.detail)

    def close_requests(self, hosts: Iterable[tuple[str, str]]) -> None:
        """Close the open requests of hosts, each with a detail for the ledger; nothing is removed."""
        with self._transaction() as execute:
            for host, detail in hosts:
                self._close(execute, host)
                self._tell(execute, "request-withdrawn", host, None, detail)

    def retire(self, hosts: Iterable[tuple[str, str]]) -> None:
        """Retire the certificates of hosts that are gone, where nobody here can revoke them."""
        now = seconds(self._now)
        with self._transaction() as execute:
            for host, detail in hosts:
                execute(
                    "UPDATE certificate SET retired_at = ? WHERE host = ? AND retired_at IS NULL", (now, host)
                )
                self._tell(execute, "certificate-retired", host, None, detail)

    def _close(self, execute: Callable[..., sqlite3.Cursor], host: str) -> None:
        execute(
            "UPDATE request SET closed_at = ? WHERE host = ? AND closed_at IS NULL",
            (seconds(self._now), host),
        )

    def revoke(
        self, revocations: Iterable[tuple[IssuedCertificate, str, str]], *, retires: bool = True
    ) -> None:
        """Revoke certificates, each with its RFC 5280 reason and a detail for the ledger.

        They are retired, too, unless the plan is to see that a host needs another one in place of its own.
        """
        now = seconds(self._now)
        with self._transaction() as execute:
            for one, reason, detail in revocations:
                serial = hex_serial(one.serial)
                execute(
                    "UPDATE certificate SET retired_at = coalesce(retired_at, ?),"
                    " revoked_at = coalesce(revoked_at, ?),"
                    " revocation_reason = coalesce(revocation_reason, ?) WHERE serial = ?",
                    (now if retires else None, now, reason, serial),
                )
                self._tell(execute, "certificate-revoked", one.host, serial, detail)

    def unexpired(self, holder: str) -> list[IssuedCertificate]:
        """Every certificate of a holder that has not ended, retired and revoked ones too."""
        condition = "host = ? AND not_after > ?"
        return list(read_certificates(self._connection, condition, (holder, seconds(self._now))))

    def certificate(self, serial: int) -> IssuedCertificate | None:
        """A certificate by its serial number, whatever became of it."""
        return next(read_certificates(self._connection, "serial = ?", (hex_serial(serial),)), None)

    def add_revocation_list(self, new: StoredRevocationList, serials: Iterable[int]) -> None:
        """Record a CRL and which revocations it lists."""
        with self._transaction() as execute:
            execute("INSERT INTO revocation_list VALUES (?, ?, ?, ?, ?)", _list_row(new))
            for serial in serials:
                execute(
                    "UPDATE certificate SET listed_in = coalesce(listed_in, ?) WHERE serial = ?",
                    (new.number, hex_serial(serial)),
                )
            self._tell(execute, "revocation-list-made", None, None, f"number {new.number}")

    def record_installations(self, installations: Iterable[Installation], detail: str) -> None:
        """Record what hosts have installed; what was known before is replaced."""
        with self._transaction() as execute:
            for one in installations:
                execute(
                    "REPLACE INTO installation (host, at, serials, trusted, source, files, lists)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        one.host,
                        seconds(one.at),
                        " ".join(sorted(map(hex_serial, one.serials))),
                        " ".join(sorted(one.trusted)),
                        one.source.value,
                        one.files,
                        " ".join(f"{authority}:{number}" for authority, number in sorted(one.lists.items())),
                    ),
                )
                execute("DELETE FROM skip WHERE host = ?", (one.host,))
                self._tell(execute, "installed", one.host, None, detail)

    def record_skips(self, hosts: Iterable[str], reason: str) -> None:
        """Record that no stage waits for these hosts, until they are known to have installed something."""
        with self._transaction() as execute:
            for host in hosts:
                execute("REPLACE INTO skip VALUES (?, ?, ?)", (host, seconds(self._now), reason))
                self._tell(execute, "host-skipped", host, None, reason)

    def record_backup(self, last_event: int) -> None:
        """Record that a backup was made now of all up to this event; that is no event, as nothing changed."""
        with self._transaction() as execute:
            execute("INSERT INTO backup (at, last_event) VALUES (?, ?)", (seconds(self._now), last_event))

    def record_folders(self, folders: Iterable[PublishedFolder], removed: Iterable[str] = ()) -> None:
        """Record what was published and what was removed from dist/."""
        with self._transaction() as execute:
            for folder in folders:
                execute(
                    "REPLACE INTO folder VALUES (?, ?, ?, ?, ?)",
                    (
                        folder.path,
                        folder.inputs,
                        seconds(folder.published_at),
                        folder.listing,
                        folder.asks_clients,
                    ),
                )
            for path in removed:
                execute("DELETE FROM folder WHERE path = ?", (path,))

    def _tell(
        self,
        execute: Callable[..., sqlite3.Cursor],
        kind: str,
        host: str | None,
        serial: str | None,
        detail: str,
    ) -> None:
        execute(
            _EVENT,
            (seconds(self._now), kind, host, serial, detail, self._user),
        )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection.execute
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # the first failure is the one to tell
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _list_row(one: StoredRevocationList) -> tuple[int | bytes, ...]:
    return (one.authority, one.number, seconds(one.this_update), seconds(one.next_update), one.crl_pem)


def _create(execute: Callable[..., sqlite3.Cursor], statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            execute(statement)
