"""Diagnosing a store: what is wrong with it, and what to do about each thing."""

from __future__ import annotations

import itertools
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import Fault
from ipmpki.plans.dist_layout import CA_FOLDER
from ipmpki.store.sqlite.connection import EmptyStore
from ipmpki.store.sqlite.inspect import inspect
from ipmpki.store.sqlite.replace import leftovers
from ipmpki.x509 import audit
from ipmpki.x509.protection import Protection, is_encrypted, is_in_token, protection_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from ipmpki.store.sqlite.inspect import Inspection, KeptAuthority, KeptCertificate

_RESTORE = "put a backup back: ipmpki restore; where there is none, save what can be: ipmpki doctor --salvage"
_REPLACE = "have it issued again: take the host out of pki.toml, build, put it back and build"


@dataclass(frozen=True, slots=True)
class StoreFinding:
    """Something about a store: a stable code, what it is, what to do. A note is no problem."""

    code: str
    message: str
    remedy: str
    is_note: bool = False


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found. ``is_readable`` is False where the store could not be read at all."""

    findings: tuple[StoreFinding, ...]
    is_readable: bool
    holds: dict[str, int]

    @property
    def is_healthy(self) -> bool:
        """Whether there is no problem."""
        return self.is_readable and all(one.is_note for one in self.findings)


def diagnose(store: Path, dist: Path, *, passphrase: bytes | None, now: datetime) -> Diagnosis:
    """Look at everything in and around a store; changes nothing, but SQLite undoes what was left half done.

    ``passphrase`` is the declared one of the CA's key, None where it is not to be had.
    """
    around = tuple(_around(store, dist))
    if not store.exists():
        missing = StoreFinding(
            "no-store",
            f"there is no store: {store.name} is not there",
            "build, or put a backup back: ipmpki restore"
            if not (dist / CA_FOLDER).exists()
            else f"put a backup back: ipmpki restore; 'ipmpki plan' says what lies in {dist.name}/, and what"
            " else can be done",
        )
        return Diagnosis((missing, *around), is_readable=False, holds={})
    try:
        found = inspect(store)
    except EmptyStore as fault:
        empty = StoreFinding("empty-store", fault.message, fault.remedy or "")
        return Diagnosis((empty, *around), is_readable=False, holds={})
    except Fault as fault:
        code = "unreadable"
        remedy = fault.remedy or ""
        if "damaged" in fault.message:
            remedy = _RESTORE
        return Diagnosis((StoreFinding(code, fault.message, remedy), *around), is_readable=False, holds={})
    damage = tuple(StoreFinding("database-damaged", f"{store.name}: {one}", _RESTORE) for one in found.faults)
    inside = (
        ()
        if damage
        else (*_authorities(found, passphrase), *_certificates(found), *_revocation_lists(found, now))
    )
    holds = {
        "authorities": len(found.authorities),
        "certificates": len(found.certificates),
        "revocation_lists": len(found.revocation_lists),
    }
    return Diagnosis((*damage, *inside, *around), is_readable=True, holds={} if damage else holds)


def _around(store: Path, dist: Path) -> Iterator[StoreFinding]:
    """The files beside a store: who can read them, and what killed commands left."""
    for path in (store, *sorted(store.parent.glob(f"{store.name}.before-restore-*")), *_journals(store)):
        if os.name == "posix" and path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield StoreFinding(
                "readable-by-others",
                f"{path.name} can be read by others than its owner: it holds private keys",
                f"chmod 600 '{path}', and think of who may have had a copy",
            )
    for path in leftovers(store):
        yield StoreFinding(
            "leftover",
            f"{path.name} is left of a restore that was killed; it holds private keys",
            f"no restore is running? Then: rm '{path}'; the next restore does the same",
        )
    for path in sorted(store.parent.glob(f"{store.name}.before-restore-*")):
        yield StoreFinding(
            "kept-copy",
            f"{path.name} is a store that was replaced; it holds private keys",
            "delete it once the restored one has proved good",
            is_note=True,
        )
    if not store.exists():
        return
    if (dist.parent / f".{dist.name}.staging").exists():
        yield StoreFinding(
            "publishing-interrupted",
            "a build was killed while it published",
            "the next build completes it",
            is_note=True,
        )
    if not dist.is_dir():
        yield StoreFinding(
            "nothing-published",
            f"there is no folder '{dist.name}'",
            "build: it is made from the store",
            is_note=True,
        )


def _journals(store: Path) -> list[Path]:
    return [
        path for suffix in ("-journal", "-wal") if (path := store.with_name(store.name + suffix)).exists()
    ]


def _authorities(found: Inspection, passphrase: bytes | None) -> Iterator[StoreFinding]:
    signers = [one for one in found.authorities if not one.is_bundle]
    if found.certificates and not found.authorities:
        yield StoreFinding("authority-missing", "there are certificates, and no authority", _RESTORE)
    for one in found.authorities:
        for fault in audit.audit_authority(one.certificates_pem, one.fingerprint):
            yield StoreFinding("authority-damaged", f"the authority {one.subject} {fault}", _RESTORE)
    for one in signers:
        is_current = one is signers[-1]
        digest = audit.digest_of(one.certificates_pem, one.fingerprint)
        needs_passphrase = is_encrypted(one.key_pem)
        if digest is None:
            continue  # told above
        if is_in_token(one.key_pem):
            yield StoreFinding(
                "key-in-token",
                f"the key of {one.subject} lies in a token: it was not tried, as that takes the PIN",
                "a build tries it",
                is_note=True,
            )
            continue
        if protection_of(one.key_pem) is Protection.WEAK:
            yield StoreFinding(
                "key-weakly-sealed",
                f"the key of {one.subject} is encrypted in a form that lets passphrases be tried fast",
                "run 'ipmpki build' where its passphrase is at hand, or 'ipmpki passphrase': both seal it",
                is_note=True,
            )
        if needs_passphrase and passphrase is None:
            yield StoreFinding(
                "key-not-compared",
                f"the key of {one.subject} is encrypted, and its passphrase is not at hand: it was not tried",
                "run the command where the passphrase is that pki.toml declares",
                is_note=True,
            )
            continue
        for fault in audit.audit_key(one.key_pem, digest, passphrase if needs_passphrase else None):
            is_foreign = "passphrase" in fault and not is_current
            yield StoreFinding(
                "authority-key-unusable",
                f"the authority {one.subject} {fault}",
                "say the right passphrase in pki.toml" if "passphrase" in fault else _RESTORE,
                is_note=is_foreign,
            )


def _certificates(found: Inspection) -> Iterator[StoreFinding]:
    issuers = {one.identity: None if one.is_bundle else _readable(one) for one in found.authorities}
    for one in found.certificates:
        issuer = issuers[one.authority]
        faults = list(
            audit.audit_certificate(
                one.pem, serial=one.serial, fingerprint=one.fingerprint, issuer_pem=issuer
            )
        )
        faults += _key_faults(one)
        for fault in faults:
            message = f"the certificate of {one.host}, serial number {one.serial:x}, {fault}"
            yield StoreFinding("certificate-damaged", message, _REPLACE)


def _readable(authority: KeptAuthority) -> bytes | None:
    """The certificates of an authority; None where damaged, which is told once and not for each leaf."""
    is_damaged = any(audit.audit_authority(authority.certificates_pem, authority.fingerprint))
    return None if is_damaged else authority.certificates_pem


def _key_faults(one: KeptCertificate) -> list[str]:
    digest = audit.digest_of(one.pem)
    if digest is not None and digest != one.key_digest:
        return ["is for another key than the store says"]
    return list(audit.audit_key(one.key_pem, one.key_digest)) if one.key_pem else []


def _revocation_lists(found: Inspection, now: datetime) -> Iterator[StoreFinding]:
    authorities = {one.identity: one for one in found.authorities}
    renew = "the next list puts it right: revoke a host, or wait for its renewal by a build"
    newest = {}
    for authority, group in itertools.groupby(found.revocation_lists, key=lambda one: one.authority):
        lists = list(group)
        newest[authority] = lists[-1]
        subject, issuer = authorities[authority].subject, _readable(authorities[authority])
        for one in lists:
            for fault in audit.audit_revocation_list(one.pem, one.number, issuer):
                message = f"revocation list number {one.number} of {subject} {fault}"
                yield StoreFinding("revocation-list-damaged", message, _RESTORE)
        for one, later in itertools.pairwise(lists):
            if later.this_update < one.this_update:
                yield StoreFinding(
                    "clock-set-back",
                    f"revocation list number {later.number} of {subject} is dated before number {one.number}",
                    "see that this computer's clock is right",
                    is_note=True,
                )
    listed = {authority: audit.listed_serials(one.pem) for authority, one in newest.items()}
    for certificate in found.certificates:
        is_due = certificate.is_revoked and certificate.listed_in is not None and certificate.not_after >= now
        if is_due and certificate.serial not in listed.get(certificate.authority, ()):
            known = f"{certificate.host}, serial number {certificate.serial:x}"
            message = f"the certificate of {known}, is revoked, and the newest revocation list lacks it"
            yield StoreFinding("revocation-unlisted", message, renew)
