"""Whatever form certificates are handed on in, they are read, and OpenSSL is not contradicted."""

from __future__ import annotations

import base64
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from ipmpki.x509.certificate import encodings, rewritten
from ipmpki.x509.contents import read_contents
from ipmpki.x509.pem import plain_certificates, read_blocks
from ipmpki.x509.presented_certificates import RemarkKind
from tests.operations.verify import mint
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _lines(pem: bytes) -> list[bytes]:
    return pem.splitlines()


def _body(pem: bytes) -> bytes:
    return b"".join(_lines(pem)[1:-1])


def _joined(lines: list[bytes], end: bytes = b"\n") -> bytes:
    return end.join(lines) + end


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda pem: pem,
    "without a line end": lambda pem: pem[:-1],
    "CRLF": lambda pem: pem.replace(b"\n", b"\r\n"),
    "CR": lambda pem: pem.replace(b"\n", b"\r"),
    "blank lines throughout": lambda pem: pem.replace(b"\n", b"\n\n"),
    "blank line below BEGIN": lambda pem: pem.replace(b"BEGIN CERTIFICATE-----", b"BEGIN CERTIFICATE-----\n"),
    "blank line within": lambda pem: _joined([*_lines(pem)[:5], b" ", *_lines(pem)[5:]]),
    "blank line above END": lambda pem: pem.replace(b"-----END", b"\n-----END"),
    "indented": lambda pem: _joined([b"  " + line for line in _lines(pem)]),
    "base64 indented": lambda pem: pem.replace(b"\nM", b"\n \tM"),
    "END indented": lambda pem: pem.replace(b"-----END", b" -----END"),
    "blanks at line ends": lambda pem: pem.replace(b"\n", b"  \n"),
    "base64 on one line": lambda pem: _joined([_lines(pem)[0], _body(pem), _lines(pem)[-1]]),
    "all on one line": lambda pem: b"".join(_lines(pem)) + b"\n",
    "76 characters a line": lambda pem: (
        b"-----BEGIN CERTIFICATE-----\n"
        + base64.encodebytes(base64.b64decode(_body(pem)))
        + b"-----END CERTIFICATE-----\n"
    ),
    "END and BEGIN on one line": lambda pem: pem[:-1] + mint.authority("Other CA", 9).pem,
    "UTF-8 with a mark": lambda pem: b"\xef\xbb\xbf" + pem,
    "UTF-16 as PowerShell writes it": lambda pem: b"\xff\xfe" + pem.decode().encode("utf-16-le"),
    "UTF-16, the other way": lambda pem: b"\xfe\xff" + pem.decode().encode("utf-16-be"),
    "UTF-16 without a mark": lambda pem: pem.decode().encode("utf-16-le"),
    "Bag Attributes": lambda pem: b"Bag Attributes\n    friendlyName: \xfc\nsubject=CN = x\n\n" + pem,
    "text before BEGIN": lambda pem: b"cert: " + pem,
    "headers": lambda pem: pem.replace(b"CERTIFICATE-----\nM", b"CERTIFICATE-----\nComment: x\n\nM"),
    "bare base64": lambda pem: _joined(_lines(pem)[1:-1]),
    "the obsolete label": lambda pem: pem.replace(b" CERTIFICATE", b" X509 CERTIFICATE"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_and_what_openssl_would_not_load_is_told(form: str, tmp_path: Path) -> None:
    pem = mint.authority().pem
    content = FORMS[form](pem)
    found = read_contents("file", content)
    assert found.flaws == []
    assert found.certificates[0].fingerprint == read_contents("file", pem).certificates[0].fingerprint
    assert rewritten(content).startswith(pem)
    (tmp_path / "ca.pem").write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(tmp_path / "ca.pem")
    except ssl.SSLError:
        is_loaded = False
    else:
        is_loaded = context.cert_store_stats()["x509"] == len(found.certificates)
    assert is_loaded != any(one.kind is RemarkKind.UNLOADABLE for one in found.remarks)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\0\0", b"\x1a"])
def test_der_with_a_line_end_is_read(end: bytes) -> None:
    found = read_contents("file", mint.authority().der + end)
    assert [one.title for one in found.certificates] == ["Acme Print CA"]
    assert {one.kind for one in found.remarks} == {RemarkKind.FORM}


@pytest.mark.parametrize("label", [b"CERTIFICATE", b"PKCS7", b"CMS"])
def test_pkcs7_is_read_whatever_its_label(label: bytes) -> None:
    both = [mint.server().certificate, mint.authority().certificate]
    pem = pkcs7.serialize_certificates(both, serialization.Encoding.PEM)
    found = read_contents("file", pem.replace(b"PKCS7", label))
    assert {one.title for one in found.certificates} == {"ipm1.example.com", "Acme Print CA"}
    assert (found.flaws, len(found.remarks)) == ([], 1)


def test_openssls_trusted_form_is_read_without_its_settings_and_a_rejection_in_it_holds(
    tmp_path: Path,
) -> None:
    require("openssl")
    (tmp_path / "ca.pem").write_bytes(mint.authority().pem)
    for option, titles in (("-addtrust", ["Acme Print CA"]), ("-addreject", [])):
        done = subprocess.run(
            ["openssl", "x509", "-in", tmp_path / "ca.pem", option, "serverAuth"],
            capture_output=True,
            check=True,
        )
        assert b"BEGIN TRUSTED CERTIFICATE" in done.stdout
        found = read_contents("file", done.stdout)
        assert [one.title for one in found.certificates] == titles
        assert bool(found.flaws) != bool(titles)
    assert rewritten(done.stdout) == mint.authority().pem


def test_nothing_but_certificates_is_written_anew() -> None:
    authority = mint.authority()
    content = b"secret remark\n" + authority.key_pem() + authority.pem + authority.pem
    assert rewritten(content) == plain_certificates(content) == authority.pem


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (mint.authority().der[:200], "the file is cut off or damaged: it ends too early: after 200 octets"),
        (
            b"-----BEGIN CERTIFICATE-----\n"
            + base64.encodebytes(mint.authority().der[:200])
            + b"-----END CERTIFICATE-----\n",
            "the certificate is cut off or damaged: it ends too early: after 200 octets, within what begins",
        ),
        (mint.authority().pem[:-10], "there is no line -----END CERTIFICATE----- that belongs to it"),
        (mint.authority().pem.replace(b"\nMII", b"\nM?I"), "line 2 holds what is no base64"),
        (
            mint.authority().key_pem().replace(b"PRIVATE KEY", b"CERTIFICATE"),
            "this is a PRIVATE KEY under the",
        ),
    ],
    ids=["DER", "PEM", "no END", "base64", "label"],
)
def test_what_is_cut_off_or_another_thing_is_called_so(content: bytes, words: str) -> None:
    (flaw,) = read_contents("file", content).flaws
    assert words in flaw.message


def test_a_certificate_within_a_long_line_is_read_in_time_that_grows_with_its_length() -> None:
    content = (b"x" * 50 + b" -----BEGIN CERTIFICATE----- ?? -----END CERTIFICATE-----\r") * 20_000
    assert len(read_blocks(content)) == 20_000


def test_a_request_beside_certificates_is_passed_over() -> None:
    request = b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"
    assert encodings(request + mint.authority().pem) == [mint.authority().der]
