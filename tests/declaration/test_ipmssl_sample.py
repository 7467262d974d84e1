"""A sample of ipmssl.cfg is read as the install scripts read it: keywords, and what is said of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipmpki.declaration.ipmssl_sample import purposes_of, read_sample

SAMPLE = """\
# TLS of the server. Lines that begin with a number sign are comments.

# Set to 1 to enable TLS.
#EnableTLS = 0

# The certificates of the authorities
# that are trusted
#TrustStore = ca-cert.pem

# Certificate revocation list (CRL)
;RevokedList = "crl 1.pem"

# Require clients to authenticate with a certificate: yes or no
ClientVerify = no   # the default
# Note, 1.2 is the least
#MinVersion=1.2
"""


def names(text: str) -> list[str]:
    return [one.name for one in read_sample(text)]


def test_each_keyword_comes_with_value_line_and_comment() -> None:
    found = {one.name: one for one in read_sample(SAMPLE)}
    assert list(found) == ["EnableTLS", "TrustStore", "RevokedList", "ClientVerify", "MinVersion"]
    assert found["TrustStore"].comment == "The certificates of the authorities that are trusted"
    assert (found["RevokedList"].value, found["RevokedList"].line) == ('"crl 1.pem"', 11)
    assert (found["ClientVerify"].is_set, found["ClientVerify"].value) == (True, "no")
    assert found["ClientVerify"].comment.endswith("yes or no the default")
    assert found["MinVersion"].comment == "Note, 1.2 is the least"


def test_by_their_words_some_may_be_for_a_purpose_and_none_is_chosen() -> None:
    fit = [(purpose, one.name) for purpose, one in purposes_of(read_sample(SAMPLE))]
    assert fit == [
        ("ca_file", "TrustStore"),
        ("crl_file", "RevokedList"),
        ("mutual_auth", "ClientVerify"),
    ]


def test_what_the_vendor_names_is_offered_for_nothing() -> None:
    assert not list(purposes_of(read_sample("# the trusted authority\n#CertFile = x\n")))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#EnableTLS 1\n#CaFile ca.pem\n# Certificates of all\n", ["EnableTLS", "CaFile"]),
        ("#EnableTLS: 1\n#CaFile: ca.pem\n# Note: this is prose\n", ["EnableTLS", "CaFile"]),
        ("\ufeff#EnableTLS=0\r\n#CaFile=\r\n", ["EnableTLS", "CaFile"]),
        ("#EnableTLS=0\r#CaFile=x\r", ["EnableTLS", "CaFile"]),
        ("# set Path = to where it lies and so on\n#EnableTLS=0\n", ["EnableTLS"]),
        ("", []),
    ],
    ids=["blanks", "colons", "mark of order", "carriage returns", "prose", "empty"],
)
def test_samples_of_other_forms_are_read_too(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    for one in read_sample(text):
        assert one.name in text
        assert one.may_be_for is not None
