"""What a file from elsewhere holds: certificates, keys and CRLs, in PEM, DER or PKCS#7, sound or not.

Nothing here trusts its input: whatever the bytes are, the outcome is values, and a flaw for what is broken.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from ipmpki.diagnostics.problem import Place
from ipmpki.x509 import keys
from ipmpki.x509.certificate import facts_of, find_extension, quietly
from ipmpki.x509.presented import Flaw, FlawKind, PresentedCertificate, PresentedKey, PresentedRevocationList
from ipmpki.x509.protection import is_encrypted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# RFC 7468, section 2: a block begins and ends with its label. One pass over both keeps reading linear.
_BOUNDARY: Final = re.compile(rb"-----(BEGIN|END) ([A-Z0-9# ]{1,40})-----")
_CERTIFICATE_LABELS: Final = frozenset({b"CERTIFICATE", b"X509 CERTIFICATE"})
_LIST_LABELS: Final = frozenset({b"X509 CRL", b"CRL"})
_MESSAGE_LABELS: Final = frozenset({b"PKCS7", b"CMS", b"PKCS #7 SIGNED DATA"})

MOST_OBJECTS: Final = 5000
"""Mozilla's whole bundle holds some 150 certificates; what holds more than this is no bundle."""

_COPY_AGAIN: Final = "copy the file again, whole and as text, from its BEGIN to its END line"
# The section "Objects" of NSS's certdata.txt begins each one with its class.
_CERTDATA: Final = re.compile(rb"^CKA_CLASS CK_OBJECT_CLASS ", re.MULTILINE)


@dataclass(slots=True)
class Contents:
    """What one file holds, in its order. ``der`` has the encoding of each certificate and CRL by SHA-256.

    ``lines`` are the numbers, from 1, of the lines on which the objects begin, and their text; it lacks
    objects that do not stand in PEM.
    """

    certificates: list[PresentedCertificate] = field(default_factory=list)
    keys: list[PresentedKey] = field(default_factory=list)
    revocation_lists: list[PresentedRevocationList] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    der: dict[str, bytes] = field(default_factory=dict)
    lines: dict[int, tuple[int, str]] = field(default_factory=dict)

    def add_certificate(self, certificate: x509.Certificate, place: Place) -> None:
        """Take a certificate, or a flaw where a field of it cannot be read."""
        with quietly():
            presented = _certificate(certificate, place)
        self.certificates.append(presented)
        self.der[presented.fingerprint] = certificate.public_bytes(serialization.Encoding.DER)


def read_contents(name: str, content: bytes) -> Contents:
    """Everything in a file; ``name`` is how people know it. Never raises."""
    found = Contents()
    blocks = list(_blocks(content))
    line, counted = 1, 0
    for index, block in enumerate(blocks[:MOST_OBJECTS]):
        line, counted = line + content.count(b"\n", counted, block.start), block.start
        found.lines[index] = (line, f"-----BEGIN {block.label.decode()}-----")
        _read_block(found, block, Place(name, (index,)))
    if len(blocks) > MOST_OBJECTS:
        message = f"the file holds {len(blocks)} objects; those after the first {MOST_OBJECTS} were not read"
        found.flaws.append(Flaw(FlawKind.FILE, Place(name), message, "check whether this is the right file"))
    if not blocks:
        _read_binary(found, content, Place(name, (0,)))
    return found


def read_chain(name: str, encodings: list[bytes]) -> Contents:
    """The certificates that a server sent, in DER, in its order. Never raises."""
    found = Contents()
    for index, encoded in enumerate(encodings):
        _guarded(found, FlawKind.CERTIFICATE, Place(name, (index,)), lambda: encoded, _take_certificate)  # noqa: B023 -- called at once
    return found


@dataclass(frozen=True, slots=True)
class _Block:
    """A PEM block: where it begins, its label, and all of it; None where its END line is missing."""

    start: int
    label: bytes
    text: bytes | None


def _blocks(content: bytes) -> Iterator[_Block]:
    begin: re.Match[bytes] | None = None
    for boundary in _BOUNDARY.finditer(content):
        is_begin = boundary[1] == b"BEGIN"
        if begin is not None and not is_begin and boundary[2] == begin[2]:
            yield _Block(begin.start(), begin[2], content[begin.start() : boundary.end()])
            begin = None
            continue
        if begin is not None and is_begin:
            yield _Block(begin.start(), begin[2], None)
        if is_begin:
            begin = boundary
    if begin is not None:
        yield _Block(begin.start(), begin[2], None)


def _read_block(found: Contents, block: _Block, place: Place) -> None:
    label = block.label
    is_key = label.endswith(b"PRIVATE KEY")
    kinds = (
        (label in _CERTIFICATE_LABELS, FlawKind.CERTIFICATE, _take_certificate),
        (label in _LIST_LABELS, FlawKind.REVOCATION_LIST, _take_list),
        (label in _MESSAGE_LABELS, FlawKind.CERTIFICATE, _take_message),
    )
    for matches, kind, take in kinds:
        if matches:
            _guarded(found, kind, place, lambda: _decoded(block), take)
            return
    if is_key and block.text is None:
        found.flaws.append(Flaw(FlawKind.KEY, place, "the private key is cut off or damaged", _COPY_AGAIN))
    elif is_key:
        _take_key(found, block.text or b"", place)
    elif label == b"TRUSTED CERTIFICATE":
        message = "the certificate is in OpenSSL's own TRUSTED form, which other programs do not read"
        remedy = "convert it with: openssl x509 -in FILE -out NEW_FILE"
        found.flaws.append(Flaw(FlawKind.CERTIFICATE, place, message, remedy))


def _decoded(block: _Block) -> bytes:
    if block.text is None:
        raise ValueError
    body = b"".join(block.text.split(b"-----")[2].split())
    return base64.b64decode(body, validate=True)


def _guarded(
    found: Contents,
    kind: FlawKind,
    place: Place,
    encoded: Callable[[], bytes],
    take: Callable[[Contents, bytes, Place], None],
) -> None:
    try:
        take(found, encoded(), place)
    except Exception:  # noqa: BLE001 -- bytes nobody here wrote: whatever the library raises, they are broken
        found.flaws.append(Flaw(kind, place, f"the {kind} is cut off, damaged or malformed", _COPY_AGAIN))


def _take_certificate(found: Contents, encoded: bytes, place: Place) -> None:
    with quietly():
        found.add_certificate(x509.load_der_x509_certificate(encoded), place)


def _take_message(found: Contents, encoded: bytes, place: Place) -> None:
    with quietly():
        for certificate in pkcs7.load_der_pkcs7_certificates(encoded):
            found.add_certificate(certificate, place)


def _take_list(found: Contents, encoded: bytes, place: Place) -> None:
    crl = x509.load_der_x509_crl(encoded)
    fingerprint = crl.fingerprint(hashes.SHA256()).hex()
    found.revocation_lists.append(
        PresentedRevocationList(
            place,
            crl.issuer.rfc4514_string(),
            crl.last_update_utc,
            crl.next_update_utc,
            fingerprint,
        )
    )
    found.der[fingerprint] = encoded


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


def _read_binary(found: Contents, content: bytes, place: Place) -> None:
    """A file without PEM: DER of any kind, or nothing that is known here."""
    for take in (_take_certificate, _take_list, _take_message):
        trial = Contents()
        try:
            take(trial, content, place)
        except Exception:  # noqa: BLE001, S112 -- not of this kind; the next is tried
            continue
        if trial.certificates or trial.revocation_lists:
            found.certificates, found.revocation_lists = trial.certificates, trial.revocation_lists
            found.der = trial.der
            return
    found.flaws.append(_stranger(content, place))


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
    if not keys.is_whole_sequence(content):
        return Flaw(FlawKind.NOTHING, place, "there is no certificate, key or CRL in this file", kinds)
    try:
        serialization.load_der_private_key(content, None)
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
    )
