"""Files that cost whoever reads them more than their size shows."""

from __future__ import annotations

import functools

from asn1crypto import algos, core, keys, pkcs12
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization import pkcs12 as writer

from ipmpki.x509.pem import armoured
from tests.operations.verify import mint

ENDLESS = 2**31 - 1
PASSPHRASE = b"secret"


@functools.cache
def sound_pkcs12(passphrase: bytes = PASSPHRASE) -> bytes:
    return writer.serialize_key_and_certificates(
        b"ipm1", mint.server().private, mint.server().certificate, None, BestAvailableEncryption(passphrase)
    )


def endless_pkcs12() -> bytes:
    """PKCS#12 whose authenticity is proved by 2^31 - 1 rounds (RFC 7292, section 4)."""
    made = pkcs12.Pfx.load(sound_pkcs12())
    made["mac_data"]["iterations"] = ENDLESS
    return bytes(made.dump(force=True))


def endless_pbmac1() -> bytes:
    """The same by PBMAC1 (RFC 9579)."""
    made = pkcs12.Pfx.load(sound_pkcs12())
    rounds = core.Sequence.load(
        _sequence(core.OctetString(b"saltsalt"), core.Integer(ENDLESS), core.Integer(32))
    )
    derived = _sequence(core.ObjectIdentifier("1.2.840.113549.1.5.12"), rounds)
    tried = _sequence(core.ObjectIdentifier("1.2.840.113549.2.9"), core.Null())
    parameters = core.Sequence.load(_sequence(core.Sequence.load(derived), core.Sequence.load(tried)))
    algorithm = _sequence(core.ObjectIdentifier("1.2.840.113549.1.5.14"), parameters)
    digest = _sequence(core.Sequence.load(algorithm), core.OctetString(bytes(32)))
    mac = _sequence(core.Sequence.load(digest), core.OctetString(b"none"), core.Integer(1))
    return _sequence(core.Integer(3), made["auth_safe"], core.Sequence.load(mac))


def _sequence(*parts: core.Asn1Value) -> bytes:
    content = b"".join(part.dump() for part in parts)
    size = len(content)
    head = bytes([size]) if size < 0x80 else b"\x82" + size.to_bytes(2, "big")
    return b"\x30" + head + content


def encrypted_pkcs8(kdf: object) -> bytes:
    """An encrypted key in PEM under a way to stretch its passphrase (RFC 8018, appendix A.4)."""
    made = keys.EncryptedPrivateKeyInfo(
        {
            "encryption_algorithm": {
                "algorithm": "pbes2",
                "parameters": {
                    "key_derivation_func": kdf,
                    "encryption_scheme": {"algorithm": "aes256_cbc", "parameters": bytes(16)},
                },
            },
            "encrypted_data": bytes(64),
        }
    )
    return armoured("ENCRYPTED PRIVATE KEY", made.dump())


def stretched_by_rounds(rounds: int) -> bytes:
    salt = algos.Pbkdf2Salt("specified", b"saltsalt")
    parameters = {"salt": salt, "iteration_count": rounds, "prf": {"algorithm": "sha256"}}
    return encrypted_pkcs8({"algorithm": "pbkdf2", "parameters": parameters})


def stretched_by_scrypt(cost: int, blocks: int = 8, parallel: int = 1) -> bytes:
    numbers = (core.Integer(cost), core.Integer(blocks), core.Integer(parallel))
    parameters = core.Sequence.load(_sequence(core.OctetString(b"saltsalt"), *numbers))
    return encrypted_pkcs8({"algorithm": "1.3.6.1.4.1.11591.4.11", "parameters": parameters})


def stretched_of_old(rounds: int) -> bytes:
    """By PBES1 (RFC 8018, section 6.1)."""
    made = keys.EncryptedPrivateKeyInfo(
        {
            "encryption_algorithm": {
                "algorithm": "pkcs12_sha1_tripledes_3key",
                "parameters": {"salt": b"saltsalt", "iterations": rounds},
            },
            "encrypted_data": bytes(64),
        }
    )
    return armoured("ENCRYPTED PRIVATE KEY", made.dump())


def long_rsa_key(shift: int = 0) -> bytes:
    """A sound RSA key of 8676 bits, from primes of Mersenne; a ``shift`` of its exponent breaks it."""
    p, q, e = 2**4423 - 1, 2**4253 - 1, 65537
    d = pow(e, -1, (p - 1) * (q - 1)) + shift
    public = rsa.RSAPublicNumbers(e, p * q)
    dmp1, dmq1 = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, dmp1, dmq1, rsa.rsa_crt_iqmp(p, q), public)
    made = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def revocation_list(entries: int) -> bytes:
    """A CRL in DER of so many entries, whose signature proves nothing (RFC 5280, section 5.1)."""
    time = b"\x17\x0d261101000000Z"
    revoked = b"".join(
        b"\x30\x19\x02\x08" + (2**62 + number).to_bytes(8, "big") + time for number in range(entries)
    )
    algorithm = _sequence(core.ObjectIdentifier("1.2.840.113549.1.1.11"), core.Null())
    issuer = mint.authority().certificate.subject.public_bytes()
    tbs = _long(b"\x30", b"\x02\x01\x01" + algorithm + issuer + time + time + _long(b"\x30", revoked))
    return _long(b"\x30", tbs + algorithm + _long(b"\x03", bytes(257)))


def _long(tag: bytes, content: bytes) -> bytes:
    return (
        tag + b"\x84" + len(content).to_bytes(4, "big") + content
        if len(content) > 0xFFFF
        else (tag + b"\x82" + len(content).to_bytes(2, "big") + content)
    )
