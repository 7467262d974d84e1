"""Private keys: made, written as PKCS#8 PEM, and read back from whatever form an administrator has."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ipmpki.declaration.key_types import KeyType, elliptic_key, kind_of, rsa_key
from ipmpki.diagnostics.fault import WrongDeclaration
from ipmpki.x509 import sealed_key
from ipmpki.x509.der import DerShape, NotDer, element_at, integers, is_whole_sequence
from ipmpki.x509.key_flaws import RsaNumbers
from ipmpki.x509.pem import CERTIFICATE, KEY_SHAPES, armoured, read_blocks, why_unreadable
from ipmpki.x509.protection import SEALED_LABEL, is_encrypted, is_sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from ipmpki.x509.pem import PemBlock

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

# RFC 8017 leaves the exponent open; 65537 is what every verifier in the field expects.
_RSA_EXPONENT: Final = 65537
_CURVES: Final[Mapping[str, ec.EllipticCurve]] = {
    curve.name: curve for curve in (ec.SECP256R1(), ec.SECP384R1())
}

# RFC 5958 (PKCS#8, plain and encrypted), RFC 8017 A.1.2 (PKCS#1), RFC 5915 (SEC1).
_READABLE_LABELS: Final = frozenset(
    {"PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", SEALED_LABEL}
)
_FOREIGN_LABELS: Final[Mapping[str, str]] = {
    "DSA PRIVATE KEY": "a DSA key",
    "OPENSSH PRIVATE KEY": "in OpenSSH's own format",
}
_UNKNOWN_KIND: Final = "of a kind, or encrypted in a way, unknown here"


class KeyFault(WrongDeclaration):
    """A key cannot be used: ``str()`` says why, ``remedy`` what to do.

    Neither ever quotes a key or a passphrase.
    """


class KeyUnreadable(KeyFault):
    """The text is not one private key in PEM."""


class PassphraseMissing(KeyFault):
    """The key is encrypted and no passphrase, or an empty one, was given."""

    def __init__(self) -> None:
        super().__init__(
            "the private key is encrypted, and no passphrase was given",
            "name an environment variable or a file that holds its passphrase",
        )


class WrongPassphrase(KeyFault):
    """The key is encrypted with another passphrase; damage inside an encrypted key looks the same."""

    def __init__(self) -> None:
        super().__init__(
            "the passphrase does not open the private key",
            "check the passphrase with: openssl pkey -noout -in KEY_FILE",
        )


class WrongPassphraseOfStore(KeyFault):
    """The authority's key in the store is under another passphrase, or damaged, which looks the same."""

    def __init__(self) -> None:
        super().__init__(
            "the passphrase does not open the authority's key in the store",
            "give the one that it was built with, or that 'ipmpki passphrase' set last; where that is"
            " forgotten, nothing opens the key: restore a store from before it was set, or make a new"
            " authority (a higher 'generation' in pki.toml, 'ipmpki build --replace-ca') and install on"
            " every host",
        )


class PassphraseNotNeeded(KeyFault):
    """A passphrase was given for a key that lies open: its owner believes it protected."""

    def __init__(self) -> None:
        super().__init__(
            "a passphrase was given, but the private key is not encrypted",
            "encrypt it with: openssl pkcs8 -topk8 -in KEY_FILE -out NEW_FILE; or declare no passphrase",
        )


class KeyTooCostly(KeyFault):
    """A passphrase that has to be put through more than anybody waits for."""

    def __init__(self, said: str, most: str) -> None:
        super().__init__(
            f"to open the private key its passphrase would go through {said}; {most} are the most",
            "encrypt it anew, where that is known to end: openssl pkcs8 -topk8 -in KEY_FILE -out NEW_FILE",
        )


class UnsupportedKey(KeyFault):
    """The key is sound but of a kind that InfoPrint Manager's certificates are not made with."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"the private key is {kind}, which ipmpki does not support",
            "use an RSA key, or an EC key on the curve P-256, P-384 or P-521, as PKCS#8 PEM",
        )
        self.kind = kind


def generate(key_type: KeyType) -> PrivateKey:
    """Make a key of one of the declared types. RSA generation frees the GIL, so threads share the work."""
    kind = key_type.kind
    if kind.curve is not None:
        return ec.generate_private_key(_CURVES[kind.curve.library])
    assert kind.bits is not None  # noqa: S101 -- every type that is no curve's is an RSA key's
    return rsa.generate_private_key(public_exponent=_RSA_EXPONENT, key_size=kind.bits)


def to_pem(key: PrivateKey) -> bytes:
    """PKCS#8 PEM (RFC 5958, RFC 7468 section 10), unencrypted as InfoPrint Manager requires."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def to_keep(key: PrivateKey, passphrase: bytes | None, random_bytes: Callable[[int], bytes]) -> bytes:
    """The authority's own key as the store keeps it: sealed under the passphrase, open where there is none.

    Raises ValueError on an empty passphrase.
    """
    if passphrase is None:
        return to_pem(key)
    pkcs8 = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return sealed_key.seal(pkcs8, passphrase, random_bytes)


LARGEST_KEY: Final = 13_500
"""Octets of PEM: a sealed RSA key of 16384 bits has some 13,000, and no program uses a larger one."""
_LARGEST_PROVED: Final = 3_600
"""Octets of PEM: a sealed RSA key of 4096 bits has some 3,450.

To prove the primes of a larger one takes from ten seconds to minutes. It is tried out, which shows as well
whether its halves fit.
"""
MOST_ROUNDS: Final = 10_000_000
"""That a passphrase is put through, by PBKDF2 (RFC 8018, section 5.2) or what was before it: some seconds."""
MOST_SCRYPT_MEMORY: Final = 1024**3
"""Octets that scrypt works through, 128 * N * r * p (RFC 7914, section 2); it holds 128 * N * r at once."""


def load(content: bytes, passphrase: bytes | None = None, *, is_checked: bool = True) -> PrivateKey:
    """The one private key in ``content``: PKCS#8, PKCS#1 or SEC1, plain or encrypted, in PEM or DER.

    Certificates, EC parameters and remarks around it do no harm, as in a file that holds key and certificate.
    Without ``is_checked`` the numbers of an RSA key are taken as they are, which is thousands of times as
    fast; the caller sees to it by ``try_out``.
    Raises KeyUnreadable, PassphraseMissing, WrongPassphrase, PassphraseNotNeeded, KeyTooCostly or
    UnsupportedKey.
    """
    block = rewritten(content)
    if len(block) > LARGEST_KEY:
        kind = "an RSA key of more than 16384 bits"
        raise UnsupportedKey(kind)
    encrypted = is_encrypted(block)
    if encrypted and not passphrase:
        raise PassphraseMissing
    if passphrase is not None and not encrypted:
        raise PassphraseNotNeeded
    if encrypted:
        _require_cheap(block)
    is_proved = is_checked and len(block) <= _LARGEST_PROVED
    # The library's own words are dropped (``from None``): they speak of ASN.1 and may quote the input.
    try:
        key = _opened(block, passphrase, is_checked=is_proved)
    except UnsupportedAlgorithm:
        raise UnsupportedKey(_UNKNOWN_KIND) from None
    except (ValueError, TypeError) as fault:
        if "Unknown key encryption algorithm" in str(fault):
            raise UnsupportedKey(_UNKNOWN_KIND) from None
        if encrypted:
            # Garbage from the wrong passphrase may happen to have valid padding and only fail as ASN.1, so
            # the kind of failure tells nothing; the shell around the ciphertext was looked at in rewritten.
            raise WrongPassphrase from None
        raise _damaged() from None
    if isinstance(key, rsa.RSAPrivateKey):
        if is_checked and not is_proved:
            _require_working(key)
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if kind_of(key_type_of(key)).curve is None:
            kind = f"an EC key on the curve {key.curve.name}"
            raise UnsupportedKey(kind)
        return key
    kind = f"of the kind {type(key).__name__.removesuffix('PrivateKey')}"
    raise UnsupportedKey(kind)


def _opened(block: bytes, passphrase: bytes | None, *, is_checked: bool) -> PrivateKeyTypes:
    """Whatever key the block holds. Raises what the library does, and for a sealed one KeyFault."""
    if passphrase is None or not is_sealed(block):
        return serialization.load_pem_private_key(
            block, passphrase, unsafe_skip_rsa_key_validation=not is_checked
        )
    try:
        pkcs8 = sealed_key.unseal(block, passphrase)
    except sealed_key.SealClosed:
        raise WrongPassphrase from None
    except sealed_key.SealBroken:
        raise _damaged() from None
    return serialization.load_der_private_key(pkcs8, None, unsafe_skip_rsa_key_validation=not is_checked)


_SCRYPT: Final = bytes.fromhex("06092b06010401da47040b")
"""Its object identifier: RFC 7914, section 7."""


def _require_cheap(block: bytes) -> None:
    """Raises KeyTooCostly where the passphrase is put through so much that nobody waits for it.

    Of what is before PKCS#8 and of what is sealed here nothing is looked at: the one hashes once, the other
    always does the same.
    """
    (found,) = read_blocks(block)
    if found.octets is None or found.shape is not DerShape.ENCRYPTED_PKCS8:
        return
    # RFC 5958, section 3: the algorithm, then what it made.
    algorithm = element_at(
        found.octets, element_at(found.octets, 0, len(found.octets)).content, len(found.octets)
    )
    settings = found.octets[algorithm.begin : algorithm.end]
    try:
        numbers = tuple(integers(settings))
    except NotDer:
        return  # the library does not read it either
    if _SCRYPT in settings:
        cost, blocks, parallel = (*numbers, 1, 1, 1)[:3]
        octets = 128 * cost * blocks * parallel
        if octets > MOST_SCRYPT_MEMORY:
            raise KeyTooCostly(f"{octets // 1024**2} MiB by scrypt", f"{MOST_SCRYPT_MEMORY // 1024**2}")
    elif max(numbers, default=0) > MOST_ROUNDS:
        raise KeyTooCostly(f"{max(numbers)} rounds", f"{MOST_ROUNDS}")


def _require_working(key: rsa.RSAPrivateKey) -> None:
    try:
        try_out(key)
    except Exception:  # noqa: BLE001 -- whatever the library raises, the key is of no use
        raise _damaged() from None


def try_out(key: PrivateKey) -> None:
    """Sign something and verify it; raises whatever the library does where the two halves do not fit."""
    message = b"ipmpki"
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        key.public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    else:
        signature = key.sign(message, ec.ECDSA(hashes.SHA256()))
        key.public_key().verify(signature, message, ec.ECDSA(hashes.SHA256()))


def public_key_digest(key: PrivateKey | PublicKey) -> str:
    """SHA-256 of the SubjectPublicKeyInfo in lower-case hex: what key and certificate have in common."""
    return hashlib.sha256(_public(key).public_bytes(*_SPKI)).hexdigest()


def key_type_of(key: PrivateKey | PublicKey) -> str:
    """The key's type in pki.toml's words, ``rsa-2048`` or ``ec-p256``; others alike, such as ``rsa-1024``."""
    public = _public(key)
    if isinstance(public, rsa.RSAPublicKey):
        return rsa_key(public.key_size)
    return elliptic_key(public.curve.name)


def rsa_numbers(key: object) -> RsaNumbers | None:
    """Modulus and exponent of an RSA public key; None for a key of another kind."""
    if not isinstance(key, rsa.RSAPublicKey):
        return None
    numbers = key.public_numbers()
    return RsaNumbers(numbers.n, numbers.e)


_SPKI: Final = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _public(key: PrivateKey | PublicKey) -> PublicKey:
    if isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        return key.public_key()
    return key


def rewritten(content: bytes) -> bytes:
    """The one private key in ``content`` as PEM and nothing else, still encrypted where it was.

    Its label is what the key is, as some write PKCS#8 under that of an EC key. Raises KeyUnreadable or
    UnsupportedKey.
    """
    blocks = read_blocks(content)
    found = [one for one in blocks if one.is_key]
    if not found:
        raise _no_key(content, blocks)
    if len(found) > 1:
        msg = f"there are {len(found)} private keys where one is expected"
        raise KeyUnreadable(msg, "keep each key in a file of its own")
    (key,) = found
    label = str(key.shape) if key.shape in KEY_SHAPES else key.label
    if label in _FOREIGN_LABELS:
        raise UnsupportedKey(_FOREIGN_LABELS[label])
    if label not in _READABLE_LABELS:
        raise UnsupportedKey(_UNKNOWN_KIND)
    if key.octets is None:
        raise _damaged(key.fault)
    if label == DerShape.ENCRYPTED_PKCS8 and not is_whole_sequence(key.octets):
        raise _damaged(why_unreadable(key.octets))
    return armoured(label, key.octets, key.headers)


def _damaged(why: str | None = None) -> KeyUnreadable:
    return KeyUnreadable(
        f"the private key is cut off or damaged{f': {why}' if why else ''}",
        "copy the file again, whole and as text, from its BEGIN to its END line",
    )


def _no_key(content: bytes, blocks: list[PemBlock]) -> KeyUnreadable:
    export = "a private key in PEM starts with a line such as -----BEGIN PRIVATE KEY-----"
    if not content.strip():
        return KeyUnreadable("the private key is empty", export)
    if any(one.label == CERTIFICATE or one.shape is DerShape.CERTIFICATE for one in blocks):
        return KeyUnreadable("there is a certificate where the private key is expected", export)
    if any(one.label.endswith("PUBLIC KEY") for one in blocks):
        return KeyUnreadable("there is a public key where the private key is expected", export)
    if any(one.shape is DerShape.PKCS12 for one in blocks):
        return KeyUnreadable(
            "the private key is in PKCS#12, where it is expected alone",
            "take it out with: openssl pkcs12 -nocerts -in FILE -out NEW_FILE",
        )
    cut = next((why_unreadable(one.octets) for one in blocks if not one.label and one.octets), None)
    if cut is not None:
        return _damaged(cut)
    return KeyUnreadable("there is no private key in this file", export)
