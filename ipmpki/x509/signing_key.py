"""The one place where certificates and revocation lists get their signature, wherever the key is."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, overload

from ipmpki.x509 import keys
from ipmpki.x509.pkcs11 import TokenKey, open_token_key
from ipmpki.x509.protection import is_in_token

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    SignatureHash: TypeAlias = hashes.SHA256 | hashes.SHA384 | hashes.SHA512

SigningKey: TypeAlias = keys.PrivateKey | TokenKey
"""An authority's key: here, or in a token."""


def open_key(kept: bytes, passphrase: bytes | None) -> SigningKey:
    """The key that is kept as PEM, or as the URI of one in a token, whose PIN is the passphrase then.

    Raises KeyFault, TokenFault, or Fault where the library for tokens is not installed.
    """
    if is_in_token(kept):
        return open_token_key(kept.decode(), passphrase)
    return keys.load(kept, passphrase)


@overload
def signed(
    builder: x509.CertificateBuilder, key: SigningKey, algorithm: SignatureHash
) -> x509.Certificate: ...
@overload
def signed(
    builder: x509.CertificateRevocationListBuilder, key: SigningKey, algorithm: SignatureHash
) -> x509.CertificateRevocationList: ...
def signed(
    builder: x509.CertificateBuilder | x509.CertificateRevocationListBuilder,
    key: SigningKey,
    algorithm: SignatureHash,
) -> x509.Certificate | x509.CertificateRevocationList:
    """What a builder describes, signed.

    The library signs with keys of its own alone. For one in a token it makes the whole with a key of the same
    kind, so that all but the signature is as it would be; then the token signs the same octets.
    """
    if not isinstance(key, TokenKey):
        return builder.sign(key, algorithm)
    return key.sign_again(builder.sign(key.stand_in, algorithm), algorithm)
