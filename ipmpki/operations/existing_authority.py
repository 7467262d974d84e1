"""The authority that exists already, as its files lie beside pki.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.source.files import read_file
from ipmpki.x509.der import DerShape
from ipmpki.x509.pem import plain_certificates, read_blocks

if TYPE_CHECKING:
    from pathlib import Path


def read_authority(root: Path, written: str) -> bytes:
    """The certificates of the declared file as plain PEM, each once, and nothing else that it may hold.

    ``root`` is the folder of pki.toml. Raises UnreadableFile where there is none, or one is damaged.
    """
    content = read_file(root / written, what="the CA certificate")
    if all(one.octets is not None and one.shape is DerShape.CERTIFICATE for one in read_blocks(content)):
        found = plain_certificates(content)  # without the library, as a plan that changes nothing needs none
        if found:
            return found
    from ipmpki.x509.certificate import rewritten

    return rewritten(content)
