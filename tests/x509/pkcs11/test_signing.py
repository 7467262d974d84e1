"""What a token's key signs is, octet for octet, what the same key in a file signs."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from ipmpki.declaration.key_types import KeyType
from ipmpki.x509 import keys
from ipmpki.x509.crl import RevokedEntry, make_crl
from ipmpki.x509.issuer import issue, load_issuer, self_signed
from ipmpki.x509.pkcs11 import TokenFault, TokenKey
from ipmpki.x509.signing_key import open_key
from tests.shop import TODAY
from tests.tools import require
from tests.x509.matrix import COMBINATIONS, authority_spec
from tests.x509.pkcs11.conftest import PIN

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.x509.signing_key import SigningKey
    from tests.x509.pkcs11.conftest import Hsm


@pytest.fixture(scope="module")
def pairs(hsm: Hsm, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[SigningKey, TokenKey]]:
    """Keys that are both in a file and in the token."""
    folder = tmp_path_factory.mktemp("pairs")
    found: dict[str, tuple[SigningKey, TokenKey]] = {}
    for number, (label, *algorithm) in enumerate(
        (
            ("both-rsa", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"),
            ("both-p256", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
            ("both-p384", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
            ("both-p521", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
        ),
        31,
    ):
        path: Path = folder / f"{label}.pem"
        subprocess.run(
            [require("openssl"), "genpkey", "-algorithm", *algorithm, "-out", path],
            check=True,
            capture_output=True,
        )
        hsm.take(path, label, number)
        token = open_key(hsm.uri(f"object={label}").encode(), PIN.encode())
        assert isinstance(token, TokenKey)
        found[label] = (keys.load(path.read_bytes()), token)
    return found


def everything(key: SigningKey) -> list[bytes]:
    """An authority, a leaf of each kind and a CRL, all of one moment and with set serial numbers."""
    authority = self_signed(authority_spec(KeyType.RSA_3072), key, now=TODAY, serial=1)
    issuer = load_issuer(authority, key)
    leaf_key = keys.load(LEAF_KEY).public_key()
    leaves = [
        issue(issuer, one.spec, leaf_key, now=TODAY, serial=number)
        for number, one in enumerate(COMBINATIONS, 2)
        if isinstance(leaf_key, ec.EllipticCurvePublicKey) is (one.spec.key.value.startswith("ec"))
    ]
    revoked = [RevokedEntry(5, TODAY, "key-compromise"), RevokedEntry(6, TODAY)]
    crl = make_crl(issuer, revoked, number=7, now=TODAY, next_update=TODAY + timedelta(days=30))
    return [authority, *leaves, crl]


LEAF_KEY = keys.to_pem(keys.generate(KeyType.RSA_2048))


def test_rsa_signatures_are_the_same_octets(pairs: dict[str, tuple[SigningKey, TokenKey]]) -> None:
    file, token = pairs["both-rsa"]
    made = everything(file)
    assert len(made) > 3
    assert everything(token) == made


@pytest.mark.parametrize("label", ["both-p256", "both-p384", "both-p521"])
def test_ec_signs_the_same_octets_and_verifies(
    pairs: dict[str, tuple[SigningKey, TokenKey]], label: str
) -> None:
    file, token = pairs[label]
    for one, other in zip(everything(file), everything(token), strict=True):
        if b"BEGIN X509 CRL" in one:
            lists = [x509.load_pem_x509_crl(pem) for pem in (one, other)]
            assert lists[0].tbs_certlist_bytes == lists[1].tbs_certlist_bytes
            assert lists[1].is_signature_valid(file.public_key())
        else:
            certificates = [x509.load_pem_x509_certificate(pem) for pem in (one, other)]
            assert certificates[0].tbs_certificate_bytes == certificates[1].tbs_certificate_bytes
            assert certificates[0].signature_algorithm_oid == certificates[1].signature_algorithm_oid


def test_a_key_says_its_kind_and_nothing_else(pairs: dict[str, tuple[SigningKey, TokenKey]]) -> None:
    assert repr(pairs["both-rsa"][1]) == "<TokenKey rsa-3072>"


def test_a_signature_that_does_not_fit_is_not_taken(pairs: dict[str, tuple[SigningKey, TokenKey]]) -> None:
    """A public object that was imported with the wrong id: what it signs would be believed by nobody."""
    _, token = pairs["both-p256"]
    wrong = TokenKey(token._key, pairs["both-p384"][0].public_key())  # noqa: SLF001 -- a broken token
    with pytest.raises(TokenFault, match="does not fit the public key"):
        everything(wrong)
