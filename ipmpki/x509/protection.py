"""How a private key that is kept is protected, told by its form alone.

Plans ask this of every authority: it must not cost them the import of the library that could open the key.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from ipmpki.x509.der import DerShape
from ipmpki.x509.pem import read_blocks

SEALED_LABEL: Final = "IPMPKI SEALED PRIVATE KEY"


class Protection(Enum):
    """How a private key that is kept is protected from whoever reads where it lies."""

    OPEN = "open"
    WEAK = "weak"
    """By PKCS#8's encryption or an older one: some passphrases can be found by trying."""
    SEALED = "sealed"
    TOKEN = "token"  # noqa: S105 -- a device, not a secret


def protection_of(kept: bytes) -> Protection:
    """How what is kept of a key is protected: its PEM, or the URI of one in a token."""
    if is_in_token(kept):
        return Protection.TOKEN
    if is_sealed(kept):
        return Protection.SEALED
    return Protection.WEAK if is_encrypted(kept) else Protection.OPEN


def is_sealed(kept: bytes) -> bool:
    """Whether what is kept of a key is sealed under a passphrase as ``sealed_key`` does it."""
    return kept.lstrip().startswith(f"-----BEGIN {SEALED_LABEL}-----".encode())


def is_encrypted(content: bytes) -> bool:
    """Whether the first private key in ``content`` needs a passphrase; False where there is no key at all."""
    key = next((one for one in read_blocks(content) if one.is_key), None)
    if key is None:
        return False
    said = key.label == DerShape.ENCRYPTED_PKCS8 and key.shape in {None, DerShape.ENCRYPTED_PKCS8}
    is_one = said or key.label == SEALED_LABEL
    return is_one or key.is_enciphered or key.shape is DerShape.ENCRYPTED_PKCS8


def is_in_token(kept: bytes) -> bool:
    """Whether what is kept of a key is the PKCS#11 URI of one in a token."""
    return kept[:7].lower() == b"pkcs11:"
