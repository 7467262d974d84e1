"""PKCS#7 messages (RFC 2315), DER or BER: in what sellers of certificates, and AD CS, send them."""

from __future__ import annotations

from ipmpki.x509.pem import why_unreadable


class NoMessage(ValueError):
    """The octets are no PKCS#7 message with certificates; ``str()`` says why."""


def certificates_of(octets: bytes) -> list[bytes]:
    """The certificates in a message, each in DER, however odd one of them is. Raises NoMessage."""
    from asn1crypto import cms  # it takes BER, and looks into no certificate; few ever need it

    try:
        held = cms.ContentInfo.load(octets)["content"]["certificates"]
        return [one.chosen.dump() for one in held if one.name == "certificate"]
    except Exception as fault:
        cut = None if octets[1:2] == b"\x80" else why_unreadable(octets)
        raise NoMessage(cut or "it is not built as RFC 2315, section 9.1, has it") from fault
