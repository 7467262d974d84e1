"""Names as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipmpki.declaration.dns_names import NameFault, read_name, wildcard_covers


@pytest.mark.parametrize(
    ("written", "ascii_form"),
    [
        ("ipm1.example.com", "ipm1.example.com"),
        ("IPM1.Example.COM", "ipm1.example.com"),
        ("ipm1", "ipm1"),
        ("1.example.com", "1.example.com"),
        ("3com.example", "3com.example"),
        ("a--b.example.com", "a--b.example.com"),
        ("drücker.example.com", "xn--drcker-4ya.example.com"),
        ("DRÜCKER.example.com", "xn--drcker-4ya.example.com"),
        ("xn--drcker-4ya.example.com", "xn--drcker-4ya.example.com"),
        ("日本語.example", "xn--wgv71a119e.example"),
        (f"{'a' * 63}.example", f"{'a' * 63}.example"),
    ],
)
def test_a_name_is_read_as_its_lower_case_a_label(written: str, ascii_form: str) -> None:
    name = read_name(written)
    assert (name.ascii, name.fault) == (ascii_form, None)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("", NameFault.EMPTY),
        ("10.1.2.3", NameFault.ADDRESS),
        ("999.1.2.3", NameFault.ADDRESS),
        ("10.1.2.3/24", NameFault.ADDRESS),
        ("fc00::1", NameFault.ADDRESS),
        ("[fc00::1]", NameFault.ADDRESS),
        ("fe80::1%eth0", NameFault.ADDRESS),
        ("*.example.com", NameFault.WILDCARD),
        ("print*.example.com", NameFault.WILDCARD),
        ("ipm 1.example.com", NameFault.SPACE),
        ("ipm1.example.com\n", NameFault.SPACE),
        ("ipm1.example.com.", NameFault.TRAILING_DOT),
        ("ipm1..example.com", NameFault.EMPTY_LABEL),
        (".example.com", NameFault.EMPTY_LABEL),
        ("ipm1.\ufeff.com", NameFault.UNICODE),
        ("ipm1.example.\ufeff", NameFault.EMPTY_LABEL),
        ("\u00ad", NameFault.UNICODE),
        (f"{'a' * 64}.example", NameFault.LABEL_TOO_LONG),
        (".".join(["a" * 60] * 5), NameFault.NAME_TOO_LONG),
        ("-ipm.example.com", NameFault.HYPHEN),
        ("ipm-.example.com", NameFault.HYPHEN),
        ("ipm_1.example.com", NameFault.UNDERSCORE),
        ("ipm1.example.com:6874", NameFault.CHARACTER),
        ("https://ipm1.example.com", NameFault.CHARACTER),
        ("ipm☃.example.com", NameFault.CHARACTER),
        ("xn--a.example.com", NameFault.UNICODE),
        ("ipm1.example.1", NameFault.NUMERIC),
        ("12345", NameFault.NUMERIC),
    ],
)
def test_a_name_that_dns_cannot_hold_says_why(written: str, fault: NameFault) -> None:
    assert read_name(written).fault is fault


@given(st.text())
def test_reading_a_name_never_fails_and_never_lets_an_odd_one_through(written: str) -> None:
    name = read_name(written)
    if name.fault is None:
        assert name.ascii.isascii()
        assert 0 < len(name.ascii) <= 253
        assert all(0 < len(label) <= 63 for label in name.ascii.split("."))
        assert set(name.ascii) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")


@pytest.mark.parametrize(
    ("wildcard", "name", "covered"),
    [
        ("*.example.com", "ipm1.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "ipm1.print.example.com", False),
        ("*.print.example.com", "ipm1.print.example.com", True),
        ("*.com", "example.com", True),
        ("print*.example.com", "print1.example.com", False),
        ("*", "ipm1", False),
    ],
)
def test_a_wildcard_stands_for_exactly_one_part(wildcard: str, name: str, covered: bool) -> None:
    assert wildcard_covers(wildcard, name) is covered
