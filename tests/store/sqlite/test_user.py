"""By whom the ledger says that something was done."""

from __future__ import annotations

import pytest

from ipmpki.store.sqlite.user import login_name


def test_through_sudo_the_person_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    alone = login_name()
    monkeypatch.setenv("SUDO_USER", "ann")
    assert login_name() == f"ann as {alone}"
    monkeypatch.setenv("SUDO_USER", alone)
    assert login_name() == alone


@pytest.mark.parametrize("name", ["", "a\x1b[31mnn", "x" * 65, "two\nlines"])
def test_a_name_that_is_none_is_left_out(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    alone = login_name()
    monkeypatch.setenv("SUDO_USER", name)
    assert login_name() == alone


def test_the_environment_cannot_pass_for_another_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    alone = login_name()
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "somebody-else")
    assert login_name() == alone


def test_without_an_account_the_number_stands_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 4_123_456)
    assert login_name() == "uid 4123456"
