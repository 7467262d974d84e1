"""One authority takes over from another: both trusted, everything issued anew, the one before gone."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from ipmpki.diagnostics.fault import WrongUse
from ipmpki.operations.installed import record_installed
from ipmpki.plans.plan import Stage
from ipmpki.plans.saved_plan import read_plan_json, render_plan_json
from ipmpki.render.plan.text import render_plan_text
from ipmpki.store.sqlite.queries import read_issued
from tests.cli.command import ipmpki
from tests.render.host_folder.installation import Installation
from tests.shop import HEAD, SERVER, TODAY, Shop, client

if TYPE_CHECKING:
    from pathlib import Path

NEXT = ('common_name = "Acme Print CA"\n', 'common_name = "Acme Print CA"\ngeneration = 2\n')
CRL_KEYWORD = '\n[ipm.keywords]\ncrl_file = "NameReadOffTheSample"\n'


def trusted(shop: Shop, host: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates((shop.host(host) / "ca-cert.pem").read_bytes())


def key_of_issuer(shop: Shop, host: str, role: str = "client") -> bytes:
    leaf = x509.load_pem_x509_certificate((shop.host(host) / f"{role}-cert.pem").read_bytes())
    identifier = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert identifier is not None
    return identifier


def own_key(authority: x509.Certificate) -> bytes:
    return authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def say_installed(shop: Shop, *hosts: str) -> None:
    record_installed(shop.load(), [f"{host}.example.com" for host in hosts] or None)


def stage(shop: Shop) -> Stage | None:
    rollover = shop.plan().rollover
    return rollover.stage if rollover else None


def test_a_successor_is_trusted_first_then_issues_then_stands_alone(built_shop: Shop) -> None:
    (old,) = trusted(built_shop, "desk1")
    built_shop.edit(*NEXT)
    assert stage(built_shop) is Stage.TRUST_BOTH
    assert not built_shop.plan().replaces_ca
    assert built_shop.actions() == {
        ("ca-certificate", None): "create",
        ("folder", "ipm1"): "replace",
        ("folder", "desk1"): "replace",
        ("folder", "desk2"): "replace",
        ("crl", None): "renew",
    }
    built_shop.build()
    assert built_shop.changes() == {}
    both = trusted(built_shop, "desk1")
    assert both[0] == old
    new = both[1]
    assert trusted(built_shop, "ipm1") == both
    assert key_of_issuer(built_shop, "desk1") == own_key(old)

    say_installed(built_shop)
    assert stage(built_shop) is Stage.REISSUE
    assert {named for named, action in built_shop.actions().items() if action == "replace"} == {
        ("server-certificate", "ipm1"),
        ("client-certificate", "desk1"),
        ("client-certificate", "desk2"),
    }
    built_shop.build()
    assert built_shop.changes() == {}
    assert trusted(built_shop, "desk1") == both
    assert key_of_issuer(built_shop, "desk1") == own_key(new)

    say_installed(built_shop)
    assert stage(built_shop) is Stage.RETIRE
    assert built_shop.actions() == {
        ("ca-certificate", None): "remove",
        ("folder", "ipm1"): "replace",
        ("folder", "desk1"): "replace",
        ("folder", "desk2"): "replace",
        ("crl", None): "renew",
        ("report", None): "restore",
    }
    built_shop.build()
    assert trusted(built_shop, "desk1") == [new]
    assert (built_shop.dist / "ca/ca-cert.pem").read_bytes() == (
        built_shop.host("ipm1") / "ca-cert.pem"
    ).read_bytes()
    assert built_shop.changes() == {}
    assert stage(built_shop) is None


def test_the_next_step_waits_for_the_last_host(built_shop: Shop) -> None:
    built_shop.edit(*NEXT)
    built_shop.build()
    say_installed(built_shop, "ipm1", "desk1")
    plan = built_shop.plan()
    assert plan.rollover is not None
    assert (plan.rollover.stage, plan.rollover.waiting) == (Stage.TRUST_BOTH, ("desk2.example.com",))
    text = render_plan_text(plan)
    assert "step 1 of 3" in text
    assert "Not known of 1 host: desk2.example.com" in " ".join(text.split())
    say_installed(built_shop, "desk2")
    assert stage(built_shop) is Stage.REISSUE


def test_a_host_that_is_taken_out_is_not_waited_for(built_shop: Shop) -> None:
    built_shop.edit(*NEXT)
    built_shop.build()
    say_installed(built_shop, "ipm1", "desk1")
    built_shop.edit(client("desk2"), "")
    assert stage(built_shop) is Stage.REISSUE


def test_what_was_installed_before_does_not_count(built_shop: Shop) -> None:
    say_installed(built_shop)
    built_shop.edit(*NEXT)
    built_shop.build()
    rollover = built_shop.plan().rollover
    assert rollover is not None
    assert (rollover.stage, len(rollover.waiting)) == (Stage.TRUST_BOTH, 3)


def test_a_folder_that_is_not_built_yet_cannot_have_been_installed(built_shop: Shop) -> None:
    built_shop.edit(*NEXT)
    built_shop.build()
    built_shop.edit(
        'name = "desk1.example.com"\n', 'name = "desk1.example.com"\naliases = ["d1.example.com"]\n'
    )
    with pytest.raises(WrongUse, match="not up to date"):
        say_installed(built_shop, "desk1")
    assert read_issued(built_shop.store).installed == {}


def test_a_new_host_during_the_first_step_is_believed_by_all(built_shop: Shop) -> None:
    (old,) = trusted(built_shop, "desk1")
    built_shop.edit(*NEXT)
    built_shop.build()
    built_shop.write(built_shop.text + client("desk3"))
    built_shop.build()
    assert key_of_issuer(built_shop, "desk3") == own_key(old)
    assert len(trusted(built_shop, "desk3")) == 2


def test_a_certificate_due_during_the_first_step_is_renewed_by_the_authority_before(built_shop: Shop) -> None:
    (old,) = trusted(built_shop, "desk1")
    built_shop.edit(*NEXT)
    built_shop.build()
    built_shop.now += timedelta(days=380)
    assert built_shop.actions()["client-certificate", "desk1"] == "renew"
    built_shop.build()
    assert key_of_issuer(built_shop, "desk1") == own_key(old)
    assert stage(built_shop) is Stage.TRUST_BOTH


def test_a_host_removed_meanwhile_is_on_the_list_of_its_own_authority(built_shop: Shop) -> None:
    (old,) = trusted(built_shop, "desk1")
    serial = x509.load_pem_x509_certificate(
        (built_shop.host("desk2") / "client-cert.pem").read_bytes()
    ).serial_number
    built_shop.edit(*NEXT)
    built_shop.build()
    built_shop.edit(client("desk2"), "")
    built_shop.build()
    blocks = (built_shop.dist / "ca/crl.pem").read_text().split("-----END X509 CRL-----\n")[:-1]
    lists = [x509.load_pem_x509_crl((one + "-----END X509 CRL-----\n").encode()) for one in blocks]
    assert len(lists) == 2
    naming = [one for one in lists if one.get_revoked_certificate_by_serial_number(serial) is not None]
    assert len(naming) == 1
    assert naming[0].is_signature_valid(old.public_key())  # type: ignore[arg-type]
    assert built_shop.changes() == {}


def test_another_kind_of_key_takes_over_in_steps_too(built_shop: Shop) -> None:
    built_shop.edit('key = "ec-p256"\n\n[tls]', 'key = "ec-p384"\n\n[tls]')
    plan = built_shop.plan()
    assert plan.rollover is not None
    assert plan.rollover.stage is Stage.TRUST_BOTH
    assert {one.reasons[0].code.value for one in plan.changes if one.artifact == "ca-certificate"} == {
        "key-changed"
    }


def test_another_name_alone_still_needs_leave_as_it_may_be_a_slip(built_shop: Shop) -> None:
    built_shop.edit("Acme Print CA", "Acme Printing CA")
    assert built_shop.plan().replaces_ca
    assert built_shop.plan().rollover is None
    built_shop.edit(
        'common_name = "Acme Printing CA"\n', 'common_name = "Acme Printing CA"\ngeneration = 2\n'
    )
    assert not built_shop.plan().replaces_ca
    assert stage(built_shop) is Stage.TRUST_BOTH


def test_leave_to_replace_makes_short_work_of_it(built_shop: Shop) -> None:
    built_shop.edit(*NEXT)
    assert built_shop.plan(replace_ca=True).replaces_ca
    built_shop.build(replace_ca=True)
    assert len(trusted(built_shop, "desk1")) == 1
    assert built_shop.changes() == {}
    assert stage(built_shop) is None


def test_taking_it_back_lets_the_successor_go(built_shop: Shop) -> None:
    (old,) = trusted(built_shop, "desk1")
    built_shop.edit(*NEXT)
    built_shop.build()
    built_shop.edit(NEXT[1], NEXT[0])
    say_back = built_shop.plan()
    assert say_back.rollover is not None
    assert say_back.rollover.stage is not Stage.RETIRE or say_back.rollover.retires
    for _ in range(3):
        built_shop.build()
        say_installed(built_shop)
    built_shop.build()
    assert trusted(built_shop, "desk1") == [old]
    assert key_of_issuer(built_shop, "desk1") == own_key(old)
    assert built_shop.changes() == {}


def test_an_authority_that_comes_to_its_end_gets_its_successor_in_time(tmp_path: Path) -> None:
    shop = Shop(
        tmp_path,
        text=HEAD.replace('key = "ec-p256"', 'key = "ec-p256"\nlifetime = "10y"') + SERVER + client("desk1"),
    )
    shop.build()
    (old,) = trusted(shop, "desk1")
    while shop.plan().rollover is None:
        assert shop.now < old.not_valid_after_utc - timedelta(days=397)
        shop.now += timedelta(days=60)
        shop.build()
    shop.build()
    assert shop.changes() == {}
    for expected in (Stage.TRUST_BOTH, Stage.REISSUE, Stage.RETIRE):
        assert stage(shop) is expected
        shop.build()
        say_installed(shop)
    (new,) = trusted(shop, "desk1")
    assert new != old
    assert new.subject == old.subject
    assert stage(shop) is None


def test_one_that_has_ended_meanwhile_is_no_longer_waited_for(tmp_path: Path) -> None:
    shop = Shop(
        tmp_path,
        text=HEAD.replace('key = "ec-p256"', 'key = "ec-p256"\nlifetime = "2y"') + SERVER + client("desk1"),
    )
    shop.build()
    shop.edit('lifetime = "2y"\n', 'lifetime = "10y"\ngeneration = 2\n')
    shop.build()
    shop.now = TODAY + timedelta(days=731)
    assert shop.actions()["ca-certificate", None] == "remove"
    shop.build()
    assert len(trusted(shop, "desk1")) == 1
    assert shop.changes() == {}


def test_a_plan_with_a_rollover_survives_being_saved(built_shop: Shop) -> None:
    built_shop.edit(*NEXT)
    plan = built_shop.plan()
    assert read_plan_json(render_plan_json(plan).encode(), "saved") == plan
    assert json.loads(render_plan_json(plan))["rollover"]["stage"] == "trust-both"
    assert built_shop.build(saved=plan).plan == plan


def test_saying_installed_on_the_command_line(built_shop: Shop) -> None:
    built_shop.edit(*NEXT)
    built_shop.build()
    told = ipmpki("installed", built_shop.declaration, "ipm1.example.com")
    assert (told.status, told.err) == (0, "")
    assert "recorded as installed: 1 host" in told.out
    assert "desk1.example.com, desk2.example.com" in " ".join(told.out.split())
    assert ipmpki("installed", built_shop.declaration).status == 2
    mistyped = ipmpki("installed", built_shop.declaration, "desk11.example.com")
    assert mistyped.status == 2
    assert "did you mean 'desk1.example.com'?" in mistyped.err
    assert ipmpki("installed", built_shop.declaration, "--all").status == 0
    assert stage(built_shop) is Stage.REISSUE


def test_a_build_says_what_its_rollover_waits_for(built_shop: Shop) -> None:
    built_shop.edit(*NEXT)
    told = " ".join(ipmpki("build", built_shop.declaration).out.split())
    assert "step 1 of 3" in told
    assert "say so: ipmpki installed pki.toml HOST... (or --all)" in told


def test_a_host_that_waits_for_its_first_certificate_is_not_waited_for(built_shop: Shop) -> None:
    built_shop.write(built_shop.text + client("desk9", csr="desk9.csr").replace('key = "ec-p256"\n', ""))
    built_shop.edit(*NEXT)
    built_shop.build()
    for expected in (Stage.TRUST_BOTH, Stage.REISSUE, Stage.RETIRE):
        assert stage(built_shop) is expected
        built_shop.build()
        say_installed(built_shop)
    built_shop.build()
    assert stage(built_shop) is None
    assert [one.host for one in built_shop.plan().awaited] == ["desk9.example.com"]


def test_saying_it_twice_adds_nothing_to_the_ledger(built_shop: Shop) -> None:
    say_installed(built_shop)
    before = read_issued(built_shop.store).last_event
    built_shop.now += timedelta(hours=1)
    say_installed(built_shop)
    assert read_issued(built_shop.store).last_event == before


def test_servers_get_the_lists_of_both_authorities(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD + CRL_KEYWORD + SERVER + client("desk1"))
    shop.build()
    shop.edit(*NEXT)
    shop.build()
    assert (shop.host("ipm1") / "crl.pem").read_text().count("BEGIN X509 CRL") == 2
    assert (shop.host("ipm1") / "crl.pem").read_bytes() == (shop.dist / "ca/crl.pem").read_bytes()
    assert shop.changes() == {}


def test_the_report_explains_the_step_and_tells_what_is_installed(built_shop: Shop) -> None:
    built_shop.edit(*NEXT)
    built_shop.build()
    text = " ".join((built_shop.dist / "report.txt").read_text().split())
    assert "first of three steps" in text
    assert "not known of 3 hosts yet" in text
    assert "first of three steps" in (built_shop.dist / "report.html").read_text()
    say_installed(built_shop)
    built_shop.build()
    document = json.loads((built_shop.dist / "report.json").read_text())
    assert document["rollover"]["stage"] == "reissue"
    assert all(one["install_by"] == "2027-12-26T10:59:59Z" for one in document["hosts"])
    text = " ".join((built_shop.dist / "report.txt").read_text().split())
    assert "2027-12-26, 396 days left: Install: the certificate it has ends then" in text
    say_installed(built_shop)
    built_shop.build()
    document = json.loads((built_shop.dist / "report.json").read_text())
    assert document["rollover"] is None
    assert all(one["installed_at"] is None for one in document["hosts"]), "whom they trust has changed again"
    say_installed(built_shop)
    built_shop.build()
    document = json.loads((built_shop.dist / "report.json").read_text())
    assert all(one["installed_at"] == "2026-11-24T12:00:00Z" for one in document["hosts"])
    before = built_shop.bytes_on_disk()
    built_shop.build()
    assert built_shop.bytes_on_disk() == before


REVOKING = ('common_name = "Acme Print CA"\n', 'common_name = "Acme Print CA"\nrevoke_replaced = true\n')


def test_a_replaced_certificate_is_revoked_when_the_one_in_its_place_is_installed(built_shop: Shop) -> None:
    old = x509.load_pem_x509_certificate((built_shop.host("desk1") / "client-cert.pem").read_bytes())
    built_shop.edit(*REVOKING)
    built_shop.edit(
        'name = "desk1.example.com"\n', 'name = "desk1.example.com"\naliases = ["d1.example.com"]\n'
    )
    built_shop.build()
    assert built_shop.changes() == {}, "the host may still show the one before"
    say_installed(built_shop, "desk1")
    assert built_shop.actions() == {
        ("client-certificate", "desk1"): "revoke",
        ("crl", None): "renew",
        ("report", None): "restore",
    }
    assert f"{old.serial_number:X}" in render_plan_text(built_shop.plan())
    built_shop.build()
    crl = x509.load_pem_x509_crl((built_shop.dist / "ca/crl.pem").read_bytes())
    entry = crl.get_revoked_certificate_by_serial_number(old.serial_number)
    assert entry is not None
    assert (
        entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.superseded
    )
    assert "desk1.example.com" in read_issued(built_shop.store).current
    assert built_shop.changes() == {}


def test_a_replaced_certificate_is_not_revoked_for_what_was_installed_before(built_shop: Shop) -> None:
    built_shop.edit(*REVOKING)
    built_shop.build()
    say_installed(built_shop)
    built_shop.edit(
        'name = "desk1.example.com"\n', 'name = "desk1.example.com"\naliases = ["d1.example.com"]\n'
    )
    built_shop.build()
    assert built_shop.changes() == {}, "the host is known to have the one before, and so to show it"
    assert len(x509.load_pem_x509_crl((built_shop.dist / "ca/crl.pem").read_bytes())) == 0


def test_unasked_nothing_that_was_replaced_is_revoked(built_shop: Shop) -> None:
    built_shop.edit(
        'name = "desk1.example.com"\n', 'name = "desk1.example.com"\naliases = ["d1.example.com"]\n'
    )
    built_shop.build()
    say_installed(built_shop)
    assert ("client-certificate", "desk1") not in built_shop.changes()


def receipt(shop: Shop, host: str, root: Path) -> Path:
    """What install.sh has recorded on a host."""
    Installation(shop.host(host), root).run()
    return root / "etc/ipm/.ipmpki/installed"


def test_a_hosts_own_record_says_what_it_has_installed(built_shop: Shop, tmp_path: Path) -> None:
    built_shop.edit(*NEXT)
    root = tmp_path / "desk1"
    root.mkdir()
    before = receipt(built_shop, "desk1", root)
    built_shop.build()
    older = ipmpki("installed", built_shop.declaration, "--receipt", before)
    assert (older.status, read_issued(built_shop.store).installed) == (1, {})
    assert "desk1.example.com: has something else; ca-cert.pem is not as published" in older.out
    told = ipmpki("installed", built_shop.declaration, "--receipt", receipt(built_shop, "desk1", root))
    assert told.status == 0
    assert "desk1.example.com: has installed what is published for it" in told.out
    rollover = built_shop.plan().rollover
    assert rollover is not None
    assert rollover.waiting == ("ipm1.example.com", "desk2.example.com")


@pytest.mark.parametrize("lost", ["ca-cert.pem", "client-cert.pem", "client-key.pem"])
def test_a_record_that_lacks_a_file_is_no_record_of_an_installation(
    built_shop: Shop, tmp_path: Path, lost: str
) -> None:
    folder = built_shop.host("desk1")
    names = [path.name for path in sorted(folder.glob("*.pem")) if path.name != lost]
    lines = [f"file client {name} {sha256((folder / name).read_bytes()).hexdigest()} -\n" for name in names]
    record = tmp_path / "desk1.example.com.txt"
    record.write_text("".join(lines))
    told = ipmpki("installed", built_shop.declaration, "--receipt", record)
    assert f"desk1.example.com: has something else; {lost} is not as published" in told.out
    assert (told.status, read_issued(built_shop.store).installed) == (1, {})
    whole = f"file client {lost} {sha256((folder / lost).read_bytes()).hexdigest()} -\n"
    record.write_text("".join([*lines, whole]))
    assert ipmpki("installed", built_shop.declaration, "--receipt", record).status == 0


def test_a_host_without_a_certificate_is_told_by_the_name_of_its_record(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    shop = Shop(tmp_path / "site", text=HEAD.replace("required", "off") + SERVER + client("desk1"))
    shop.build()
    root = tmp_path / "desk1"
    root.mkdir()
    record = receipt(shop, "desk1", root)
    assert ipmpki("installed", shop.declaration, "--receipt", record).status == 2
    named = tmp_path / "desk1.example.com"
    named.write_bytes(record.read_bytes())
    assert ipmpki("installed", shop.declaration, "--receipt", named).status == 0
    assert set(read_issued(shop.store).installed) == {"desk1.example.com"}


def test_what_is_no_record_is_refused(built_shop: Shop) -> None:
    told = ipmpki("installed", built_shop.declaration, "--receipt", built_shop.declaration)
    assert told.status == 2
    assert "is no record of an installation" in told.err
