"""``ipmpki import``: what the administrator sees who has bought a certificate."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from tests.operations.import_bought.seller import CLIENT_AUTH, Seller, pem

if TYPE_CHECKING:
    from tests.cli.terminal import Terminal

DECLARATION = """schema = 1
[ca]
kind = "third-party"
bundle = "root.pem"
[[hosts]]
name = "ipm1.acme.com"
role = "server"
[[hosts]]
name = "desk1.acme.com"
role = "client"
"""


@pytest.fixture
def seller(terminal: Terminal) -> Seller:
    """The seller, from whom the shop has ordered a certificate."""
    seller = Seller()
    (terminal.folder / "root.pem").write_bytes(pem(seller.root))
    (terminal.folder / "pki.toml").write_text(DECLARATION)
    assert terminal("build", "pki.toml").status == 0
    return seller


def deliver(terminal: Terminal, seller: Seller, **changes: object) -> None:
    request = (terminal.folder / "dist/hosts/ipm1.acme.com/server.csr").read_bytes()
    now = datetime.now(UTC).replace(microsecond=0)
    leaf = seller.sell(
        x509.load_pem_x509_csr(request),
        begins=now - timedelta(hours=1),
        **changes,  # type: ignore[arg-type]
    )
    (terminal.folder / "ipm1.crt").write_bytes(pem(leaf))
    (terminal.folder / "chain.pem").write_bytes(pem(seller.intermediate))


def test_it_says_what_was_taken_and_what_is_next(terminal: Terminal, seller: Seller) -> None:
    deliver(terminal, seller)
    taken = terminal("import", "pki.toml", "ipm1.crt", "chain.pem")
    assert (taken.status, taken.err) == (0, "")
    assert taken.out.startswith("ipm1.acme.com: taken, valid until ")
    assert "Next, install on 1 host" in taken.out
    again = terminal("import", "pki.toml", "ipm1.crt", "chain.pem")
    assert (again.status, again.out) == (0, "ipm1.acme.com: here already; nothing to do\n")


def test_what_could_not_work_is_not_taken_and_ends_with_status_1(terminal: Terminal, seller: Seller) -> None:
    deliver(terminal, seller, purposes=[CLIENT_AUTH])
    refused = terminal("import", "pki.toml", "ipm1.crt", "chain.pem")
    assert refused.status == 1
    assert "error[purpose-missing]" in refused.err
    assert "--> ipm1.crt:1:1" in refused.err
    assert refused.out == "ipm1.acme.com: not taken: see above\n"
    machine = terminal("import", "--format", "json", "pki.toml", "ipm1.crt", "chain.pem")
    assert json.loads(machine.out)["summary"]["errors"] == 1


def test_a_file_that_has_nothing_to_do_with_it_takes_nothing(terminal: Terminal, seller: Seller) -> None:
    deliver(terminal, seller)
    done = terminal("import", "pki.toml", "pki.toml")
    assert done.status == 1
    assert done.out == "Nothing was taken: no host's certificate is in it.\n"


def test_intermediates_alone_take_nothing_and_that_is_no_success(terminal: Terminal, seller: Seller) -> None:
    deliver(terminal, seller)
    done = terminal("import", "pki.toml", "chain.pem")
    assert (done.status, done.out) == (1, "Nothing was taken: no host's certificate is in it.\n")


def test_a_passphrase_comes_from_a_variable_where_there_is_no_terminal(
    terminal: Terminal, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(terminal, seller)
    leaf = x509.load_pem_x509_certificate((terminal.folder / "ipm1.crt").read_bytes())
    sealed = pkcs12.serialize_key_and_certificates(
        None, None, None, [leaf, seller.intermediate], BestAvailableEncryption(b"correct horse")
    )
    (terminal.folder / "ipm1.p12").write_bytes(sealed)
    found = terminal("import", "pki.toml", "ipm1.p12")
    assert (found.status, "--passphrase-env NAME" in found.err) == (1, True)
    monkeypatch.setenv("OF_THE_SELLER", "correct horse")
    found = terminal("import", "pki.toml", "ipm1.p12", "--passphrase-env", "OF_THE_SELLER")
    assert found.status == 0, found.err
    assert "ipm1.acme.com: taken" in found.out
