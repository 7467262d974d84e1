"""On a terminal, a build asks once before it does what no later build can take back."""

from __future__ import annotations

import contextlib
import os
import pty
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from tests import preloaded
from tests.cli.command import ipmpki
from tests.shop import HEAD, SERVER, Shop, client

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop built today, as the command goes by the clock."""
    made = Shop(tmp_path, now=datetime.now(UTC).replace(microsecond=0))
    made.build()
    return made


def build(shop: Shop, *options: str, answer: str = "") -> tuple[int, str]:
    """Build on a terminal on which somebody types an answer: the exit status, and all that is shown."""
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    arguments = ("-m", "ipmpki", "build", "pki.toml", *options)
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    with preloaded.start(*arguments, cwd=shop.folder, env=dict(os.environ), **streams) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # Linux ends a terminal nobody holds any more with EIO
            while piece := os.read(ours, 65536):
                shown += piece
        os.close(ours)
        process.communicate()
    assert process.returncode is not None
    return process.returncode, shown.decode().replace("\r\n", "\n")


def removes_a_client(shop: Shop) -> None:
    shop.edit(client("desk2"), "")


def test_it_asks_before_it_revokes_and_a_yes_has_it_done(shop: Shop) -> None:
    removes_a_client(shop)
    status, shown = build(shop, answer="y\n")
    assert status == 0, shown
    assert "This build revokes 1 certificate, of desk2.example.com.\n" in shown
    assert shown.count("No later build can take that back. Go on? [y/N]") == 1
    assert shop.plan().changes == ()


@pytest.mark.parametrize("answer", ["n\n", "\n", "nonsense\nno\n"])
def test_anything_but_a_yes_leaves_all_as_it_was(shop: Shop, answer: str) -> None:
    removes_a_client(shop)
    before = shop.store.read_bytes(), shop.bytes_on_disk()
    status, shown = build(shop, answer=answer)
    assert status == 1
    assert "nothing was changed\n" in shown
    assert (shop.store.read_bytes(), shop.bytes_on_disk()) == before


def test_it_asks_before_the_authority_is_replaced(shop: Shop) -> None:
    shop.edit('common_name = "Acme Print CA"', 'common_name = "Acme Press CA"')
    status, shown = build(shop, "--replace-ca", answer="n\n")
    assert status == 1
    assert "replaces the certificate authority, and with it every certificate" in shown
    assert build(shop, "--replace-ca", answer="y\n")[0] == 0


def test_what_a_later_build_can_take_back_is_done_without_a_question(shop: Shop) -> None:
    shop.edit("10.1.2.3", "10.1.2.4")
    status, shown = build(shop)
    assert status == 0
    assert "Go on?" not in shown


def test_with_yes_and_without_a_terminal_nothing_is_asked(shop: Shop) -> None:
    removes_a_client(shop)
    status, shown = build(shop, "--yes")
    assert status == 0
    assert "Go on?" not in shown
    shop.edit(client("desk1"), "")
    done = ipmpki("build", shop.declaration)
    assert done.status == 0
    assert "Go on?" not in done.out + done.err


def test_it_prints_the_digest_of_each_script_that_was_made_for_a_few_hosts(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD + SERVER + client("desk1"))
    said = ipmpki("build", shop.declaration).out
    for name in ("ipm1", "desk1"):
        digest = sha256((shop.host(name) / "install.sh").read_bytes()).hexdigest()
        assert f"  {digest}\n" in said.partition("Compare the SHA-256")[2]
    assert "manifest.json" not in said


def test_of_many_hosts_it_names_the_file_that_has_the_digests(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD + SERVER + "".join(client(f"desk{number}") for number in range(4)))
    said = " ".join(ipmpki("build", shop.declaration).out.split())
    assert "Compare the SHA-256 of the script first, with that in" in said
    assert "hosts/NAME/manifest.json." in said
