"""``ipmpki keywords`` shows what samples hold, and writes what somebody chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.command import ipmpki
from tests.declaration.test_ipmssl_sample import SAMPLE
from tests.shop import HEAD, SERVER, Shop, client

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop beside a sample."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.cfg").write_text(SAMPLE, "utf-8")
    return Shop(tmp_path, text=HEAD + SERVER + client("desk1"))


def test_it_shows_every_keyword_and_decides_nothing(shop: Shop) -> None:
    before = shop.declaration.read_bytes()
    done = ipmpki("keywords", "server.cfg")
    assert done.status == 0
    assert "  EnableTLS = 0  (ipmpki sets it)\n      Set to 1 to enable TLS.\n" in done.out
    assert "  crl_file     the revocation list\n      RevokedList (line 11 of server.cfg)\n" in done.out
    assert "ipmpki keywords server.cfg --pki pki.toml" in done.out
    assert shop.declaration.read_bytes() == before


def test_what_was_chosen_is_in_force_with_the_next_build(shop: Shop) -> None:
    shop.edit('[ipm.linux.keywords]\nby_hand = ["mutual_auth"]\n', "")
    assert ipmpki("check", "pki.toml").err.count("mutual-auth-not-in-force") == 1
    done = ipmpki("keywords", "server.cfg", "--mutual-auth", "clientverify=yes", "--crl-file", "RevokedList")
    assert (done.status, done.err) == (0, "")
    assert 'mutual_auth = "ClientVerify=yes"\n' in shop.declaration.read_text("utf-8")
    assert "mutual-auth-not-in-force" not in ipmpki("check", "pki.toml").err
    shop.build()
    settings = (shop.host("ipm1") / "settings.json").read_text("utf-8")
    assert '"ClientVerify": "yes"' in settings
    assert '"RevokedList": "crl.pem"' in settings


def test_a_keyword_that_no_sample_has_is_refused(shop: Shop) -> None:
    before = shop.declaration.read_bytes()
    done = ipmpki("keywords", "server.cfg", "--crl-file", "RevokdList")
    assert (done.status, shop.declaration.read_bytes()) == (2, before)
    assert "did you mean 'RevokedList'?" in done.err


def test_a_sample_saved_as_unicode_is_read_and_what_is_no_text_is_not(shop: Shop) -> None:
    (shop.folder / "wide.cfg").write_bytes(SAMPLE.encode("utf-16"))
    assert "RevokedList" in ipmpki("keywords", "wide.cfg").out
    (shop.folder / "odd.cfg").write_bytes(b"\x7fELF\0\0")
    assert ipmpki("keywords", "odd.cfg").status == 2
    hostile = "# \x1b[31mthe revocation list\u202e\n#Crl\u202eX = 1\n#Crl = 2\n"
    (shop.folder / "hostile.cfg").write_text(hostile, "utf-8")
    assert "\x1b" not in ipmpki("keywords", "hostile.cfg").out
