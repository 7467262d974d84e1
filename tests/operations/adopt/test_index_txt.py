"""openssl's index as people and editors leave it: read as openssl reads it, or not passed over."""

from __future__ import annotations

import pytest

from ipmpki.operations.adopt.index_txt import read_index

VALID = "V\t441231235959Z\t\t01\tunknown\t/CN=ipm1.example.com\n"
REVOKED = "R\t441231235959Z\t260101000000Z,keyCompromise\t02\tunknown\t/CN=old.example.com\n"


@pytest.mark.parametrize(
    "text",
    [
        VALID + REVOKED,
        "# mended by hand\n" + VALID + "# and here\n" + REVOKED,
        "\ufeff" + VALID + REVOKED,
        (VALID + REVOKED).replace("\n", "\r\n"),
        (VALID + REVOKED).replace("\t\t", "    ").replace("\t", "  "),
    ],
    ids=["plain", "comments", "byte-order mark", "CRLF", "blanks"],
)
def test_revocations_are_read(text: str) -> None:
    index, broken = read_index("demoCA/index.txt", text.encode())
    assert index is not None
    assert [(one.serial, one.title, one.reason) for one in index.entries] == [
        (1, "ipm1.example.com", None),
        (2, "old.example.com", "key-compromise"),
    ]
    assert broken == ()


def test_an_index_that_cannot_be_read_is_told_by_its_name_and_other_files_are_none() -> None:
    index, broken = read_index("demoCA/index.txt", b"nonsense\n" + VALID.encode())
    assert index is not None
    assert broken == (1,)
    assert read_index("demoCA/notes.txt", b"nonsense\n" + VALID.encode()) == (None, ())
