"""Certificate signing requests (RFC 2986): what is handed to an authority that sells certificates."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID, PublicKeyAlgorithmOID

from ipmpki.declaration.key_types import rsa_key
from ipmpki.diagnostics.fault import UnreadableFile
from ipmpki.x509.certificate import quietly
from ipmpki.x509.der import DerShape
from ipmpki.x509.key_flaws import flaw_of
from ipmpki.x509.keys import PublicKey, key_type_of, public_key_digest, rsa_numbers
from ipmpki.x509.pem import read_blocks, why_unreadable
from ipmpki.x509.profiles import LEAF_EXTENSIONS, alternative_names, leaf_subject
from ipmpki.x509.signature import is_signed_by, weak_hash

if TYPE_CHECKING:
    from ipmpki.declaration.fleet import Address, CertificateSpec
    from ipmpki.x509.keys import PrivateKey


class RequestUnreadable(UnreadableFile):
    """The file is not a certificate signing request, or not one that its own key signed."""


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a request asks for. ``pem`` is the request itself; the digest is keys.public_key_digest's."""

    pem: bytes
    key_type: str
    public_key_digest: str
    common_name: str | None
    dns_names: tuple[str, ...]
    addresses: tuple[Address, ...]


def read_request(content: bytes) -> RequestFacts:
    """A request in PEM or DER. Raises RequestUnreadable, also where its signature is not by its own key."""
    request = _load(content)
    try:
        with quietly():
            key = request.public_key()
            # Before anything is computed with it.
            flaw = flaw_of(key_type_of(key), rsa_numbers(key)) if isinstance(key, PublicKey) else None
            is_own = flaw is None and is_signed_by(key, request, request.tbs_certrequest_bytes)
            names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            asked = _alternative_names(request)
    except Exception:  # noqa: BLE001 -- bytes nobody here wrote: whatever the library raises, they are broken
        raise _refused(request) from None
    if not isinstance(key, PublicKey):
        raise RequestUnreadable("the request is for a kind of key that is not supported", _MAKE)
    if getattr(request, "public_key_algorithm_oid", None) == PublicKeyAlgorithmOID.RSASSA_PSS:
        # A certificate made here would name the key plain RSA, and OpenSSL would find that they do not match.
        bound = "the request's key is bound to RSASSA-PSS: it signs, but cannot encipher"
        raise RequestUnreadable(bound, _MAKE)
    if flaw is not None:
        raise RequestUnreadable(f"the request's key {flaw}", _MAKE)
    if not is_own:
        # RFC 2986, section 3: it proves that whoever asks has the private key.
        raise RequestUnreadable("the request's signature is not by its own key", _MAKE)
    weak = weak_hash(request)
    if weak is not None:
        raise RequestUnreadable(f"the request is made with {weak}, which can be forged", _MAKE)
    return RequestFacts(
        pem=request.public_bytes(serialization.Encoding.PEM),
        key_type=key_type_of(key),
        public_key_digest=public_key_digest(key),
        common_name=str(names[-1].value) if names else None,
        dns_names=tuple(asked.get_values_for_type(x509.DNSName)) if asked else (),
        addresses=tuple(
            one
            for one in (asked.get_values_for_type(x509.IPAddress) if asked else ())
            if isinstance(one, (IPv4Address, IPv6Address))
        ),
    )


def public_key_of(request_pem: bytes) -> PublicKey:
    """The public key of a request that has been read before."""
    key = x509.load_pem_x509_csr(request_pem).public_key()
    assert isinstance(key, PublicKey)  # noqa: S101 -- read_request made sure
    return key


_MAKE = "make it with: openssl req -new -newkey rsa:2048 -nodes -keyout KEY_FILE -out CSR_FILE"


def _load(content: bytes) -> x509.CertificateSigningRequest:
    if not content.strip():
        raise RequestUnreadable("the file is empty", _MAKE)
    blocks = read_blocks(content)
    if any(one.is_key for one in blocks):
        raise RequestUnreadable(
            "there is a private key in the file, which should never have left its host",
            "take it out; make another key if anybody else may have seen this one",
        )
    for block in blocks:
        if block.octets is not None and block.shape is DerShape.REQUEST:
            try:
                with quietly():
                    return x509.load_der_x509_csr(block.octets)
            except Exception:  # noqa: BLE001 -- as above
                raise _damaged(why_unreadable(block.octets)) from None
    said = next((one for one in blocks if one.label.endswith("CERTIFICATE REQUEST") or not one.label), None)
    raise _damaged(said.fault or why_unreadable(said.octets or b"") if said is not None else None)


def _refused(request: x509.CertificateSigningRequest) -> RequestUnreadable:
    """Why nothing is made of a request whose key, as it may be, the library does not take."""
    from ipmpki.x509.nonconformity import refused_numbers_of_request

    numbers = refused_numbers_of_request(request.public_bytes(serialization.Encoding.DER))
    flaw = flaw_of(rsa_key(numbers.modulus.bit_length()), numbers) if numbers is not None else None
    return _damaged() if flaw is None else RequestUnreadable(f"the request's key {flaw}", _MAKE)


def _damaged(why: str | None = None) -> RequestUnreadable:
    return RequestUnreadable(
        "there is no certificate signing request in the file, or it is damaged" + (f": {why}" if why else ""),
        "it begins with the line -----BEGIN CERTIFICATE REQUEST-----; copy it again, whole and as text",
    )


def _alternative_names(request: x509.CertificateSigningRequest) -> x509.SubjectAlternativeName | None:
    try:
        return request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


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
