"""Each rule has a declaration that breaks it and the text people then read.

``tests/golden/RULE[-variant].toml`` beside ``.txt``; ``.json`` says what the declaration alone cannot:
files included, permissions, certificates issued. ``REGENERATE=1 pytest tests/test_golden.py`` writes the
texts anew; read each one as an administrator who knows printing before it is committed.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from ipmpki.diagnostics.problem import Place, Problem, Related, Severity
from ipmpki.operations import check
from ipmpki.render.problems.text import render_text
from ipmpki.rules import engine
from ipmpki.rules.catalog import registered
from ipmpki.rules.context import (
    Access,
    KeyFile,
    LostStore,
    RootlessAuthority,
    ScopeOfNames,
    Secret,
    Surroundings,
)
from ipmpki.store.records import Issued
from tests.places import GOLDEN
from tests.problems import NOW, certificate_until
from tests.tools import writes_goldens

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.store.records import IssuedCertificate

DECLARATIONS = sorted(GOLDEN.glob("*.toml"))


def rule_of(path: Path) -> str:
    """The rule a golden file is named after: the longest rule name that begins its own."""
    return max(
        (name for name in registered() if path.stem == name or path.stem.startswith(f"{name}-")), key=len
    )


def text_of(declaration: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What people read who check a golden declaration."""
    beside = declaration.with_suffix(".json")
    told: dict[str, Any] = json.loads(beside.read_text("utf-8")) if beside.exists() else {}
    if "breaks" in told:
        break_rule(told["breaks"], monkeypatch)
    readings = [check.read("pki.toml", declaration.read_bytes())]
    readings += [check.read(name, text.encode()) for name, text in told.get("included", {}).items()]
    further = [
        Problem(
            one["rule"],
            Severity(one.get("severity", "error")),
            one["message"],
            one["help"],
            Place("pki.toml", tuple(one["path"])),
            tuple(Related(other["message"], place_of(other)) for other in one.get("related", ())),
        )
        for one in told.get("further", ())
    ]
    return render_text(check.check(readings, surroundings_of(told), further).problems)


def break_rule(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a rule fail on whatever it judges."""

    def fail(_: object) -> list[Any]:
        raise KeyError(name)

    rules = registered()
    monkeypatch.setattr(engine, "declared", lambda: {**rules, name: replace(rules[name], host_check=fail)})


def surroundings_of(told: dict[str, Any]) -> Surroundings:
    """The surroundings that a golden file's JSON tells of."""
    files = tuple(
        KeyFile(one["path"], int(one["mode"], 8), Place("pki.toml", tuple(one["at"])))
        for one in told.get("key_files", ())
    )
    accesses = tuple(
        Access(
            one["path"],
            int(one["mode"], 8),
            place_of(one),
            is_folder=one.get("is_folder", False),
            owner=one.get("owner"),
            group=one.get("group"),
        )
        for one in told.get("accesses", ())
    )
    secrets = tuple(
        Secret(one["path"], one["absolute"], place_of(one), one.get("repository"))
        for one in told.get("secrets", ())
    )
    if accesses or secrets:
        return Surroundings(NOW, accesses=accesses, secrets=secrets)
    if {"scope", "rootless"} & told.keys():
        rootless = RootlessAuthority(*told["rootless"]) if "rootless" in told else None
        return Surroundings(NOW, rootless=rootless, scope=scope_of(told.get("scope")))
    if "lost" in told:
        return Surroundings(NOW, lost=LostStore(**told["lost"], place=Place("pki.toml")))
    if {"newer_list", "revoked"} & told.keys():
        issued = Issued(listed_revocations=told["revoked"]) if "revoked" in told else None
        ours, theirs = told.get("newer_list", (None, None))
        return Surroundings(NOW, issued=issued, newer_list=(ours, theirs) if ours else None)
    changed = told.get("bundle_changed_at")
    untrusted = tuple(told.get("untrusted", {}).items())
    if "authority" not in told:
        moment = datetime.fromisoformat(changed) if changed else None
        return Surroundings(NOW, files, None, moment, untrusted)
    issued = Issued(
        signers=(ends(told["authority"]),),
        current={host: current(host, one) for host, one in told["current"].items()},
    )
    last = told.get("last_event_at")
    issued = replace(issued, last_event_at=datetime.fromisoformat(last) if last else None)
    return Surroundings(NOW, files, issued)


def scope_of(told: dict[str, Any] | None) -> ScopeOfNames | None:
    """The names that a golden file's JSON says an authority cannot certify."""
    if told is None:
        return None
    return ScopeOfNames(told["authority"], {host: tuple(names) for host, names in told["outside"].items()})


def place_of(one: dict[str, Any]) -> Place:
    """Where a golden file's JSON says that something is declared; its file as such, if nowhere."""
    return Place(one.get("file", "pki.toml"), tuple(one.get("at", ())))


def ends(moment: str) -> Any:
    """All that a rule looks at of an authority made for ten years."""
    end = datetime.fromisoformat(moment)
    return SimpleNamespace(identity=1, not_before=end - timedelta(days=3650), not_after=end)


def current(host: str, told: str | dict[str, str]) -> IssuedCertificate:
    """A certificate in force: its end, or with the day and the reason of its revocation."""
    said = {"not_after": told} if isinstance(told, str) else told
    revoked = datetime.fromisoformat(said["revoked_at"]) if "revoked_at" in said else None
    certificate = certificate_until(host, datetime.fromisoformat(said["not_after"]))
    return certificate._replace(revoked_at=revoked, revocation_reason=said.get("reason"))


@pytest.mark.parametrize("declaration", DECLARATIONS, ids=lambda path: path.stem)
def test_a_golden_declaration_reads_as_written(declaration: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = text_of(declaration, monkeypatch)
    expected = declaration.with_suffix(".txt")
    if writes_goldens():
        expected.write_text(text, "utf-8")
    assert text == expected.read_text("utf-8")
    assert f"[{rule_of(declaration)}]: " in text


def test_each_rule_has_a_golden_declaration() -> None:
    declared = {name for name, rule in registered().items() if not rule.is_about_presented_only}
    assert {
        rule_of(path) for path in DECLARATIONS
    } == declared  # the others' are in tests/operations/verify/golden


def test_each_golden_file_is_used() -> None:
    stems = {path.stem for path in DECLARATIONS}
    for path in GOLDEN.iterdir():
        assert path.suffix in {".toml", ".txt", ".json"}, path.name
        assert path.stem in stems, f"{path.name} has no declaration"
