"""Kinds of keys: what is made here, and what else is met in certificates from elsewhere."""

from __future__ import annotations

import pytest

from ipmpki.declaration.key_types import CURVES, KeyType, elliptic_key, kind_of, made_here, rsa_key
from ipmpki.x509 import keys


@pytest.mark.parametrize(
    ("name", "words", "enciphers", "is_weak"),
    [
        ("rsa-2048", "RSA, 2048 bits", True, False),
        ("rsa-1024", "RSA, 1024 bits", True, True),
        ("ec-p256", "EC, P-256", False, False),
        ("ec-p521", "EC, P-521", False, False),
        ("ec-secp256k1", "ec-secp256k1", False, False),
        ("ec-secp192r1", "ec-secp192r1", False, True),
        ("dsa", "dsa", False, True),
        ("ed25519", "ed25519", False, False),
        ("unknown", "unknown", False, False),
    ],
)
def test_a_kind_of_key_is_known_by_its_name(name: str, words: str, *, enciphers: bool, is_weak: bool) -> None:
    kind = kind_of(name)
    assert (kind.words, kind.can_encipher, kind.is_weak) == (words, enciphers, is_weak)
    assert kind.is_elliptic == name.startswith("ec-")


@pytest.mark.parametrize("kind", [KeyType.RSA_2048, KeyType.EC_P256, KeyType.EC_P384])
def test_a_key_that_is_made_has_the_type_that_was_asked_for(kind: KeyType) -> None:
    assert keys.key_type_of(keys.generate(kind)) == kind.value


def test_only_what_is_declared_so_is_made_here() -> None:
    assert made_here("ec-p384") is KeyType.EC_P384
    assert made_here("ec-p521") is None
    assert made_here(rsa_key(1024)) is None
    assert {elliptic_key(curve.library) for curve in CURVES} == {curve.key for curve in CURVES}
    assert elliptic_key("sect571r1") == "ec-sect571r1"
