"""The registry of rules: a rule's name is its function's, its page is the docstring.

A page is Markdown: one sentence, then the sections of ``HEADINGS``. ``Example`` and ``Instead`` hold one
block of TOML each: a whole file, or a part of one that becomes whole with ``REST_OF_A_FILE`` below it. A
rule about the state of what was issued says in words how it comes about.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ipmpki.rules.context import Surroundings

if TYPE_CHECKING:
    from datetime import datetime

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.diagnostics.problem import Fix, Place, Related, Severity
    from ipmpki.x509.presented_certificates import Presented

HEADINGS = ("What it finds", "Who is hurt", "Example", "Instead")

REST_OF_A_FILE = '\n[ca]\ncommon_name = "Acme Print CA"\n'
"""What a page's example leaves out; it is put below an example that has no [ca] of its own."""

VENDOR = "InfoPrint Manager: Server and Client certificates"
"""The vendor's page that most rules come from."""


class Finding(NamedTuple):
    """What a rule found: the engine adds the rule's name and severity."""

    message: str
    help: str | None
    place: Place
    related: tuple[Related, ...] = ()
    fix: Fix | None = None


HostCheck: TypeAlias = Callable[["HostSpec"], Iterable[Finding]]
FleetCheck: TypeAlias = Callable[["Fleet"], Iterable[Finding]]
DatedCheck: TypeAlias = Callable[["Fleet", "datetime"], Iterable[Finding]]
StateCheck: TypeAlias = Callable[["Fleet", Surroundings], Iterable[Finding]]
PresentedCheck: TypeAlias = Callable[["Presented"], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as people meet it. All checks are None where an earlier stage reports the problem."""

    name: str
    severity: Severity
    citation: str
    page: str
    host_check: HostCheck | None = None
    fleet_check: FleetCheck | None = None
    dated_check: DatedCheck | None = None
    state_check: StateCheck | None = None
    presented_check: PresentedCheck | None = None
    is_about_presented_only: bool = False
    """Whether it judges certificates, keys and CRLs shown to ``ipmpki verify``, and no declaration."""

    @property
    def summary(self) -> str:
        """The page's first sentence, without its full stop: a row of ``ipmpki rules``."""
        return self.page.partition("\n")[0].removesuffix(".")

    @property
    def is_about_state(self) -> bool:
        """Whether it judges what was issued or how files lie on the disk rather than what is declared."""
        return self.state_check is not None or self.is_about_presented_only


_RULES: dict[str, Rule] = {}
_ALSO_OF_PRESENTED: dict[str, PresentedCheck] = {}


def host_rule(severity: Severity, *, cites: str) -> Callable[[HostCheck], HostCheck]:
    """Register a rule that judges one host at a time. ``cites`` names its source."""

    def register(check: HostCheck) -> HostCheck:
        _register(Rule(_name(check), severity, cites, _page(check), host_check=check))
        return check

    return register


def fleet_rule(severity: Severity, *, cites: str) -> Callable[[FleetCheck], FleetCheck]:
    """Register a rule that judges the declaration as a whole. ``cites`` names its source."""

    def register(check: FleetCheck) -> FleetCheck:
        _register(Rule(_name(check), severity, cites, _page(check), fleet_check=check))
        return check

    return register


def dated_rule(severity: Severity, *, cites: str) -> Callable[[DatedCheck], DatedCheck]:
    """Register a rule that judges the declaration as of a day, by requirements that begin on a day."""

    def register(check: DatedCheck) -> DatedCheck:
        _register(Rule(_name(check), severity, cites, _page(check), dated_check=check))
        return check

    return register


def state_rule(severity: Severity, *, cites: str) -> Callable[[StateCheck], StateCheck]:
    """Register a rule that judges the state of things: certificates issued, files' permissions, the time."""

    def register(check: StateCheck) -> StateCheck:
        _register(Rule(_name(check), severity, cites, _page(check), state_check=check))
        return check

    return register


def presented_rule(severity: Severity, *, cites: str) -> Callable[[PresentedCheck], PresentedCheck]:
    """Register a rule that judges certificates, keys and CRLs shown to ``ipmpki verify``."""

    def register(check: PresentedCheck) -> PresentedCheck:
        _register(
            Rule(
                _name(check),
                severity,
                cites,
                _page(check),
                presented_check=check,
                is_about_presented_only=True,
            )
        )
        return check

    return register


def also_of_presented(name: str) -> Callable[[PresentedCheck], PresentedCheck]:
    """Let a registered rule about declarations judge what is shown to ``ipmpki verify``, too."""

    def register(check: PresentedCheck) -> PresentedCheck:
        _ALSO_OF_PRESENTED[name] = check  # the rule itself may be registered later
        return check

    return register


def reported_elsewhere(
    severity: Severity, *, cites: str
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register the page of a rule whose problems another stage finds, such as the parser."""

    def register(page: Callable[[], None]) -> Callable[[], None]:
        _register(Rule(_name(page), severity, cites, _page(page)))
        return page

    return register


def _register(rule: Rule) -> None:
    if rule.name in _RULES:
        message = f"two rules are named {rule.name}"
        raise ValueError(message)
    if not rule.page:
        message = f"the rule {rule.name} has no page"
        raise ValueError(message)
    _RULES[rule.name] = rule


def _name(function: Callable[..., object]) -> str:
    return function.__name__.replace("_", "-")


def _page(function: Callable[..., object]) -> str:
    return inspect.cleandoc(function.__doc__ or "")


def rules_so_far() -> dict[str, Rule]:
    """The rules of the modules imported so far, by name, in alphabetical order; ``catalog`` imports all."""
    for name, check in _ALSO_OF_PRESENTED.items():
        _RULES[name] = replace(_RULES[name], presented_check=check)
    _ALSO_OF_PRESENTED.clear()
    return dict(sorted(_RULES.items()))


def about(words: str, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules that words are about: name, first sentence or source has all of them, or else the page."""
    wanted = words.lower().replace("-", " ").split()
    every = tuple(rules)
    for text_of in (lambda one: f"{one.name} {one.summary} {one.citation}", lambda one: one.page):
        found = tuple(
            one for one in every if all(word in text_of(one).lower().replace("-", " ") for word in wanted)
        )
        if found and wanted:
            return found
    return ()


def page(rule: Rule) -> str:
    """A rule's page as ``ipmpki explain`` prints it: Markdown, with name, severity and citation."""
    sentence, _, rest = rule.page.partition("\n")
    source = f"## Source\n\n{rule.citation}."
    if rule.presented_check is not None and not rule.is_about_presented_only:
        also = "`ipmpki verify` finds the same in certificates, keys and files at hand."
        rest = rest.replace("\n\n## Who is hurt", f"\n\n{also}\n\n## Who is hurt", 1)
    return f"# {rule.name} ({rule.severity})\n\n{sentence}\n\n{rest.strip()}\n\n{source}\n"
