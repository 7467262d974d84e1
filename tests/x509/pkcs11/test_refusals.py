"""What can be wrong with a token: said in words, the PIN kept to itself, nothing changed."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from ipmpki.x509 import pkcs11 as tokens
from tests.faults.running import ipmpki
from tests.x509.pkcs11.conftest import PIN

if TYPE_CHECKING:
    from tests.x509.pkcs11.conftest import Hsm, Site

BY_ENV = 'passphrase = { env = "PIN" }'


@pytest.mark.parametrize(
    ("replaced", "by", "words"),
    [
        ("object=rsa", "object=nobody", ("no such private key as key_file names",)),
        ("object=rsa", "object=twice", ("fits 2 private keys", "add id=")),
        ("object=rsa", "object=k256", ("an EC key on an unknown curve",)),
        (
            "token=CA%20room",
            "token=elsewhere",
            ("token that key_file names is not there", "'CA room'", "'other'"),
        ),
        ("token=CA%20room;", "", ("fits 2 tokens", "add token=")),
        ("libsofthsm2.so", "nothing.so", ("module", "nothing.so' cannot be loaded")),
        ("libsofthsm2.so", "../../../etc/passwd", ("cannot be loaded",)),
    ],
)
def test_a_key_that_cannot_be_found(
    hsm: Hsm, site: Site, replaced: str, by: str, words: tuple[str, ...]
) -> None:
    site.declare(hsm.uri().replace(replaced, by), BY_ENV)
    site("build").failed(*words, status=1)
    assert not (site.folder / "pki.db").exists()
    assert not (site.folder / "dist").exists()


@pytest.mark.parametrize("pin", ["0000-0000", "1", "x" * 300])
def test_a_wrong_pin_is_said_and_never_shown(hsm: Hsm, site: Site, pin: str) -> None:
    site.declare(hsm.uri(), BY_ENV)
    refused = site("build", pin=pin)
    refused.failed("the token does not take the PIN; it was tried once", status=1)
    assert len(pin) == 1 or pin not in refused.err
    assert not (site.folder / "pki.db").exists()


def test_a_pin_that_is_not_declared_or_not_there(hsm: Hsm, site: Site) -> None:
    site.declare(hsm.uri())
    site("build").failed("no such private key", "a PIN is declared", status=1)
    site.declare(hsm.uri(), 'passphrase = { env = "UNSET" }')
    site("build").failed("UNSET", status=1)
    site.declare(hsm.uri(), 'passphrase = { file = "nowhere" }')
    site("build").failed("1 error keeps", status=1)


def test_a_token_that_went_away_after_the_first_build(hsm: Hsm, site: Site) -> None:
    site.declare(hsm.uri(), BY_ENV)
    assert site("build").status == 0
    before = (site.folder / "pki.db").read_bytes()
    (site.folder / "none.conf").write_text(f"directories.tokendir = {site.folder}\n")
    site.declare(hsm.uri(), BY_ENV, hosts='[[hosts]]\nname = "ipm2.example.com"\nrole = "server"\n')
    gone = site("build", env={"SOFTHSM2_CONF": str(site.folder / "none.conf")})
    gone.failed("is not there", "no token at all", status=1)
    assert (site.folder / "pki.db").read_bytes() == before


@pytest.mark.parametrize(
    ("uri", "lines", "words"),
    [
        ("pkcs11:object=a?module-path=/m&pin-value=4711-4711", (), "the PIN of the token stands in the file"),
        ("pkcs11:object=a;pin-value=4711-4711?module-path=/m", (), "wrong side of '?'"),
        ("PKCS11:object=a?pin-value=4711-4711", (), "the PIN of the token stands in the file"),
        ("pkcs11:object=a", (), "by which module"),
        ("pkcs11:token=a?module-path=/m", (), "which key of the token"),
        ("pkcs11:object=a;type=public?module-path=/m", (), "not of a private key"),
        ("pkcs11:object=a;colour=red?module-path=/m", (), "'colour' in a PKCS#11 URI is not known"),
        ("pkcs11:object=a;object=b?module-path=/m", (), "says 'object' twice"),
        ("pkcs11:object=%zz?module-path=/m", (), "cannot be read"),
        ("pkcs11:object=%ff?module-path=/m", (), "not text in UTF-8"),
        ("pkcs11:object?module-path=/m", (), "cannot be read"),
        ("pkcs11:object=a b?module-path=/m", (), "cannot be read"),
        ("pkcs11:object=a?module-path=/m&pin-source=|cat%20pin", (), "a command as pin-source is not run"),
        ("pkcs11:object=a?module-path=/m&pin-source=https://pin", (), "the pin-source is not a file"),
        ("pkcs11:object=a?module-path=/m&pin-source=pin", (BY_ENV,), "from two places"),
        ("pkcs11:object=a?module-path=/m", (BY_ENV, 'key = "rsa-2048"'), "'key' has no meaning here"),
        ("pkcs11:", (), "which key of the token"),
    ],
)
def test_a_uri_that_says_too_little_or_too_much(
    site: Site, uri: str, lines: tuple[str, ...], words: str
) -> None:
    site.declare(uri, *lines)
    for command in (("check",), ("build",), ("check", "--format", "json"), ("check", "--format", "sarif")):
        done = site(*command)
        assert done.status == 1
        said = done.out + done.err
        assert words in said
        assert "4711" not in said
    for path in (site.folder / "dist").iterdir():
        assert b"4711" not in path.read_bytes()


def test_without_the_library_it_says_what_to_install(hsm: Hsm, site: Site) -> None:
    site.declare(hsm.uri(), BY_ENV)
    hiding = "import sys; sys.modules['pkcs11'] = None; from ipmpki.cli.main import run; run(['build'])"
    prefix = (sys.executable, "-c", hiding)
    outcome = ipmpki(site.folder, prefix=prefix, env={"PIN": PIN})
    outcome.failed("python-pkcs11", "pip install 'ipmpki[pkcs11]'")


def test_a_passphrase_is_not_for_a_token(hsm: Hsm, site: Site) -> None:
    site.declare(hsm.uri(), BY_ENV)
    assert site("build").status == 0
    site("passphrase", "pki.toml", "--remove").failed("lies in a token", "--change-pin", status=2)


def test_the_last_try_of_a_pin_is_left_to_people(hsm: Hsm) -> None:
    """SoftHSM never locks, so a token that says it will is stood in for."""
    del hsm
    import pkcs11

    flag = pkcs11.TokenFlag
    for flags, words in ((flag.USER_PIN_FINAL_TRY, "was not tried"), (flag.USER_PIN_LOCKED, "is locked")):
        with pytest.raises(tokens.TokenFault, match=words):
            tokens._require_tries(SimpleNamespace(flags=flags))  # noqa: SLF001 -- no token here locks
    tokens._require_tries(SimpleNamespace(flags=flag.USER_PIN_COUNT_LOW))  # noqa: SLF001 -- as above
