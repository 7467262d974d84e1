"""The registry of rules: a rule's name is its function's, its page is the docstring.

A page is Markdown: one sentence, then the sections of ``HEADINGS``. ``Example`` and ``Instead`` hold one
block of TOML each: a whole file, or a part of one that becomes whole with ``REST_OF_A_FILE`` below it. A
rule about the state of what was issued says in words how it comes about.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.diagnostics.problem import Fix, Place, Related, Severity
    from ipmpki.store.records import Issued
    from ipmpki.x509.presented import Presented

HEADINGS = ("What it finds", "Who is hurt", "Example", "Instead")

REST_OF_A_FILE = '\n[ca]\ncommon_name = "Acme Print CA"\n'
"""What a page's example leaves out; it is put below an example that has no [ca] of its own."""

VENDOR = "InfoPrint Manager: Server and Client certificates"
"""The vendor's page that most rules come from."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: the engine adds the rule's name and severity."""

    message: str
    help: str | None
    place: Place
    related: tuple[Related, ...] = ()
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file with a private key or a passphrase, and its permission bits (0 where the system has none)."""

    path: str
    mode: int
    place: Place


@dataclass(frozen=True, slots=True)
class Access:
    """A file that decides who gets a certificate, or a folder above such files, and its permission bits."""

    path: str
    mode: int
    place: Place
    is_folder: bool = False


@dataclass(frozen=True, slots=True)
class Secret:
    """Where private keys or a passphrase lie, or will: as shown to people, and as an absolute path.

    ``repository`` is the git work tree that would take it in; None where there is none, or it is ignored.
    """

    path: str
    absolute: str
    place: Place
    repository: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What rules may know beside the declaration: the time, how files lie on the disk, what was issued.

    ``bundle_changed_at`` is when the trust bundle's file last changed; ``untrusted`` has hosts whose
    certificate leads to none of its authorities, each with the issuer's name.
    """

    now: datetime
    key_files: tuple[KeyFile, ...] = ()
    issued: Issued | None = None
    bundle_changed_at: datetime | None = None
    untrusted: tuple[tuple[str, str], ...] = ()
    accesses: tuple[Access, ...] = ()
    secrets: tuple[Secret, ...] = ()


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


def registered() -> dict[str, Rule]:
    """All rules by name, those of every subject loaded, in alphabetical order."""
    from ipmpki.rules import subjects  # each registers its rules as it is imported

    assert subjects  # noqa: S101 -- imported for its effect
    for name, check in _ALSO_OF_PRESENTED.items():
        _RULES[name] = replace(_RULES[name], presented_check=check)
    _ALSO_OF_PRESENTED.clear()
    return dict(sorted(_RULES.items()))


def page(rule: Rule) -> str:
    """A rule's page as ``ipmpki explain`` prints it: Markdown, with name, severity and citation."""
    sentence, _, rest = rule.page.partition("\n")
    source = f"## Source\n\n{rule.citation}."
    if rule.presented_check is not None and not rule.is_about_presented_only:
        also = "`ipmpki verify` finds the same in certificates, keys and files at hand."
        rest = rest.replace("\n\n## Who is hurt", f"\n\n{also}\n\n## Who is hurt", 1)
    return f"# {rule.name} ({rule.severity})\n\n{sentence}\n\n{rest.strip()}\n\n{source}\n"
