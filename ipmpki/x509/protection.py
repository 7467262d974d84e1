"""How a private key that is kept is protected, told by its form alone.

Plans ask this of every authority: it must not cost them the import of the library that could open the key.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

BEGIN: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
SEALED_LABEL: Final = b"IPMPKI SEALED PRIVATE KEY"
# RFC 1421, section 4.6.1.1: how a PKCS#1 or SEC1 key says that it is encrypted.
_LEGACY_ENCRYPTION: Final = re.compile(rb"^Proc-Type:\s*4\s*,\s*ENCRYPTED", re.MULTILINE)


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
    return kept.lstrip().startswith(b"-----BEGIN " + SEALED_LABEL + b"-----")


def is_encrypted(pem: bytes) -> bool:
    """Whether the first private key in ``pem`` needs a passphrase; False where there is no key at all."""
    for begin in BEGIN.finditer(pem):
        if begin[1] in {b"ENCRYPTED PRIVATE KEY", SEALED_LABEL}:
            return True
        if begin[1].endswith(b"PRIVATE KEY"):
            return _LEGACY_ENCRYPTION.search(pem[begin.end() :].partition(b"-----END")[0]) is not None
    return False


def is_in_token(kept: bytes) -> bool:
    """Whether what is kept of a key is the PKCS#11 URI of one in a token."""
    return kept[:7].lower() == b"pkcs11:"
