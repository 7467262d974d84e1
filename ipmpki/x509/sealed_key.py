"""The authority's key as it lies in the store under a passphrase: sealed as backups are, in an armour of PEM.

PKCS#8's own encryption (PBES2) is not authenticated, and the library derives its key with 2,048 rounds of
PBKDF2, which a graphics card tries by the hundred thousand a second; scrypt (RFC 7914) costs 128 MiB a try.
"""

from __future__ import annotations

import base64
import binascii
import io
import textwrap
from typing import TYPE_CHECKING, Final

from ipmpki.x509.protection import SEALED_LABEL
from ipmpki.x509.sealed_file import KEY, BackupUnreadable, Sealer, Unsealer, WrongBackupPassphrase

if TYPE_CHECKING:
    from collections.abc import Callable

_BEGIN: Final = f"-----BEGIN {SEALED_LABEL}-----".encode()
_END: Final = f"-----END {SEALED_LABEL}-----".encode()


class SealBroken(Exception):
    """What is kept is cut off or changed."""


class SealClosed(Exception):
    """The passphrase does not open it."""


def seal(pkcs8: bytes, passphrase: bytes, random_bytes: Callable[[int], bytes]) -> bytes:
    """A key in PKCS#8 (DER), sealed. Raises ValueError on an empty passphrase."""
    if not passphrase:
        msg = "an empty passphrase protects nothing"
        raise ValueError(msg)
    sink = io.BytesIO()
    sealer = Sealer(sink, passphrase, random_bytes, KEY)
    sealer.write(pkcs8)
    sealer.close()
    body = textwrap.fill(base64.b64encode(sink.getvalue()).decode("ascii"), 64)
    return b"\n".join((_BEGIN, body.encode("ascii"), _END, b""))


def unseal(kept: bytes, passphrase: bytes) -> bytes:
    """The key in PKCS#8 (DER). Raises SealBroken or SealClosed."""
    text = kept.strip()
    if not (text.startswith(_BEGIN) and text.endswith(_END)):
        raise SealBroken
    try:
        content = base64.b64decode(b"".join(text[len(_BEGIN) : -len(_END)].split()), validate=True)
        unsealer = Unsealer(io.BytesIO(content), lambda: passphrase, "the key", KEY)
        pkcs8 = unsealer.read(len(content))
    except WrongBackupPassphrase:
        raise SealClosed from None
    except (binascii.Error, BackupUnreadable):
        raise SealBroken from None
    return pkcs8
