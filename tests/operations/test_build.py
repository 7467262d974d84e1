"""A project as a whole: authorities that exist, passphrases, included files, places of the store."""

from __future__ import annotations

import sqlite3
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization

from ipmpki.diagnostics.fault import Fault, WrongDeclaration, WrongUse
from ipmpki.operations.build import build
from ipmpki.operations.project import Refused
from ipmpki.store.sqlite.queries import read_issued
from ipmpki.x509 import keys
from ipmpki.x509.protection import Protection, protection_of
from tests.cli.command import ipmpki
from tests.shop import HEAD, SERVER, TODAY, Shop, client
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

PASSPHRASE = "the presses are waiting"  # noqa: S105 -- a test's


def openssl(folder: Path, *arguments: str) -> str:
    completed = subprocess.run(
        [require("openssl"), *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return completed.stdout


@pytest.fixture
def secret_shop(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop whose authority's key has a passphrase, from the environment."""
    monkeypatch.setenv("SHOP_PASSPHRASE", PASSPHRASE)
    shop.edit("\n[tls]", 'passphrase = { env = "SHOP_PASSPHRASE" }\n\n[tls]')
    return shop


def test_the_authoritys_key_is_encrypted_with_the_declared_passphrase(secret_shop: Shop) -> None:
    secret_shop.build()
    authority = read_issued(secret_shop.store).signer
    assert authority is not None
    assert protection_of(authority.key_pem) is Protection.SEALED
    assert PASSPHRASE.encode() not in secret_shop.store.read_bytes()
    assert secret_shop.changes() == {}


@pytest.mark.parametrize("value", ["wrong", "", None])
def test_a_wrong_passphrase_stops_a_build_before_anything_happens(
    secret_shop: Shop, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    secret_shop.build()
    secret_shop.write(secret_shop.text + client("desk3"))
    store, dist = secret_shop.store.read_bytes(), secret_shop.bytes_on_disk()
    if value is None:
        monkeypatch.delenv("SHOP_PASSPHRASE")
    else:
        monkeypatch.setenv("SHOP_PASSPHRASE", value)
    with pytest.raises(WrongDeclaration, match="passphrase") as fault:
        secret_shop.build()
    assert fault.value.remedy
    assert "wrong" not in fault.value.message
    assert (secret_shop.store.read_bytes(), secret_shop.bytes_on_disk()) == (store, dist)


def test_a_missing_passphrase_stops_the_first_build_before_there_is_a_store(
    secret_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_PASSPHRASE")
    with pytest.raises(WrongDeclaration, match="SHOP_PASSPHRASE"):
        secret_shop.build()
    assert [path.name for path in secret_shop.folder.iterdir()] == ["pki.toml"]


@pytest.mark.parametrize("written", ["hunter2", "hunter2!"])
def test_a_passphrase_in_the_place_of_its_variable_is_never_shown(shop: Shop, written: str) -> None:
    shop.edit("\n[tls]", f'passphrase = {{ env = "{written}" }}\n\n[tls]')
    outcome = ipmpki("build", str(shop.declaration))
    assert outcome.status == 1
    assert "the environment variable" in outcome.err or "passphrase-in-file" in outcome.err
    shown = [path.read_text("utf-8") for path in shop.folder.glob("dist/report.*")]
    assert "hunter2" not in outcome.out + outcome.err + "".join(shown)


def test_a_build_with_nothing_to_sign_needs_no_passphrase(
    secret_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_shop.build()
    monkeypatch.delenv("SHOP_PASSPHRASE")
    assert secret_shop.build().plan.changes == ()
    (secret_shop.host("desk1") / "README.txt").unlink()
    secret_shop.build()
    assert secret_shop.changes() == {}


def test_a_passphrase_declared_later_encrypts_the_stored_key(
    built_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSPHRASE", PASSPHRASE)
    before = read_issued(built_shop.store).signer
    assert before is not None
    built_shop.edit("\n[tls]", 'passphrase = { env = "SHOP_PASSPHRASE" }\n\n[tls]')
    assert built_shop.changes()[("ca-key", None)] == {"settings-changed"}
    built_shop.build()
    assert built_shop.changes() == {}
    authority = read_issued(built_shop.store).signer
    assert authority is not None
    assert protection_of(authority.key_pem) is Protection.SEALED
    secret = before.key_pem.split(b"\n")[1]
    assert secret not in built_shop.store.read_bytes()


def test_a_key_that_is_weakly_sealed_is_sealed_anew_by_who_has_the_passphrase(
    secret_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_shop.build()
    weak = pkcs8_of(secret_shop)
    with sqlite3.connect(secret_shop.store) as store:
        store.execute("UPDATE authority SET key = ?", (weak,))
    store.close()
    monkeypatch.delenv("SHOP_PASSPHRASE")
    assert secret_shop.changes() == {}
    monkeypatch.setenv("SHOP_PASSPHRASE", PASSPHRASE)
    assert secret_shop.changes() == {("ca-key", None): {"settings-changed"}}
    secret_shop.build()
    assert secret_shop.changes() == {}
    authority = read_issued(secret_shop.store).signer
    assert authority is not None
    assert protection_of(authority.key_pem) is Protection.SEALED
    assert weak.split(b"\n")[2] not in secret_shop.store.read_bytes()


def pkcs8_of(shop: Shop) -> bytes:
    """The key of the shop's authority, encrypted as the library does by default."""
    authority = read_issued(shop.store).signer
    assert authority is not None
    key = keys.load(authority.key_pem, PASSPHRASE.encode())
    encryption = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def test_a_passphrase_may_lie_in_a_file(shop: Shop) -> None:
    secret = shop.folder / "secret.txt"
    secret.touch(mode=0o600)
    secret.write_text(f"{PASSPHRASE}\r\nsecond line\n")
    shop.edit("\n[tls]", 'passphrase = { file = "secret.txt" }\n\n[tls]')
    shop.build()
    assert shop.load().problems == ()
    secret.chmod(0o644)
    assert [one.problem.rule for one in shop.load().problems] == ["private-key-readable"]
    secret.write_text("\n")
    shop.write(shop.text + client("desk3"))
    with pytest.raises(WrongDeclaration, match="empty first line"):
        shop.build()


def test_a_passphrase_no_longer_declared_is_asked_for(secret_shop: Shop) -> None:
    secret_shop.build()
    secret_shop.edit('passphrase = { env = "SHOP_PASSPHRASE" }\n', "")
    secret_shop.write(secret_shop.text + client("desk3"))
    with pytest.raises(WrongDeclaration, match="encrypted"):
        secret_shop.build()


@pytest.fixture
def company_shop(shop: Shop) -> Shop:
    """A shop whose company has an authority already, made with openssl."""
    openssl(
        shop.folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", "ca-key.pem", "-out", "ca-cert.pem", "-days", "3650", "-subj", "/O=Acme/CN=Acme Root",
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip
    (shop.folder / "ca-key.pem").chmod(0o600)
    shop.edit(
        'common_name = "Acme Print CA"\nkey = "ec-p256"\n',
        'certificate = "ca-cert.pem"\nkey_file = "ca-key.pem"\n',
    )
    # The authority is made on the machine's own clock; the shop's must not be earlier.
    from datetime import UTC, datetime

    shop.now = max(TODAY, datetime.now(UTC) + timedelta(minutes=1))
    return shop


def test_an_authority_that_exists_issues(company_shop: Shop) -> None:
    company_shop.build()
    assert company_shop.changes() == {}
    published = (company_shop.dist / "ca" / "ca-cert.pem").read_bytes()
    assert published == (company_shop.folder / "ca-cert.pem").read_bytes()
    openssl(
        company_shop.host("ipm1"), "verify", "-x509_strict", "-purpose", "sslserver",
        "-attime", str(int(company_shop.now.timestamp())), "-CAfile", "ca-cert.pem", "server-cert.pem",
    )  # fmt: skip


def test_an_authority_that_has_expired_is_refused_before_anything_happens(company_shop: Shop) -> None:
    company_shop.now += timedelta(days=3651)
    (error,) = company_shop.load().errors
    assert error.problem.rule == "authority-cannot-issue"
    assert "ended on 2036-11-" in error.problem.message
    with pytest.raises(Refused):
        company_shop.build()
    assert not company_shop.store.exists()


def test_an_adopted_authoritys_key_may_be_locked_away(company_shop: Shop) -> None:
    company_shop.build()
    (company_shop.folder / "ca-key.pem").unlink()
    company_shop.write(company_shop.text + client("desk3"))
    company_shop.build()
    assert company_shop.changes() == {}


def test_another_certificate_in_its_place_is_another_authority(company_shop: Shop) -> None:
    company_shop.build()
    openssl(
        company_shop.folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", "ca-key.pem", "-out", "ca-cert.pem", "-subj", "/CN=Other Root",
    )  # fmt: skip
    assert company_shop.changes()[("ca-certificate", None)] == {"issuer-changed"}


@pytest.mark.parametrize("name", ["ca-cert.pem", "ca-key.pem"])
def test_a_missing_file_of_an_authority_is_a_problem_with_its_place(company_shop: Shop, name: str) -> None:
    (company_shop.folder / name).unlink()
    (one,) = company_shop.load().problems
    assert one.problem.rule == "file-unreadable"
    assert name in one.problem.message
    assert one.label.lines[0].endswith(f'"{name}"')


def test_a_key_of_another_authority_is_refused_before_anything_happens(company_shop: Shop) -> None:
    openssl(
        company_shop.folder,
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-out",
        "ca-key.pem",
    )
    with pytest.raises(WrongDeclaration, match="belong"):
        company_shop.build()
    assert not company_shop.store.exists()


def test_an_authority_confined_to_other_names_is_refused_before_anything_happens(company_shop: Shop) -> None:
    openssl(
        company_shop.folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", "ca-key.pem", "-out", "ca-cert.pem", "-subj", "/CN=Other Root",
        "-addext", "nameConstraints=critical,permitted;DNS:other.org",
    )  # fmt: skip
    told = [one.problem for one in company_shop.load().errors]
    assert {one.rule for one in told} == {"name-not-permitted"}
    assert any("'ipm1.example.com'" in one.message for one in told)
    with pytest.raises(Refused):
        company_shop.build()
    assert not company_shop.store.exists()


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
@pytest.mark.parametrize("name", ["ca-cert.pem", "ca-key.pem"])
def test_an_authoritys_file_that_holds_none_is_told_by_the_check(
    company_shop: Shop, content: bytes, name: str
) -> None:
    (company_shop.folder / name).write_bytes(content)
    told = [one.problem for one in company_shop.load().errors]
    assert [one.rule for one in told] == ["file-unreadable"]
    assert told[0].help
    with pytest.raises(Refused):
        company_shop.build()


def test_the_key_s_file_may_go_once_the_authority_is_in_the_store(company_shop: Shop) -> None:
    company_shop.build()
    (company_shop.folder / "ca-key.pem").write_bytes(b"gone")
    assert company_shop.load().problems == ()


def test_hosts_come_from_included_files_too(shop: Shop) -> None:
    sites = shop.folder / "sites"
    sites.mkdir()
    (sites / "hill.toml").write_text(client("hill1"))
    (sites / "dale.toml").write_text(client("dale1"))
    shop.edit("schema = 1\n", 'schema = 1\ninclude = ["sites/*.toml"]\n')
    shop.build()
    assert shop.host("hill1").is_dir()
    assert shop.host("dale1").is_dir()
    assert shop.changes() == {}
    (sites / "dale.toml").unlink()
    assert shop.changes()[("client-certificate", "dale1")] == {"host-removed"}


def test_a_problem_in_an_included_file_names_that_file(shop: Shop) -> None:
    (shop.folder / "hill.toml").write_text('[[hosts]]\nname = "hill1"\nrole = "client"\nnme = 1\n')
    shop.edit("schema = 1\n", 'schema = 1\ninclude = ["hill.toml"]\n')
    found = {(one.problem.rule, one.label.file.rpartition("/")[2]) for one in shop.load().problems}
    assert found == {("name-not-fully-qualified", "hill.toml"), ("unknown-key", "hill.toml")}


def with_site(shop: Shop, patterns: str) -> list[tuple[str, str]]:
    """What is found where ``sites/hill.toml`` is included so: rules and messages."""
    (shop.folder / "sites").mkdir()
    (shop.folder / "sites" / "hill.toml").write_text(client("hill1"))
    shop.edit("schema = 1\n", f"schema = 1\ninclude = {patterns}\n")
    project = shop.load()
    assert project.fleet is not None
    assert len(project.fleet.hosts) == (4 if "sites" in patterns or "**" in patterns else 3)
    assert project.fleet.is_whole
    return [(one.problem.rule, one.problem.message) for one in project.problems]


def test_a_pattern_never_brings_in_the_declaration_itself(shop: Shop) -> None:
    assert with_site(shop, '["**/*.toml"]') == []


def test_a_pattern_that_matches_the_declaration_alone_is_told(shop: Shop) -> None:
    assert with_site(shop, '["*.toml"]') == [
        ("include-without-effect", "the pattern '*.toml' matches no file but this one")
    ]


def test_a_file_that_two_patterns_match_is_read_once(shop: Shop) -> None:
    assert with_site(shop, '["sites/*.toml", "sites/h*.toml"]') == [
        ("include-without-effect", "the pattern 'sites/h*.toml' brings in no file that is not there already")
    ]
    outcome = ipmpki("check", str(shop.declaration), "--fix")
    assert outcome.status == 0
    assert 'include = ["sites/*.toml"]\n' in shop.declaration.read_text("utf-8")


def test_patterns_that_share_some_of_their_files_are_no_mistake(shop: Shop) -> None:
    (shop.folder / "hall.toml").write_text("")
    assert with_site(shop, '["sites/*.toml", "**/h*.toml"]') == []


def test_a_problem_found_where_files_are_read_can_be_ignored(shop: Shop) -> None:
    shop.write(shop.text + '\n[rules]\nignore = ["include-without-effect"]\n')
    assert with_site(shop, '["*.toml"]') == []


@pytest.mark.parametrize("pattern", ["none/*.toml", "/", "../../..", "**", ""])
def test_an_include_that_brings_nothing_is_a_problem(shop: Shop, pattern: str) -> None:
    shop.edit("schema = 1\n", f'schema = 1\ninclude = ["{pattern}"]\n')
    rules = {one.problem.rule for one in shop.load().problems}
    assert rules & {
        "file-unreadable",
        "wrong-value",
        "duplicate-host",
        "unknown-key",
        "include-without-effect",
    }


def test_the_store_may_lie_elsewhere(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "safe place's").mkdir()
    shop.edit("schema = 1\n", 'schema = 1\nstore = "safe place\'s/100% #1?.db"\n')
    shop.build()
    assert (tmp_path / "safe place's" / "100% #1?.db").is_file()
    assert not shop.store.exists()
    assert shop.changes() == {}


def test_a_store_in_a_folder_that_is_not_there_is_told_by_the_check(shop: Shop) -> None:
    shop.edit("schema = 1\n", 'schema = 1\nstore = "safe/pki.db"\n')
    (told,) = (one.problem for one in shop.load().errors)
    assert "there is no folder" in told.message
    assert told.place.path == ("store",)
    with pytest.raises(Refused):
        shop.build()
    assert {path.name for path in shop.folder.iterdir()} <= {"pki.toml", "dist"}  # the report alone


@pytest.mark.parametrize("place", ["/", "..", "."])
def test_a_folder_is_no_store(shop: Shop, place: str) -> None:
    shop.edit("schema = 1\n", f'schema = 1\nstore = "{place}"\n')
    with pytest.raises(Fault, match="is a folder, not a store of ipmpki") as fault:
        shop.load()
    assert fault.value.remedy


def test_a_file_that_is_named_is_not_the_store_s_place(shop: Shop) -> None:
    """A build would make the store where the request is awaited, and be the last one that goes through."""
    shop.edit("schema = 1\n", 'schema = 1\nstore = "here"\n')
    shop.write(shop.text + client("desk9", csr="./here").replace('key = "ec-p256"\n', ""))
    (told,) = (one.problem for one in shop.load().errors)
    assert told.message == "'./here' is the store's place, too"
    assert told.place.path == ("hosts", 3, "csr")


def test_a_dist_that_cannot_be_written_stops_a_build_before_anything_is_issued(shop: Shop) -> None:
    shop.dist.write_text("mine")
    with pytest.raises(Fault, match="dist") as fault:
        shop.build()
    assert fault.value.remedy
    assert shop.dist.read_text() == "mine"
    assert read_issued(shop.store).signer is None


def test_an_authority_that_is_not_valid_yet_is_replaced_with_leave_alone(built_shop: Shop) -> None:
    built_shop.now = TODAY - timedelta(days=365)
    assert built_shop.changes()["ca-certificate", None] == {"not-yet-valid"}
    before = built_shop.store.read_bytes()
    with pytest.raises(WrongUse, match=r"not valid yet.* begins on 20\d\d-\d\d-\d\d at ") as fault:
        built_shop.build()
    assert fault.value.remedy is not None
    for way in ("the clock is behind, set it", "wait until then", "ipmpki build --replace-ca"):
        assert way in fault.value.remedy
    assert built_shop.store.read_bytes() == before
    built_shop.build(replace_ca=True)
    now = read_issued(built_shop.store)
    assert all(one.not_before < built_shop.now for one in now.signers)
    assert all(one.not_before < built_shop.now for one in now.current.values())
    assert built_shop.changes() == {}


def test_a_clock_far_before_the_authority_is_told_so(built_shop: Shop) -> None:
    built_shop.edit(client("desk2"), "")
    before = built_shop.store.read_bytes()
    built_shop.now = TODAY - timedelta(days=2000)
    with pytest.raises(Fault, match="clock says 2021-") as fault:
        built_shop.build()
    assert fault.value.remedy
    assert built_shop.store.read_bytes() == before
    built_shop.now = TODAY
    built_shop.build()
    assert built_shop.changes() == {}


def test_whoever_holds_one_hosts_folder_holds_nothing_of_another(built_shop: Shop) -> None:
    authority = read_issued(built_shop.store).signer
    assert authority is not None
    keys = {path.read_bytes() for path in built_shop.dist.rglob("*-key.pem")}
    assert len(keys) == 3
    for path in built_shop.dist.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert authority.key_pem not in content
            assert sum(key in content for key in keys) == (1 if path.name.endswith("-key.pem") else 0)


def test_a_server_only_shop_needs_no_clients(shop: Shop) -> None:
    shop.write(HEAD + SERVER)
    shop.build()
    assert shop.changes() == {}


def test_a_build_that_waited_for_another_does_what_is_left_to_do(shop: Shop) -> None:
    waiting = shop.load()
    shop.build()
    before = shop.bytes_on_disk()
    assert build(waiting).plan.changes == ()
    assert shop.bytes_on_disk() == before, "the other build made the authority, and all that was to be made"


def test_a_build_that_waited_for_another_issues_its_own_hosts_alone(built_shop: Shop) -> None:
    built_shop.edit(client("desk2"), client("desk2") + client("desk3"))
    waiting = built_shop.load()
    built_shop.build()
    third = (built_shop.host("desk3") / "client-cert.pem").read_bytes()
    build(waiting)
    assert (built_shop.host("desk3") / "client-cert.pem").read_bytes() == third
