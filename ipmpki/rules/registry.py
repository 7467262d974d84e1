"""The registry of rules: a rule's name is its function's, its page is the docstring."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from ipmpki.diagnostics import Place, Related, Severity
    from ipmpki.fleet import Fleet, HostSpec
    from ipmpki.issued import Issued


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: the engine adds the rule's name and severity."""

    message: str
    help: str | None
    place: Place
    related: tuple[Related, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file that holds a private key or a passphrase, with its permission bits (0 where the system has none)."""

    path: str
    mode: int
    place: Place


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What rules may know beside the declaration: the time, secret files' permissions, what was issued."""

    now: datetime
    key_files: tuple[KeyFile, ...] = ()
    issued: Issued | None = None


HostCheck: TypeAlias = Callable[["HostSpec", "Fleet"], Iterable[Finding]]
FleetCheck: TypeAlias = Callable[["Fleet", Surroundings], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as people meet it. Both checks are None where an earlier stage reports the problem."""

    name: str
    severity: Severity
    citation: str
    page: str
    host_check: HostCheck | None = None
    fleet_check: FleetCheck | None = None


_RULES: dict[str, Rule] = {}


def _register(rule: Rule) -> None:
    if rule.name in _RULES:
        message = f"two rules are named {rule.name}"
        raise ValueError(message)
    if not rule.page:
        message = f"the rule {rule.name} has no page"
        raise ValueError(message)
    _RULES[rule.name] = rule


def _name_and_page(function: Callable[..., object]) -> tuple[str, str]:
    return function.__name__.replace("_", "-"), inspect.cleandoc(function.__doc__ or "")


def host_rule(severity: Severity, *, cites: str) -> Callable[[HostCheck], HostCheck]:
    """Register a rule that judges one host at a time. ``cites`` names its source."""

    def register(check: HostCheck) -> HostCheck:
        _register(Rule(*_with_name(check, severity, cites), host_check=check))
        return check

    return register


def fleet_rule(severity: Severity, *, cites: str) -> Callable[[FleetCheck], FleetCheck]:
    """Register a rule that judges the whole fleet. ``cites`` names its source."""

    def register(check: FleetCheck) -> FleetCheck:
        _register(Rule(*_with_name(check, severity, cites), fleet_check=check))
        return check

    return register


def reported_elsewhere(
    severity: Severity, *, cites: str
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register the page of a rule whose problems an earlier stage finds, such as the parser."""

    def register(page: Callable[[], None]) -> Callable[[], None]:
        _register(Rule(*_with_name(page, severity, cites)))
        return page

    return register


def _with_name(
    function: Callable[..., object], severity: Severity, cites: str
) -> tuple[str, Severity, str, str]:
    name, page = _name_and_page(function)
    return name, severity, cites, page


def registered() -> dict[str, Rule]:
    """All rules by name, those of every subject loaded."""
    from ipmpki.rules import subjects  # noqa: PLC0415 -- the subjects register themselves here

    assert subjects  # noqa: S101 -- imported for its effect
    return dict(_RULES)
