"""A key that anybody can compute, or that keeps programs busy for minutes, is refused."""

from __future__ import annotations

import time
from math import gcd, prod

import pytest
from asn1crypto.keys import PublicKeyInfo, RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ipmpki.x509 import keys
from ipmpki.x509.key_flaws import flaw_of
from ipmpki.x509.pem import armoured
from tests.operations.verify import mint

_P, _Q = 2**1279 - 1, 2**2203 - 1  # primes of Mersenne
_SMALL = prod(range(3, 752, 2))
_CLOSE = _P * next(one for one in range(_P + 2, 2 * _P, 2) if gcd(one, _SMALL) == 1)


def key(modulus: int) -> rsa.RSAPublicKey:
    held = RSAPublicKey({"modulus": modulus, "public_exponent": 65537})
    read = load_der_public_key(PublicKeyInfo.wrap(held, "rsa").dump())
    assert isinstance(read, rsa.RSAPublicKey)
    return read


@pytest.mark.parametrize("kind", ["rsa-2048", "ec"])
def test_a_sound_key_has_no_flaw(kind: str) -> None:
    assert flaw_of(mint.key(kind, 0).public_key()) is None


@pytest.mark.parametrize(
    ("modulus", "said"),
    [
        (_P * _Q * 2, "small factor"),
        (_P * _Q * 751, "small factor"),
        (_CLOSE, "close together"),
    ],
    ids=["even", "factor", "close"],
)
def test_a_worthless_key_is_known(modulus: int, said: str) -> None:
    assert said in (flaw_of(key(modulus)) or "")


def test_a_key_of_a_hundred_thousand_bits_is_refused_at_once() -> None:
    read = key(2**120_000 + 1)
    began = time.process_time()
    assert "120001 bits" in (flaw_of(read) or "")
    assert time.process_time() - began < 1


def test_a_private_key_that_takes_minutes_to_try_is_refused_at_once() -> None:
    p, q = 2**9689 - 1, 2**11213 - 1  # primes of Mersenne
    d = pow(65537, -1, (p - 1) * (q - 1))
    held = RSAPrivateKey(
        {
            "version": 0,
            "modulus": p * q,
            "public_exponent": 65537,
            "private_exponent": d,
            "prime1": p,
            "prime2": q,
            "exponent1": d % (p - 1),
            "exponent2": d % (q - 1),
            "coefficient": pow(q, -1, p),
        }
    )
    began = time.process_time()
    with pytest.raises(keys.UnsupportedKey, match="more than 16384 bits"):
        keys.load(armoured("RSA PRIVATE KEY", held.dump()))
    assert time.process_time() - began < 1
