"""What a store has forgotten, being a copy of an earlier state, and what dist/ still shows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration.fleet import tools_holder
from ipmpki.declaration.vocabulary import Profile, Role
from ipmpki.diagnostics.wording import counted
from ipmpki.operations.recovery.authority import content_of, found_in
from ipmpki.operations.recovery.revocation_lists import published_lists
from ipmpki.plans.dist_layout import HOSTS_FOLDER
from ipmpki.plans.plan import Action, Artifact, Change, Difference, Reason, ReasonCode
from ipmpki.publish.dist import survey
from ipmpki.store.records import IssuedCertificate, StoredRevocationList
from ipmpki.store.sqlite.entries import AdoptedCertificate, Forgotten, Revoked
from ipmpki.store.sqlite.queries import read_serials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ipmpki.declaration.fleet import CertificateSpec, Fleet
    from ipmpki.plans.plan import Drift
    from ipmpki.store.records import Issued, StoredAuthority
    from ipmpki.store.sqlite.writer import Store
    from ipmpki.x509.foreign_pki import FoundList
    from ipmpki.x509.presented_certificates import PresentedCertificate

_CERTIFICATES = {"server-cert.pem": "server-key.pem", "client-cert.pem": "client-key.pem"}
_NO_KEY = "unknown"
"""Stands for the key of a certificate that is not there itself."""
_UNKNOWN = "profile=unknown\nsubject={}\ndns=\nip=\nkey=unknown\nlifetime=unknown"
"""The ledger's text of a certificate that is not there itself."""


def forgets(dist: Path, fleet: Fleet, issued: Issued, store: Path, drift: Drift) -> bool:
    """Whether ``dist`` proves anything that the store does not know."""
    if not issued.signers:
        return False
    evidence = _Evidence(dist, fleet, issued, drift)
    if not evidence.is_there:
        return False
    return evidence.forgotten(read_serials(store)).is_something


def take_over(store: Store, dist: Path, fleet: Fleet) -> tuple[Change, ...]:
    """Record in the store what ``dist`` proves and it has forgotten; what that was, as changes of a plan."""
    issued = store.issued()
    evidence = _Evidence(dist, fleet, issued, survey(dist, issued.folders))
    if not evidence.is_there:
        return ()
    forgotten = evidence.forgotten(store.serials())
    if forgotten.is_something:
        store.take_from_dist(forgotten)
    return tuple(evidence.changes)


class _Evidence:
    """What lies in dist/, beside what the store knows of it."""

    def __init__(self, dist: Path, fleet: Fleet, issued: Issued, drift: Drift) -> None:
        self._fleet = fleet
        self._issued = issued
        self._lists = tuple(published_lists(dist, fleet, issued))
        self._folders = tuple(_folders_to_look_at(dist, issued, drift)) if issued.signers else ()
        self.changes: list[Change] = []

    @property
    def is_there(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self._lists or self._folders)

    def forgotten(self, serials: Mapping[int, bool]) -> Forgotten:
        """What the store lacks; ``serials`` has those it knows, and whether each is revoked."""
        lists = []
        revoked: dict[int, _Listed] = {}
        for authority, found in self._lists:
            held = self._issued.revocation_lists.get(authority.identity)
            number = found.number or 0
            entries = [one for one in found.entries if not serials.get(one.serial, False)]
            is_higher = held is None or number > held.number
            if is_higher:
                lists.append(_stored(authority, found))
            if is_higher or entries:
                self.changes.append(_list_change(found, held, len(entries)))
            for one in entries:
                listed = Revoked(one.serial, one.revoked_at, one.reason)
                revoked[one.serial] = _Listed(authority, number, listed)
        rows = [self._row(one, revoked) for one in self._certificates(serials)]
        there = {row.certificate.serial for row in rows}
        rows += [
            _row_without_file(one)
            for serial, one in revoked.items()
            if serial not in serials and serial not in there
        ]
        known = tuple((one.number, one.entry) for serial, one in revoked.items() if serial in serials)
        return Forgotten(tuple(lists), known, tuple(rows))

    def _certificates(self, serials: Mapping[int, bool]) -> Iterator[_Found]:
        """Certificates in the folders of hosts that our authorities signed and that the store lacks."""
        for folder in self._folders:
            for name, key_name in _CERTIFICATES.items():
                found = found_in(name, content_of(folder / name) or b"").contents
                if not found.certificates:
                    continue
                one = found.certificates[0]
                der = found.der[one.fingerprint]
                authority = _issuer_of(der, self._issued)
                if authority is None or one.serial in serials:
                    continue
                own = found_in(key_name, content_of(folder / key_name) or b"").keys
                key = next((key.plain_pem for key in own if key.digest == one.public_key_digest), b"")
                yield _Found(folder.name, one, der, authority, key)

    def _row(self, found: _Found, revoked: Mapping[int, _Listed]) -> AdoptedCertificate:
        """The ledger's row of a certificate, in force again where it is the newest and its key is there."""
        from ipmpki.x509.foreign_pki import pem_of

        one, listed = found.certificate, revoked.get(found.certificate.serial)
        holder, spec = self._declared(found)
        current = self._issued.current.get(holder)
        has_key = bool(found.key_pem) or (spec is not None and spec.kept_key is not None)
        is_newest = current is None or one.not_before >= current.not_before
        is_current = listed is None and has_key and is_newest
        self.changes.append(_certificate_change(found, current, is_current=is_current))
        ended = listed.entry.revoked_at if listed is not None else one.not_before
        certificate = IssuedCertificate(
            serial=one.serial,
            host=holder,
            authority=found.authority.identity,
            profile=found.profile,
            specification=_specification(found, spec),
            not_before=one.not_before,
            not_after=one.not_after,
            fingerprint=one.fingerprint,
            issued_at=one.not_before,
            retired_at=None if is_current else ended,
            revoked_at=listed.entry.revoked_at if listed is not None else None,
            revocation_reason=listed.entry.reason if listed is not None else None,
        )
        return AdoptedCertificate(
            certificate,
            pem_of(found.der),
            one.public_key_digest or _NO_KEY,
            found.key_pem,
            listed.number if listed is not None else None,
            "taken over from dist/",
        )

    def _declared(self, found: _Found) -> tuple[str, CertificateSpec | None]:
        """Whose certificate it is in the store, and what is declared for that now, if anything is."""
        host = next((one for one in self._fleet.hosts if one.name == found.host), None)
        if host is None:
            return found.host, None
        is_tools = found.profile is Profile.CLIENT and host.role is Role.SERVER
        holder = tools_holder(host.name) if is_tools else host.name
        return holder, next((spec for name, spec in host.certificates if name == holder), None)


class _Listed(NamedTuple):
    """An entry of a list in dist/ that the store has not."""

    authority: StoredAuthority
    number: int
    entry: Revoked


class _Found(NamedTuple):
    """A certificate in a host's folder, with its key where that lies beside it."""

    host: str
    certificate: PresentedCertificate
    der: bytes
    authority: StoredAuthority
    key_pem: bytes

    @property
    def profile(self) -> Profile:
        """What its extended key usage makes it."""
        purposes = self.certificate.extended_key_usage or ()
        if "serverAuth" not in purposes:
            return Profile.CLIENT
        return Profile.SERVER_MUTUAL if "clientAuth" in purposes else Profile.SERVER


def _stored(authority: StoredAuthority, found: FoundList) -> StoredRevocationList:
    from ipmpki.x509.foreign_pki import list_pem_of

    return StoredRevocationList(
        authority.identity,
        found.number or 0,
        found.this_update,
        found.next_update or found.this_update,
        list_pem_of(found.der),
    )


def _list_change(found: FoundList, held: StoredRevocationList | None, entries: int) -> Change:
    known = f"number {held.number}" if held is not None else "none"
    taken = f" and {counted(entries, 'revocation')}" if entries else ""
    detail = (
        f"the revocation list in dist/, number {found.number or 0} of {found.this_update:%Y-%m-%d}, is newer"
        f" than the store, which knows {known}: its number{taken} {'are' if entries else 'is'} taken over"
    )
    return Change(Action.RESTORE, None, Artifact.CRL, (Reason(ReasonCode.FILES_CHANGED, detail),))


def _certificate_change(found: _Found, current: IssuedCertificate | None, *, is_current: bool) -> Change:
    one = found.certificate
    what = "it is taken over with its key" if is_current else "it is known again, so that it can be revoked"
    detail = (
        f"dist/ holds one of {one.not_before:%Y-%m-%d}, serial number {one.serial:X}, that is newer than the"
        f" store: {what}"
    )
    serial = Difference("serial", f"{current.serial:X}" if current else None, f"{one.serial:X}")
    is_client = found.profile is Profile.CLIENT
    artifact = Artifact.CLIENT_CERTIFICATE if is_client else Artifact.SERVER_CERTIFICATE
    reason = Reason(ReasonCode.FILES_CHANGED, detail)
    return Change(Action.RESTORE, found.host, artifact, (reason,), (serial,) if is_current else ())


def _specification(found: _Found, spec: CertificateSpec | None) -> str:
    """What was ordered, as far as can be told: what is declared now, where it is that."""
    from ipmpki.operations.adopt.conformity import adopted_specification, described

    if spec is None or spec.profile is not found.profile:
        return described(found.certificate)
    return adopted_specification(spec, found.certificate, has_wrong_profile=False)


def _folders_to_look_at(dist: Path, issued: Issued, drift: Drift) -> Iterator[Path]:
    """Those whose certificate is not what was published there, and those that the store never made."""
    try:
        names = sorted(entry.name for entry in os.scandir(dist / HOSTS_FOLDER) if entry.is_dir())
    except OSError:
        return
    for name in names:
        folder = f"{HOSTS_FOLDER}/{name}"
        changed = drift.changed.get(folder, ())
        if folder not in issued.folders or any(one.startswith(tuple(_CERTIFICATES)) for one in changed):
            yield dist / HOSTS_FOLDER / name


def _issuer_of(der: bytes, issued: Issued) -> StoredAuthority | None:
    from ipmpki.x509.foreign_pki import is_issued_by

    for authority in issued.signers:
        ders = found_in("", authority.certificates_pem).contents.der.values()
        if any(is_issued_by(der, one) for one in ders):
            return authority
    return None


def _row_without_file(listed: _Listed) -> AdoptedCertificate:
    """What the list alone knows: nobody can tell when it ends, so that it stays listed as long as can be."""
    authority, one = listed.authority, listed.entry
    holder = f"serial number {one.serial:X}"
    certificate = IssuedCertificate(
        serial=one.serial,
        host=holder,
        authority=authority.identity,
        profile=Profile.SERVER,
        specification=_UNKNOWN.format(holder),
        not_before=authority.not_before,
        not_after=authority.not_after,
        fingerprint=f"serial-{one.serial:x}",  # in the place of one, as none is known
        issued_at=authority.not_before,
        retired_at=one.revoked_at,
        revoked_at=one.revoked_at,
        revocation_reason=one.reason,
    )
    return AdoptedCertificate(
        certificate, b"", _NO_KEY, b"", listed.number, "known from the list in dist/ alone"
    )
