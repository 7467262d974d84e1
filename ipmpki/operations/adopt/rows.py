"""The ledger's rows for all that the old authority issued, or is known to have issued."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ipmpki.declaration.fleet import GivenKey, KeptKey
from ipmpki.declaration.vocabulary import Profile
from ipmpki.diagnostics.escape import visible
from ipmpki.operations.adopt.conformity import adopted_specification, described, with_wrong_profile
from ipmpki.operations.adopt.findings import LeftCode, LeftOut
from ipmpki.operations.adopt.index_and_crl import Past, unusable_serial
from ipmpki.store.records import IssuedCertificate
from ipmpki.store.sqlite.entries import AdoptedCertificate
from ipmpki.x509.foreign_pki import pem_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from ipmpki.declaration.fleet import CertificateSpec, Fleet, HostSpec
    from ipmpki.operations.adopt.choose_authority import OldAuthority
    from ipmpki.operations.adopt.findings import Survey
    from ipmpki.operations.adopt.hosts import HostEntry, Naming
    from ipmpki.operations.adopt.index_and_crl import Books, Entry
    from ipmpki.x509.presented_certificates import PresentedCertificate

AUTHORITY = 1
"""The authority's identity in the store: it is the first."""
_NO_KEY = "unknown"
"""Stands for the key of a certificate that is not there itself."""
_UNKNOWN = "profile=unknown\nsubject={}\ndns=\nip=\nkey=unknown\nlifetime=unknown"
"""The ledger's text of a certificate that is not there itself."""
_SERIAL_BITS = 159


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that decides about the rows. ``past`` says, by fingerprint, how certificates came to their end."""

    survey: Survey
    old: OldAuthority
    books: Books
    naming: Naming
    past: Mapping[str, Past | None]
    now: datetime

    def rows(self, hosts: Sequence[HostEntry], fleet: Fleet) -> tuple[AdoptedCertificate, ...]:
        """One row for each serial number, those of current certificates first."""
        rows: dict[int, AdoptedCertificate] = {}
        for row in (*self._current(hosts, fleet), *self._history(hosts), *self._without_file()):
            one = row.certificate
            if not 0 < one.serial < 1 << _SERIAL_BITS:
                self.survey.left.append(unusable_serial("", one.host, one.serial))
            elif one.serial in rows:
                words = f"another certificate of '{one.host}' has the serial number {one.serial:X}, too"
                self.survey.left.append(LeftOut(LeftCode.UNUSABLE_SERIAL, "", words))
            else:
                rows[one.serial] = row
        return tuple(rows.values())

    def _current(self, hosts: Sequence[HostEntry], fleet: Fleet) -> Iterator[AdoptedCertificate]:
        specs = {host.name: host for host in fleet.hosts}
        held = [(one, specs[one.name], one.certificate) for one in hosts if one.certificate is not None]
        wrong = with_wrong_profile(
            [(host, certificate) for _, host, certificate in held], self.now, mutual_auth=fleet.mutual_auth
        )
        for entry, host, certificate in held:
            spec = _ordered(host, entry)
            order = adopted_specification(
                spec, certificate, has_wrong_profile=certificate.fingerprint in wrong
            )
            yield self._row(certificate, host.name, spec.profile, order, None)

    def _history(self, hosts: Sequence[HostEntry]) -> Iterator[AdoptedCertificate]:
        current = {one.certificate.fingerprint for one in hosts if one.certificate is not None}
        begun = {one.name: one.certificate.not_before for one in hosts if one.certificate is not None}
        for one in self.old.issued:
            if one.fingerprint in current:
                continue
            name = self.naming.name_of(one)
            past = self.past[one.fingerprint]
            if past is None:  # it holds, but another is in force, or none can be
                past = Past(min(self.now, max(begun.get(name or "", self.now), one.not_before)))
            yield self._row(one, name or _holder(one.title), _profile(one), described(one), past)

    def _without_file(self) -> Iterator[AdoptedCertificate]:
        """What only the index or the CRL knows: its number is taken, and its revocation holds."""
        there = {one.serial for one in self.old.issued}
        for entry in self.books.entries.values():
            if entry.serial in there:
                continue
            if entry.revoked_at is None and entry.not_after > self.now:
                words = (
                    f"'{entry.title}', serial number {entry.serial:X}, valid until {entry.not_after:%Y-%m-%d}"
                )
                remedy = "put it into the folder, and its key; or declare the host, and it gets a new one"
                self.survey.left.append(
                    LeftOut(LeftCode.NO_FILE, "", f"the certificate of {words}, is not there", remedy)
                )
            yield self._row_without_file(entry)

    def _row(
        self,
        one: PresentedCertificate,
        holder: str,
        profile: Profile,
        order: str,
        past: Past | None,
    ) -> AdoptedCertificate:
        certificate = IssuedCertificate(
            serial=one.serial,
            host=holder,
            authority=AUTHORITY,
            profile=profile,
            specification=order,
            not_before=one.not_before,
            not_after=one.not_after,
            fingerprint=one.fingerprint,
            issued_at=one.not_before,
            retired_at=past.retired_at if past is not None else None,
            revoked_at=past.revoked_at if past is not None else None,
            revocation_reason=past.reason if past is not None else None,
        )
        key = self.survey.keys.get(one.public_key_digest)
        is_listed = past is not None and past.is_listed
        return AdoptedCertificate(
            certificate,
            pem_of(self.survey.der[one.fingerprint]),
            one.public_key_digest or _NO_KEY,
            key.plain_pem if key is not None else b"",
            self._list_number if is_listed else None,
            f"adopted from {one.place.file}",
        )

    def _row_without_file(self, entry: Entry) -> AdoptedCertificate:
        certificate = IssuedCertificate(
            serial=entry.serial,
            host=_holder(entry.title),
            authority=AUTHORITY,
            profile=Profile.SERVER,
            specification=_UNKNOWN.format(_holder(entry.title)),
            not_before=self.old.certificate.not_before,
            not_after=entry.not_after,
            fingerprint=f"serial-{entry.serial:x}",  # in the place of one, as none is known
            issued_at=self.old.certificate.not_before,
            retired_at=min(entry.revoked_at or entry.not_after, self.now),
            revoked_at=entry.revoked_at,
            revocation_reason=entry.reason,
        )
        listed_in = self._list_number if entry.is_listed and entry.revoked_at is not None else None
        detail = "adopted from the old index or CRL alone"
        return AdoptedCertificate(certificate, b"", _NO_KEY, b"", listed_in, detail)

    @property
    def _list_number(self) -> int:
        newest = self.books.revocation_list
        return newest.number or 0 if newest is not None else 0


def _ordered(host: HostSpec, entry: HostEntry) -> CertificateSpec:
    """What the new pki.toml orders for a host, its own request with it."""
    spec = host.certificate
    assert spec is not None  # noqa: S101 -- where any client has a certificate, all need one
    request = entry.request
    if request is None or spec.kept_key is None:
        return spec
    given = GivenKey(request.key_type, request.digest, request.pem)
    return replace(spec, kept_key=KeptKey(spec.kept_key.path, given))


def _holder(title: str) -> str:
    """A name for whoever is no host; no slash, which tells a host's second certificate."""
    return visible(title).replace("/", "_")


def _profile(one: PresentedCertificate) -> Profile:
    purposes = one.extended_key_usage or ()
    if "clientAuth" not in purposes:
        return Profile.SERVER
    return Profile.SERVER_MUTUAL if "serverAuth" in purposes else Profile.CLIENT
