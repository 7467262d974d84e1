"""Roots and certdata.txt files made for one test each, beside the excerpt of real ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ipmpki.x509.mozilla.certdata import encode_octal, parse
from ipmpki.x509.mozilla.criteria import Criteria, DistrustAfter, Purpose, TrustLevel
from ipmpki.x509.mozilla.recognise import text_of
from ipmpki.x509.mozilla.roots import Roots, match
from ipmpki.x509.mozilla.selection import Selection, select

EXCERPT = Path(__file__).parent / "excerpt.txt"
"""A few objects of real files, each as it stands there: it is Mozilla's, under the MPL 2.0."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEQUENCE, INTEGER, SET, OID, UTF8, UTC_TIME, BITS = 0x30, 0x02, 0x31, 0x06, 0x0C, 0x17, 0x03


def element(tag: int, *contents: bytes) -> bytes:
    """A DER element with a long enough length for a certificate."""
    content = b"".join(contents)
    length = bytes([len(content)]) if len(content) < 128 else b"\x82" + len(content).to_bytes(2, "big")
    return bytes([tag]) + length + content


def name_of(text: str) -> bytes:
    """A Name with nothing but a common name."""
    attribute = element(SEQUENCE, element(OID, b"\x55\x04\x03"), element(UTF8, text.encode()))
    return element(SEQUENCE, element(SET, attribute))


def certificate(  # noqa: PLR0913 -- one parameter a field
    name: str = "Old Root",
    *,
    serial: bytes = b"\x01",
    not_before: bytes = b"000101000000Z",
    not_after: bytes = b"491231235959Z",
    time_tag: int = UTC_TIME,
    version: bytes = b"\xa0\x03\x02\x01\x02",
) -> bytes:
    """A root in DER, its signature a single nought: who reads roots does not verify them."""
    algorithm = element(SEQUENCE, element(OID, b"\x2a\x86\x48\xce\x3d\x04\x03\x02"))
    key = element(
        SEQUENCE,
        element(
            SEQUENCE,
            element(OID, b"\x2a\x86\x48\xce\x3d\x02\x01"),
            element(OID, b"\x2a\x86\x48\xce\x3d\x03\x01\x07"),
        ),
        element(BITS, b"\0\0"),
    )
    inner = element(
        SEQUENCE,
        version,
        element(INTEGER, serial),
        algorithm,
        name_of(name),
        element(SEQUENCE, element(time_tag, not_before), element(time_tag, not_after)),
        name_of(name),
        key,
    )
    return element(SEQUENCE, inner, algorithm, element(BITS, b"\0\0"))


def octal(name: str, octets: bytes) -> str:
    """An attribute in octal."""
    return "\n".join([f"{name} MULTILINE_OCTAL", *encode_octal(octets), "END"]) + "\n"


def certificate_object(
    der: bytes, *, label: str = "Old Root", name: str = "Old Root", serial: bytes = b"\x01", more: str = ""
) -> str:
    """A certificate's object, under an issuer and a serial number that need not be its own."""
    return (
        f'\n# Certificate "{label}"\nCKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE\nCKA_LABEL UTF8 "{label}"\n'
        + octal("CKA_ISSUER", name_of(name))
        + octal("CKA_SERIAL_NUMBER", element(INTEGER, serial))
        + octal("CKA_VALUE", der)
        + more
        + "CKA_NSS_EMAIL_DISTRUST_AFTER CK_BBOOL CK_FALSE\n"
    )


def trust_object(  # noqa: PLR0913 -- one parameter an attribute
    *,
    label: str = "Old Root",
    name: str = "Old Root",
    serial: bytes = b"\x01",
    kind: str = "CKO_NSS_TRUST",
    server: str = "CKT_NSS_TRUSTED_DELEGATOR",
    more: str = "",
) -> str:
    """A trust object."""
    return (
        f'\n# Trust for "{label}"\nCKA_CLASS CK_OBJECT_CLASS {kind}\nCKA_LABEL UTF8 "{label}"\n'
        + octal("CKA_ISSUER", name_of(name))
        + octal("CKA_SERIAL_NUMBER", element(INTEGER, serial))
        + more
        + f"CKA_TRUST_SERVER_AUTH CK_TRUST {server}\nCKA_TRUST_STEP_UP_APPROVED CK_BBOOL CK_FALSE\n"
    )


def roots_of(text: str) -> Roots:
    """The roots of a certdata.txt."""
    return match(parse(text_of(text.encode(), "certdata.txt"), "certdata.txt"), "certdata.txt")


def selected(
    text: str,
    at: datetime = NOW,
    *,
    purposes: frozenset[Purpose] | None = None,
    levels: frozenset[TrustLevel] | None = None,
    distrust_after: DistrustAfter = DistrustAfter.KEEP,
) -> Selection:
    """What becomes of a certdata.txt, by the usual criteria where nothing else is said."""
    usual = Criteria(at)
    return select(
        roots_of(text),
        Criteria(at, purposes or usual.purposes, levels or usual.levels, distrust_after),
    )


def reasons(selection: Selection) -> dict[str, str]:
    """Why each was left out."""
    return {one.label: one.reason.value for one in selection.left_out}
