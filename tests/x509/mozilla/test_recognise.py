"""What is mistaken for certdata.txt is called by its name."""

from __future__ import annotations

import gzip

import pytest

from ipmpki.x509.mozilla.flaws import CutOff, NotCertdata
from ipmpki.x509.mozilla.recognise import text_of
from tests.x509.mozilla.writing import EXCERPT


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "it is empty"),
        (b" \r\n", "it is empty"),
        (
            b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            "a bundle of certificates in PEM",
        ),
        (b"-----BEGIN RSA PRIVATE KEY-----\nMIIB\n", "holds no certificate"),
        (b"\n<!DOCTYPE html><html>Log in, please</html>", "a web page"),
        (b"<HTML><BODY>CKA_CLASS CK_OBJECT_CLASS</BODY></HTML>", "a web page"),
        (gzip.compress(b"BEGINDATA", mtime=0), "compressed"),
        (EXCERPT.read_text(encoding="utf-8").encode("utf-16"), "UTF-16"),
        (b"0\x82\0\0", "not text"),
        (b'{"message": "Not Found"}', "JSON"),
        (b"schema = 1\n[ca]\n", "it holds no objects of NSS"),
        (b"BEGINDATA\nCKA_CLASS CK_OBJECT_CLASS CKO_X\nCKA_LABEL UTF8 \xff\n", "line 3 is not UTF-8"),
    ],
)
def test_another_file_is_recognised(content: bytes, found: str) -> None:
    with pytest.raises(NotCertdata) as caught:
        text_of(content, "roots.txt")
    assert caught.value.message.startswith("'roots.txt' is not Mozilla's certdata.txt: ")
    assert found in caught.value.message
    assert caught.value.remedy
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    "content",
    [EXCERPT.read_bytes()[:400], b'BEGINDATA\nCKA_CLASS CK_OBJECT_CLASS CKO_X\nCKA_LABEL UTF8 "\xc3'],
)
def test_the_beginning_of_the_file_is_recognised_too(content: bytes) -> None:
    with pytest.raises(CutOff):
        text_of(content, "certdata.txt")
