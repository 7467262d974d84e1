"""An adoption, worked out: from an old folder to the new pki.toml and the rows of the new store."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.declaration.fleet import PassphraseSource
from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.fault import Fault, WrongDeclaration, WrongUse
from ipmpki.diagnostics.wording import quote
from ipmpki.operations.adopt.choose_authority import OldAuthority, choose_authority
from ipmpki.operations.adopt.findings import LeftCode, LeftOut
from ipmpki.operations.adopt.hosts import HostEntry, Naming, entry_of, group_by_host
from ipmpki.operations.adopt.index_and_crl import Books, Past, past_of, read_books
from ipmpki.operations.adopt.leftovers import tell_leftovers, tell_of_ended
from ipmpki.operations.adopt.rows import Ledger
from ipmpki.operations.adopt.survey import survey_files
from ipmpki.operations.adopt.walk import read_folder
from ipmpki.operations.adopt.write_declaration import Declared, declaration_text, request_path
from ipmpki.operations.load import load_text
from ipmpki.store.records import IssuedCertificate, StoredAuthority, StoredRevocationList
from ipmpki.x509 import issuer as issuing
from ipmpki.x509 import keys
from ipmpki.x509.certificate import CertificateUnreadable
from ipmpki.x509.foreign_pki import Passphrases, list_pem_of, subject_of
from ipmpki.x509.key_flaws import flaw_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.issue.context import Progress
    from ipmpki.operations.adopt.findings import Survey
    from ipmpki.operations.project import Project
    from ipmpki.store.sqlite.entries import AdoptedCertificate
    from ipmpki.x509.issuer import Issuer
    from ipmpki.x509.presented_certificates import PresentedCertificate

_MOST_TOLD = 3
_LARGEST_NUMBER_BITS = 62
"""SQLite's integers have 63 bits; CRL numbers count up from 1, or are dates in digits."""


@dataclass(frozen=True, slots=True)
class AdoptionOptions:
    """What is to be adopted, and how.

    ``into`` is the new pki.toml, ``template`` that of ``ipmpki init``. ``chosen`` are the certificates of the
    authority that the user named, none where nobody did. ``passphrases`` are those given, each with where it
    is from: pki.toml will say so of the one that opens the authority's key.
    ``without`` are files to do without.
    """

    folder: Path
    into: Path
    template: str
    chosen: Sequence[PresentedCertificate]
    domain: str | None
    passphrases: tuple[tuple[bytes, PassphraseSource], ...]
    without: tuple[str, ...]
    ask: Callable[[str], bytes | None]
    now: datetime
    progress: Progress


@dataclass(frozen=True, slots=True)
class Adoption:
    """What an adoption takes and leaves. ``project`` is the new pki.toml, judged as if it were there."""

    options: AdoptionOptions
    text: str
    project: Project
    old: OldAuthority
    authority: StoredAuthority
    issuer: Issuer
    hosts: tuple[HostEntry, ...]
    rows: tuple[AdoptedCertificate, ...]
    books: Books
    requests: Mapping[str, bytes]
    left: tuple[LeftOut, ...]
    repaired: tuple[tuple[str, str], ...]
    passed_over: tuple[str, ...]

    @property
    def past(self) -> tuple[IssuedCertificate, ...]:
        """What goes into the ledger as history."""
        return tuple(one.certificate for one in self.rows if one.certificate.retired_at is not None)

    @property
    def revocation_list(self) -> StoredRevocationList | None:
        """The old CRL, where it is whole and the newest that there was; its authority is yet to be stored."""
        old = self.books.revocation_list
        if old is None or self.books.needs_list or old.number is None or old.next_update is None:
            return None
        return StoredRevocationList(0, old.number, old.this_update, old.next_update, list_pem_of(old.der))


def prepare(options: AdoptionOptions) -> Adoption:
    """Read the folder and work out all of an adoption; nothing is written.

    Raises WrongUse where no authority can be chosen, KeyFault and IssuerFault where it cannot sign, and Fault
    where the folder cannot be read.
    """
    passphrases = Passphrases(tuple(given for given, _ in options.passphrases), options.ask)
    survey = survey_files(read_folder(options.folder), passphrases, options.progress, options.without)
    given = [source.env or source.file or "" for _, source in options.passphrases]
    old = choose_authority(survey, options.chosen, str(options.folder), options.now, given)
    passphrase = passphrases.for_key(old.key.own_pem)
    key = keys.load(old.key.own_pem, passphrase)
    try:
        issuer = issuing.load_issuer(old.certificates_pem, key)
    except (issuing.IssuerFault, CertificateUnreadable) as fault:
        raise WrongDeclaration(f"{old.certificate.place.file}: {fault.message}", fault.remedy) from fault
    books = read_books(survey, old, options.now)
    _require_revocations(survey)
    if books.next_list.bit_length() > _LARGEST_NUMBER_BITS:
        raise Fault(
            f"the number of the next revocation list, {books.next_list}, is larger than the store can hold",
            "begin with a new authority: ipmpki init",
        )
    naming = Naming(options.domain)
    past = {one.fingerprint: past_of(one, books, options.now) for one in old.issued}
    hosts = _hosts(survey, old, past, naming)
    declared = Declared(
        subject_of(old.der),
        old.certificate,
        _source(passphrase, options),
        any(host.role is Role.CLIENT for host in hosts),
        hosts,
        options.now,
    )
    text = declaration_text(declared, options.template)
    project = load_text(options.into.absolute(), str(options.into), text.encode(), now=options.now)
    rows = Ledger(survey, old, books, naming, past, options.now).rows(hosts, _fleet(project))
    tell_leftovers(survey, old)
    return Adoption(
        options,
        text,
        project,
        old,
        _authority(old, project, keys.to_keep(key, passphrase, os.urandom)),
        issuer,
        hosts,
        rows,
        books,
        {request_path(host): host.request.pem for host in hosts if host.request is not None},
        tuple(sorted(dict.fromkeys(survey.left), key=lambda one: (one.code, one.file, one.message))),
        tuple(sorted(survey.repaired)),
        tuple(sorted(survey.passed_over)),
    )


def _require_revocations(survey: Survey) -> None:
    """Raises WrongUse where something that may revoke certificates cannot be used."""
    lost = [one for one in survey.left if one.code is LeftCode.LOST_REVOCATIONS]
    if not lost:
        return
    told = "; ".join(f"{one.file}: {one.message}" for one in lost[:_MOST_TOLD])
    files = " ".join(f"--without {shlex.quote(file)}" for file in dict.fromkeys(one.file for one in lost))
    first = f"{lost[0].remedy}, then adopt again; " if lost[0].remedy else ""
    raise WrongUse(
        f"certificates that were revoked could come back into force, as this cannot be used: {told}",
        f"{first}or do without, and revoke again what only this revoked: {files}",
    )


def _source(passphrase: bytes | None, options: AdoptionOptions) -> PassphraseSource | None:
    """Where a build will find the passphrase of the authority's key: one typed in needs a place."""
    if passphrase is None:
        return None
    given = (source for known, source in options.passphrases if known == passphrase)
    return next(given, PassphraseSource("IPMPKI_CA_PASSPHRASE", None))


def _hosts(
    survey: Survey, old: OldAuthority, past: Mapping[str, Past | None], naming: Naming
) -> tuple[HostEntry, ...]:
    usable = [one for one in old.issued if past[one.fingerprint] is None and not one.is_authority]
    grouped = group_by_host(usable, survey, naming)
    names = frozenset(grouped)
    ended = (
        (naming.name_of(one), one)
        for one in old.issued
        if (end := past[one.fingerprint]) is not None and end.revoked_at is None
    )
    tell_of_ended(survey, ((name, one) for name, one in ended if name is not None and name not in names))
    entries = (entry_of(name, held, survey, names - {name}) for name, held in grouped.items())
    return tuple(_with_own_key(_with_own_serial(entries, survey), old, survey))


def _with_own_serial(entries: Iterable[HostEntry], survey: Survey) -> Iterator[HostEntry]:
    """Of two certificates in use with one serial number the first is kept: no CRL tells them apart."""
    holders: dict[int, str] = {}
    for entry in entries:
        own = entry.certificate
        if own is None or holders.setdefault(own.serial, entry.name) == entry.name:
            yield entry
            continue
        words = (
            f"the certificate of {quote(entry.name)} has the serial number {own.serial:X}, which is that of"
            f" {quote(holders[own.serial])}, too"
        )
        remedy = "the next build makes another; the old one cannot be revoked by itself"
        survey.left.append(LeftOut(LeftCode.UNUSABLE_SERIAL, own.place.file, words, remedy))
        yield replace(entry, certificate=None, key=None)


def _with_own_key(entries: Iterable[HostEntry], old: OldAuthority, survey: Survey) -> Iterator[HostEntry]:
    """What has a key that others have, or can compute, gives way to another with the next build.

    Two hosts with one key stay as they are: each gets its own when it is renewed.
    """
    holders: dict[str, str] = {}
    for entry in entries:
        own = entry.certificate
        if own is None:
            yield entry
            continue
        file = own.place.file
        flaw = flaw_of(own.key_type, own.rsa)
        if own.public_key_digest == old.certificate.public_key_digest:
            flaw = "is the authority's, so that the host can issue certificates"
        if flaw is not None:
            words = f"the key of {quote(entry.name)} {flaw}"
            remedy = "the next build makes another; revoke the old certificate once that is installed"
            survey.left.append(LeftOut(LeftCode.WEAK_KEY, file, words, remedy))
            yield replace(entry, certificate=None, key=None, request=None)
            continue
        first = holders.setdefault(own.public_key_digest, entry.name)
        if first != entry.name:
            words = (
                f"{quote(entry.name)} has the same key as {quote(first)}: whoever takes it from one is both"
            )
            remedy = "each gets a key of its own when it is renewed"
            survey.left.append(LeftOut(LeftCode.SHARED_KEY, file, words, remedy))
        yield entry


def _authority(old: OldAuthority, project: Project, kept_key: bytes) -> StoredAuthority:
    own = old.certificate
    return StoredAuthority(
        identity=0,  # given by the store
        subject=own.subject,
        specification=specification.of_authority(_fleet(project).authority),
        certificates_pem=old.certificates_pem,
        key_pem=kept_key,
        key_type=own.key_type,
        fingerprint=own.fingerprint,
        not_before=own.not_before,
        not_after=own.not_after,
        is_existing=False,
    )


def _fleet(project: Project) -> Fleet:
    assert project.fleet is not None  # noqa: S101 -- the text was made here
    return project.fleet
