"""What a file from elsewhere holds: certificates, keys and CRLs, in any form, sound or not.

Nothing here trusts its input: whatever the bytes are, the outcome is values, and a flaw for what is broken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from ipmpki.diagnostics.problem import Place
from ipmpki.x509 import keys
from ipmpki.x509.certificate import facts_of, find_extension, quietly
from ipmpki.x509.der import FIRST_TAGGED, DerShape, NotDer, element_at, elements, is_whole_sequence
from ipmpki.x509.key_flaws import flaw_of
from ipmpki.x509.message import NoMessage, certificates_of
from ipmpki.x509.pem import TRUSTED, armoured, first_element, read_blocks, why_unreadable
from ipmpki.x509.presented_certificates import (
    Flaw,
    FlawKind,
    PresentedCertificate,
    PresentedKey,
    PresentedRevocationList,
    Remark,
    RemarkKind,
)
from ipmpki.x509.protection import is_encrypted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ipmpki.x509.pem import PemBlock

_LABELS: Final = {
    # RFC 7468, sections 5, 6 and 8; X509 CERTIFICATE and CRL are obsolete labels that parsers may take.
    "CERTIFICATE": (DerShape.CERTIFICATE, FlawKind.CERTIFICATE),
    "X509 CERTIFICATE": (DerShape.CERTIFICATE, FlawKind.CERTIFICATE),
    "TRUSTED CERTIFICATE": (DerShape.CERTIFICATE, FlawKind.CERTIFICATE),
    "X509 CRL": (DerShape.REVOCATION_LIST, FlawKind.REVOCATION_LIST),
    "CRL": (DerShape.REVOCATION_LIST, FlawKind.REVOCATION_LIST),
    "PKCS7": (DerShape.MESSAGE, FlawKind.CERTIFICATE),
    "CMS": (DerShape.MESSAGE, FlawKind.CERTIFICATE),
    "PKCS #7 SIGNED DATA": (DerShape.MESSAGE, FlawKind.CERTIFICATE),
}

MOST_OBJECTS: Final = 5000
"""Mozilla's whole bundle holds some 150 certificates; what holds more than this is no bundle."""
_MOST_EXPLAINED: Final = 20
"""Certificates in one file whose odd fields are looked for: each takes as long as a hundred sound ones."""

_COPY_AGAIN: Final = "copy the file again, whole and as text, from its BEGIN to its END line"
_WRITE_ANEW: Final = "write the file anew, with nothing but BEGIN, base64 and END on lines of their own"
# The section "Objects" of NSS's certdata.txt begins each one with its class.
_LONG_LENGTHS: Final = (b"\x81", b"\x82", b"\x83")
_CERTDATA: Final = re.compile(rb"^CKA_CLASS CK_OBJECT_CLASS ", re.MULTILINE)


@dataclass(slots=True)
class Contents:
    """What one file holds, in its order. ``der`` has the encoding of each certificate and CRL by SHA-256.

    ``lines`` are the numbers, from 1, of the lines on which the objects begin, and their text; it lacks
    objects that do not stand in PEM. ``remarks`` tell what had to be looked past to read what was read.
    """

    certificates: list[PresentedCertificate] = field(default_factory=list)
    keys: list[PresentedKey] = field(default_factory=list)
    revocation_lists: list[PresentedRevocationList] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    der: dict[str, bytes] = field(default_factory=dict)
    lines: dict[int, tuple[int, str]] = field(default_factory=dict)

    def add_certificate(self, encoded: bytes, place: Place) -> None:
        """Take a certificate in DER, or a flaw where it cannot be read."""
        try:
            with quietly():
                certificate = x509.load_der_x509_certificate(encoded)
                presented = _certificate(certificate, place)
        except Exception:  # noqa: BLE001 -- bytes nobody here wrote: what the library refuses may be usable
            found = self._nonconforming(encoded, place)
            if found is None:
                return
            presented = found
        self.certificates.append(presented)
        self.der[presented.fingerprint] = encoded

    def _nonconforming(self, encoded: bytes, place: Place) -> PresentedCertificate | None:
        why = why_unreadable(encoded)
        if why is not None:
            message = f"the certificate is cut off or damaged: {why}"
            self.flaws.append(Flaw(FlawKind.CERTIFICATE, place, message, _COPY_AGAIN))
            return None
        from ipmpki.x509.nonconformity import NoCertificate, read_nonconforming

        explained = sum(one.kind is RemarkKind.FIELD for one in self.remarks)
        try:
            presented, odd = read_nonconforming(encoded, place, is_explained=explained < _MOST_EXPLAINED)
        except NoCertificate as fault:
            message = f"this certificate cannot be read: {fault}"
            remedy = "have whoever issued it make it anew; copying the file again changes nothing"
            self.flaws.append(Flaw(FlawKind.CERTIFICATE, place, message, remedy))
            return None
        if flaw_of(presented.key_type, presented.rsa) is not None:
            return presented  # no program uses that, and a rule tells of it
        fields = " and ".join(odd) or "a field of it"
        verb = "are" if len(odd) > 1 else "is"
        self.remarks.append(
            Remark(
                RemarkKind.FIELD,
                place,
                f"{fields} {verb} not as RFC 5280 has it; OpenSSL and GnuTLS use it all the same",
                "have it made anew where a stricter program refuses it",
            )
        )
        return presented

    @property
    def is_empty(self) -> bool:
        """Whether the file holds nothing that is known here, sound or not."""
        return not (self.certificates or self.keys or self.revocation_lists or self.flaws)


def read_contents(name: str, content: bytes) -> Contents:
    """Everything in a file; ``name`` is how people know it. Never raises."""
    found = Contents()
    blocks = read_blocks(content)
    for index, block in enumerate(blocks[:MOST_OBJECTS]):
        if block.line:
            found.lines[index] = (block.line, f"-----BEGIN {block.label}-----")
        _read_block(found, block, Place(name, (index,)))
    if len(blocks) > MOST_OBJECTS:
        message = f"the file holds {len(blocks)} objects; those after the first {MOST_OBJECTS} were not read"
        found.flaws.append(Flaw(FlawKind.FILE, Place(name), message, "check whether this is the right file"))
    if not blocks:
        found.flaws.append(_stranger(content, Place(name, (0,))))
    return found


def read_chain(name: str, encodings: list[bytes]) -> Contents:
    """The certificates that a server sent, in DER, in its order. Never raises."""
    found = Contents()
    for index, encoded in enumerate(encodings):
        found.add_certificate(encoded, Place(name, (index,)))
    return found


def _read_block(found: Contents, block: PemBlock, place: Place) -> None:
    told = _LABELS.get(block.label)
    if block.is_key:
        _read_key(found, block, place)
    elif told is None and block.label:
        return  # parameters, public keys and requests are nothing to verify
    elif block.octets is None:
        kind = told[1] if told is not None else FlawKind.CERTIFICATE
        message = f"the {kind} is cut off or damaged: {block.fault}"
        found.flaws.append(Flaw(kind, place, message, _COPY_AGAIN))
    else:
        _read_octets(found, block, block.octets, place)


def _read_octets(found: Contents, block: PemBlock, octets: bytes, place: Place) -> None:
    """By what the octets are rather than by their label, which deceives: AD CS labels PKCS#7 CERTIFICATE."""
    wanted, kind = _LABELS.get(block.label, (None, FlawKind.NOTHING))
    shape = block.shape
    if block.label == TRUSTED:
        octets, shape = first_element(octets), DerShape.CERTIFICATE
        if _is_rejected(block.octets or b""):
            message = "OpenSSL's TRUSTED form says of this certificate that it is not to be trusted"
            found.flaws.append(Flaw(FlawKind.CERTIFICATE, place, message, "leave it out"))
            return
    shape = shape or wanted
    taker = _TAKERS.get(shape) if shape is not None else None
    if taker is None and wanted is not None:
        message = f"this is a {shape} under the label {block.label}"
        found.flaws.append(Flaw(kind, place, message, "copy the right file"))
    elif taker is None or shape is None:
        found.flaws.append(_stranger(octets, place))
    else:
        taken = len(found.certificates) + len(found.revocation_lists)
        taker(found, octets, place)
        if len(found.certificates) + len(found.revocation_lists) > taken:
            found.remarks += _remarks(block, shape, wanted, place)
        elif not any(flaw.place == place for flaw in found.flaws):
            message = f"there is no certificate in this {shape} message"
            found.flaws.append(Flaw(kind, place, message, "copy the right file"))


def _remarks(block: PemBlock, shape: DerShape, wanted: DerShape | None, place: Place) -> Iterator[Remark]:
    """What is unusual about the form of something that was read."""
    yield from _of_repairs(block, place)
    if block.label == TRUSTED:
        words = "the certificate is in OpenSSL's own TRUSTED form, which other programs do not read"
        yield Remark(RemarkKind.FORM, place, words, "convert it with: openssl x509 -in FILE -out NEW_FILE")
    elif shape is DerShape.MESSAGE:
        label = f" under the label {block.label}" if wanted not in {None, shape} else ""
        words = f"this is PKCS#7{label}, which no server loads"
        form = "" if block.label else " -inform DER"
        remedy = f"convert it with: openssl pkcs7{form} -print_certs -in FILE -out NEW_FILE"
        yield Remark(RemarkKind.FORM, place, words, remedy)
    elif not block.label:
        words = f"the {shape} is in DER, the binary form, where servers read PEM"
        command = "crl" if shape is DerShape.REVOCATION_LIST else "x509"
        remedy = f"convert it with: openssl {command} -inform DER -in FILE -out NEW_FILE"
        yield Remark(RemarkKind.FORM, place, words, remedy)


def _of_repairs(block: PemBlock, place: Place) -> Iterator[Remark]:
    for one in block.repairs:
        kind = RemarkKind.FORM if one.loads else RemarkKind.UNLOADABLE
        yield Remark(kind, place, one.told, _WRITE_ANEW, is_repair=True)


def _is_rejected(octets: bytes) -> bool:
    """Whether the settings behind a certificate in TRUSTED form reject it for any purpose.

    openssl/x509.h, X509_CERT_AUX: trust, then reject under the context tag 0.
    """
    try:
        for settings in elements(octets, element_at(octets, 0, len(octets)).end):
            return any(one.tag == FIRST_TAGGED for one in elements(octets, settings.content, settings.end))
    except NotDer:
        pass
    return False


def _take_message(found: Contents, encoded: bytes, place: Place) -> None:
    try:
        held = certificates_of(encoded)
    except NoMessage as fault:
        message = f"the PKCS#7 message is cut off or damaged: {fault}"
        found.flaws.append(Flaw(FlawKind.CERTIFICATE, place, message, _COPY_AGAIN))
        return
    for certificate in held:
        found.add_certificate(certificate, place)


def _take_list(found: Contents, encoded: bytes, place: Place) -> None:
    try:
        crl = x509.load_der_x509_crl(encoded)
        fingerprint = crl.fingerprint(hashes.SHA256()).hex()
        presented = PresentedRevocationList(
            place,
            crl.issuer.rfc4514_string(),
            crl.last_update_utc,
            crl.next_update_utc,
            fingerprint,
        )
    except Exception:  # noqa: BLE001 -- bytes nobody here wrote: whatever the library raises, it is unreadable
        why = why_unreadable(encoded)
        message = f"the revocation list is cut off or damaged: {why}"
        remedy = _COPY_AGAIN
        if why is None:
            message = "this revocation list has a field that is not as RFC 5280, section 5.1, has it"
            remedy = "have whoever issued it make it anew; copying the file again changes nothing"
        found.flaws.append(Flaw(FlawKind.REVOCATION_LIST, place, message, remedy))
        return
    found.revocation_lists.append(presented)
    found.der[fingerprint] = encoded


_TAKERS: Final[Mapping[DerShape, Callable[[Contents, bytes, Place], None]]] = {
    DerShape.CERTIFICATE: Contents.add_certificate,
    DerShape.REVOCATION_LIST: _take_list,
    DerShape.MESSAGE: _take_message,
}


def _read_key(found: Contents, block: PemBlock, place: Place) -> None:
    if block.octets is None:
        message = f"the private key is cut off or damaged: {block.fault}"
        found.flaws.append(Flaw(FlawKind.KEY, place, message, _COPY_AGAIN))
    elif block.label:
        found.remarks += _of_repairs(block, place)
        _take_key(found, armoured(block.label, block.octets, block.headers), place)
    else:
        found.flaws.append(_stranger(block.octets, place))


def _take_key(found: Contents, pem: bytes, place: Place) -> None:
    if is_encrypted(pem):
        found.keys.append(PresentedKey(place, "", "", is_encrypted=True))
        return
    try:
        key = keys.load(pem + b"\n")
        found.keys.append(PresentedKey(place, keys.key_type_of(key), keys.public_key_digest(key)))
    except keys.KeyFault as fault:
        found.flaws.append(Flaw(FlawKind.KEY, place, fault.message, fault.remedy))
    except Exception:  # noqa: BLE001 -- as for certificates
        found.flaws.append(Flaw(FlawKind.KEY, place, "the private key is cut off or damaged", _COPY_AGAIN))


def _stranger(content: bytes, place: Place) -> Flaw:
    kinds = "a certificate, key or CRL begins with a line such as -----BEGIN CERTIFICATE-----"
    if not content.strip():
        return Flaw(FlawKind.NOTHING, place, "the file is empty", kinds)
    if _CERTDATA.search(content):
        return Flaw(
            FlawKind.CERTDATA,
            place,
            "this is Mozilla's raw certdata.txt, which holds no certificate in PEM",
            "convert it with: ipmpki bundle FILE -o ca-cert.pem",
        )
    if content[:1] == b"\x30" and content[1:2] in _LONG_LENGTHS:
        why = why_unreadable(content)
        if why is not None:
            message = f"the file is cut off or damaged: {why}"
            return Flaw(FlawKind.NOTHING, place, message, "copy the file again, as a binary file")
    if not is_whole_sequence(content):
        return Flaw(FlawKind.NOTHING, place, "there is no certificate, key or CRL in this file", kinds)
    try:
        serialization.load_der_private_key(content, None, unsafe_skip_rsa_key_validation=True)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return Flaw(
            FlawKind.NOTHING,
            place,
            "the file is in a binary form of which no certificate, key or CRL can be read",
            "if it is a .p12 or .pfx file, convert it with: openssl pkcs12 -in FILE -nodes -out NEW_FILE",
        )
    return Flaw(
        FlawKind.KEY,
        place,
        "the private key is in DER, the binary form; InfoPrint Manager reads PEM only",
        "convert it with: openssl pkey -inform DER -in FILE -out NEW_FILE",
    )


def _certificate(certificate: x509.Certificate, place: Place) -> PresentedCertificate:
    facts = facts_of(certificate)
    extensions = certificate.extensions
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    try:
        hashed = certificate.signature_hash_algorithm
    except Exception:  # noqa: BLE001 -- an algorithm the library does not know is no damage
        hashed = None
    return PresentedCertificate(
        place=place,
        subject=facts.subject,
        issuer=facts.issuer,
        common_names=tuple(str(name.value) for name in names),
        not_before=facts.not_before,
        not_after=facts.not_after,
        key_type=facts.key_type,
        dns_names=facts.dns_names,
        addresses=facts.addresses,
        key_usage=facts.key_usage if find_extension(extensions, x509.KeyUsage) else None,
        extended_key_usage=(
            facts.extended_key_usage if find_extension(extensions, x509.ExtendedKeyUsage) else None
        ),
        is_authority=facts.is_authority,
        is_self_issued=certificate.subject == certificate.issuer,
        signature_hash=hashed.name if hashed else None,
        fingerprint=facts.fingerprint,
        public_key_digest=facts.public_key_digest,
        serial=facts.serial,
        rsa=facts.rsa,
        netscape_types=facts.netscape_types,
    )
