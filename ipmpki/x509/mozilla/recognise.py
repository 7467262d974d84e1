"""Telling Mozilla's ``certdata.txt`` from what is mistaken for it, by its content."""

from __future__ import annotations

import codecs
import re
from typing import Final

from ipmpki.x509.mozilla.flaws import DOWNLOAD, FETCH, CutOff, NotCertdata

_MARK: Final = re.compile(rb"^(?:BEGINDATA|CKA_CLASS[ \t])", re.MULTILINE)
_TITLE: Final = re.compile(rb"^# *certdata\.txt", re.MULTILINE)
_PAGE: Final = re.compile(rb"\s*<(?:!doctype|html|head|body|\?xml|!--)", re.IGNORECASE)
_COMPRESSED: Final = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def text_of(content: bytes, name: str) -> str:
    """The text of a certdata.txt. ``name`` is the file's, for messages.

    Raises NotCertdata, saying what the file seems to be instead, or CutOff where it ends before its first
    object.
    """
    if not content.strip():
        raise NotCertdata(name, "it is empty")
    if content.startswith(_UTF_16):
        raise NotCertdata(
            name,
            "it is text in UTF-16, as Windows PowerShell writes with '>'",
            "fetch it with a program that saves the bytes as they come",
        )
    if content.startswith(_COMPRESSED):
        raise NotCertdata(name, "it is compressed", "unpack it first")
    if _PAGE.match(content):
        raise NotCertdata(
            name,
            "it is a web page, as a proxy or a login page sends",
            f"fetch the raw file; behind a proxy set https_proxy, then: {DOWNLOAD}",
        )
    if _MARK.search(content) is None:
        raise _something_else(content, name)
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        if error.end == len(content) and error.reason == "unexpected end of data":
            raise CutOff(name, line, "it ends within a character") from None
        raise NotCertdata(name, f"line {line} is not UTF-8") from None


def _something_else(content: bytes, name: str) -> NotCertdata | CutOff:
    if _TITLE.search(content) is not None:
        return CutOff(name, content.count(b"\n"), "it ends before its first object")
    if b"-----BEGIN CERTIFICATE-----" in content:
        return NotCertdata(
            name,
            "it is a bundle of certificates in PEM already",
            "if you trust where it comes from, it needs no conversion: use it as ca-cert.pem",
        )
    if b"-----BEGIN " in content:
        return NotCertdata(name, "it is PEM, but holds no certificate")
    if b"\0" in content:
        return NotCertdata(name, "it is not text")
    if content.lstrip().startswith((b"{", b"[")):
        return NotCertdata(name, "it looks like JSON")
    return NotCertdata(name, "it holds no objects of NSS, which begin with CKA_CLASS", FETCH)
