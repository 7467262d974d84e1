"""Whether a signature was made by a key, whatever the algorithm: an old one is weak, but not another's.

The library's own methods refuse SHA-1 and say no more than they say of a forgery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import hashes


class Signed(Protocol):
    """What certificates, requests and CRLs have in common."""

    @property
    def signature(self) -> bytes: ...
    @property
    def signature_hash_algorithm(self) -> hashes.HashAlgorithm | None: ...
    @property
    def signature_algorithm_parameters(self) -> object: ...


def is_signed_by(key: object, one: Signed, signed: bytes) -> bool:
    """Whether ``key``, a public one, made the signature of ``one`` over these octets."""
    try:
        how, hashed = one.signature_algorithm_parameters, one.signature_hash_algorithm
        if isinstance(key, ec.EllipticCurvePublicKey) and hashed is not None:
            key.verify(one.signature, signed, ec.ECDSA(hashed))
        elif isinstance(key, rsa.RSAPublicKey) and hashed is not None:
            used = how if isinstance(how, padding.PSS) else padding.PKCS1v15()
            key.verify(one.signature, signed, used, hashed)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def weak_hash(one: Signed) -> str | None:
    """The hash of the signature, in the field's words, where it can be forged (RFC 6194, RFC 6151)."""
    try:
        hashed = one.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    return {"sha1": "SHA-1", "md5": "MD5"}.get(hashed.name) if hashed is not None else None
