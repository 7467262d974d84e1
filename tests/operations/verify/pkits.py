"""NIST's Public Key Interoperability Test Suite, as pyhanko-certvalidator's source archive carries it."""

from __future__ import annotations

import base64
import functools
import json
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tests.tools import unavailable

ARCHIVE = "pyhanko_certvalidator-0.33.0.tar.gz"
_FOLDER = f"{ARCHIVE.removesuffix('.tar.gz')}/tests/fixtures/nist_pkits/"
_ROOT = "TrustAnchorRootCertificate.crt"
_ROOT_LIST = "TrustAnchorRootCRL.crl"


@dataclass(frozen=True)
class Case:
    """One case: the files it is made of, and whether RFC 5280 accepts it."""

    title: str
    certificates: tuple[str, ...]
    lists: tuple[str, ...]
    is_valid: bool
    has_parameters: bool
    """Whether it sets one of RFC 5280's inputs (section 6.1.1) that is about certificate policies."""


@functools.cache
def _files() -> dict[str, bytes]:
    """Every file of the suite, by its path in it; the archive's folder is named by IPMPKI_PKITS."""
    archive = Path(os.environ.get("IPMPKI_PKITS", "")) / ARCHIVE
    if not archive.is_file():
        unavailable(f"NIST's PKITS ({ARCHIVE} in the folder that IPMPKI_PKITS names)")
    with tarfile.open(archive) as opened:
        found = {}
        for member in opened:
            if member.isfile() and member.name.startswith(_FOLDER):
                content = opened.extractfile(member)
                assert content is not None
                found[member.name.removeprefix(_FOLDER)] = content.read()
        return found


def cases() -> list[Case]:
    """All cases, in the suite's order."""
    return [
        Case(
            f"{one['id'][0]}.{int(one['id'][1:3])}.{int(one['id'][3:])} {one['name']}",
            (one["cert"], *one.get("other_certs", ())),
            (*one.get("crls", ()), _ROOT_LIST),
            "error" not in one,
            "params" in one,
        )
        for one in json.loads(_files()["pkits.json"])
    ]


def write(case: Case, folder: Path) -> None:
    """Lay a case out: chain.pem with the leaf first, leaf.pem, further.pem, root.pem and lists.pem."""
    encoded = [_pem("CERTIFICATE", f"certs/{name}") for name in case.certificates]
    (folder / "leaf.pem").write_text(encoded[0])
    (folder / "further.pem").write_text("".join(encoded[1:]))
    (folder / "chain.pem").write_text("".join(encoded))
    (folder / "root.pem").write_text(_pem("CERTIFICATE", f"certs/{_ROOT}"))
    (folder / "lists.pem").write_text("".join(_pem("X509 CRL", f"crls/{name}") for name in case.lists))


def _pem(label: str, name: str) -> str:
    content = _files()[name]
    if content.startswith(b"-----BEGIN"):
        return content.decode()
    return f"-----BEGIN {label}-----\n{base64.encodebytes(content).decode()}-----END {label}-----\n"
