"""A key that anybody can compute, or that keeps programs busy for minutes, is refused."""

from __future__ import annotations

import random
import time
from math import gcd, prod
from typing import TYPE_CHECKING

import pytest
from asn1crypto import x509 as asn1
from asn1crypto.keys import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ipmpki.x509 import keys
from ipmpki.x509.key_flaws import RsaNumbers, flaw_of
from ipmpki.x509.pem import armoured
from tests.cli.command import ipmpki
from tests.operations.verify import mint

if TYPE_CHECKING:
    from pathlib import Path

_P, _Q = 2**1279 - 1, 2**2203 - 1  # primes of Mersenne
_SMALL = prod(range(3, 752, 2))
_CLOSE = _P * next(one for one in range(_P + 2, 2 * _P, 2) if gcd(one, _SMALL) == 1)


def flaw(modulus: int, exponent: int = 65537) -> str:
    return flaw_of(f"rsa-{modulus.bit_length()}", RsaNumbers(modulus, exponent)) or ""


@pytest.mark.parametrize("kind", ["rsa-2048", "ec"])
def test_a_sound_key_has_no_flaw(kind: str) -> None:
    public = mint.key(kind, 0).public_key()
    assert flaw_of(keys.key_type_of(public), keys.rsa_numbers(public)) is None


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda one: one.name)
def test_a_curve_that_clients_take_is_sound(curve: ec.EllipticCurve) -> None:
    assert flaw_of(keys.key_type_of(ec.generate_private_key(curve).public_key()), None) is None


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.BrainpoolP256R1()], ids=lambda one: one.name)
def test_another_curve_is_not(curve: ec.EllipticCurve) -> None:
    said = flaw_of(keys.key_type_of(ec.generate_private_key(curve).public_key()), None)
    assert said == f"is on the curve {curve.name}, which TLS clients do not take"


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
    assert said in flaw(modulus)


@pytest.mark.parametrize(
    ("exponent", "said"),
    [
        (1, "exponent 1"),
        (65536, "even exponent"),
        (2**64 + 1, "of 65 bits"),
        (3, ""),
        (2**63 + 1, ""),
    ],
)
def test_an_exponent_is_odd_above_one_and_of_a_size_that_programs_use(exponent: int, said: str) -> None:
    sound = mint.key("rsa-2048", 0).public_key().public_numbers().n
    assert said in flaw(sound, exponent)
    assert bool(said) == bool(flaw(sound, exponent))


def first_primes(number: int) -> list[int]:
    return [one for one in range(2, 2000) if all(one % two for two in range(2, one))][:number]


@pytest.mark.parametrize(("bits", "primes"), [(512, 39), (1024, 71), (2048, 126), (4096, 225)])
def test_a_modulus_of_the_faulty_chips_form_is_known_at_every_length(bits: int, primes: int) -> None:
    """Nemec and others, table 1: how many primes M is the product of, by the key's length."""
    chance, wanted = random.Random(bits), prod(first_primes(primes))  # noqa: S311 -- the same each time

    def factor() -> int:
        while True:
            multiple = chance.getrandbits(bits // 2 - wanted.bit_length()) | 1
            found = multiple * wanted + pow(65537, chance.getrandbits(bits // 2), wanted)
            if gcd(found, _SMALL) == 1:
                return found

    for _ in range(20):
        assert "ROCA" in flaw(factor() * factor())


def test_it_is_one_power_that_tells_and_not_a_power_for_each_factor() -> None:
    """So that of keys of others one in 2^154 is taken for such a one, and not one in 2^27."""
    factors = first_primes(39)[1:]
    alike = [one for one in factors if pow(65537, 2, one) != 1]
    modulus, product = 0, prod(factors)
    for one in factors:
        residue = pow(65537, 1 if one == alike[0] else 2, one)
        modulus += residue * (product // one) * pow(product // one, -1, one)
    moduli = (modulus % product + multiple * product for multiple in range(2**1800, 2**1800 + 999))
    other = next(one for one in moduli if gcd(one, 2 * _SMALL) == 1)
    assert all(other % one in {pow(65537, power, one) for power in range(one)} for one in factors)
    assert flaw(other) == ""


@pytest.mark.exhaustive
def test_no_key_that_openssl_makes_is_taken_for_one_of_these() -> None:
    made = (rsa.generate_private_key(65537, size) for size in (1024, 2048) for _ in range(200))
    for one in made:
        assert flaw(one.public_key().public_numbers().n) == ""


def test_a_certificate_for_a_key_that_the_library_refuses_is_read_and_judged(tmp_path: Path) -> None:
    made = asn1.Certificate.load(mint.server().der)
    held = made["tbs_certificate"]["subject_public_key_info"]["public_key"].parsed
    held["public_exponent"] = 65536
    made["tbs_certificate"]["subject_public_key_info"]["public_key"] = held
    (tmp_path / "server.pem").write_bytes(armoured("CERTIFICATE", made.dump(force=True)))
    told = ipmpki("verify", tmp_path / "server.pem", "--at", "2026-11-24").err
    assert "error[key-unsound]: the key of 'ipm1.example.com' has an even exponent" in told
    assert "use it all the same" not in told


def test_a_key_of_a_hundred_thousand_bits_is_refused_at_once() -> None:
    modulus = 2**120_000 + 1
    began = time.process_time()
    assert "120001 bits" in flaw(modulus)
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
