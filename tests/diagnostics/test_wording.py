"""What was meant by a word that is wrong."""

from __future__ import annotations

import pytest

from ipmpki.diagnostics.wording import certain, closest

KEYS = ["name", "role", "os", "subject", "aliases", "ips", "key", "lifetime", "renew_before", "csr"]
KINDS = ["rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *(("alias", "aliases"), ("aliasses", "aliases"), ("Aliases", "aliases"), ("nmae", "name")),
        *(("ip", "ips"), ("roel", "role"), ("crs", "csr"), ("renewbefore", "renew_before"), ("x", None)),
        *(("hostname", None), ("", None), ("a" * 1000, None)),
    ],
)
def test_a_key_is_certain_when_one_is_near_and_no_other(written: str, meant: str | None) -> None:
    assert certain(written, KEYS) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [("rsa2048", "rsa-2048"), ("RSA_4096", "rsa-4096"), ("rsa-2084", "rsa-2048"), ("rsa-4048", None)],
)
def test_two_choices_that_are_nearly_as_near_are_a_guess_at_most(written: str, meant: str | None) -> None:
    assert certain(written, KINDS) == meant
    assert closest(written, KINDS) is not None
