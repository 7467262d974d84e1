"""Years of a shop's life, at random: whatever is edited, revoked, renewed or killed, what was promised holds.

Hypothesis draws the events; a simple model beside the shop remembers what was issued and revoked. A build
that is killed is a process of its own, killed at the n-th time it touches the store or dist/.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ipmpki.declaration.vocabulary import RevocationReason
from ipmpki.diagnostics.fault import WrongUse
from ipmpki.operations.backup.backup import make_backup
from ipmpki.operations.backup.restore import WouldLose, restore
from ipmpki.operations.installed import record_installed
from ipmpki.operations.revoke import revoke
from ipmpki.store.sqlite.queries import read_issued
from tests.faults.killing import killed_at
from tests.shop import Shop

PASSPHRASE = b"a phrase that nobody would guess"
DESKS = tuple(f"desk{number}" for number in range(4))
_END = "-----END X509 CRL-----\n"


@dataclass
class Declared:
    """What pki.toml says, in a form that is easy to change."""

    generation: int = 1
    key: str = "ec-p256"
    mutual_auth: str = "required"
    revoke_replaced: bool = False
    desks: dict[str, int] = field(default_factory=lambda: {"desk0": 0})
    """The clients, each with a number that stands in one of its names."""

    def text(self) -> str:
        hosts = "".join(
            f'\n[[hosts]]\nname = "{name}.example.com"\nrole = "client"\nkey = "ec-p256"\n'
            f'aliases = ["{name}-{number}.example.com"]\n'
            for name, number in self.desks.items()
        )
        return (
            f'[ca]\ncommon_name = "Acme Print CA"\nkey = "{self.key}"\ngeneration = {self.generation}\n'
            f"revoke_replaced = {str(self.revoke_replaced).lower()}\n"
            f'\n[tls]\nmutual_auth = "{self.mutual_auth}"\n'
            '\n[defaults]\nlifetime = "90d"\nrenew_before = "30d"\nrenew_key = "keep"\n'
            '\n[ipm.keywords]\ncrl_file = "NameReadOffTheSample"\n'
            '\n[[hosts]]\nname = "ipm1.example.com"\nrole = "server"\n' + hosts
        )


@dataclass(frozen=True)
class _Backup:
    """A backup, and what was remembered when it was made."""

    file: Path
    issued: dict[str, tuple[str, int]]
    numbers: dict[int, int]


class Years(RuleBasedStateMachine):
    """A shop, the folder it lies in, and what is remembered beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ipmpki-years-"))
        self.declared = Declared()
        self.shop = Shop(self.folder, text=self.declared.text())
        self.issued: dict[str, tuple[str, int]] = {}
        self.numbers: dict[int, int] = {}
        self.is_built = False
        self.backup: _Backup | None = None

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def edit(self) -> None:
        self.shop.write(self.declared.text())
        self.is_built = False

    # --- What happens -----------------------------------------------------------------------------

    @initialize()
    def first_build(self) -> None:
        self.build()

    @rule()
    def build(self) -> None:
        leave = self.shop.plan().replaces_ca  # it may have ended while nobody looked
        self.shop.build(replace_ca=leave)
        self.is_built = True

    @rule(touch=st.integers(1, 400))
    def build_and_be_killed(self, touch: int) -> None:
        leave = self.shop.plan().replaces_ca
        self.is_built = not killed_at(touch, lambda: self.shop.build(replace_ca=leave))

    @rule(name=st.sampled_from(DESKS))
    def add_or_rename(self, name: str) -> None:
        self.declared.desks[name] = self.declared.desks.get(name, 0) + 1
        self.edit()

    @precondition(lambda self: len(self.declared.desks) > 1)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        del self.declared.desks[data.draw(st.sampled_from(sorted(self.declared.desks)))]
        self.edit()

    @rule()
    def let_another_authority_take_over(self) -> None:
        self.declared.generation = 3 - self.declared.generation
        self.edit()

    @rule(key=st.sampled_from(["ec-p256", "ec-p384"]))
    def choose_a_key(self, key: str) -> None:
        self.declared.key = key
        self.edit()

    @rule(mode=st.sampled_from(["required", "off"]))
    def choose_a_mode(self, mode: str) -> None:
        self.declared.mutual_auth = mode
        self.edit()

    @rule(wanted=st.booleans())
    def choose_whether_to_revoke(self, wanted: bool) -> None:
        self.declared.revoke_replaced = wanted
        self.edit()

    @rule(days=st.sampled_from([1, 20, 45, 70, 400, 1500]))
    def wait(self, days: int) -> None:
        self.shop.now += timedelta(days=days)
        self.is_built = False

    @rule(reason=st.sampled_from(list(RevocationReason)), data=st.data())
    def revoke_somebody(self, reason: RevocationReason, data: st.DataObject) -> None:
        current = sorted(read_issued(self.shop.store).current)
        if current:
            with contextlib.suppress(WrongUse):  # one that has ended is not there to be revoked
                revoke(self.shop.load(), data.draw(st.sampled_from(current)), reason)
            self.is_built = False

    @precondition(lambda self: self.is_built)
    @rule(every=st.booleans())
    def install(self, every: bool) -> None:
        names = None if every else ["ipm1.example.com"]
        record_installed(self.shop.load(), names)
        self.is_built = False

    @rule()
    def back_up(self) -> None:
        if self.backup is None:  # deriving its key takes a while: one is enough
            file = self.folder / "backup"
            with file.open("wb") as sink:
                made = make_backup(self.shop.declaration, self.folder / "none", now=self.shop.now)
                made.write(sink, PASSPHRASE)
            self.backup = _Backup(file, dict(self.issued), dict(self.numbers))

    @precondition(lambda self: self.backup is not None)
    @rule(force=st.booleans())
    def restore(self, force: bool) -> None:
        assert self.backup is not None
        held = dict(self.issued)
        try:
            restore(
                self.shop.declaration,
                self.backup.file,
                passphrase=lambda: PASSPHRASE,
                now=self.shop.now,
                force=force,
            )
        except WouldLose:
            assert not force
            assert len(self.rows("SELECT serial FROM certificate")) == len(held), "it was refused, and done"
            return
        assert force or held == self.backup.issued, "certificates were forgotten without leave"
        self.issued, self.numbers = dict(self.backup.issued), dict(self.backup.numbers)
        self.backup, self.is_built = None, False

    # --- What holds -------------------------------------------------------------------------------

    @invariant()
    def nothing_that_was_issued_is_lost_or_numbered_twice(self) -> None:
        for serial, *row in self.rows("SELECT serial, fingerprint, not_after FROM certificate"):
            assert self.issued.setdefault(serial, tuple(row)) == tuple(row), "a serial number was used again"
        assert len(self.rows("SELECT serial FROM certificate")) == len(self.issued), "a certificate is gone"

    @invariant()
    def numbers_of_lists_only_rise(self) -> None:
        for authority, number in self.rows("SELECT authority, max(number) FROM revocation_list GROUP BY 1"):
            assert number >= self.numbers.get(authority, 0)
            self.numbers[authority] = number

    @invariant()
    def after_a_build_the_plan_is_empty(self) -> None:
        if self.is_built:
            assert self.shop.changes() == {}

    @invariant()
    def after_a_build_no_revoked_certificate_is_missing_from_the_lists(self) -> None:
        if not self.is_built:
            return
        revoked = self.rows(
            "SELECT serial FROM certificate JOIN authority ON authority.id = certificate.authority"
            " WHERE revoked_at IS NOT NULL AND certificate.not_after > ? AND authority.retired_at IS NULL",
            int(self.shop.now.timestamp()),
        )
        listed = {entry.serial_number for one in self.lists() for entry in one}
        assert {int(serial, 16) for (serial,) in revoked} <= listed

    @invariant()
    def after_a_build_every_host_trusts_whoever_issued_for_any_other(self) -> None:
        if not self.is_built:
            return
        hosts = [
            path
            for path in (self.shop.dist / "hosts").iterdir()
            if path.name.partition(".")[0] in self.names()
        ]
        issuers = {
            leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
            for host in hosts
            for path in host.glob("*-cert.pem")
            if path.name != "ca-cert.pem"
            for leaf in [x509.load_pem_x509_certificate(path.read_bytes())]
        }
        for host in hosts:
            trusted = x509.load_pem_x509_certificates((host / "ca-cert.pem").read_bytes())
            keys = {
                one.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
                for one in trusted
            }
            assert issuers <= keys, host.name

    def names(self) -> set[str]:
        return {"ipm1", *self.declared.desks}

    def rows(self, statement: str, *values: int) -> list[Any]:
        if not self.shop.store.exists():
            return []
        with contextlib.closing(sqlite3.connect(self.shop.store)) as connection:
            if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                return []
            return connection.execute(statement, values).fetchall()

    def lists(self) -> list[x509.CertificateRevocationList]:
        blocks = (self.shop.dist / "ca/crl.pem").read_text().split(_END)[:-1]
        return [x509.load_pem_x509_crl((block + _END).encode()) for block in blocks]


_SETTINGS: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much],
}
TestAFewYears = Years.TestCase
TestAFewYears.settings = settings(max_examples=5, stateful_step_count=20, **_SETTINGS)


@pytest.mark.exhaustive
class TestManyYears(Years.TestCase):  # type: ignore[misc,name-defined,valid-type]
    settings = settings(max_examples=40, stateful_step_count=30, **_SETTINGS)
