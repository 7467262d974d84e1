"""check, plan, build, rules, explain and schema on the command line."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ipmpki.rules.catalog import registered
from tests.cli.command import ipmpki
from tests.cli.pseudoterminal import on_terminal
from tests.shop import Shop, client

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def broken_shop(shop: Shop) -> Shop:
    shop.edit("10.1.2.3", "10.1.2.300")
    return shop


def test_check_without_problems_says_so_on_stderr(shop: Shop) -> None:
    checked = ipmpki("check", shop.declaration)
    assert (checked.status, checked.out) == (0, "")
    assert checked.err == f"{shop.declaration}: no problems (3 hosts)\n"


def test_check_shows_problems_as_text_on_stderr(broken_shop: Shop) -> None:
    checked = ipmpki("check", broken_shop.declaration)
    assert (checked.status, checked.out) == (1, "")
    assert "error[ip-invalid]" in checked.err


@pytest.mark.parametrize("settings", [{}, {"NO_COLOR": "1"}])
def test_on_a_terminal_a_warning_is_underlined_otherwise_than_an_error(
    shop: Shop, settings: dict[str, str]
) -> None:
    shop.edit('ips = ["10.1.2.3"]', 'ips = ["127.0.0.1", "10.1.2.300"]')
    shown = on_terminal(shop.folder, 100, "check", env=settings, with_errors=True)
    assert ("\x1b[" in shown) == (not settings)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert re.findall(r"^\w+\[|[~^.]{3,}", bare, re.MULTILINE) == ["warning[", "~" * 11, "error[", "^" * 12]
    piped = ipmpki("check", shop.declaration).err
    assert re.findall(r"[~^.]{3,}", piped) == ["^" * 11, "^" * 12]


@pytest.mark.parametrize("format_", ["json", "sarif", "github"])
def test_machine_formats_go_to_stdout(broken_shop: Shop, format_: str) -> None:
    checked = ipmpki("check", "--format", format_, broken_shop.declaration)
    assert (checked.status, checked.err) == (1, "")
    assert "ip-invalid" in checked.out
    if format_ == "json":
        assert json.loads(checked.out)["summary"] == {"errors": 1, "warnings": 0, "infos": 0}


def test_strict_lets_warnings_count(shop: Shop) -> None:
    shop.edit('ips = ["10.1.2.3"]', 'ips = ["127.0.0.1"]')
    assert ipmpki("check", shop.declaration).status == 0
    assert ipmpki("check", "--strict", shop.declaration).status == 1
    assert ipmpki("plan", "--strict", shop.declaration).status == 1
    refused = ipmpki("build", "--strict", shop.declaration)
    assert refused.status == 1
    assert not shop.store.exists()


def test_the_declaration_of_this_folder_needs_no_name(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.folder)
    assert ipmpki("check").err == "pki.toml: no problems (3 hosts)\n"


def test_build_says_what_it_did_and_what_comes_next(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.folder)
    built = ipmpki("build", "pki.toml")
    assert built.status == 0
    assert built.out.startswith("Done: 6 created.\n")
    assert "\n  ipm1.example.com   sudo sh install.sh\n" in built.out
    assert ipmpki("build", "pki.toml").out == "Nothing to do: everything is as declared (6 artifacts).\n"


def test_a_refused_build_writes_the_report_and_nothing_else(broken_shop: Shop) -> None:
    refused = ipmpki("build", broken_shop.declaration)
    assert refused.status == 1
    assert "error[ip-invalid]" in refused.err
    assert "nothing was changed" in refused.err
    assert sorted(path.name for path in broken_shop.dist.iterdir()) == [
        "report.html",
        "report.json",
        "report.txt",
    ]
    assert json.loads((broken_shop.dist / "report.json").read_bytes())["state"] == "refused"
    assert sorted(path.name for path in broken_shop.folder.iterdir()) == ["dist", "pki.toml"]


def test_a_refused_build_touches_nothing_that_was_published(built_shop: Shop) -> None:
    before = {path: found for path, found in built_shop.bytes_on_disk().items() if "report" not in path}
    built_shop.edit("10.1.2.3", "10.1.2.300")
    assert ipmpki("build", built_shop.declaration).status == 1
    assert {
        path: found for path, found in built_shop.bytes_on_disk().items() if "report" not in path
    } == before


def test_plan_tells_pending_changes_by_its_exit_status_only_when_asked(shop: Shop) -> None:
    assert ipmpki("plan", shop.declaration).status == 0
    assert ipmpki("plan", "--exit-code", shop.declaration).status == 3
    ipmpki("build", shop.declaration)
    assert ipmpki("plan", "--exit-code", shop.declaration).status == 0


def test_plan_as_json_is_one_document_on_stdout(shop: Shop) -> None:
    planned = ipmpki("plan", "--format", "json", shop.declaration)
    assert json.loads(planned.out)["summary"]["create"] == 6


def test_plan_at_another_day(shop: Shop) -> None:
    ipmpki("build", shop.declaration)
    day = datetime.now(UTC).date() + timedelta(days=380)
    planned = ipmpki("plan", "--at", day, "--format", "json", shop.declaration)
    assert {change["action"] for change in json.loads(planned.out)["changes"]} == {"renew"}
    assert ipmpki("plan", "--at", "soon", shop.declaration).status == 2


def test_a_saved_plan_is_built(shop: Shop, tmp_path: Path) -> None:
    saved = tmp_path / "tonight.plan"
    assert ipmpki("plan", "--out", saved, shop.declaration).status == 0
    assert ipmpki("build", "--plan", saved, shop.declaration).out.startswith("Done: 6 created.")
    moved = ipmpki("build", "--plan", saved, shop.declaration)
    assert moved.status == 2
    assert "the world has moved" in moved.err


def test_a_file_that_is_no_plan_is_told_so(shop: Shop) -> None:
    failed = ipmpki("build", "--plan", shop.declaration, shop.declaration)
    assert failed.status == 2
    assert "is not a saved plan" in failed.err


def test_another_authority_needs_leave(built_shop: Shop) -> None:
    built_shop.edit("Acme Print CA", "Acme Print CA 2")
    refused = ipmpki("build", built_shop.declaration)
    assert refused.status == 2
    assert "--replace-ca" in refused.err
    assert ipmpki("build", "--replace-ca", built_shop.declaration).status == 0


def test_where_certificates_are_bought_a_build_says_what_to_order(shop: Shop) -> None:
    shop.edit('common_name = "Acme Print CA"', 'kind = "third-party"')
    assert "third-party-with-mutual-auth" in ipmpki("check", shop.declaration).err
    planned = ipmpki("plan", shop.declaration)
    assert "+ create certificate request  ipm1.example.com" in planned.out
    assert "client certificate, to be ordered after this build" in planned.out
    built = ipmpki("build", shop.declaration)
    assert built.status == 0
    assert "Next, order 3 certificates, as" in built.out
    assert "it holds every key." in built.out
    assert "Nothing to do but to wait for 3 certificates" in ipmpki("build", shop.declaration).out
    waiting = json.loads(ipmpki("plan", "--format", "json", shop.declaration).out)["awaited"]
    assert [one["host"].partition(".")[0] for one in waiting] == ["ipm1", "desk1", "desk2"]
    assert all(one["since"] for one in waiting)


def test_infos_are_for_check_alone(shop: Shop) -> None:
    shop.edit('aliases = ["print.example.com"]', 'aliases = ["print"]')
    assert "single-label-alias" in ipmpki("check", shop.declaration).err
    assert ipmpki("plan", shop.declaration).err == ""
    assert ipmpki("build", shop.declaration).err == ""


def test_rules_lists_every_rule() -> None:
    listed = ipmpki("rules")
    assert [line.split()[0] for line in listed.out.splitlines()] == sorted(registered())
    assert {rule["name"] for rule in json.loads(ipmpki("rules", "--format", "json").out)["rules"]} == set(
        registered()
    )


def test_explain_prints_a_rules_page() -> None:
    assert ipmpki("explain", "partial-wildcard").out.startswith("# partial-wildcard (error)\n")


def test_explain_guesses_a_misspelt_rule() -> None:
    failed = ipmpki("explain", "partial-wildcart")
    assert failed.status == 2
    assert "did you mean 'partial-wildcard'?" in failed.err


@pytest.mark.parametrize("name", ["pki", "problems", "plan", "manifest", "adoption"])
def test_schema_prints_a_schema(name: str) -> None:
    assert json.loads(ipmpki("schema", name).out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_removing_a_host_says_nothing_of_installing_it(built_shop: Shop) -> None:
    built_shop.edit(client("desk2"), "")
    built = ipmpki("build", built_shop.declaration)
    assert "1 revoked" in built.out
    assert "desk2" not in built.out
