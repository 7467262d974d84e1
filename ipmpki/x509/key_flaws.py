"""What is wrong with a public key, whoever made it and whatever it is for."""

from __future__ import annotations

from math import gcd, isqrt, prod
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from ipmpki.x509.keys import PublicKey

LARGEST_MODULUS: Final = 16384
"""Bits: OpenSSL uses no larger one (OPENSSL_RSA_MAX_MODULUS_BITS), and arithmetic with it takes minutes."""

_SMALL_PRIMES: Final = prod(one for one in range(3, 752, 2) if all(one % two for two in range(3, one, 2)))
"""The product of what NIST SP 800-89, section 5.3.3, has a modulus tried with."""

_FERMAT_ROUNDS: Final = 100
"""As many as the CA/Browser Forum asks of authorities (Baseline Requirements, 6.1.1.3)."""


def flaw_of(key: PublicKey) -> str | None:
    """What makes a key worthless, as the end of a sentence about it; None for a key that may be used."""
    if not isinstance(key, rsa.RSAPublicKey):
        return None  # the library has read its point, and knows its curve
    if key.key_size > LARGEST_MODULUS:
        return f"has {key.key_size} bits, more than programs can use: {LARGEST_MODULUS} at most"
    modulus = key.public_numbers().n  # of exponents the library reads odd ones from 3 on
    if modulus % 2 == 0 or gcd(modulus, _SMALL_PRIMES) != 1:
        return "has a small factor, so that anybody can compute its private key"
    if _has_close_primes(modulus):
        return "has primes that lie close together, so that anybody can compute its private key"
    return None


def _has_close_primes(modulus: int) -> bool:
    """Whether Fermat's method finds the factors at once, as with keys of CVE-2022-26320."""
    middle = isqrt(modulus)
    middle += middle * middle < modulus
    for one in range(middle, middle + _FERMAT_ROUNDS):
        rest = one * one - modulus
        if isqrt(rest) ** 2 == rest:
            return True
    return False
