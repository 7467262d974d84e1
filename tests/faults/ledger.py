"""What must hold of a store and of dist/ at any instant, whatever happened to a build."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ipmpki.operations.build import build
from ipmpki.operations.load import load
from ipmpki.operations.plan import plan
from ipmpki.store.sqlite.queries import read_issued

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ipmpki.operations.build import Built
    from tests.faults.fleets import Fleet

PRIVATE_FILES = ("-key.pem", ".db", ".db-journal", ".db-wal", ".db-shm", ".db.lock")
PARENTS_OF_PRIVATE = (("hosts",), ("new",), ("old",))
KEPT = ("authority", "key", "certificate", "revocation_list", "event")
"""Tables that nothing may vanish from."""

Row = dict[str, Any]


@dataclass
class Ledger:
    """The store of a folder, and everything that was ever seen in it."""

    folder: Path
    name: str = "pki.db"
    seen: dict[str, dict[tuple[Any, ...], Row]] = field(default_factory=lambda: {table: {} for table in KEPT})

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.folder / self.name

    def look(self) -> None:
        """Look at the store as the next command would, and hold it against what was seen before."""
        read_issued(self.store)
        if not self.store.exists() or not self.store.stat().st_size:
            assert not any(self.seen.values()), "the store is gone, and with it what was issued"
            return
        uri = f"{self.store.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            connection.row_factory = sqlite3.Row
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
            if "certificate" not in tables:
                assert not any(self.seen.values())
                return
            new = {table: self._compare(connection, table) for table in KEPT}
        self._judge_new(new)
        self._judge_all()

    def _compare(self, connection: sqlite3.Connection, table: str) -> list[Row]:
        """Nothing seen before is lost or changed, but for what is set once (a retirement, a revocation)."""
        rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608 -- our own name
        columns = connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", (table,))
        identifying = [name for (name,) in columns]
        found = {tuple(row[column] for column in identifying): row for row in rows}
        assert len(found) == len(rows)
        for identity, before in self.seen[table].items():
            assert identity in found, f"{table} {identity} was issued and is lost"
            for column, value in before.items():
                if value is not None:
                    assert found[identity][column] == value, f"{table} {identity}: {column} changed"
        new = [row for identity, row in found.items() if identity not in self.seen[table]]
        self.seen[table] = found
        return new

    def _judge_new(self, new: dict[str, list[Row]]) -> None:
        authorities = {row["id"]: row for row in self.seen["authority"].values()}
        for row in new["certificate"]:
            certificate = x509.load_pem_x509_certificate(row["pem"])
            assert certificate.serial_number == int(row["serial"], 16)
            assert fingerprint(certificate) == row["fingerprint"].replace(":", "").lower()
            key = self.seen["key"][row["key"],]
            assert key["host"] == row["host"]
            assert key["digest"] == key_digest(certificate)
            assert is_pair(row["pem"], key["pem"])
            issuer = x509.load_pem_x509_certificate(authorities[row["authority"]]["certificates"])
            certificate.verify_directly_issued_by(issuer)

    def _judge_all(self) -> None:
        certificates = list(self.seen["certificate"].values())
        used = [row["key"] for row in certificates]
        assert len(used) == len(set(used)) == len(self.seen["key"]), "a key twice, or without a certificate"
        current = [row["host"] for row in certificates if row["retired_at"] is None]
        assert len(current) == len(set(current)), "two current certificates of one host"
        numbers = [row["number"] for row in self.seen["revocation_list"].values()]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))

    def judge_dist(self) -> None:
        """Nothing in dist/ is half there, and nothing is there that the store does not hold."""
        dist = self.folder / "dist"
        issued = {bytes(row["pem"]) for row in self.seen["certificate"].values()}
        for certificate in dist.rglob("*-cert.pem"):
            if certificate.name == "ca-cert.pem":
                content = certificate.read_bytes()
                assert any(content == row["certificates"] for row in self.seen["authority"].values())
                continue
            key = certificate.with_name(certificate.name.replace("-cert", "-key"))
            assert key.exists(), f"{certificate} has no key beside it"
            assert is_pair(certificate.read_bytes(), key.read_bytes()), f"{certificate} has another's key"
            assert certificate.read_bytes() in issued, f"{certificate} is published but not in the store"
        for key in dist.rglob("*-key.pem"):
            assert key.with_name(key.name.replace("-key", "-cert")).exists(), f"{key} has no certificate"
        for folder in (dist / "hosts").glob("*"):
            judge_folder(folder)

    def judge_modes(self) -> None:
        """Nothing is readable more widely than the contract says."""
        too_wide = list(too_wide_below(self.folder))
        assert not too_wide, too_wide

    def judge_all(self) -> None:
        """Everything that must hold after a build that was killed or failed."""
        self.look()
        self.judge_dist()
        self.judge_modes()

    def finish(self, fleet: Fleet) -> Built:
        """Build once more: it completes, and leaves nothing to do and nothing lying around."""
        built = build(load(self.folder / "pki.toml"))
        self.judge_complete(fleet)
        return built

    def judge_second_build(self) -> None:
        """A second build rewrites no byte; in the store, only who held it last may differ."""
        before, content = sight(self.folder), self._content()
        built = build(load(self.folder / "pki.toml"))
        assert built.plan.changes == ()
        after = sight(self.folder)
        for seen in (before, after):
            del seen[self.name]
        assert after == before
        assert self._content() == content

    def _content(self) -> list[str]:
        uri = f"{self.store.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            return [line for line in connection.iterdump() if 'INTO "holder"' not in line]

    def judge_complete(self, fleet: Fleet) -> None:
        """Everything that must hold after a build that went through."""
        again = load(self.folder / "pki.toml")
        assert plan(again).changes == ()
        self.judge_all()
        assert {path.name for path in (self.folder / "dist/hosts").iterdir()} == fleet.hosts
        left = {path.name for path in self.folder.iterdir()} - {"pki.toml", "pki.db", "pki.db.lock", "dist"}
        assert not left, f"left lying around: {left}"
        counts: dict[str, int] = {}
        current = set()
        revoked = set()
        for row in self.seen["certificate"].values():
            counts[row["host"]] = counts.get(row["host"], 0) + 1
            if row["retired_at"] is None:
                current.add(row["host"])
            if row["revoked_at"] is not None:
                revoked.add(int(row["serial"], 16))
        assert current == fleet.certified
        assert counts == {host: fleet.issued[host] for host in counts}, "issued more often than asked for"
        crl = x509.load_pem_x509_crl((self.folder / "dist/ca/crl.pem").read_bytes())
        assert {entry.serial_number for entry in crl} == revoked


def judge_folder(folder: Path) -> None:
    """A host's folder is complete: just what its manifest lists, as it lists it."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    listed = {file["name"]: file for file in manifest["files"]}
    assert {path.name for path in folder.iterdir()} == {*listed, "manifest.json"}, folder
    for name, file in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == file["sha256"], folder / name
        assert stat.S_IMODE((folder / name).stat().st_mode) == int(file["mode"], 8), folder / name


def too_wide_below(folder: Path) -> Iterator[str]:
    """Files and folders that others could read though they must not, or could write."""
    for path in [folder / "dist", *folder.rglob("*")]:
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        mode = stat.S_IMODE(found.st_mode)
        steps = path.relative_to(folder).parts
        is_folder = stat.S_ISDIR(found.st_mode)
        allowed = 0o755
        if is_folder and (steps[-1].endswith(".staging") or steps[-2:-1] in PARENTS_OF_PRIVATE):
            allowed = 0o700
        elif path.name.endswith(PRIVATE_FILES) and not is_folder:
            allowed = 0o600
        elif path.suffix in {".pem", ".json"} and not is_folder:
            allowed = 0o644
        if mode & ~allowed:
            yield f"{'/'.join(steps)}: {mode:o}, wider than {allowed:o}"


def key_digest(certificate: x509.Certificate) -> str:
    """The SHA-256 of a certificate's public key."""
    der = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()


def fingerprint(certificate: x509.Certificate) -> str:
    """The SHA-256 of a certificate, in plain hexadecimal."""
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def is_pair(certificate_pem: bytes, key_pem: bytes) -> bool:
    """Whether a certificate and a key belong together."""
    key = serialization.load_pem_private_key(key_pem, None, unsafe_skip_rsa_key_validation=True)
    public = x509.load_pem_x509_certificate(certificate_pem).public_key()
    if isinstance(public, rsa.RSAPublicKey) != isinstance(key, rsa.RSAPrivateKey):
        return False
    return bool(key.public_key() == public)  # type: ignore[union-attr]


def sight(folder: Path) -> dict[str, tuple[object, ...]]:
    """All that stands in a folder, down to inodes and times."""
    seen: dict[str, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")):
        found = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        seen[str(path.relative_to(folder))] = (found.st_mode, found.st_ino, found.st_mtime_ns, content)
    return seen
