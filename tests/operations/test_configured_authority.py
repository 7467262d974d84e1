"""An authority that exists already is judged before it issues, and what is built of it is found good."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from ipmpki.operations.project import Refused
from tests.operations.test_existing_authority import below
from tests.operations.verify import mint
from tests.shop import HEAD, SERVER, Shop, client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BROUGHT = HEAD.replace(
    'common_name = "Acme Print CA"\nkey = "ec-p256"', 'certificate = "ca.pem"\nkey_file = "ca.key"'
)
ROOT = "Acme Root"
CERTIFIES = ("key_cert_sign", "crl_sign")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop whose authority is up to the test."""
    return Shop(tmp_path, text=BROUGHT + SERVER + client("desk1"))


def bring(shop: Shop, own: mint.Made, *above: mint.Made, passphrase: bytes | None = None) -> None:
    (shop.folder / "ca.pem").write_bytes(own.pem + b"".join(one.pem for one in above))
    (shop.folder / "ca.key").write_bytes(own.key_pem(passphrase))
    (shop.folder / "ca.key").chmod(0o600)


def against(shop: Shop) -> list[str]:
    """What check has against an authority, as RULE: MESSAGE; a build issues nothing by it."""
    errors = shop.load().errors
    assert {one.problem.place.path for one in errors} == {("ca", "certificate")}
    with pytest.raises(Refused):
        shop.build()
    assert not shop.store.exists()
    return [f"{one.problem.rule}: {one.problem.message}" for one in errors]


def root(**changes: Any) -> mint.Made:
    return mint.authority(ROOT, number=2, **changes)


WRONG: dict[str, tuple[Callable[[], tuple[mint.Made, ...]], list[str]]] = {
    "expired": (
        lambda: (mint.authority(end=mint.TODAY - mint.DAY),),
        ["authority-cannot-issue: the authority 'Acme Print CA' ended on 2026-11-23"],
    ),
    "not yet valid": (
        lambda: (mint.authority(begin=mint.TODAY + mint.DAY),),
        [
            "certificate-not-yet-valid: the authority 'Acme Print CA' is valid only from 2026-11-25 12:00"
            " UTC on"
        ],
    ),
    "a short key": (
        lambda: (mint.authority(kind="rsa-1024"),),
        ["key-too-weak: the key of 'Acme Print CA', rsa-1024, is too weak to trust"],
    ),
    "no keyCertSign": (
        lambda: (mint.authority(usage=("crl_sign",)),),
        [
            "authority-cannot-issue: 'Acme Print CA' cannot be the authority: its key usage does not allow it"
            " to sign certificates (no keyCertSign)"
        ],
    ),
    "no cRLSign": (
        lambda: (mint.authority(usage=("key_cert_sign",)),),
        [
            "authority-cannot-issue: 'Acme Print CA' cannot be the authority: its key usage does not allow it"
            " to sign CRLs (no cRLSign)"
        ],
    ),
    "a server's certificate": (
        lambda: (mint.make(mint.Order(kind="ec")),),
        [
            "authority-cannot-issue: 'ipm1.example.com' cannot be the authority: it is not a CA certificate"
            " (basicConstraints does not say CA:TRUE)"
        ],
    ),
    "a root that allows none below": (
        lambda: (below(root(path_length=0)), root(path_length=0)),
        [
            "authority-cannot-issue: 'Acme Root' allows no authority below it, and 'Acme Issuing CA' would be"
            " number 1"
        ],
    ),
    "a root that has expired": (
        lambda: (below(root(end=mint.TODAY - mint.DAY)), root(end=mint.TODAY - mint.DAY)),
        ["authority-cannot-issue: the authority 'Acme Root' ended on 2026-11-23"],
    ),
    "a root of the same name that did not sign it": (
        lambda: (below(root()), mint.authority(ROOT, number=3)),
        ["signature-invalid: the signature of 'Acme Issuing CA' was not made by the authority it names"],
    ),
    "for servers alone": (
        lambda: (mint.authority(purposes=(mint.SERVER,)),),
        [
            "authority-cannot-issue: 'Acme Print CA' is confined by its extended key usage, not for TLS"
            " clients"
        ],
    ),
    "a root for any purpose, which OpenSSL takes for none": (
        lambda: tuple(
            reversed(
                (top := root(purposes=(x509.ObjectIdentifier("2.5.29.37.0"),)), below(top)),
            )
        ),
        [
            "authority-cannot-issue: 'Acme Root' is confined by its extended key usage, not for TLS clients"
            " and servers"
        ],
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_with_an_authority_is_told_before_it_issues(shop: Shop, kind: str) -> None:
    made, said = WRONG[kind]
    bring(shop, *made())
    assert against(shop) == said


def test_an_unsound_key_of_an_authority_is_told(shop: Shop) -> None:
    usual = mint.authority()
    unsound = mint.make(
        mint.Order("Acme Print CA", (), is_authority=True, usage=CERTIFIES, purposes=None, kind="unsound")
    )
    assert usual.certificate.subject == unsound.certificate.subject
    bring(shop, unsound)
    assert against(shop) == [
        "key-unsound: the key of 'Acme Print CA' has an exponent of 65 bits, more than programs can use"
    ]


def test_of_several_authorities_in_the_file_the_one_with_the_key_is_judged(shop: Shop) -> None:
    bring(shop, mint.authority(end=mint.TODAY - mint.DAY), mint.authority("Another CA", number=5))
    assert against(shop) == ["authority-cannot-issue: the authority 'Acme Print CA' ended on 2026-11-23"]


def test_a_renewed_certificate_beside_the_expired_one_will_do(shop: Shop) -> None:
    bring(shop, mint.authority(), mint.authority(end=mint.TODAY - mint.DAY))
    assert shop.load().errors == ()
    shop.build()


def test_a_bundle_of_which_nothing_is_valid_any_more_is_told(tmp_path: Path) -> None:
    text = 'schema = 1\n[ca]\nkind = "third-party"\nbundle = "ca.pem"\n' + SERVER
    shop = Shop(tmp_path, text=text)
    (tmp_path / "ca.pem").write_bytes(mint.authority(end=mint.TODAY - mint.DAY).pem)
    (error,) = shop.load().errors
    assert error.problem.message == (
        "of the authorities in 'ca.pem' none is valid now: the last one ended on 2026-11-23"
    )
    (tmp_path / "ca.pem").write_bytes(mint.authority(begin=mint.TODAY + mint.DAY).pem)
    (error,) = shop.load().errors
    assert "the next one begins on 2026-11-25" in error.problem.message
    shop.now += timedelta(days=2)
    assert shop.load().errors == ()
