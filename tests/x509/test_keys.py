"""Private keys are read from every form an administrator has, and refused with a reason otherwise."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
import traceback
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from ipmpki.declaration.key_types import KeyType
from ipmpki.x509 import keys
from ipmpki.x509.protection import is_encrypted
from tests.tools import require
from tests.x509 import hostile

if TYPE_CHECKING:
    from tests.x509.conftest import KeyRing

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8
TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL
OPEN = serialization.NoEncryption()
PASSPHRASE = b"correct horse"
CLOSED = serialization.BestAvailableEncryption(PASSPHRASE)


@pytest.fixture
def key(leaf_keys: KeyRing) -> keys.PrivateKey:
    return leaf_keys[KeyType.EC_P256]


@pytest.mark.parametrize("key_type", KeyType)
def test_a_key_is_of_the_type_asked_for(key_type: KeyType, leaf_keys: KeyRing) -> None:
    assert keys.key_type_of(leaf_keys[key_type]) == key_type.value
    assert keys.key_type_of(leaf_keys[key_type].public_key()) == key_type.value


def test_an_rsa_key_has_the_exponent_everyone_expects(leaf_keys: KeyRing) -> None:
    public = leaf_keys[KeyType.RSA_2048].public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    assert public.public_numbers().e == 65537


def test_types_that_cannot_be_declared_are_named_alike() -> None:
    assert keys.key_type_of(_weak_rsa_key()) == "rsa-1024"
    assert keys.key_type_of(ec.generate_private_key(ec.SECP521R1())) == "ec-p521"
    assert keys.key_type_of(ec.generate_private_key(ec.SECP256K1())) == "ec-secp256k1"


def _weak_rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)  # noqa: S505 - weak on purpose: rules must be able to tell


@pytest.mark.parametrize("key_type", KeyType)
def test_a_key_is_written_as_unencrypted_pkcs8_as_infoprint_manager_requires(
    key_type: KeyType, leaf_keys: KeyRing
) -> None:
    pem = keys.to_pem(leaf_keys[key_type])
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert pem.endswith(b"-----END PRIVATE KEY-----\n")
    assert not is_encrypted(pem)


def test_an_empty_passphrase_is_refused(key: keys.PrivateKey) -> None:
    with pytest.raises(ValueError, match="protects nothing"):
        keys.to_keep(key, b"", os.urandom)


@pytest.mark.parametrize("key_type", [KeyType.RSA_2048, KeyType.EC_P256, KeyType.EC_P384])
@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL])
@pytest.mark.parametrize("encryption", [OPEN, CLOSED], ids=["open", "encrypted"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["unix", "windows"])
def test_a_key_is_read_from_every_form(
    key_type: KeyType,
    form: serialization.PrivateFormat,
    encryption: serialization.KeySerializationEncryption,
    line_end: bytes,
    leaf_keys: KeyRing,
) -> None:
    key = leaf_keys[key_type]
    pem = key.private_bytes(PEM, form, encryption).replace(b"\n", line_end)
    encrypted = encryption is CLOSED
    assert is_encrypted(pem) == encrypted
    read = keys.load(pem, PASSPHRASE if encrypted else None)
    assert keys.to_pem(read) == keys.to_pem(key)


def test_what_stands_around_a_key_does_no_harm(key: keys.PrivateKey) -> None:
    openssl = require("openssl")
    with_parameters = subprocess.run(
        [openssl, "ecparam", "-name", "prime256v1", "-genkey"], capture_output=True, check=True
    ).stdout
    assert with_parameters.startswith(b"-----BEGIN EC PARAMETERS-----")
    assert keys.key_type_of(keys.load(with_parameters)) == "ec-p256"
    certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    bag = b"\xef\xbb\xbfBag Attributes\n    friendlyName: f\xfcr alle\n"
    read = keys.load(certificate + bag + key.private_bytes(PEM, PKCS8, CLOSED) + certificate, PASSPHRASE)
    assert keys.public_key_digest(read) == keys.public_key_digest(key)


def test_the_digest_is_that_of_the_subject_public_key_info(key: keys.PrivateKey) -> None:
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert keys.public_key_digest(key) == hashlib.sha256(spki).hexdigest()
    assert keys.public_key_digest(key.public_key()) == hashlib.sha256(spki).hexdigest()


def test_text_without_a_key_is_not_encrypted() -> None:
    assert not is_encrypted(b"")
    assert not is_encrypted(b"-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n")


# Passphrases


@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL])
@pytest.mark.parametrize("passphrase", [None, b""])
def test_a_missing_passphrase_is_told(
    form: serialization.PrivateFormat, passphrase: bytes | None, key: keys.PrivateKey
) -> None:
    with pytest.raises(keys.PassphraseMissing):
        keys.load(key.private_bytes(PEM, form, CLOSED), passphrase)


@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL])
def test_a_wrong_passphrase_is_told_whatever_the_garbage_it_decrypts_to(
    form: serialization.PrivateFormat, key: keys.PrivateKey
) -> None:
    # One wrong passphrase in 256 leaves valid padding, and fails later and differently.
    pem = key.private_bytes(PEM, form, CLOSED)
    for attempt in range(1000 if form is TRADITIONAL else 5):
        with pytest.raises(keys.WrongPassphrase):
            keys.load(pem, b"wrong %d" % attempt)


def test_a_passphrase_for_an_open_key_is_told_as_its_owner_thinks_it_safe(key: keys.PrivateKey) -> None:
    with pytest.raises(keys.PassphraseNotNeeded):
        keys.load(keys.to_pem(key), PASSPHRASE)


# Keys that cannot be read


@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL])
@pytest.mark.parametrize("encryption", [OPEN, CLOSED], ids=["open", "encrypted"])
def test_a_key_cut_off_anywhere_is_damaged_and_never_a_wrong_passphrase(
    form: serialization.PrivateFormat,
    encryption: serialization.KeySerializationEncryption,
    key: keys.PrivateKey,
) -> None:
    pem = key.private_bytes(PEM, form, encryption)
    passphrase = PASSPHRASE if encryption is CLOSED else None
    for length in range(pem.index(b"-----\n") + 6, len(pem) - 2):
        with pytest.raises(keys.KeyFault) as caught:
            keys.load(pem[:length], passphrase)
        # A legacy key cut within its headers no longer says that it is encrypted.
        assert isinstance(caught.value, (keys.KeyUnreadable, keys.PassphraseNotNeeded))


def test_a_key_with_a_line_missing_is_damaged(key: keys.PrivateKey) -> None:
    for pem, passphrase in ((keys.to_pem(key), None), (key.private_bytes(PEM, PKCS8, CLOSED), PASSPHRASE)):
        lines = pem.splitlines(keepends=True)
        with pytest.raises(keys.KeyUnreadable, match="cut off or damaged"):
            keys.load(b"".join(lines[:2] + lines[3:]), passphrase)


def test_a_key_with_a_stray_character_is_damaged(key: keys.PrivateKey) -> None:
    with pytest.raises(keys.KeyUnreadable, match="cut off or damaged"):
        keys.load(keys.to_pem(key).replace(b"KEY-----\nM", b"KEY-----\nM?", 1))


@pytest.mark.parametrize(
    ("pem", "message"),
    [
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        (b"nothing of the kind", "there is no private key in this file"),
        (b"0\x01\x05", "cut off or damaged: it ends too early: after 3 octets"),
        (b"0", "cut off or damaged: it ends too early"),
        (b"-----BEGIN CERTIFICATE-----\n", "there is a certificate where"),
        (b"-----BEGIN PUBLIC KEY-----\n", "there is a public key where"),
        (b"-----BEGIN PRIVATE KEY-----\nnot base64\n-----END PRIVATE KEY-----", "cut off or damaged"),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----", "cut off"),
        (b"-----BEGIN PRIVATE KEY-----\n" * 2, "there are 2 private keys"),
    ],
)
def test_what_is_no_key_is_called_what_it_is(pem: bytes, message: str) -> None:
    with pytest.raises(keys.KeyUnreadable, match=message) as caught:
        keys.load(pem, PASSPHRASE if b"ENCRYPTED" in pem else None)
    assert caught.value.remedy


@pytest.mark.parametrize("key_type", [KeyType.RSA_2048, KeyType.EC_P256])
def test_a_key_in_der_is_read_and_one_that_is_cut_off_said_to_be(
    key_type: KeyType, leaf_keys: KeyRing
) -> None:
    der = leaf_keys[key_type].private_bytes(serialization.Encoding.DER, PKCS8, OPEN)
    assert keys.to_pem(keys.load(der + b"\r\n")) == keys.to_pem(leaf_keys[key_type])
    with pytest.raises(keys.KeyUnreadable, match="it ends too early: after"):
        keys.load(der[:-20])


def test_pkcs8_under_the_label_of_an_ec_key_is_read_and_written_anew(leaf_keys: KeyRing) -> None:
    pem = keys.to_pem(leaf_keys[KeyType.EC_P256])
    assert keys.rewritten(b"remark\n" + pem.replace(b" PRIVATE", b" EC PRIVATE")) == pem


def test_keys_of_other_kinds_are_refused_by_name(key: keys.PrivateKey) -> None:
    ed = ed25519.Ed25519PrivateKey.generate().private_bytes(PEM, PKCS8, OPEN)
    ssh = key.private_bytes(PEM, serialization.PrivateFormat.OpenSSH, OPEN)
    koblitz = ec.generate_private_key(ec.SECP256K1()).private_bytes(PEM, PKCS8, OPEN)
    small_dsa = dsa.generate_private_key(1024)  # noqa: S505 - refused whatever its size
    unknown = ed.replace(b"AwBQYDK2Vw", b"AwBQYDK2UJ")
    assert unknown != ed
    cases = {
        unknown: "of a kind, or encrypted in a way, unknown here",
        ed: "of the kind Ed25519",
        ssh: "in OpenSSH's own format",
        koblitz: "an EC key on the curve secp256k1",
        small_dsa.private_bytes(PEM, PKCS8, OPEN): "of the kind DSA",
        small_dsa.private_bytes(PEM, TRADITIONAL, OPEN): "a DSA key",
        b"-----BEGIN MAGIC PRIVATE KEY-----\n": "of a kind, or encrypted in a way, unknown here",
    }
    for pem, kind in cases.items():
        with pytest.raises(keys.UnsupportedKey) as caught:
            keys.load(pem)
        assert caught.value.kind == kind


def test_an_encryption_unknown_here_is_not_called_a_wrong_passphrase(
    key: keys.PrivateKey,
) -> None:
    command = [require("openssl"), "pkcs8", "-topk8", "-v2", "camellia-128-cbc", "-passout", "pass:x"]
    pem = subprocess.run(command, input=keys.to_pem(key), capture_output=True, check=True).stdout
    with pytest.raises(keys.UnsupportedKey, match="encrypted in a way, unknown here"):
        keys.load(pem, b"x")


def test_no_message_quotes_a_key_or_a_passphrase(key: keys.PrivateKey) -> None:
    secret = b"do-not-print-me"
    encrypted, plain = key.private_bytes(PEM, PKCS8, CLOSED), keys.to_pem(key)
    attempts = [
        (encrypted, secret),
        (plain, secret),
        (plain[:-40], None),
        (plain.replace(b"M", b"N", 1), None),
    ]
    for pem, passphrase in attempts:
        with pytest.raises(keys.KeyFault) as caught:
            keys.load(pem, passphrase)
        told = "".join(traceback.format_exception(caught.value)) + str(caught.value.remedy)
        assert secret.decode() not in told
        for line in pem.splitlines()[1:-1]:
            assert line.decode() not in told


@pytest.mark.parametrize(
    ("costly", "said"),
    [
        (hostile.stretched_by_rounds(2**31 - 1), "2147483647 rounds; 10000000 are the most"),
        (hostile.stretched_of_old(2**31 - 1), "2147483647 rounds; 10000000 are the most"),
        (hostile.stretched_by_scrypt(2**24), "16384 MiB by scrypt; 1024 are the most"),
        (hostile.stretched_by_scrypt(2**14, 8, 2**20), "16777216 MiB by scrypt; 1024 are the most"),
    ],
    ids=["pbkdf2", "pbes1", "scrypt", "scrypt in parallel"],
)
def test_a_passphrase_is_not_put_through_more_than_anybody_waits_for(costly: bytes, said: str) -> None:
    with pytest.raises(keys.KeyTooCostly, match=said):
        keys.load(costly, b"secret")


@pytest.mark.parametrize(
    "usual",
    [hostile.stretched_by_rounds(2048), hostile.stretched_of_old(2048), hostile.stretched_by_scrypt(2**14)],
)
def test_what_openssl_writes_is_tried(usual: bytes) -> None:
    with pytest.raises(keys.WrongPassphrase):
        keys.load(usual, b"secret")


def test_a_long_rsa_key_is_tried_out_rather_than_proved() -> None:
    """To prove primes of 4,000 bits takes ten seconds."""
    began = time.process_time()
    assert keys.key_type_of(keys.load(hostile.long_rsa_key())) == "rsa-8676"
    with pytest.raises(keys.KeyUnreadable, match="damaged"):
        keys.load(hostile.long_rsa_key(shift=2))
    assert time.process_time() - began < 3
