"""The text format of NSS's built-in objects: all of it is read, and garbage is told from it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipmpki.diagnostics.fault import UnreadableFile
from ipmpki.x509.mozilla.certdata import decode_octal, encode_octal, parse
from ipmpki.x509.mozilla.flaws import CutOff, Damaged
from ipmpki.x509.mozilla.recognise import text_of
from tests.x509.mozilla.writing import EXCERPT, certificate, certificate_object, trust_object

CONTENT = EXCERPT.read_bytes()


def test_every_object_of_a_real_file_is_read() -> None:
    objects = parse(CONTENT.decode(), "certdata.txt")
    assert [one.kind for one in objects] == [
        "CKO_NSS_BUILTIN_ROOT_LIST",
        *["CKO_CERTIFICATE", "CKO_NSS_TRUST"] * 7,
        "CKO_NSS_TRUST",
    ]
    root = objects[1]
    assert root.label == "ISRG Root X2"
    assert CONTENT.decode().splitlines()[root.line - 1] == "CKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE"
    assert root.octets("CKA_SERIAL_NUMBER").hex() == "021041d29dd172eaeea780c12c6ce92f8752"
    assert len(root.octets("CKA_VALUE")) == 543
    assert root.word("CKA_CERTIFICATE_TYPE") == "CKC_X_509"
    assert (root.word("CKA_VALUE"), root.octets("CKA_LABEL"), root.word("CKA_NOTHING")) == ("", b"", "")


def test_line_ends_of_windows_and_a_byte_order_mark_are_taken() -> None:
    windows = b"\xef\xbb\xbf" + CONTENT.replace(b"\n", b"\r\n")
    assert parse(text_of(windows, "x"), "x") == parse(text_of(CONTENT, "x"), "x")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"plain"', "plain"),
        ('"AC Ra\\xC3\\xADz"', "AC Raíz"),
        ('"\\303\\255"', "í"),
        ('"a \\"quoted\\" \\\\ one"', 'a "quoted" \\ one'),
        ('"tab\\tnewline\\nreturn\\r"', "tab\tnewline\nreturn\r"),
        ('"with # in it" # and a comment', "with # in it"),
        ("bare # comment", "bare"),
        ('""', ""),
    ],
)
def test_strings_have_the_escapes_of_c(written: str, meant: str) -> None:
    (one,) = parse(
        f"CVS_ID @(#)\nBEGINDATA\nCKA_CLASS CK_OBJECT_CLASS CKO_X\nCKA_LABEL UTF8 {written}\n", "x"
    )
    assert (one.kind, one.label) == ("CKO_X", meant)


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        ("CKA_LABEL UTF8 x\n", 1),
        ("CKA_CLASS CK_OBJECT_CLASS CKO_X\nwhat is this\n\n", 2),
        ("CKA_CLASS CK_OBJECT_CLASS\n", 1),
        ("CKA_CLASS CK_OBJECT_CLASS CKO_X\nCKA_TOKEN CK_BBOOL yes\n", 2),
        ('CKA_CLASS CK_OBJECT_CLASS CKO_X\nCKA_LABEL UTF8 "open\n', 2),
        ('CKA_CLASS CK_OBJECT_CLASS CKO_X\nCKA_LABEL UTF8 "\\xff"\n', 2),
        ("CKA_CLASS CK_OBJECT_CLASS CKO_X\nCKA_ID UTF8 1\nCKA_ID UTF8 1\n", 3),
        ("CKA_CLASS CK_OBJECT_CLASS CKO_X\nCKA_ID MULTILINE_OCTAL\n\\060\n\\400\nEND\n", 4),
        ("CKA_CLASS CK_OBJECT_CLASS CKO_X\nCKA_ID MULTILINE_OCTAL\n\\06\nEND\n", 3),
        (f"CKA_CLASS CK_OBJECT_CLASS CKO_X\n{'<' * 99}\n", 2),
    ],
)
def test_an_odd_line_is_named(lines: str, line: int) -> None:
    with pytest.raises(Damaged) as caught:
        parse(lines, "certdata.txt")
    assert caught.value.line == line
    assert f"'certdata.txt' is damaged at line {line}: " in caught.value.message
    assert len(caught.value.message) < 140
    assert caught.value.remedy is not None


WHOLE = (
    certificate_object(certificate()) + trust_object() + certificate_object(certificate()) + trust_object()
)


@pytest.mark.parametrize(
    "cut",
    [
        "CKA_CLASS CK_OBJECT_CLASS CKO_X\nCKA_ID MULTILINE_OCTAL\n\\060",
        "CKA_CLASS CK_OBJECT_CLASS CKO_X\nCKA_ID MULTILINE_OCTAL\n\\060\\0",
        "CKA_CLASS CK_OBJECT_CLASS CKO_X\nCKA_TOKEN CK_BBO",
        "CKA_CLASS CK_OBJECT_CLASS CKO_X\nCKA_TOKEN CK_BBOOL CK_TR",
        "BEGINDATA\n",
        "CKA_CLASS CK_OBJECT_CLASS CKO_NSS_TRUST\n",
        trust_object().removesuffix("CKA_TRUST_STEP_UP_APPROVED CK_BBOOL CK_FALSE\n"),
        WHOLE + "\n# Tru",
        WHOLE + certificate_object(certificate()),
        WHOLE.removesuffix("CKA_TRUST_STEP_UP_APPROVED CK_BBOOL CK_FALSE\n"),
        WHOLE + '\n# Certificate "The Next"\n#\n',
    ],
)
def test_a_file_that_was_cut_off_is_said_to_be(cut: str) -> None:
    parse(WHOLE, "certdata.txt")
    with pytest.raises(CutOff, match=r"^'certdata.txt' is cut off after line \d+: "):
        parse(cut, "certdata.txt")


@given(st.integers(1, len(CONTENT) - 1))
def test_no_cut_goes_unnoticed_but_one_between_two_roots(length: int) -> None:
    cut = CONTENT[:length]
    try:
        objects = parse(text_of(cut, "x"), "x")
    except UnreadableFile:
        return
    assert objects == parse(text_of(CONTENT, "x"), "x")[: len(objects)]
    assert objects[-1].kind != "CKO_CERTIFICATE"
    assert cut.rstrip(b"\n#").endswith(b"\nCKA_TRUST_STEP_UP_APPROVED CK_BBOOL CK_FALSE")


@given(st.binary())
def test_octal_goes_there_and_back(octets: bytes) -> None:
    assert decode_octal(encode_octal(octets)) == octets


LINES = st.sampled_from([*CONTENT.decode().splitlines(), *WHOLE.splitlines()])


@given(st.lists(st.one_of(LINES, st.text()), max_size=30))
def test_whatever_the_lines_nothing_but_its_own_error_comes(lines: list[str]) -> None:
    with contextlib.suppress(UnreadableFile):
        parse("\n".join(lines), "x")


@given(st.binary(max_size=300), st.integers(0, len(CONTENT)))
def test_whatever_the_bytes_nothing_but_its_own_error_comes(garbage: bytes, place: int) -> None:
    for content in (garbage, CONTENT[max(0, place - 500) : place] + garbage + CONTENT[place : place + 500]):
        with contextlib.suppress(UnreadableFile):
            parse(text_of(content, "x"), "x")
