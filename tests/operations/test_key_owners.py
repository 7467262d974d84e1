"""No key is certified that an authority or another host has, and a host goes on with its own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ipmpki.declaration.vocabulary import RevocationReason
from ipmpki.operations.project import Refused
from ipmpki.operations.revoke import revoke
from tests.operations.verify import mint
from tests.shop import HEAD, SERVER, Shop, client

if TYPE_CHECKING:
    from pathlib import Path

BROUGHT = HEAD.replace(
    'common_name = "Acme Print CA"\nkey = "ec-p256"', 'certificate = "ca.pem"\nkey_file = "ca.key"'
)


def keeping(name: str) -> str:
    """The declaration of a client that makes its key itself."""
    return client(name, csr=f"{name}.csr").replace('key = "ec-p256"\n', "")


def put(shop: Shop, name: str, key: Any) -> None:
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    (shop.folder / f"{name}.csr").write_bytes(made.public_bytes(serialization.Encoding.PEM))


def bring(shop: Shop, authority: mint.Made) -> None:
    (shop.folder / "ca.pem").write_bytes(authority.pem)
    (shop.folder / "ca.key").write_bytes(authority.key_pem())
    (shop.folder / "ca.key").chmod(0o600)


def own_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_of(shop: Shop, name: str) -> Any:
    return load_pem_private_key((shop.host(name) / "client-key.pem").read_bytes(), None)


def refused(shop: Shop) -> str:
    """Why nothing is built, where check says why, and the store stays as it was."""
    before = shop.store.read_bytes() if shop.store.exists() else b""
    (error,) = shop.load().errors
    assert error.problem.rule == "key-of-another"
    with pytest.raises(Refused):
        shop.build()
    assert before == (shop.store.read_bytes() if shop.store.exists() else b"")
    return error.problem.message


def test_the_key_of_an_authority_that_is_brought_is_not_certified_for_a_host(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=BROUGHT + SERVER + keeping("desk1"))
    bring(shop, mint.authority())
    put(shop, "desk1", mint.authority().private)
    assert refused(shop) == (
        "the request of 'desk1.example.com' is for the key of the authority 'Acme Print CA', which is nobody"
        " else's"
    )


def test_nor_is_the_key_of_an_authority_in_the_store_even_of_one_that_was_replaced(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=BROUGHT + SERVER + keeping("desk1"))
    bring(shop, mint.authority())
    shop.build()
    put(shop, "desk1", mint.authority().private)
    assert "the key of the authority 'Acme Print CA'" in refused(shop)
    bring(shop, mint.authority("Another CA", number=7))
    (shop.folder / "desk1.csr").unlink()
    shop.build(replace_ca=True)
    put(shop, "desk1", mint.authority().private)
    assert "the key of the authority 'Acme Print CA'" in refused(shop)


def test_a_key_that_was_made_for_another_host_is_not_certified(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD + SERVER + client("desk1") + keeping("desk2"))
    shop.build()
    put(shop, "desk2", key_of(shop, "desk1"))
    assert refused(shop) == (
        "the request of 'desk2.example.com' is for a key that 'desk1.example.com' has, or had"
    )


def test_nor_is_one_of_a_host_that_is_gone_but_for_its_new_name(tmp_path: Path) -> None:
    shop, own = Shop(tmp_path, text=HEAD + SERVER + keeping("desk1")), own_key()
    put(shop, "desk1", own)
    shop.build()
    shop.write(HEAD + SERVER + keeping("desk2"))
    put(shop, "desk2", own)
    refused(shop)
    (told,) = shop.load().errors
    assert told.problem.help is not None
    assert 'add: formerly = "desk1.example.com"' in told.problem.help
    shop.write(HEAD + SERVER + keeping("desk2") + 'formerly = "desk1.example.com"\n')
    shop.build()
    shop.write(HEAD + SERVER + keeping("desk2"))
    shop.now += timedelta(days=380)
    shop.build()
    shop.write(HEAD + SERVER + keeping("desk3") + 'formerly = "desk2.example.com"\n')
    put(shop, "desk3", own)
    assert shop.load().errors == ()


def test_a_host_is_renewed_with_its_own_key_whoever_made_that(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD + SERVER + client("desk1") + keeping("desk2"))
    put(shop, "desk2", own_key())
    shop.build()
    shop.now += timedelta(days=380)
    assert shop.load().errors == ()
    put(shop, "desk1", key_of(shop, "desk1"))
    shop.write(HEAD + SERVER + keeping("desk1") + keeping("desk2"))
    assert shop.load().errors == ()
    shop.build()
    assert shop.changes() == {}


def test_a_key_that_was_revoked_as_compromised_does_not_come_back(tmp_path: Path) -> None:
    shop, lost = Shop(tmp_path, text=HEAD + SERVER + keeping("desk1")), own_key()
    put(shop, "desk1", lost)
    shop.build()
    revoke(shop.load(), "desk1.example.com", RevocationReason.KEY_COMPROMISE)
    assert shop.load().errors == ()  # a warning tells of it, and no certificate is made
    put(shop, "desk1", own_key())
    shop.build()
    put(shop, "desk1", lost)
    assert "revoked as compromised" in refused(shop)


def test_an_authority_with_the_key_of_a_host_is_not_taken(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD + SERVER + keeping("desk1"))
    put(shop, "desk1", mint.authority().private)
    shop.build()
    shop.write(BROUGHT + SERVER + client("desk2"))
    bring(shop, mint.authority())
    assert refused(shop) == (
        "the authority 'Acme Print CA' has the same key as 'desk1.example.com': whoever holds that host's"
        " folder can issue certificates"
    )
