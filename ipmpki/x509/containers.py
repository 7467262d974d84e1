"""What an authority that sells certificates sends: PEM, DER, PKCS#7, PKCS#12, or a zip of any of these."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from ipmpki.diagnostics.problem import Place
from ipmpki.x509.certificate import quietly
from ipmpki.x509.contents import Contents, read_contents
from ipmpki.x509.der import DerShape, shape_of
from ipmpki.x509.presented_certificates import Flaw, FlawKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A zip of an authority's holds a handful of small files; more would be something else, or a bomb.
MOST_MEMBERS: Final = 100
LARGEST_MEMBER: Final = 4 * 1024 * 1024
LARGEST_WHOLE: Final = 16 * 1024 * 1024  # of all members together
_CERTIFICATE_SUFFIXES: Final = (
    ".pem",
    ".crt",
    ".cer",
    ".der",
    ".p7b",
    ".p7c",
    ".p12",
    ".pfx",
    ".txt",
    ".ca-bundle",
)


def read_received(name: str, content: bytes, passphrase: Callable[[str], bytes | None]) -> Iterator[Contents]:
    """What a file holds; of a zip, what each file in it does. Never raises, but for what ``passphrase`` does.

    ``passphrase`` is asked, by the file's name, for what opens a PKCS#12 file that an empty one does not; it
    gives None where nobody can be asked.
    """
    if is_zip(content):
        yield from _members(name, content, passphrase)
    elif is_pkcs12(content):
        yield _opened(name, content, passphrase)
    else:
        yield read_contents(name, content)


def _members(name: str, content: bytes, passphrase: Callable[[str], bytes | None]) -> Iterator[Contents]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
            small = [
                one
                for one in members[:MOST_MEMBERS]
                if one.file_size <= LARGEST_MEMBER and one.filename.lower().endswith(_CERTIFICATE_SUFFIXES)
            ]
            # Members may share their bytes, and each of a hundred may be as large as one may be.
            is_bomb = sum(one.file_size for one in small) > LARGEST_WHOLE
            held = [] if is_bomb else [(f"{name}/{one.filename}", archive.read(one)) for one in small]
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError):
        yield _flawed(
            name, "the zip file is cut off, damaged or encrypted", "unpack it, and name the files in it"
        )
        return
    if is_bomb:
        limit = f"{LARGEST_WHOLE // 1024**2} MiB"
        yield _flawed(
            name, f"the zip file unpacks to more than {limit}", "unpack it, and name the files in it"
        )
        return
    found = [one for inside, part in held for one in _member(inside, part, passphrase)]
    if not any(one.certificates for one in found):
        yield _flawed(
            name, "there is no certificate in this zip file", "name the file that holds the certificate"
        )
    yield from found


def _member(inside: str, part: bytes, passphrase: Callable[[str], bytes | None]) -> Iterator[Contents]:
    """A file in a zip; one without any certificate, such as instructions, is passed over."""
    contents = _opened(inside, part, passphrase) if is_pkcs12(part) else read_contents(inside, part)
    if contents.certificates or any(flaw.kind is not FlawKind.NOTHING for flaw in contents.flaws):
        yield contents


def is_zip(content: bytes) -> bool:
    """Whether the bytes begin as a zip file does (APPNOTE, 4.3.7)."""
    return content.startswith(b"PK\x03\x04")


def is_pkcs12(content: bytes) -> bool:
    """Whether the bytes are a PFX (RFC 7292, section 4), in DER or, as NSS writes it, in BER."""
    return shape_of(content) is DerShape.PKCS12


def _opened(name: str, content: bytes, passphrase: Callable[[str], bytes | None]) -> Contents:
    for given in (b"", None):
        contents = _unlocked(name, content, given)
        if contents is not None:
            return contents
    asked = passphrase(name)
    contents = _unlocked(name, content, asked) if asked is not None else None
    if contents is not None:
        return contents
    if asked is None:
        return _flawed(
            name,
            "the PKCS#12 file needs a passphrase",
            "run the command in a terminal, which asks for it; or say where it is: --passphrase-env NAME",
        )
    return _flawed(
        name, "the passphrase does not open the PKCS#12 file", "run the command again with the right one"
    )


def _unlocked(name: str, content: bytes, passphrase: bytes | None) -> Contents | None:
    try:
        with quietly():
            held = pkcs12.load_pkcs12(content, passphrase)
    except Exception:  # noqa: BLE001 -- bytes nobody here wrote: the wrong passphrase and damage look alike
        return None
    found = Contents()
    own = [held.cert] if held.cert is not None else []
    for index, one in enumerate((*own, *held.additional_certs)):
        found.add_certificate(one.certificate.public_bytes(Encoding.DER), Place(name, (index,)))
    return found


def _flawed(name: str, message: str, remedy: str) -> Contents:
    return Contents(flaws=[Flaw(FlawKind.CERTIFICATE, Place(name, (0,)), message, remedy)])
