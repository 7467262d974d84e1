"""What is wrong with a public key, whoever made it and whatever it is for: told by its type and its numbers.

Whether a key is on Debian's list of weak ones (CVE-2008-0166) is not looked up: that takes a table of some
ten megabytes.
"""

from __future__ import annotations

from functools import cache
from math import gcd, isqrt, lcm, prod
from typing import Final, NamedTuple

from ipmpki.declaration.key_types import kind_of

LARGEST_MODULUS: Final = 16384
"""Bits: OpenSSL uses no larger one (OPENSSL_RSA_MAX_MODULUS_BITS), and arithmetic with it takes minutes."""

_LARGEST_EXPONENT: Final = 64
"""Bits: above 3072 bits of modulus OpenSSL uses no larger one (OPENSSL_RSA_MAX_PUBEXP_BITS)."""

_SMALL_PRIMES: Final = prod(one for one in range(3, 752, 2) if all(one % two for two in range(3, one, 2)))
"""The product of what NIST SP 800-89, section 5.3.3, has a modulus tried with."""

_FERMAT_ROUNDS: Final = 100
"""As many as the CA/Browser Forum asks of authorities (Baseline Requirements, 6.1.1.3)."""

# CVE-2017-15361; Nemec and others, The Return of Coppersmith's Attack, section 2: each prime of such a key is
# k * M + (65537^a mod M), M being the product of the first 39 primes, or of more in longer keys.
_GENERATOR: Final = 65537
_FACTORS: Final = tuple(one for one in range(3, 168, 2) if all(one % two for two in range(3, one, 2)))
"""The odd primes of the shortest M; modulo 2 every key is alike."""


class RsaNumbers(NamedTuple):
    """The two numbers of an RSA public key (RFC 8017, section 3.1)."""

    modulus: int
    exponent: int


def flaw_of(key_type: str, rsa: RsaNumbers | None) -> str | None:
    """What makes a key worthless, as the end of a sentence about it; None for a key that may be used.

    ``key_type`` is as pki.toml has it; ``rsa`` are the numbers of an RSA key. That it is too short is told by
    its type alone, and not here.
    """
    if rsa is not None:
        return _flaw_of_rsa(*rsa)
    kind = kind_of(key_type)
    if kind.is_elliptic and kind.curve is None:
        # RFC 8446, section 4.2.7, has no other curve of this form; OpenSSL, GnuTLS and NSS offer none.
        return f"is on the curve {key_type.removeprefix('ec-')}, which TLS clients do not take"
    return None


def _flaw_of_rsa(modulus: int, exponent: int) -> str | None:
    if modulus.bit_length() > LARGEST_MODULUS:
        return f"has {modulus.bit_length()} bits, more than programs can use: {LARGEST_MODULUS} at most"
    return _flaw_of_exponent(exponent) or _flaw_of_modulus(modulus)


def _flaw_of_exponent(exponent: int) -> str | None:
    if exponent == 1:
        return "has the exponent 1, which hides nothing"
    if exponent < 1 or exponent % 2 == 0:  # RFC 8017, section 3.1: coprime to an even number
        return "has an even exponent, or a negative one, which no RSA key has"
    if exponent.bit_length() > _LARGEST_EXPONENT:
        return f"has an exponent of {exponent.bit_length()} bits, more than programs can use"
    return None


def _flaw_of_modulus(modulus: int) -> str | None:
    if modulus % 2 == 0 or gcd(modulus, _SMALL_PRIMES) != 1:
        return "has a small factor, so that anybody can compute its private key"
    if _has_close_primes(modulus):
        return "has primes that lie close together, so that anybody can compute its private key"
    if _is_of_infineon(modulus):
        return "was made by a faulty chip (ROCA, CVE-2017-15361), so that others can compute its private key"
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


def _is_of_infineon(modulus: int) -> bool:
    """Whether one power of 65537 is the modulus, by each factor of M: of other keys one in 2^154 passes.

    The exponents by each factor are put together as the Chinese remainder theorem does.
    """
    power, period = 0, 1
    for factor, logarithms in _logarithms():
        found = logarithms.get(modulus % factor)
        order = len(logarithms)
        shared = gcd(period, order)
        if found is None or (found - power) % shared:
            return False
        inverse = pow(period // shared, -1, order // shared)
        power += period * ((found - power) // shared * inverse % (order // shared))
        period = lcm(period, order)
    return True


@cache
def _logarithms() -> tuple[tuple[int, dict[int, int]], ...]:
    """For each factor the discrete logarithms to the base 65537 of what has one."""
    tables = []
    for factor in _FACTORS:
        table: dict[int, int] = {}
        one = 1
        while one not in table:
            table[one] = len(table)
            one = one * _GENERATOR % factor
        tables.append((factor, table))
    return tuple(tables)
