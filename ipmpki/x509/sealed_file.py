"""Sealing under a passphrase what holds private keys: encrypted and authenticated piece by piece.

Backups are sealed so, and the authority's key where it lies (``sealed_key``), each under its own first line.

The form is plain enough to be opened without ipmpki:

    ipmpki backup 1 LF                          what it is (or: ipmpki key 1)
    {"kdf":"scrypt","salt":…,"n":…,"r":…,"p":…,"cipher":"aes-256-gcm","piece":…} LF
    tag                                         16 octets
    piece, piece, …                             each ``piece`` octets and a tag of 16; the last may be shorter

The key is scrypt's (RFC 7914), 32 octets, from the passphrase in UTF-8 and Unicode's form NFC, and a salt of
this file's own. Both lines together are the associated data of every AES-256-GCM operation. The nonce is the
piece's number in 11 octets, big-endian, and an octet that is 1 for the last piece and else 0, which is the
STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance", 2015) as age uses it: pieces cannot be cut off, swapped or left out. The lone
tag is that of an empty text under the nonce of twelve octets 255: it tells a wrong passphrase from damage
further down.
"""

from __future__ import annotations

import base64
import binascii
import json
import unicodedata
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ipmpki.diagnostics.fault import UnreadableFile, WrongUse

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

BACKUP: Final = b"ipmpki backup 1\n"
KEY: Final = b"ipmpki key 1\n"
SALT_OCTETS: Final = 16
PIECE: Final = 64 * 1024
_TAG: Final = 16
_KEY: Final = 32
# OWASP's password storage cheat sheet for scrypt: N = 2^17, r = 8, p = 1, which takes 128 MiB and, on a
# machine of 2024, a third of a second.
_COST: Final = {"n": 2**17, "r": 8, "p": 1}
_HIGHEST_COST: Final = {"n": 2**20, "r": 8, "p": 1}
"""1 GiB: the header is read before anything vouches for it, and must not be able to ask for more."""
_LONGEST_HEADER: Final = 1024
_PROOF: Final = b"\xff" * 12


class BackupUnreadable(UnreadableFile):
    """A file is no backup, or is damaged. ``str()`` says which."""


class WrongBackupPassphrase(UnreadableFile):
    """The passphrase does not open a backup."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the passphrase does not open '{name}', or the file's first lines are damaged",
            "run the command again with the passphrase the backup was made with, or try another copy of it",
        )


def normal(passphrase: bytes) -> bytes:
    """A backup's passphrase, one and the same however a keyboard composes its letters (Unicode's form NFC).

    Raises WrongUse on one that is not UTF-8.
    """
    try:
        return unicodedata.normalize("NFC", passphrase.decode()).encode()
    except UnicodeDecodeError:
        raise WrongUse(
            "the passphrase is not text in UTF-8", "keep it in UTF-8, or choose one of plain letters"
        ) from None


class Sealer:
    """A file object that encrypts what is written to it into another; ``close`` writes the last piece."""

    def __init__(
        self,
        sink: BinaryIO,
        passphrase: bytes,
        random_bytes: Callable[[int], bytes],
        first_line: bytes = BACKUP,
    ) -> None:
        salt = random_bytes(SALT_OCTETS)
        header = {"kdf": "scrypt", "salt": base64.b64encode(salt).decode("ascii"), **_COST}
        header |= {"cipher": "aes-256-gcm", "piece": PIECE}
        self._header = first_line + json.dumps(header, separators=(",", ":")).encode("ascii") + b"\n"
        self._cipher = AESGCM(_derive(passphrase, salt, _COST))
        self._sink = sink
        self._held = bytearray()
        self._number = 0
        sink.write(self._header + self._cipher.encrypt(_PROOF, b"", self._header))

    def write(self, content: bytes) -> int:
        """Take some of the text."""
        self._held += content
        while len(self._held) > PIECE:  # the last piece is known by what does not follow it
            self._seal(bytes(self._held[:PIECE]), is_last=False)
            del self._held[:PIECE]
        return len(content)

    def close(self) -> None:
        """Write what is left, marked as the end."""
        self._seal(bytes(self._held), is_last=True)
        self._held.clear()

    def _seal(self, text: bytes, *, is_last: bool) -> None:
        nonce = _nonce(self._number, is_last=is_last)
        self._sink.write(self._cipher.encrypt(nonce, text, self._header))
        self._number += 1


class Unsealer:
    """A file object that yields the text of a sealed file, each octet only after it was authenticated.

    Raises BackupUnreadable for what is no backup or damaged, WrongBackupPassphrase, here or from ``read``.
    ``name`` is the file's, for messages.
    """

    def __init__(
        self, source: BinaryIO, passphrase: Callable[[], bytes], name: str, first_line: bytes = BACKUP
    ) -> None:
        self._source = source
        self._first_line = first_line
        self._name = name
        self._header = self._read_header()
        salt, cost, self._piece = self._parameters()
        proof = source.read(_TAG)
        if len(proof) < _TAG:
            raise self._damaged("it is cut off")
        self._cipher = AESGCM(_derive(passphrase(), salt, cost))
        try:
            self._cipher.decrypt(_PROOF, proof, self._header)
        except InvalidTag:
            raise WrongBackupPassphrase(name) from None
        self._next = source.read(self._piece + _TAG)
        self._number = 0
        self._held = b""
        self._is_at_end = False

    def read(self, size: int) -> bytes:
        """The next octets, fewer than asked for only at the end."""
        found = bytearray()
        while len(found) < size:
            if not self._held:
                if self._is_at_end:
                    break
                self._held = self._unseal()
            wanted = size - len(found)
            found += self._held[:wanted]
            self._held = self._held[wanted:]
        return bytes(found)

    def drain(self) -> None:
        """Read to the end, so that the last piece has vouched for the file being whole."""
        while self.read(PIECE):
            pass

    def _unseal(self) -> bytes:
        sealed, self._next = self._next, self._source.read(self._piece + _TAG)
        self._is_at_end = not self._next
        nonce = _nonce(self._number, is_last=self._is_at_end)
        try:
            text = self._cipher.decrypt(nonce, sealed, self._header)
        except (InvalidTag, ValueError):  # ValueError: shorter than a tag
            at = self._number * (self._piece + _TAG) + len(self._header) + _TAG
            raise self._damaged(f"it was cut off or changed at or after octet {at}") from None
        self._number += 1
        return text

    def _read_header(self) -> bytes:
        found = self._source.read(len(self._first_line))
        if found != self._first_line:
            if found.startswith(self._first_line.rstrip(b"1\n")):
                raise BackupUnreadable(
                    f"'{self._name}' is a backup of a newer ipmpki, or damaged", "use the newer ipmpki"
                )
            raise BackupUnreadable(
                f"'{self._name}' is not a backup made by ipmpki", "name the file that 'ipmpki backup' wrote"
            )
        line = bytearray()
        while not line.endswith(b"\n"):
            octet = self._source.read(1)
            if not octet or len(line) > _LONGEST_HEADER:
                raise self._damaged("its header is not whole")
            line += octet
        return self._first_line + bytes(line)

    def _parameters(self) -> tuple[bytes, dict[str, int], int]:
        """The salt, scrypt's cost and the size of a piece."""
        try:
            header = json.loads(self._header[len(self._first_line) :])
            salt = base64.b64decode(header["salt"], validate=True)
            cost = {name: header[name] for name in _COST}
            piece = header["piece"]
            is_known = (header["kdf"], header["cipher"]) == ("scrypt", "aes-256-gcm")
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
            raise self._damaged("its header cannot be read") from None
        numbers = (*cost.values(), piece)
        n = cost["n"]
        if (
            not is_known
            or not all(type(number) is int and number > 0 for number in numbers)
            or any(cost[name] > highest for name, highest in _HIGHEST_COST.items())
            or n < 2  # noqa: PLR2004 -- RFC 7914, section 2: larger than 1 and a power of 2
            or n & (n - 1)
            or piece != PIECE
        ):
            raise self._damaged("its header asks for what no ipmpki writes")
        return salt, cost, piece

    def _damaged(self, how: str) -> BackupUnreadable:
        return BackupUnreadable(f"'{self._name}' is damaged: {how}", "try another copy of it")


def _derive(passphrase: bytes, salt: bytes, cost: dict[str, int]) -> bytes:
    return Scrypt(salt=salt, length=_KEY, **cost).derive(passphrase)


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])
