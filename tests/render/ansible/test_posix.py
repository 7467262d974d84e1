"""Ansible rolls out to Unix hosts: what is changed is told truly, and the first failure is the last."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.installed import record_receipts
from tests.docs.pages import blocks
from tests.render.host_folder.installation import CLIENT, Installation
from tests.render.host_folder.installation import SERVER as SERVER_FOLDER
from tests.shop import SERVER, client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.render.ansible.running import Rollout

BOTH = {"desk1", "desk2"}
ALL = {"ipm1", "desk1", "desk2", "desk3"}


def tamper(rollout: Rollout, name: str) -> None:
    """Let a host's folder hold a certificate that is not the one it was made with."""
    certificate = rollout.shop.host(name) / "client-cert.pem"
    certificate.write_bytes(certificate.read_bytes() + b"\n")


def test_a_first_run_changes_every_host_and_a_check_finds_nothing_more_to_change(desks: Rollout) -> None:
    assert desks.play("install.yml").hosts("changed") == BOTH
    for name in BOTH:
        installed = desks.root(name) / CLIENT / "client-key.pem"
        assert installed.read_bytes() == (desks.shop.host(name) / "client-key.pem").read_bytes()
        assert installed.stat().st_mode & 0o777 == 0o600
    receipts = [desks.shop.dist / f"ansible/receipts/{name}.example.com" for name in sorted(BOTH)]
    told = record_receipts(desks.shop.load(), [(str(path), path.read_bytes()) for path in receipts])
    assert [(one.host, one.differs) for one in told] == [(path.name, ()) for path in receipts]
    before = desks.sight()
    checked = desks.play("install.yml", "--check", "--diff", "-vvv", "--limit", "desk2.example.com")
    assert (checked.hosts("changed"), checked.hosts("ok")) == (set(), {"desk2"})
    assert desks.sight() == before


@pytest.mark.exhaustive
def test_a_host_that_makes_its_key_is_left_out_until_its_certificate_is_there(
    rollout_of: Callable[..., Rollout],
) -> None:
    kept = client("desk1", csr="desk1.csr").replace('key = "ec-p256"\n', "")
    rollout = rollout_of(kept, client("desk2"))
    assert rollout.play("install.yml").hosts("changed") == {"desk2"}
    root, folder = rollout.root("desk1"), rollout.shop.host("desk1")
    root.mkdir()
    Installation(folder, root).run("--new-key")
    (folder / "client.csr").replace(rollout.shop.folder / "desk1.csr")
    rollout.shop.build()
    assert rollout.play("install.yml").hosts("changed") == {"desk1"}
    assert (root / CLIENT / "client-key.pem").stat().st_mode & 0o777 == 0o600
    assert rollout.play("verify.yml").hosts("failed") == set()


@pytest.mark.exhaustive
def test_a_second_run_finds_every_host_right_and_touches_nothing(room: Rollout) -> None:
    first = room.play("install.yml", "-vvv", "--diff")
    assert first.hosts("changed") == ALL
    before = room.sight()
    second = room.play("install.yml")
    assert (second.hosts("changed"), second.hosts("ok")) == (set(), ALL)
    assert room.sight() == before


@pytest.mark.exhaustive
def test_check_mode_says_what_would_change_and_changes_nothing(room: Rollout) -> None:
    checked = room.play("install.yml", "--check", "--diff", "-vvv")
    assert checked.hosts("changed") == ALL
    assert checked.output.count("this would change") == checked.output.count("Nothing was changed.") > 0
    assert room.sight() == {}


@pytest.mark.exhaustive
def test_the_clients_come_first_in_their_batches_and_then_the_servers(room: Rollout) -> None:
    output = room.play("install.yml").output
    assert re.findall(r"^PLAY \[(.*)\]", output, re.MULTILINE) == [
        "Install on the clients",
        "Install on the clients",
        "Install on the servers",
    ]
    assert output.index("desk1.example.com: changed") < output.index("ipm1.example.com: changed")


@pytest.mark.exhaustive
def test_the_first_broken_host_is_the_last_that_is_tried(room: Rollout) -> None:
    tamper(room, "desk1")
    played = room.play("install.yml", status=2)
    assert "desk1" in played.hosts("failed")
    assert "client-cert.pem is not what ipmpki wrote" in played.output
    assert not room.root("desk1").exists()
    assert not room.root("desk3").exists(), "the next batch was begun"
    assert not room.root("ipm1").exists(), "a server demands what clients have not got yet"


@pytest.mark.exhaustive
def test_a_broken_server_is_left_as_it_was_when_the_clients_are_done(room: Rollout) -> None:
    (room.shop.host("ipm1") / "server-cert.pem").unlink()
    played = room.play("install.yml", status=2)
    assert played.hosts("failed") == {"ipm1"}
    assert (room.root("desk3") / CLIENT / "client-key.pem").is_file()
    assert not room.root("ipm1").exists()


@pytest.mark.exhaustive
@pytest.mark.parametrize("pipelining", ["0", "1"], ids=["from the first", "in the middle"])
def test_a_host_that_cannot_be_reached_is_the_last_that_is_tried(room: Rollout, pipelining: str) -> None:
    unreachable = room.folder / "unreachable.yml"
    unreachable.write_text('all: {hosts: {desk1.example.com: {ansible_remote_tmp: "/proc/none"}}}\n')
    played = room.play(
        "install.yml", "-i", str(unreachable), status=2, env={"ANSIBLE_PIPELINING": pipelining}
    )
    assert "UNREACHABLE" in played.output
    assert set(played.recap) <= {"desk1.example.com", "desk2.example.com"}
    assert not any(room.root(name).exists() for name in ("desk1", "desk3", "ipm1"))


@pytest.mark.exhaustive
def test_a_change_of_one_host_is_a_change_of_that_host_alone(desks: Rollout) -> None:
    desks.play("install.yml")
    (desks.root("desk2") / CLIENT / "client-key.pem").chmod(0o644)
    assert desks.play("install.yml").hosts("changed") == {"desk2"}


@pytest.mark.exhaustive
def test_verify_names_each_host_that_differs_and_mends_none(desks: Rollout) -> None:
    desks.play("install.yml")
    assert desks.play("verify.yml").hosts("changed") == set()
    (desks.root("desk1") / CLIENT / "client-key.pem").chmod(0o644)
    before = desks.sight()
    for options in ((), ("--check",)):
        played = desks.play("verify.yml", *options, status=2)
        assert (played.hosts("failed"), played.hosts("changed")) == ({"desk1"}, set())
        assert "wrong mode: -rw-r--r--, not -rw-------" in played.output
    assert desks.sight() == before


@pytest.mark.exhaustive
def test_rollback_puts_back_what_stood_there_on_the_hosts_it_is_told(desks: Rollout) -> None:
    desks.play("install.yml")
    key = desks.root("desk1") / CLIENT / "client-key.pem"
    old = key.read_bytes()
    desks.shop.edit(client("desk1"), client("desk1").replace("ec-p256", "ec-p384"))
    desks.shop.build()
    assert desks.play("install.yml").hosts("changed") == {"desk1"}
    assert key.read_bytes() != old
    assert "Say which hosts: --limit" in desks.play("rollback.yml", status=2).output
    only = ("--limit", "desk1.example.com")
    assert desks.play("rollback.yml", *only, "--check").hosts("changed") == {"desk1"}
    assert key.read_bytes() != old
    assert desks.play("rollback.yml", *only).hosts("changed") == {"desk1"}
    assert key.read_bytes() == old


@pytest.mark.exhaustive
def test_a_restart_is_a_change_and_only_where_a_command_is_declared(
    rollout_of: Callable[..., Rollout], tmp_path: Path
) -> None:
    ran = tmp_path / "restarted"
    again = client("desk1", restart_command=f"echo again >>{ran}")
    rollout = rollout_of("", again, client("desk2", os="macos"))
    rollout.play("install.yml")
    assert not ran.exists()
    asked = rollout.play("install.yml", "-e", "ipmpki_restart=true")
    assert asked.hosts("changed") == {"desk1"}
    assert ran.read_text() == "again\n"
    assert rollout.play("install.yml", "-e", "ipmpki_restart=true").hosts("changed") == set()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("ipmpki_rot=/srv", "there is no variable ipmpki_rot"),
        ("ipmpki_root=srv", "ipmpki_root must be an absolute path"),
        ("ipmpki_restart=maybe", "ipmpki_restart"),
    ],
)
def test_a_variable_that_cannot_be_meant_is_refused(desks: Rollout, given: str, said: str) -> None:
    played = desks.play("install.yml", "-e", given, status=2)
    assert said in " ".join(played.output.split())
    assert desks.sight() == {}


@pytest.mark.exhaustive
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become root without a password")
def test_without_a_root_it_becomes_root_and_asks_whether_it_is_the_right_host(desks: Rollout) -> None:
    given = ("-e", "ipmpki_root=", "-e", "ansible_become_method=su")
    played = desks.play("install.yml", *given, "--check", "--limit", "desk1.example.com", status=2)
    assert "and the folder was made for desk1.example.com. Nothing was changed" in played.output


ODD = 'o\'d "d" {{ 7 * 7 }} {% if %} $(id) # ü'


@pytest.mark.exhaustive
def test_odd_names_of_folders_and_accounts_are_what_they_are(
    rollout_of: Callable[..., Rollout], tmp_path: Path
) -> None:
    settings = "\n[ipm]\nserver_account = '{{ 7 * 7 }} $(id)'\n"
    rollout = rollout_of(
        settings, client("desk1"), server=SERVER, folder=tmp_path / ODD, ipmpki_owner="{{ 6 * 7 }}"
    )
    played = rollout.play("install.yml", env={"ANSIBLE_PIPELINING": "0"})
    assert played.hosts("changed") == {"ipm1", "desk1"}
    assert "there is no account or group '{{ 6 * 7 }}' here" in played.output
    assert {path.name for path in rollout.roots.iterdir()} == {"ipm1.example.com", "desk1.example.com"}
    assert (rollout.root("ipm1") / SERVER_FOLDER / "server-key.pem").is_file()


@pytest.mark.exhaustive
def test_the_command_of_the_docs_works_beside_pki_toml(desks: Rollout) -> None:
    (block,) = [one for one in blocks("docs/ansible.md") if one.language == "sh"]
    command = block.text.split()
    assert command[:1] + command[-1:] == ["ansible-playbook", "--check"]
    given = [word.removeprefix("dist/ansible/") for word in command if word.endswith(".yml")]
    assert given == ["inventory.yml", "hosts.yml", "install.yml"]
    assert desks.play(given[2], command[-1]).hosts("changed") == BOTH


@pytest.mark.exhaustive
def test_dist_can_be_carried_elsewhere_and_rolled_out_from_there(desks: Rollout) -> None:
    elsewhere = desks.folder / "elsewhere"
    shutil.move(desks.shop.folder, elsewhere)
    desks.shop.folder = elsewhere
    assert desks.play("install.yml").hosts("changed") == BOTH
