"""Runs every rule over a fleet. A rule that breaks down becomes a problem; the others go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.problem import Fix, Place, Problem, Remove, Replace, Severity
from ipmpki.diagnostics.wording import certain, closest, quote
from ipmpki.rules.catalog import declared, registered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.rules.context import Surroundings
    from ipmpki.rules.registry import Finding, Rule
    from ipmpki.x509.presented_certificates import Presented


def judge(fleet: Fleet, surroundings: Surroundings) -> tuple[Problem, ...]:
    """Every problem that the rules find, unordered.

    ``[rules] ignore`` silences warnings and infos. The name of an error in it is a problem of its own
    (``ignored-error``), and so is a name that no rule has (``wrong-value``).
    """
    return (*judge_declaration(fleet), *judge_state(fleet, surroundings))


def judge_declaration(fleet: Fleet) -> tuple[Problem, ...]:
    """What is wrong whatever was issued and whenever it is."""
    running = _running(fleet)
    problems = [problem for problem in _judge_ignored(fleet) if problem.rule in running]
    for rule in running.values():
        problems.extend(_run(rule, fleet))
    return tuple(problems)


def judge_state(fleet: Fleet, surroundings: Surroundings) -> tuple[Problem, ...]:
    """What is wrong with the state of things: certificates issued, files' permissions, the time."""
    problems: list[Problem] = []
    for rule in _running(fleet).values():
        problems.extend(_run_on_state(rule, fleet, surroundings))
    return tuple(problems)


def _running(fleet: Fleet) -> dict[str, Rule]:
    """The rules that the declaration does not silence, by name."""
    return {
        name: rule
        for name, rule in declared().items()
        if rule.severity is Severity.ERROR or name not in fleet.ignored_rules
    }


def judge_presented(presented: Presented) -> tuple[Problem, ...]:
    """Every problem that the rules find in what was shown to ``ipmpki verify``, unordered."""
    problems: list[Problem] = []
    for rule in registered().values():
        if rule.presented_check is not None:
            check = rule.presented_check
            problems.extend(_guarded(rule, lambda: check(presented), Place("")))  # noqa: B023 -- used up at once
    return tuple(dict.fromkeys(problems))


def _run(rule: Rule, fleet: Fleet) -> Iterator[Problem]:
    if rule.host_check is not None:
        check = rule.host_check
        for host in fleet.hosts:
            try:
                for finding in check(host):
                    yield _problem(rule, finding)
            except Exception as fault:  # noqa: BLE001 -- whatever breaks in a rule must not hide the others
                yield _breakdown(rule, fault, host.place)
    if rule.fleet_check is not None:
        whole = rule.fleet_check
        yield from _guarded(rule, lambda: whole(fleet), fleet.place)


def _run_on_state(rule: Rule, fleet: Fleet, surroundings: Surroundings) -> Iterator[Problem]:
    if rule.dated_check is not None:
        dated = rule.dated_check
        yield from _guarded(rule, lambda: dated(fleet, surroundings.now), fleet.place)
    if rule.state_check is not None:
        state = rule.state_check
        yield from _guarded(rule, lambda: state(fleet, surroundings), fleet.place)


def _guarded(rule: Rule, check: Callable[[], Iterable[Finding]], place: Place) -> Iterator[Problem]:
    try:
        for finding in check():
            yield _problem(rule, finding)
    except Exception as fault:  # noqa: BLE001 -- whatever breaks in a rule must not hide the others
        yield _breakdown(rule, fault, place)


def _problem(rule: Rule, finding: Finding) -> Problem:
    return Problem(
        rule.name,
        rule.severity,
        finding.message,
        finding.help,
        finding.place,
        finding.related,
        fix=finding.fix,
    )


def _breakdown(rule: Rule, fault: Exception, place: Place) -> Problem:
    return Problem(
        "internal-error",
        Severity.ERROR,
        f"the rule {rule.name} broke down: {type(fault).__name__}",
        "this is a mistake in ipmpki, not in your file; please report it with the line shown",
        place,
    )


def _judge_ignored(fleet: Fleet) -> Iterator[Problem]:
    rules = registered() if fleet.ignored_rules else {}
    for index, name in enumerate(fleet.ignored_rules):
        place = fleet.place.at("rules", "ignore", index)
        if not fleet.was_read(*place.path):
            continue
        if name not in rules:
            guess = closest(name, list(rules))
            meant = certain(name, rules)
            yield Problem(
                "wrong-value",
                Severity.ERROR,
                f"no rule is named {quote(name)}",
                f"did you mean '{guess}'?" if guess else "'ipmpki rules' lists them all",
                place,
                fix=Fix(f"write '{meant}'", (Replace(place, meant),)) if meant else None,
            )
        elif rules[name].severity is Severity.ERROR:
            yield Problem(
                "ignored-error",
                Severity.WARNING,
                f"{quote(name)} is an error, and errors cannot be ignored",
                "take it off the list, and mend what it reports",
                place,
                fix=Fix("take it off the list", (Remove(place),)),
            )
