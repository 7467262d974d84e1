"""Certificate signing requests (RFC 2986): what is handed to an authority that sells certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ipmpki.authority.profiles import LEAF_EXTENSIONS, alternative_names, leaf_subject

if TYPE_CHECKING:
    from ipmpki.authority.keys import PrivateKey
    from ipmpki.fleet import CertificateSpec


def make_request(spec: CertificateSpec, key: PrivateKey) -> bytes:
    """A request for the certificate that ``spec`` describes, in PEM, signed with its own key.

    Subject, alternative names, key usage and extended key usage are those that a certificate made here would
    have (RFC 2985, section 5.4.2: extensionRequest). Raises ValueError on names RFC 5280 does not allow.
    """
    builder = x509.CertificateSigningRequestBuilder().subject_name(leaf_subject(spec.common_name))
    _, usage, purposes = LEAF_EXTENSIONS[
        spec.profile
    ]  # whether it is an authority is not for a request to say
    for wanted in (usage, purposes):
        builder = builder.add_extension(wanted.value, critical=wanted.critical)
    builder = builder.add_extension(alternative_names(spec.dns_names, spec.addresses), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
