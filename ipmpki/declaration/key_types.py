"""What there is to know of a kind of key, by its name: ``rsa-2048``, ``ec-p256``.

pki.toml, the store and every output call a key by that name. ipmpki makes those of :class:`KeyType`; keys
made elsewhere are named alike, such as ``rsa-1024``, ``ec-p521``, ``ec-secp256k1``,
``rsa-pss-2048`` or ``ed25519``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

SMALLEST_RSA: Final = 2048
"""In bits. What is shorter can be broken: NIST SP 800-131A, revision 2, section 3."""


class Curve(NamedTuple):
    """An elliptic curve of RFC 5480, section 2.1.1.1: what keys on it are named, and what others call it.

    ``library`` is its name to pyca/cryptography and in RFC 8422, ``openssl`` that to ``openssl genpkey``.
    """

    key: str
    words: str
    library: str
    openssl: str


CURVES: Final = (
    Curve("ec-p256", "P-256", "secp256r1", "prime256v1"),
    Curve("ec-p384", "P-384", "secp384r1", "secp384r1"),
    # Never made here, but an authority that exists already may have it.
    Curve("ec-p521", "P-521", "secp521r1", "secp521r1"),
)
_BY_KEY: Final = {curve.key: curve for curve in CURVES}
_BY_LIBRARY: Final = {curve.library: curve for curve in CURVES}
_BROKEN_CURVES: Final = ("192r1", "192v1", "160r1", "160k1", "192k1")
"""Ends of the names of curves with less than the 112 bits of security that SP 800-131A asks for."""


_BOUND: Final = "rsa-pss"


def rsa_key(bits: int, *, is_bound: bool = False) -> str:
    """The name of an RSA key with a modulus of so many bits; ``is_bound`` to RSASSA-PSS (RFC 4055, 1.2)."""
    return f"{_BOUND if is_bound else 'rsa'}-{bits}"


def elliptic_key(library: str) -> str:
    """The name of a key on a curve, by the curve's name to pyca/cryptography."""
    curve = _BY_LIBRARY.get(library)
    return curve.key if curve is not None else f"ec-{library}"


class KeyKind(NamedTuple):
    """A kind of key, taken apart: ``algorithm`` is ``rsa``, ``rsa-pss``, ``ec``, ``dsa`` …, or ``unknown``.

    ``bits`` is the length of an RSA key, ``curve`` what is known of the curve of an EC key, else None.
    """

    name: str
    algorithm: str
    bits: int | None
    curve: Curve | None

    @property
    def is_elliptic(self) -> bool:
        """Whether it is an EC key, which must not carry keyEncipherment (RFC 8813, section 3)."""
        return self.algorithm == "ec"

    @property
    def can_encipher(self) -> bool:
        """Whether it is an RSA key, the one kind that may carry keyEncipherment."""
        return self.algorithm == "rsa"

    @property
    def is_weak(self) -> bool:
        """Whether it can be broken: a short RSA key, a DSA key, a curve that is too small."""
        if self.bits is not None:
            return self.bits < SMALLEST_RSA
        return self.algorithm == "dsa" or (self.is_elliptic and self.name.endswith(_BROKEN_CURVES))

    @property
    def words(self) -> str:
        """What people call it: ``RSA, 2048 bits``, ``EC, P-256``; the name where there is nothing better."""
        if self.bits is not None:
            return f"{'RSASSA-PSS' if self.algorithm == _BOUND else 'RSA'}, {self.bits} bits"
        return f"EC, {self.curve.words}" if self.curve is not None else self.name


def kind_of(name: str) -> KeyKind:
    """A kind of key by its name."""
    algorithm, _, size = name.partition("-") if not name.startswith(_BOUND) else name.rpartition("-")
    bits = int(size) if algorithm in {"rsa", _BOUND} and size.isdecimal() else None
    return KeyKind(name, algorithm, bits, _BY_KEY.get(name))


class KeyType(StrEnum):
    """The keys ipmpki makes."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"

    @property
    def kind(self) -> KeyKind:
        """What there is to know of it."""
        return kind_of(self.value)

    @property
    def is_elliptic(self) -> bool:
        """Whether this is an EC key."""
        return self.kind.is_elliptic

    @property
    def openssl_options(self) -> tuple[str, ...]:
        """What ``openssl genpkey`` is told after ``-algorithm``: the algorithm and its parameters.

        The curve is named: RFC 5480, section 2.1.1, lets a certificate have nothing else.
        """
        if self.kind.curve is None:
            return ("RSA", "-pkeyopt", f"rsa_keygen_bits:{self.kind.bits}")
        curve = f"ec_paramgen_curve:{self.kind.curve.openssl}"
        return ("EC", "-pkeyopt", curve, "-pkeyopt", "ec_param_enc:named_curve")


def made_here(name: str) -> KeyType | None:
    """The kind of key by its name, None where ipmpki makes none such."""
    return next((one for one in KeyType if one.value == name), None)
