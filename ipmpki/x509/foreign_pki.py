"""What the files of a PKI that others made hold: certificates, private keys, requests and CRLs.

As for ``ipmpki verify``, nothing here trusts its input; unlike there, the keys themselves are taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from ipmpki.declaration.fleet import DistinguishedName
from ipmpki.diagnostics.fault import Fault
from ipmpki.diagnostics.problem import Place
from ipmpki.x509 import keys
from ipmpki.x509.certificate import find_extension, quietly
from ipmpki.x509.containers import is_pkcs12
from ipmpki.x509.contents import Contents, read_contents
from ipmpki.x509.crl import reason_of
from ipmpki.x509.csr import read_request
from ipmpki.x509.der import DerShape
from ipmpki.x509.keys import PrivateKey
from ipmpki.x509.pem import CERTIFICATE, armoured, read_blocks
from ipmpki.x509.presented_certificates import Flaw, FlawKind
from ipmpki.x509.protection import is_encrypted
from ipmpki.x509.signature import is_signed_by

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ipmpki.x509.pem import PemBlock


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A private key. ``plain_pem`` lies open; ``own_pem`` is as it was found, maybe encrypted."""

    file: str
    key_type: str
    digest: str
    is_encrypted: bool
    plain_pem: bytes = field(repr=False)
    own_pem: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FoundRequest:
    """A request that its own key signed."""

    file: str
    title: str
    key_type: str
    digest: str
    pem: bytes


@dataclass(frozen=True, slots=True)
class FoundRevocation:
    """An entry of a CRL. The time is aware; ``reason`` is as :data:`ipmpki.authority.revocation.REASONS`."""

    serial: int
    revoked_at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class FoundList:
    """A CRL. ``number`` is None where it has none, as of version 1; ``next_update`` where it does not say.

    ``is_complete`` is False for a delta CRL or one for some certificates only (RFC 5280, 5.2.4 and 5.2.5).
    """

    file: str
    issuer: str
    number: int | None
    this_update: datetime
    next_update: datetime | None
    is_complete: bool
    der: bytes
    entries: tuple[FoundRevocation, ...]


@dataclass(slots=True)
class FileContents:
    """What one file holds; ``contents`` has its certificates, and what is broken in it."""

    contents: Contents
    keys: list[FoundKey] = field(default_factory=list)
    requests: list[FoundRequest] = field(default_factory=list)
    lists: list[FoundList] = field(default_factory=list)
    locked: bool = False
    """Whether it holds a key that no passphrase opened."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing of a PKI in the file."""
        held = (self.contents.certificates, self.contents.flaws, self.keys, self.requests, self.lists)
        return not self.locked and not any(held)


class Passphrases:
    """Passphrases that were given, and a person to ask for more: one that opened a key is tried on others.

    ``ask`` is called with a file's name, and gives None where nobody can be asked, or does not know.
    ``known`` are those that were given, or opened something.
    """

    def __init__(self, given: tuple[bytes, ...], ask: Callable[[str], bytes | None]) -> None:
        self.known = given
        self._ask = ask
        self._may_ask = True

    def ask(self, name: str) -> bytes | None:
        """What a person says of a file; who did not know one is not asked again."""
        asked = (self._ask(name) or None) if self._may_ask else None
        self._may_ask = asked is not None
        return asked

    def open(self, name: str, load: Callable[[bytes], PrivateKey | None]) -> PrivateKey | None:
        """What ``load`` makes of the first passphrase that fits; None where none does."""
        for known in self.known:
            key = load(known)
            if key is not None:
                return key
        while (asked := self.ask(name)) is not None:
            key = load(asked)
            if key is not None:
                self.known += (asked,)
                return key
        return None

    def for_key(self, own_pem: bytes) -> bytes | None:
        """The passphrase that opens a key which was opened before; None for one that lies open."""
        if not is_encrypted(own_pem):
            return None
        return next((known for known in self.known if _load_pem(own_pem, known) is not None), None)


def read_found(name: str, content: bytes, passphrases: Passphrases) -> FileContents:
    """Everything in a file; ``name`` is how people know it. Raises nothing but what ``passphrases`` does."""
    if is_pkcs12(content):
        found = FileContents(Contents())
        _take_pkcs12(found, name, content, passphrases)
        return found
    blocks = read_blocks(content)
    found = FileContents(read_contents(name, content) if any(map(_is_to_read, blocks)) else Contents())
    # Keys are taken here, and broken ones told once.
    found.contents.flaws = [one for one in found.contents.flaws if one.kind is not FlawKind.KEY]
    for block in blocks:
        if block.is_key:
            _take_key(found, name, block, passphrases)
        elif block.shape is DerShape.REQUEST and block.octets is not None:
            _take_request(found, name, block.octets)
    _take_lists(found, name)
    return found


def _is_to_read(block: PemBlock) -> bool:
    """Whether a block is, or says that it is, a certificate, a CRL or a PKCS#7 message."""
    is_known = bool(block.label) or block.shape in {
        DerShape.CERTIFICATE,
        DerShape.REVOCATION_LIST,
        DerShape.MESSAGE,
    }
    return is_known and not block.is_key and block.shape is not DerShape.REQUEST


# --- Keys -----------------------------------------------------------------------------------------


def _take_key(found: FileContents, name: str, block: PemBlock, passphrases: Passphrases) -> None:
    if block.octets is None:
        message = f"the private key is cut off or damaged: {block.fault}"
        flaw = Flaw(FlawKind.KEY, Place(name, (0,)), message, "find a copy that is whole")
        found.contents.flaws.append(flaw)
        return
    try:
        own = keys.rewritten(armoured(block.label or "PRIVATE KEY", block.octets, block.headers))
        needs_passphrase = is_encrypted(own)
        if needs_passphrase:
            key = passphrases.open(name, lambda given: _load_pem(own, given))
        else:
            key = keys.load(own, is_checked=False)
    except keys.KeyFault as fault:
        found.contents.flaws.append(Flaw(FlawKind.KEY, Place(name, (0,)), fault.message, fault.remedy))
        return
    if key is None:
        found.locked = True
    elif _works(key):
        found.keys.append(_found_key(name, key, own, is_encrypted=needs_passphrase))
    else:
        message = "the private key is damaged: what it signs does not verify"
        found.contents.flaws.append(
            Flaw(FlawKind.KEY, Place(name, (0,)), message, "find a copy that is whole")
        )


def _load_pem(block: bytes, passphrase: bytes) -> PrivateKey | None:
    """The key; None where the passphrase does not fit. Raises KeyFault for what none would open."""
    try:
        return keys.load(block, passphrase, is_checked=False)
    except keys.WrongPassphrase:
        return None


def _works(key: PrivateKey) -> bool:
    """Whether key and public key belong together: a signature is some eighty times as fast as the proof."""
    try:
        keys.try_out(key)
    except Exception:  # noqa: BLE001 -- whatever the library raises, the key is of no use
        return False
    return True


def _found_key(name: str, key: PrivateKey, own_pem: bytes, *, is_encrypted: bool) -> FoundKey:
    return FoundKey(
        name, keys.key_type_of(key), keys.public_key_digest(key), is_encrypted, keys.to_pem(key), own_pem
    )


def _take_pkcs12(found: FileContents, name: str, content: bytes, passphrases: Passphrases) -> None:
    """A PKCS#12 file, as OpenVPN's clients were given: easy-rsa puts them beside the keys."""

    def load(passphrase: bytes | None) -> pkcs12.PKCS12KeyAndCertificates | None:
        try:
            with quietly():
                return pkcs12.load_pkcs12(content, passphrase)
        except Exception:  # noqa: BLE001 -- the wrong passphrase and damage look alike
            return None

    held = load(b"") or load(None)
    opened: list[pkcs12.PKCS12KeyAndCertificates] = [held] if held is not None else []

    def with_key(passphrase: bytes) -> PrivateKey | None:
        attempt = load(passphrase)
        if attempt is None:
            return None
        opened.append(attempt)
        return attempt.key if isinstance(attempt.key, PrivateKey) else None

    if held is None:
        passphrases.open(name, with_key)
    if not opened:
        found.locked = True
        return
    held = opened[-1]
    for number, one in enumerate((held.cert, *held.additional_certs)):
        if one is not None:
            found.contents.add_certificate(
                one.certificate.public_bytes(serialization.Encoding.DER), Place(name, (number,))
            )
    if isinstance(held.key, PrivateKey):
        found.keys.append(_found_key(name, held.key, keys.to_pem(held.key), is_encrypted=False))


# --- Requests and lists ---------------------------------------------------------------------------


def _take_request(found: FileContents, name: str, content: bytes) -> None:
    try:
        facts = read_request(content)
    except Fault as fault:
        flaw = Flaw(FlawKind.CERTIFICATE, Place(name, (0,)), fault.message, fault.remedy)
        found.contents.flaws.append(flaw)
        return
    title = facts.common_name or next(iter(facts.dns_names), "a request without a name")
    found.requests.append(FoundRequest(name, title, facts.key_type, facts.public_key_digest, facts.pem))


def _take_lists(found: FileContents, name: str) -> None:
    for presented in found.contents.revocation_lists:
        der = found.contents.der[presented.fingerprint]
        try:
            with quietly():
                found.lists.append(_read_list(name, der))
        except TooManyRevocations as fault:
            message = f"the revocation list has {fault.count} entries; {MOST_REVOCATIONS} are the most"
            flaw = Flaw(FlawKind.REVOCATION_LIST, Place(name, (0,)), message, "find the authority's own list")
            found.contents.flaws.append(flaw)
        except Exception:  # noqa: BLE001 -- as for all that others wrote
            message = "the revocation list is damaged, or holds what cannot be read"
            flaw = Flaw(FlawKind.REVOCATION_LIST, Place(name, (0,)), message, "copy the file again")
            found.contents.flaws.append(flaw)


MOST_REVOCATIONS: Final = 100_000
"""That one list may have; each is a row of the store. 10,000 hosts revoke as many in ten years."""


class TooManyRevocations(Exception):
    """A list with more entries than are taken; ``count`` says how many."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


def _read_list(name: str, der: bytes) -> FoundList:
    crl = x509.load_der_x509_crl(der)
    if len(crl) > MOST_REVOCATIONS:
        raise TooManyRevocations(len(crl))
    number = find_extension(crl.extensions, x509.CRLNumber)
    partial = [one for one in crl.extensions if isinstance(one.value, _PARTIAL)]
    return FoundList(
        name,
        crl.issuer.rfc4514_string(),
        number.crl_number if number is not None else None,
        crl.last_update_utc,
        crl.next_update_utc,
        not partial,
        der,
        tuple(
            FoundRevocation(one.serial_number, one.revocation_date_utc, _reason(one))
            for one in crl
            if isinstance(one, x509.RevokedCertificate)
        ),
    )


_PARTIAL: Final = (x509.DeltaCRLIndicator, x509.IssuingDistributionPoint)


def _reason(entry: x509.RevokedCertificate) -> str | None:
    reason = find_extension(entry.extensions, x509.CRLReason)
    return reason_of(reason.reason) if reason is not None else None


# --- Who signed what ------------------------------------------------------------------------------


def is_issued_by(der: bytes, authority_der: bytes) -> bool:
    """Whether a certificate names the authority as its issuer, and carries its signature."""
    try:
        with quietly():
            certificate = x509.load_der_x509_certificate(der)
            authority = x509.load_der_x509_certificate(authority_der)
            return certificate.issuer == authority.subject and is_signed_by(
                authority.public_key(), certificate, certificate.tbs_certificate_bytes
            )
    except Exception:  # noqa: BLE001 -- an invalid signature, an algorithm nobody knows
        return False


def is_list_of(der: bytes, authority_der: bytes) -> bool:
    """Whether a CRL names the authority as its issuer, and carries its signature."""
    try:
        with quietly():
            crl = x509.load_der_x509_crl(der)
            authority = x509.load_der_x509_certificate(authority_der)
            key = authority.public_key()
            return crl.issuer == authority.subject and is_signed_by(key, crl, crl.tbs_certlist_bytes)
    except Exception:  # noqa: BLE001 -- as above
        return False


def pem_of(der: bytes) -> bytes:
    """A certificate in PEM."""
    return armoured(CERTIFICATE, der)


def list_pem_of(der: bytes) -> bytes:
    """A CRL in PEM."""
    return armoured("X509 CRL", der)


_SUBJECT: Final = {
    "common_name": NameOID.COMMON_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizational_unit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "country": NameOID.COUNTRY_NAME,
    "state": NameOID.STATE_OR_PROVINCE_NAME,
    "locality": NameOID.LOCALITY_NAME,
}


def subject_of(der: bytes) -> DistinguishedName:
    """What pki.toml knows of a certificate's subject; the common name is empty where there is none."""
    with quietly():
        subject = x509.load_der_x509_certificate(der).subject
    values = {name: subject.get_attributes_for_oid(oid) for name, oid in _SUBJECT.items()}
    given = {name: str(found[-1].value) for name, found in values.items() if found}
    return DistinguishedName(**{"common_name": "", **given})


def other_names_of(der: bytes) -> tuple[str, ...]:
    """Alternative names that are neither DNS names nor addresses, such as e-mail addresses, as text."""
    with quietly():
        names = find_extension(x509.load_der_x509_certificate(der).extensions, x509.SubjectAlternativeName)
    return tuple(str(one.value) for one in names or () if not isinstance(one, (x509.DNSName, x509.IPAddress)))
