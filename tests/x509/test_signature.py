"""An old algorithm is called weak, never somebody else's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from ipmpki.x509.signature import is_signed_by, weak_hash
from tests.operations.verify import mint

SIGNED = b"what is signed"


@dataclass
class Made:
    """A signature as a certificate, a request or a CRL has it."""

    signature: bytes
    signature_hash_algorithm: Any
    signature_algorithm_parameters: Any


def signed(kind: str, hashed: Any) -> Made:
    key = mint.key(kind, 0)
    how = padding.PKCS1v15() if kind.startswith("rsa") else ec.ECDSA(hashed)
    arguments = (how, hashed) if kind.startswith("rsa") else (how,)
    return Made(key.sign(SIGNED, *arguments), hashed, how)


@pytest.mark.parametrize("kind", ["rsa-2048", "ec"])
@pytest.mark.parametrize(("hashed", "words"), [(hashes.SHA1(), "SHA-1"), (hashes.SHA256(), None)])  # noqa: S303
def test_a_signature_by_the_key_is_its_own_whatever_the_hash(
    kind: str, hashed: Any, words: str | None
) -> None:
    made = signed(kind, hashed)
    assert is_signed_by(mint.key(kind, 0).public_key(), made, SIGNED)
    assert not is_signed_by(mint.key(kind, 7).public_key(), made, SIGNED)
    assert not is_signed_by(mint.key(kind, 0).public_key(), made, SIGNED + b"!")
    assert weak_hash(made) == words
