"""Which of the authorities in a folder is the one to go on with, and what it issued."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import WrongDeclaration, WrongUse
from ipmpki.diagnostics.wording import counted, quote
from ipmpki.operations.adopt.findings import LeftCode
from ipmpki.x509.foreign_pki import is_issued_by, pem_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from ipmpki.operations.adopt.findings import Survey
    from ipmpki.x509.foreign_pki import FoundKey
    from ipmpki.x509.presented_certificates import PresentedCertificate

_KEY_BESIDE = "name the folder that holds the authority's certificate and its private key"


@dataclass(frozen=True, slots=True)
class OldAuthority:
    """The authority to go on with: its newest certificate and key, the chain above it, what it issued."""

    certificate: PresentedCertificate
    der: bytes
    key: FoundKey
    certificates_pem: bytes
    issued: tuple[PresentedCertificate, ...]
    own: frozenset[str]
    """The fingerprints of all its certificates, older ones too, and of those above it."""


def choose_authority(
    survey: Survey,
    chosen: Sequence[PresentedCertificate],
    folder: str,
    now: datetime,
    given: Sequence[str] = (),
) -> OldAuthority:
    """The one authority whose key is there; of several, the ``chosen``, or the only one that issued anything.

    ``given`` says where the passphrases are from that were tried.

    Raises WrongUse where there is none, or several, and WrongDeclaration where it has expired.
    """
    candidates = _candidates(survey)
    if chosen:
        wanted = {one.public_key_digest for one in chosen}
        candidates = [one for one in candidates if one.public_key_digest in wanted]
        if not candidates:
            raise WrongUse(
                f"the key of {quote(chosen[0].title)} is not in '{folder}', or could not be opened",
                _KEY_BESIDE,
            )
    if not candidates:
        raise _nobody(survey, folder, given)
    issued = _issued_by(survey, candidates)
    busy = [one for one in candidates if issued[one.fingerprint]] or candidates
    if len(busy) > 1:
        listed = "; ".join(f"{quote(one.title)} ({one.place.file})" for one in busy)
        raise WrongUse(
            f"'{folder}' holds {len(busy)} authorities with their keys: {listed}",
            "say which, by its certificate: --ca FILE; adopt each into a folder of its own",
        )
    (own,) = busy
    if own.not_after <= now:
        raise WrongDeclaration(
            f"the authority {quote(own.title)} expired on {own.not_after:%Y-%m-%d}: it can issue nothing",
            "begin with a new one: ipmpki init",
        )
    above = _above(survey, own)
    same = {
        one.fingerprint
        for one in survey.certificates.values()
        if one.is_authority and one.public_key_digest == own.public_key_digest
    }
    return OldAuthority(
        own,
        survey.der[own.fingerprint],
        survey.keys[own.public_key_digest],
        b"".join(pem_of(survey.der[one.fingerprint]) for one in (own, *above)),
        tuple(issued[own.fingerprint]),
        frozenset(same | {one.fingerprint for one in above}),
    )


def _candidates(survey: Survey) -> list[PresentedCertificate]:
    """Of each authority whose key is there, the certificate that holds longest."""
    newest: dict[str, PresentedCertificate] = {}
    for one in sorted(survey.certificates.values(), key=lambda one: one.not_after):
        if one.is_authority and one.public_key_digest in survey.keys:
            newest[one.public_key_digest] = one
    return list(newest.values())


def _issued_by(
    survey: Survey, candidates: Iterable[PresentedCertificate]
) -> dict[str, list[PresentedCertificate]]:
    """What each authority issued, by its fingerprint, and in truth: names alone would deceive."""
    issued: dict[str, list[PresentedCertificate]] = {one.fingerprint: [] for one in candidates}
    by_subject: dict[str, list[PresentedCertificate]] = {}
    for one in candidates:
        by_subject.setdefault(one.subject, []).append(one)
    for certificate in survey.certificates.values():
        for authority in by_subject.get(certificate.issuer, ()):
            if certificate.is_authority and certificate.public_key_digest == authority.public_key_digest:
                continue  # itself, as it is now or was before
            if is_issued_by(survey.der[certificate.fingerprint], survey.der[authority.fingerprint]):
                issued[authority.fingerprint].append(certificate)
    return issued


def _above(survey: Survey, own: PresentedCertificate) -> list[PresentedCertificate]:
    """The authorities above one that is not a root, in order, as far as the folder holds them."""
    chain = [own]
    while not chain[-1].is_self_issued:
        below = chain[-1]
        found = [
            one
            for one in survey.certificates.values()
            if one.is_authority
            and one.subject == below.issuer
            and one not in chain
            and is_issued_by(survey.der[below.fingerprint], survey.der[one.fingerprint])
        ]
        if not found:
            break
        chain.append(max(found, key=lambda one: one.not_after))
    return chain[1:]


def _nobody(survey: Survey, folder: str, given: Sequence[str]) -> WrongUse:
    authorities = [one for one in survey.certificates.values() if one.is_authority]
    locked = [one for one in survey.left if one.code is LeftCode.LOCKED_KEY]
    listed = ", ".join(one.file for one in locked[:3])
    if authorities and locked and given:
        return WrongUse(
            f"the passphrase of {given[0]} does not open {listed}"
            if len(given) == 1
            else f"none of the passphrases of {', '.join(given)} opens {listed}",
            "look for a stray character, such as a byte-order mark; check with: openssl pkey -noout -in FILE",
        )
    if authorities and locked:
        keys, verb = counted(len(locked), "private key"), "needs" if len(locked) == 1 else "need"
        return WrongUse(
            f"the authority's key could not be opened: {keys} in '{folder}' {verb} a passphrase ({listed})",
            "say where it is: --passphrase-env NAME or --passphrase-file PATH; or run this in a terminal",
        )
    if authorities:
        names = ", ".join(dict.fromkeys(quote(one.title) for one in authorities[:3]))
        return WrongUse(f"the key of the authority {names} is not in '{folder}'", _KEY_BESIDE)
    alone = [one for one in survey.certificates.values() if one.is_self_issued]
    if alone:
        return WrongUse(
            f"{quote(alone[0].title)} in '{folder}' signed itself, but does not say that it is an authority"
            " (basicConstraints lacks CA:TRUE), so that nobody may trust what it issues",
            "begin with a new authority: ipmpki init",
        )
    unread = [one for one in survey.left if one.code is LeftCode.DAMAGED]
    if unread:
        told = "; ".join(f"{one.file}: {one.message}" for one in unread[:3])
        return WrongUse(
            f"there is no authority's certificate in '{folder}' that can be read ({told})",
            unread[0].remedy or _KEY_BESIDE,
        )
    return WrongUse(f"there is no authority's certificate in '{folder}'", _KEY_BESIDE)
