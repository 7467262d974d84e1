"""The authority's key at rest: sealed under its passphrase as backups are, and nothing else opens it."""

from __future__ import annotations

import base64
import os

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from ipmpki.declaration.key_types import KeyType
from ipmpki.x509 import keys
from ipmpki.x509.protection import Protection, is_encrypted, protection_of
from tests.x509.test_sealed_file import opened_by_the_book

PASSPHRASE = b"correct horse"
KEY = keys.generate(KeyType.EC_P256)


def test_a_sealed_key_is_opened_by_its_passphrase_alone() -> None:
    kept = keys.to_keep(KEY, PASSPHRASE, os.urandom)
    assert keys.to_pem(keys.load(kept, PASSPHRASE)) == keys.to_pem(KEY)
    assert is_encrypted(kept)
    with pytest.raises(keys.WrongPassphrase):
        keys.load(kept, b"incorrect horse")
    with pytest.raises(keys.PassphraseMissing):
        keys.load(kept)


def test_its_form_can_be_opened_without_ipmpki_at_the_cost_of_the_book(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    lines = keys.to_keep(KEY, PASSPHRASE, os.urandom).splitlines()
    assert (lines[0], lines[-1]) == (
        b"-----BEGIN IPMPKI SEALED PRIVATE KEY-----",
        b"-----END IPMPKI SEALED PRIVATE KEY-----",
    )
    content = base64.b64decode(b"".join(lines[1:-1]), validate=True)
    assert b'"n":131072,"r":8,"p":1' in content
    pkcs8 = opened_by_the_book(content, PASSPHRASE.decode(), b"ipmpki key 1")
    found = serialization.load_der_private_key(pkcs8, None)
    assert found.public_key() == KEY.public_key()


def test_a_backup_is_no_key_and_a_key_no_backup() -> None:
    content = base64.b64decode(b"".join(keys.to_keep(KEY, PASSPHRASE, os.urandom).splitlines()[1:-1]))
    forged = base64.encodebytes(content.replace(b"ipmpki key 1", b"ipmpki backup 1"))
    label = b"IPMPKI SEALED PRIVATE KEY-----"
    kept = b"-----BEGIN " + label + b"\n" + forged + b"-----END " + label + b"\n"
    with pytest.raises(keys.KeyUnreadable):
        keys.load(kept, PASSPHRASE)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_is_changed_or_cut_off_is_never_a_key(data: st.DataObject) -> None:
    kept = bytearray(keys.to_keep(KEY, PASSPHRASE, bytes))
    if data.draw(st.booleans()):
        kept = kept[: data.draw(st.integers(0, len(kept) - 2))]
    else:
        at = data.draw(st.integers(45, len(kept) - 45).filter(lambda at: kept[at] not in b"\n="))
        kept[at] = data.draw(st.sampled_from([one for one in b"ABCabc012+/" if one != kept[at]]))
    with pytest.raises(keys.KeyFault):
        keys.load(bytes(kept), PASSPHRASE)


def test_how_a_key_is_protected_is_told_by_its_form() -> None:
    weak = serialization.BestAvailableEncryption(PASSPHRASE)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    assert protection_of(keys.to_keep(KEY, PASSPHRASE, os.urandom)) is Protection.SEALED
    assert protection_of(keys.to_keep(KEY, None, os.urandom)) is Protection.OPEN
    assert protection_of(KEY.private_bytes(*form, weak)) is Protection.WEAK
    assert protection_of(b"pkcs11:token=CA") is Protection.TOKEN
