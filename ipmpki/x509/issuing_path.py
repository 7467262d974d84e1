"""Whether an authority may issue, as far as its own certificate says, and those above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, PublicKeyAlgorithmOID

from ipmpki.x509.certificate import (
    NETSCAPE_TYPE,
    UNREADABLE,
    CertificateUnreadable,
    names_of,
    parse_der,
    quietly,
)
from ipmpki.x509.profiles import PURPOSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ipmpki.declaration.vocabulary import Profile

_ExtensionT = TypeVar("_ExtensionT", bound=x509.ExtensionType)

_TLS_PURPOSES: Final = frozenset(
    {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    }
)
_WORDS: Final = {ExtendedKeyUsageOID.SERVER_AUTH: "servers", ExtendedKeyUsageOID.CLIENT_AUTH: "clients"}


def objections_to_path(path: Sequence[bytes], profiles: Iterable[Profile]) -> Iterator[str]:
    """Why verifiers would refuse what the first of some certificates (DER) issues, each as a sentence.

    ``path`` leads from the issuing authority to its root, as far as it is there.
    """
    try:
        certificates = [parse_der(one) for one in path]
    except CertificateUnreadable as fault:
        yield fault.message
        return
    names = [names_of(one)[0] for one in path]
    reason = reason_against(certificates[0])
    if reason is not None:
        yield f"'{names[0]}' cannot be the authority: {reason}"
        return
    wanted = {purpose for profile in profiles for purpose in PURPOSES[profile]}
    below = 0
    for name, one in zip(names, certificates, strict=True):
        constraints, purposes = find(one, x509.BasicConstraints), find(one, x509.ExtendedKeyUsage)
        length = constraints.path_length if constraints is not None else None
        if length is not None and below > length:
            allowed = "no authority" if not length else f"{length} at most"
            yield f"'{name}' allows {allowed} below it, and '{names[0]}' would be number {below}"
        with quietly():
            # RFC 5280, section 6.1.4 (l): one that names itself as its issuer does not count.
            below += one.issuer != one.subject
        lacking = sorted(_WORDS[purpose] for purpose in wanted - set(purposes or wanted))
        if lacking:
            # OpenSSL takes anyExtendedKeyUsage for no purpose at all (crypto/x509/v3_purp.c, xku_reject).
            yield f"'{name}' is confined by its extended key usage, not for TLS {' and '.join(lacking)}"


def find(certificate: x509.Certificate, kind: type[_ExtensionT]) -> _ExtensionT | None:
    """The value of an extension; None where it is absent."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def reason_against(certificate: x509.Certificate) -> str | None:
    """Why the certificate may not sign leaves and CRLs (RFC 5280, section 6.1.4); None where it may."""
    try:
        constraints = find(certificate, x509.BasicConstraints)
        usage = find(certificate, x509.KeyUsage)
        purposes = find(certificate, x509.ExtendedKeyUsage)
        unknown = [
            each.oid.dotted_string
            for each in certificate.extensions
            if each.critical
            and isinstance(each.value, x509.UnrecognizedExtension)
            and each.oid != NETSCAPE_TYPE
        ]
    except UNREADABLE:
        return "its extensions cannot be read"
    reasons = (
        (
            constraints is None or not constraints.ca,
            "it is not a CA certificate (basicConstraints does not say CA:TRUE)",
        ),
        (
            usage is not None and not usage.key_cert_sign,
            "its key usage does not allow it to sign certificates (no keyCertSign)",
        ),
        (
            usage is not None and not usage.crl_sign,
            "its key usage does not allow it to sign CRLs (no cRLSign)",
        ),
        (
            purposes is not None and _TLS_PURPOSES.isdisjoint(purposes),
            "its extended key usage covers neither TLS servers nor TLS clients",
        ),
        (
            # The library hides that such a key is bound to PSS; a signature by PKCS #1 v1.5 would not verify
            # under it (RFC 4055, section 1.2).
            certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS,
            "its key is bound to RSASSA-PSS, which InfoPrint Manager's certificates are not signed with",
        ),
        (bool(unknown), f"it has a critical extension that verifiers do not know ({', '.join(unknown)})"),
    )
    return next((reason for holds, reason in reasons if holds), None)
