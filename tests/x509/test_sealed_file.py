"""A sealed file: opened by its documented form alone, and by nobody without the passphrase, nor changed."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from ipmpki.diagnostics.fault import WrongUse
from ipmpki.x509.sealed_file import (
    PIECE,
    BackupUnreadable,
    Sealer,
    Unsealer,
    WrongBackupPassphrase,
    normal,
)

PASSPHRASE = normal("Größe".encode())


def sealed(text: bytes) -> bytes:
    sink = io.BytesIO()
    sealer = Sealer(sink, PASSPHRASE, os.urandom)
    sealer.write(text)
    sealer.close()
    return sink.getvalue()


def opened(content: bytes, passphrase: bytes = PASSPHRASE) -> bytes:
    unsealer = Unsealer(io.BytesIO(content), lambda: passphrase, "a file")
    return unsealer.read(len(content))


def opened_by_the_book(content: bytes, passphrase: str, what: bytes = b"ipmpki backup 1") -> bytes:
    """What the module's text says, in other words: hashlib's scrypt, and no code of ipmpki."""
    first, second, rest = content.split(b"\n", 2)
    head = first + b"\n" + second + b"\n"
    assert first == what
    said = json.loads(second)
    key = hashlib.scrypt(
        passphrase.encode(),
        salt=base64.b64decode(said["salt"]),
        n=said["n"],
        r=said["r"],
        p=said["p"],
        dklen=32,
        maxmem=2**28,
    )
    cipher = AESGCM(key)
    assert cipher.decrypt(b"\xff" * 12, rest[:16], head) == b""
    size = said["piece"] + 16
    pieces = [rest[at : at + size] for at in range(16, len(rest), size)]
    return b"".join(
        cipher.decrypt(number.to_bytes(11, "big") + bytes([piece is pieces[-1]]), piece, head)
        for number, piece in enumerate(pieces)
    )


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_what_was_sealed_is_opened(size: int) -> None:
    text = os.urandom(size)
    assert opened(sealed(text)) == text
    assert opened_by_the_book(sealed(text), "Größe") == text


def test_the_real_cost_is_that_of_the_book(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    content = sealed(b"text")
    assert b'"n":131072,"r":8,"p":1' in content
    assert opened_by_the_book(content, "Größe") == b"text"


def test_the_same_text_is_never_sealed_alike() -> None:
    assert sealed(b"text")[-20:] != sealed(b"text")[-20:]


def test_a_passphrase_is_the_same_however_its_letters_were_typed() -> None:
    assert normal("Gro\u0308ße".encode()) == normal("Gr\u00f6ße".encode())
    with pytest.raises(WrongUse, match="UTF-8"):
        normal(b"\xff\xfe")


def test_another_passphrase_opens_nothing() -> None:
    with pytest.raises(WrongBackupPassphrase):
        opened(sealed(b"text"), b"Groesse")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_bit_can_be_flipped(data: st.DataObject) -> None:
    content = bytearray(sealed(b"x" * (PIECE + 100)))
    at = data.draw(st.one_of(st.integers(0, 200), st.integers(0, len(content) - 1)))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((BackupUnreadable, WrongBackupPassphrase)):
        opened(bytes(content))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_end_can_be_cut_off(data: st.DataObject) -> None:
    content = sealed(b"x" * (2 * PIECE))
    edge = len(content) - PIECE - 16
    length = data.draw(st.one_of(st.integers(0, len(content) - 1), st.integers(edge - 20, edge + 20)))
    with pytest.raises((BackupUnreadable, WrongBackupPassphrase)):
        opened(content[:length])


def test_pieces_cannot_be_swapped_doubled_or_appended() -> None:
    content = sealed(os.urandom(3 * PIECE))
    start = len(content) - 3 * (PIECE + 16)
    one, two, three = (content[start + n * (PIECE + 16) :][: PIECE + 16] for n in range(3))
    for forged in (two + one + three, one + one + two + three, one + three, one + two + three + three):
        with pytest.raises(BackupUnreadable, match="octet"):
            opened(content[:start] + forged)


@pytest.mark.parametrize(
    "changed",
    [
        {"n": 2**30},
        {"n": 3},
        {"n": "2"},
        {"n": True},
        {"r": 10**9},
        {"p": 10**9},
        {"kdf": "none"},
        {"cipher": "none"},
        {"piece": 2**40},
        {"salt": "!"},
        {"salt": 1},
    ],
)
def test_a_header_cannot_ask_for_what_would_hurt(changed: dict[str, object]) -> None:
    magic, header, rest = sealed(b"text").split(b"\n", 2)
    forged = json.dumps(json.loads(header) | changed).encode()
    with pytest.raises(BackupUnreadable, match="header"):
        opened(b"\n".join((magic, forged, rest)))


@pytest.mark.parametrize(
    "content", [b"", b"ipmpki", b"x" * 5000, b"ipmpki backup 1\n", b"ipmpki backup 1\n" + b"[" * 5000]
)
def test_what_is_no_backup_is_told_so(content: bytes) -> None:
    with pytest.raises(BackupUnreadable):
        opened(content)


def test_a_later_form_is_not_guessed_at() -> None:
    with pytest.raises(BackupUnreadable, match="newer ipmpki"):
        opened(b"ipmpki backup 2\n{}\n")
