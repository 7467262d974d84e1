"""Plans: every reason can be provoked, and a plan is exactly what a build does."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ipmpki.diagnostics.fault import UnreadableFile, WrongUse
from ipmpki.operations.installed import record_installed
from ipmpki.operations.project import Refused
from ipmpki.plans.saved_plan import read_plan_json, render_plan_json
from ipmpki.render.plan.text import render_plan_text
from tests.shop import HEAD, SERVER, TODAY, client

if TYPE_CHECKING:
    from tests.shop import Shop

SERVER_1 = ("server-certificate", "ipm1")
DESK_1 = ("client-certificate", "desk1")
DESK_2 = ("client-certificate", "desk2")
DESK_1_FOLDER = ("folder", "desk1")
CA = ("ca-certificate", None)
CRL = ("crl", None)
PLAYBOOK = ("playbook", None)


def test_a_first_plan_creates_everything(shop: Shop) -> None:
    assert set(shop.actions().items()) == {
        (CA, "create"),
        (SERVER_1, "create"),
        (DESK_1, "create"),
        (DESK_2, "create"),
        (CRL, "create"),
        (PLAYBOOK, "create"),
    }
    assert shop.changes()[DESK_1] == {"new-host"}


def test_planning_writes_nothing(shop: Shop) -> None:
    shop.plan()
    assert [path.name for path in shop.folder.iterdir()] == ["pki.toml"]


def test_after_a_build_the_plan_is_empty_and_a_second_build_rewrites_no_byte(built_shop: Shop) -> None:
    before = built_shop.bytes_on_disk()
    assert built_shop.plan().changes == ()
    built_shop.now += timedelta(hours=5)
    assert built_shop.build().plan.changes == ()
    assert built_shop.bytes_on_disk() == before


def test_what_stays_as_it_is_is_counted(built_shop: Shop) -> None:
    assert built_shop.plan().kept == 6, "authority, list, playbook, and a certificate for each of three hosts"
    built_shop.edit('aliases = ["print.example.com"]', 'aliases = ["spool.example.com"]')
    assert built_shop.plan().kept == 5
    built_shop.edit(client("desk2"), "")
    assert built_shop.plan().kept == 2, "the list and the playbook change with a host that goes"


def test_a_build_does_what_the_plan_said(built_shop: Shop) -> None:
    built_shop.edit('aliases = ["print.example.com"]', 'aliases = ["spool.example.com"]')
    (built_shop.host("desk2") / "ca-cert.pem").unlink()
    planned = built_shop.plan()
    before = built_shop.bytes_on_disk()
    assert built_shop.build().plan.changes == planned.changes
    after = built_shop.bytes_on_disk()
    touched = {
        path.split("/")[1] for path in before if path.startswith("hosts/") and before[path] != after[path]
    }
    assert touched == {"ipm1.example.com", "desk2.example.com"}


def test_a_new_host_is_created(built_shop: Shop) -> None:
    built_shop.write(built_shop.text + client("desk3"))
    assert built_shop.changes() == {
        ("client-certificate", "desk3"): {"new-host"},
        PLAYBOOK: {"settings-changed"},
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('aliases = ["print.example.com"]', "aliases = []"),
        ('ips = ["10.1.2.3"]', 'ips = ["10.1.2.4"]'),
        ('aliases = ["print.example.com"]', 'subject = "*.example.com"\naliases = ["print.example.com"]'),
    ],
)
def test_another_name_replaces_the_certificate(built_shop: Shop, old: str, new: str) -> None:
    built_shop.edit(old, new)
    assert built_shop.changes() == {SERVER_1: {"names-changed"}}
    assert built_shop.actions() == {SERVER_1: "replace"}


def test_the_case_of_a_name_is_no_change(built_shop: Shop) -> None:
    built_shop.edit("desk1.example.com", "DESK1.Example.COM")
    assert built_shop.changes() == {}


def test_a_comment_is_no_change(built_shop: Shop) -> None:
    built_shop.write("# the shop on the hill\n" + built_shop.text)
    assert built_shop.changes() == {}


def test_another_key_type_replaces_the_certificate(built_shop: Shop) -> None:
    built_shop.edit(client("desk1"), client("desk1").replace("ec-p256", "ec-p384"))
    assert built_shop.changes() == {DESK_1: {"key-changed"}}


def test_another_lifetime_is_another_profile(built_shop: Shop) -> None:
    built_shop.edit(client("desk1"), client("desk1", lifetime="200d"))
    assert built_shop.changes() == {DESK_1: {"profile-changed"}}


def test_without_mutual_authentication_clients_lose_their_certificates(built_shop: Shop) -> None:
    built_shop.edit('"required"', '"off"')
    built_shop.build()
    record_installed(built_shop.load(), None)
    changes, actions = built_shop.changes(), built_shop.actions()
    assert changes[SERVER_1] == {"profile-changed"}
    assert actions[DESK_1] == "revoke"
    assert changes[DESK_1_FOLDER] == {"settings-changed"}
    built_shop.build()
    assert built_shop.changes() == {}
    assert not list(built_shop.host("desk1").glob("client-*.pem"))


def test_within_the_renewal_window_a_certificate_is_renewed(built_shop: Shop) -> None:
    eve = TODAY + timedelta(days=397 - 31)
    assert built_shop.changes(at=eve) == {}
    window = TODAY + timedelta(days=397 - 29)
    assert built_shop.changes(at=window) == {
        SERVER_1: {"expiring"},
        DESK_1: {"expiring"},
        DESK_2: {"expiring"},
        CRL: {"expiring"},
    }
    assert set(built_shop.actions(at=window).values()) == {"renew"}


def test_an_expired_certificate_is_renewed_by_a_build(built_shop: Shop) -> None:
    built_shop.now = TODAY + timedelta(days=500)
    assert built_shop.changes()[DESK_1] == {"expired"}
    built_shop.build()
    assert built_shop.changes() == {}


def test_a_certificate_that_ends_with_its_issuer_is_not_renewed_for_ever(shop: Shop) -> None:
    shop.edit('key = "ec-p256"\n\n[tls]', 'key = "ec-p256"\nlifetime = "420d"\n\n[tls]')
    shop.build()
    shop.now = TODAY + timedelta(days=390)
    shop.build()
    assert shop.changes() == {}
    shop.now = TODAY + timedelta(days=410)
    assert shop.changes() == {}


def test_a_removed_host_is_revoked_and_its_folder_goes(built_shop: Shop) -> None:
    built_shop.edit(client("desk2"), "")
    assert built_shop.changes() == {
        DESK_2: {"host-removed"},
        ("folder", "desk2"): {"host-removed"},
        CRL: {"host-removed"},
        PLAYBOOK: {"settings-changed"},
    }
    assert list(built_shop.actions().values()) == ["revoke", "remove", "renew", "replace"]
    built_shop.build()
    assert built_shop.changes() == {}
    assert not built_shop.host("desk2").exists()


def test_a_host_that_comes_back_gets_a_new_certificate(built_shop: Shop) -> None:
    before = built_shop.text
    built_shop.edit(client("desk2"), "")
    built_shop.build()
    built_shop.write(before)
    assert built_shop.changes() == {DESK_2: {"new-host"}, PLAYBOOK: {"settings-changed"}}


def test_a_revoked_certificate_is_replaced(built_shop: Shop) -> None:
    from contextlib import closing
    from sqlite3 import connect

    with closing(connect(built_shop.store)) as store, store:
        store.execute(
            "UPDATE certificate SET revoked_at = issued_at, revocation_reason = 'key-compromise'"
            " WHERE host = 'desk1.example.com'"
        )
    assert built_shop.changes() == {DESK_1: {"revoked"}, CRL: {"revoked"}}
    built_shop.build()
    assert built_shop.changes() == {}


def test_a_missing_file_is_restored(built_shop: Shop) -> None:
    (built_shop.host("desk1") / "client-key.pem").unlink()
    assert built_shop.changes() == {DESK_1_FOLDER: {"files-missing"}}
    built_shop.build()
    assert built_shop.changes() == {}


@pytest.mark.parametrize("name", ["ca/ca-cert.pem", "ca/crl.pem", "ansible/host.yml", "report.html"])
def test_a_missing_file_of_no_host_is_restored(built_shop: Shop, name: str) -> None:
    before = (built_shop.dist / name).read_bytes()
    (built_shop.dist / name).unlink()
    assert set(built_shop.actions().values()) == {"restore"}
    built_shop.build()
    assert (built_shop.dist / name).read_bytes() == before
    assert built_shop.changes() == {}


def test_a_whole_missing_dist_is_restored_byte_for_byte(built_shop: Shop) -> None:
    import shutil

    before = {path: found[:2] for path, found in built_shop.bytes_on_disk().items()}
    shutil.rmtree(built_shop.dist)
    assert set(built_shop.actions().values()) == {"restore"}
    built_shop.build()
    assert {path: found[:2] for path, found in built_shop.bytes_on_disk().items()} == before


def test_changed_contents_are_restored(built_shop: Shop) -> None:
    (built_shop.host("desk1") / "install.sh").write_text("echo tampered\n")
    assert built_shop.changes() == {DESK_1_FOLDER: {"files-changed"}}
    built_shop.build()
    assert "tampered" not in (built_shop.host("desk1") / "install.sh").read_text()


def test_a_key_that_others_can_read_is_restored(built_shop: Shop) -> None:
    (built_shop.host("desk1") / "client-key.pem").chmod(0o644)
    assert built_shop.changes() == {DESK_1_FOLDER: {"files-changed"}}
    built_shop.build()
    assert (built_shop.host("desk1") / "client-key.pem").stat().st_mode & 0o777 == 0o600


def test_another_setting_changes_the_folder_alone(built_shop: Shop) -> None:
    built_shop.edit("[tls]", '[ipm]\nserver_account = "ipm1"\n\n[tls]')
    assert built_shop.changes()[("folder", "ipm1")] == {"settings-changed"}
    built_shop.build()
    assert built_shop.changes() == {}


def test_the_sites_restart_command_is_for_servers_and_a_hosts_own_is_for_it(built_shop: Shop) -> None:
    built_shop.edit("[tls]", '[ipm]\nrestart_command = "stop; start"\n\n[tls]')
    assert set(built_shop.changes()) == {("folder", "ipm1"), ("playbook", None)}
    built_shop.build()
    assert "stop; start" in (built_shop.host("ipm1") / "README.txt").read_text()
    assert "stop; start" not in (built_shop.host("desk1") / "install.sh").read_text()
    for name, own in (("ipm1", ""), ("desk1", "reboot")):
        built_shop.edit(
            f'name = "{name}.example.com"\n', f'name = "{name}.example.com"\nrestart_command = "{own}"\n'
        )
    assert set(built_shop.changes()) == {("folder", "ipm1"), DESK_1_FOLDER, ("playbook", None)}
    built_shop.build()
    assert "stop; start" not in (built_shop.host("ipm1") / "install.sh").read_text()
    assert "reboot" in (built_shop.host("desk1") / "install.sh").read_text()


def test_the_revocation_list_goes_to_servers_whose_keyword_is_known(built_shop: Shop) -> None:
    built_shop.edit("[tls]", '[ipm]\nkeywords = { crl_file = "CrlFile" }\n\n[tls]')
    built_shop.build()
    server_list = built_shop.host("ipm1") / "crl.pem"
    first = server_list.read_bytes()
    built_shop.edit(client("desk2"), "")
    assert built_shop.changes()[("folder", "ipm1")] == {"settings-changed"}
    built_shop.build()
    assert server_list.read_bytes() != first
    assert built_shop.changes() == {}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Acme Print CA", "Acme Print CA 2", "names-changed"),
        ('key = "ec-p256"\n\n[tls]', 'key = "ec-p256"\nlifetime = "20y"\n\n[tls]', "profile-changed"),
    ],
)
def test_another_authority_needs_leave_and_replaces_everything(
    built_shop: Shop, old: str, new: str, reason: str
) -> None:
    built_shop.edit(old, new)
    changes = built_shop.changes()
    assert changes[CA] == {reason}
    assert changes[SERVER_1] == changes[DESK_1] == changes[CRL] == {"issuer-changed"}
    assert "--replace-ca" in render_plan_text(built_shop.plan())
    before = built_shop.bytes_on_disk()
    with pytest.raises(WrongUse, match="replace the certificate authority"):
        built_shop.build()
    assert built_shop.bytes_on_disk() == before
    built_shop.build(replace_ca=True)
    assert built_shop.changes() == {}


def test_leave_to_replace_the_authority_alone_replaces_nothing(built_shop: Shop) -> None:
    assert built_shop.plan(replace_ca=True).changes == ()


def test_a_saved_plan_is_applied_exactly(built_shop: Shop) -> None:
    built_shop.write(built_shop.text + client("desk3"))
    saved = read_plan_json(render_plan_json(built_shop.plan()).encode(), "saved")
    assert built_shop.build(saved=saved).plan.changes == saved.changes
    assert built_shop.host("desk3").is_dir()


@pytest.mark.parametrize("moved", ["declaration", "detail", "renewal", "store", "dist"])
def test_a_saved_plan_is_refused_when_the_world_has_moved(built_shop: Shop, moved: str) -> None:
    built_shop.write(built_shop.text + client("desk3"))
    saved = built_shop.plan()
    if moved == "declaration":
        built_shop.write(built_shop.text + client("desk4"))
    elif moved == "detail":
        built_shop.edit(client("desk3"), client("desk3", lifetime="100d"))
    elif moved == "renewal":  # a build would keep a key that is to be made anew, or the other way round
        built_shop.edit(client("desk1"), client("desk1", renew_key="keep"))
    elif moved == "store":
        built_shop.build()
    else:
        (built_shop.host("desk1") / "README.txt").unlink()
    with pytest.raises(WrongUse, match="the world has moved"):
        built_shop.build(saved=saved)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"version": 99}', b"\xff", b'{"version": 1, "at": 3}']
)
def test_what_is_not_a_saved_plan_is_told_so(content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="plan"):
        read_plan_json(content, "tonight.plan")


def test_a_plan_survives_being_saved(built_shop: Shop) -> None:
    built_shop.edit("10.1.2.3", "10.9.9.9")
    plan = built_shop.plan()
    assert read_plan_json(render_plan_json(plan).encode(), "saved") == plan


def test_the_json_has_the_promised_shape(shop: Shop) -> None:
    document = json.loads(render_plan_json(shop.plan()))
    assert document["version"] == 1
    assert document["summary"] == {
        "create": 6,
        "renew": 0,
        "replace": 0,
        "revoke": 0,
        "restore": 0,
        "remove": 0,
        "keep": 0,
    }
    assert {"action", "host", "artifact", "reasons"} <= set(document["changes"][0])
    assert document["changes"][0]["host"] is None


def test_the_text_shows_old_and_new_values(built_shop: Shop) -> None:
    built_shop.edit("10.1.2.3", "10.9.9.9")
    text = render_plan_text(built_shop.plan())
    assert "-/+ replace server certificate  ipm1.example.com" in text
    assert "10.1.2.3 -> 10.9.9.9" in text
    assert text.endswith("Plan: 1 to replace; 5 kept.\n")


def test_a_declaration_with_errors_is_not_planned(shop: Shop) -> None:
    shop.write(HEAD + SERVER.replace("10.1.2.3", "10.1.2.300"))
    with pytest.raises(Refused):
        shop.plan()


def test_renewals_are_spread_over_the_declared_days_before_the_window(shop: Shop) -> None:
    shop.write(HEAD + SERVER + "".join(client(f"desk{number}") for number in range(40)))
    shop.edit("[tls]", '[defaults]\nrenew_spread = "60d"\n\n[tls]')
    shop.build()
    built = TODAY
    due: dict[str, int] = {}
    for day in range(397 - 30 - 60 - 2, 397 - 30 + 2):
        shop.now = built + timedelta(days=day)
        for artifact, host in shop.changes():
            if artifact.endswith("certificate") and host:
                due.setdefault(host, day)
    assert len(due) == 41
    assert min(due.values()) >= 397 - 30 - 60 - 1
    assert max(due.values()) <= 397 - 30
    assert len(set(due.values())) > 20, "they are due on days of their own"


def test_a_kept_key_outlives_its_certificate(shop: Shop) -> None:
    shop.edit("[tls]", '[defaults]\nrenew_key = "keep"\n\n[tls]')
    shop.edit('name = "desk2.example.com"\n', 'name = "desk2.example.com"\nrenew_key = "new"\n')
    shop.build()
    before = {name: (shop.host(name) / "client-key.pem").read_bytes() for name in ("desk1", "desk2")}
    old = (shop.host("desk1") / "client-cert.pem").read_bytes()
    shop.now += timedelta(days=380)
    shop.build()
    assert (shop.host("desk1") / "client-key.pem").read_bytes() == before["desk1"]
    assert (shop.host("desk1") / "client-cert.pem").read_bytes() != old
    assert (shop.host("desk2") / "client-key.pem").read_bytes() != before["desk2"]


def test_another_key_type_makes_another_key_even_where_keys_are_kept(shop: Shop) -> None:
    shop.edit("[tls]", '[defaults]\nrenew_key = "keep"\n\n[tls]')
    shop.build()
    shop.edit(
        'name = "desk1.example.com"\nrole = "client"\nkey = "ec-p256"',
        'name = "desk1.example.com"\nrole = "client"\nkey = "ec-p384"',
    )
    assert shop.changes()[DESK_1] == {"key-changed"}
    before = (shop.host("desk1") / "client-key.pem").read_bytes()
    shop.build()
    assert (shop.host("desk1") / "client-key.pem").read_bytes() != before


def test_a_plan_says_until_when_a_renewed_certificate_must_be_installed(built_shop: Shop) -> None:
    built_shop.now += timedelta(days=370)
    plan = built_shop.plan()
    renewed = [one for one in plan.changes if one.action.value == "renew" and one.host]
    assert {one.install_by for one in renewed} == {TODAY + timedelta(days=397, hours=-1, seconds=-1)}
    text = render_plan_text(plan, colour=False)
    assert "install by  2027-12-26, when what it has now ends" in text
    assert read_plan_json(render_plan_json(plan).encode(), "saved") == plan
    document = json.loads(render_plan_json(plan))
    assert document["changes"][0]["install_by"] == "2027-12-26T10:59:59Z"
