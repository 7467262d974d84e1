"""Running rules: what is ignored, what cannot be, and what happens when a rule breaks down."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ipmpki.diagnostics.problem import Problem, Severity
from ipmpki.rules import engine
from ipmpki.rules.catalog import registered
from tests.problems import AUTHORITY, CLIENT, QUIET, checked, rules_of, server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.rules.registry import Rule

ALIASES = AUTHORITY + server('aliases = ["ipm1", "ipm1.example.com"]') + CLIENT


def ignoring(*names: str) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    return f"{ALIASES}\n[rules]\nignore = [{listed}]\n"


def test_warnings_and_infos_can_be_ignored() -> None:
    assert rules_of(ALIASES) == ["single-label-alias", "alias-repeats-name"]
    assert rules_of(ignoring("alias-repeats-name")) == ["single-label-alias"]
    assert rules_of(ignoring("alias-repeats-name", "single-label-alias")) == []


def test_errors_cannot_be_ignored() -> None:
    text = ignoring("name-invalid", "alias-repeats-name", "single-label-alias").replace("desk1", "desk_1")
    found = [(one.problem.rule, one.problem.place.path) for one in checked(text).problems]
    assert found == [("name-invalid", ("hosts", 1, "name")), ("ignored-error", ("rules", "ignore", 0))]


def test_to_ignore_a_rule_that_does_not_exist_is_an_error_with_a_guess() -> None:
    found = checked(ignoring("alias-repeat-name", "nothing-like-it")).problems[2:]
    assert [(one.problem.rule, one.problem.help) for one in found] == [
        ("wrong-value", "did you mean 'alias-repeats-name'?"),
        ("wrong-value", "'ipmpki rules' lists them all"),
    ]


def breaking(rule: Rule) -> Rule:
    def fail(*_: object) -> Iterator[Any]:
        message = "hunter2"
        raise LookupError(message)
        yield

    return replace(
        rule,
        host_check=fail if rule.host_check else None,
        fleet_check=fail if rule.fleet_check else None,
        state_check=fail if rule.state_check else None,
    )


JUDGING = [rule for rule in registered().values() if rule.host_check or rule.fleet_check or rule.state_check]


@pytest.mark.parametrize("rule", JUDGING, ids=lambda rule: rule.name)
def test_a_rule_that_breaks_down_is_named_and_hides_no_other(
    rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = checked(ALIASES).fleet
    assert fleet is not None
    sound = engine.judge(fleet, QUIET)
    rules = {**registered(), rule.name: breaking(rule)}
    monkeypatch.setattr(engine, "declared", lambda: rules)
    found = engine.judge(fleet, QUIET)
    broken = [problem for problem in found if problem.rule == "internal-error"]
    assert {problem.message for problem in broken} == {f"the rule {rule.name} broke down: LookupError"}
    assert len(broken) == (len(fleet.hosts) if rule.host_check else 1)
    assert {problem for problem in sound if problem.rule != rule.name} <= set(found)


def test_every_problem_is_a_registered_rules_with_its_severity() -> None:
    rules = registered()
    for problem in everything():
        assert problem.severity is rules[problem.rule].severity


def everything() -> list[Problem]:
    text = (
        ignoring("name-invalid", "x").replace("desk1", "desk_1")
        + "x = 1\n[[hosts]]\nname = 1\nkey = 'rsa-1'\n[x\n"
    )
    found = [one.problem for one in checked(text).problems]
    assert {problem.severity for problem in found} == set(Severity)
    return found
