"""``ipmpki installed``: what is known of hosts, and whom no stage waits for."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.installed import record_installed
from ipmpki.plans.plan import Stage
from tests import clock
from tests.cli.command import ipmpki as run
from tests.shop import HEAD, SERVER, TODAY, Shop, client

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Two clients, built; commands run on the same day."""
    clock.stop(monkeypatch, TODAY)
    shop = Shop(tmp_path, text=HEAD + client("desk1") + client("desk2"))
    shop.build()
    return shop


def test_a_host_that_is_dead_does_not_hold_a_stage_for_ever(shop: Shop) -> None:
    shop.edit('key = "ec-p256"\n\n[tls]', 'key = "ec-p256"\ngeneration = 2\n\n[tls]')
    shop.build()
    record_installed(shop.load(), ["desk1.example.com"])
    before = shop.plan().rollover
    assert before is not None
    assert (before.stage, before.waiting) == (Stage.TRUST_BOTH, ("desk2.example.com",))
    words = ("desk2.example.com", "--reason", "on leave until May")
    assert run("installed", shop.declaration, "--skip", *words).status == 0
    after = shop.plan().rollover
    assert after is not None
    assert after.stage is Stage.REISSUE
    assert "No stage waits for desk2.example.com since" in run("status", shop.declaration).out
    assert "on leave until May" in run("status", shop.declaration).out
    record_installed(shop.load(), ["desk2.example.com"])
    assert "on leave" not in run("status", shop.declaration).out


@pytest.mark.parametrize("words", [("--all",), ("--skip", "desk1.example.com", "--reason", "on leave")])
def test_what_is_said_of_a_host_leaves_no_change_and_stands_in_the_report(
    shop: Shop, words: tuple[str, ...]
) -> None:
    assert "Nothing is left to install" not in (shop.dist / "report.txt").read_text()
    said = run("installed", shop.declaration, *words)
    assert said.status == 0
    assert "next: ipmpki build" not in said.out
    assert run("plan", shop.declaration, "--exit-code").status == 0
    told = " ".join((shop.dist / "report.txt").read_text().split())
    assert ("Nothing is left to install" in told) is (words == ("--all",))
    before = shop.bytes_on_disk()
    assert run("build", shop.declaration).status == 0
    assert shop.bytes_on_disk() == before


def test_a_stage_that_moves_by_what_is_said_is_named_and_pending(shop: Shop) -> None:
    shop.edit('key = "ec-p256"\n\n[tls]', 'key = "ec-p256"\ngeneration = 2\n\n[tls]')
    shop.build()
    said = run("installed", shop.declaration, "--all")
    assert "step 2 of 3" in said.out
    assert "next: ipmpki build" in said.out
    assert run("plan", shop.declaration, "--exit-code").status == 3


def test_a_report_that_cannot_be_written_keeps_nothing_from_being_recorded(shop: Shop) -> None:
    shutil.rmtree(shop.dist)
    shop.dist.write_text("mine")
    record_installed(shop.load(), None)
    assert len(shop.load().issued.installed) == 2


@pytest.mark.parametrize(
    "words",
    [
        ("--skip", "desk1.example.com"),
        ("--reason", "gone", "desk1.example.com"),
        ("--skip", "--reason", "gone", "--all"),
        ("--skip", "--reason", "gone", "desk9.example.com"),
    ],
)
def test_a_host_is_skipped_by_name_and_with_a_reason(shop: Shop, words: tuple[str, ...]) -> None:
    done = run("installed", shop.declaration, *words)
    assert done.status == 2
    assert not shop.load().issued.skipped


def test_after_dist_was_deleted_nothing_is_to_be_installed_where_it_is(shop: Shop) -> None:
    record_installed(shop.load(), ["desk1.example.com"])
    shutil.rmtree(shop.dist)
    done = run("build", shop.declaration)
    assert "Nothing is to be installed on 1 host: what is in use there is what is published." in done.out
    assert "Next, install on 1 host: " in done.out
    assert "desk2.example.com  " in done.out.partition("Next, install")[2]


@pytest.mark.parametrize(
    ("mode", "first", "then"), [("off", "server", "client"), ("required", "client", "server")]
)
def test_the_order_of_installation_is_the_same_everywhere(
    tmp_path: Path, mode: str, first: str, then: str
) -> None:
    shop = Shop(tmp_path, text=HEAD.replace("required", mode) + SERVER + client("desk1"))
    done = run("build", shop.declaration)
    assert f"install on 2 hosts, {first}s first" in done.out
    listed = done.out.partition("Next, install")[2]
    names = {"server": "ipm1.example.com", "client": "desk1.example.com"}
    assert listed.index(names[first]) < listed.index(names[then])
    report = (shop.dist / "report.txt").read_text()
    assert f"Install the {first}s first, then the {then}s" in " ".join(report.split())
    playbook = (shop.dist / "ansible" / "install.yml").read_text()
    assert playbook.index(f"hosts: {first}s") < playbook.index(f"hosts: {then}s")
    readme = (shop.dist / "ansible" / "README.txt").read_text()
    assert f"the {first}s first, then the {then}s" in readme
