"""From the bytes of the files to all problems, each with its place: pure, the caller reads the files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration.dns_names import usual_domain
from ipmpki.declaration.validate import validate
from ipmpki.diagnostics.problem import Severity
from ipmpki.rules.engine import judge_declaration, judge_state
from ipmpki.source import Document, Source, decode, locate, parse, spans_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.diagnostics.problem import LocatedProblem, Problem
    from ipmpki.rules.context import Surroundings
    from ipmpki.source.spans import Spans


class Reading(NamedTuple):
    """One file as it was read: its document, and what is wrong with it as TOML."""

    document: Document
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Understood:
    """What the files say; ``fleet`` is None where nothing could be understood.

    ``problems`` are those that no rule found, ``judgement`` those that rules find in the declaration itself,
    None before they were asked.
    """

    fleet: Fleet | None
    problems: tuple[Problem, ...]
    sources: dict[str, Source]
    judgement: tuple[Problem, ...] | None = None


class Checked(NamedTuple):
    """The fleet, and every problem in document order."""

    fleet: Fleet | None
    problems: tuple[LocatedProblem, ...]
    sources: dict[str, Source]


def read(name: str, content: bytes) -> Reading:
    """Decode and parse one file; ``name`` is how people know it."""
    source, undecodable = decode(name, content)
    document, broken = parse(source)
    return Reading(document, (*undecodable, *broken))


def understand(
    readings: Sequence[Reading], further: Iterable[Problem] = (), *, is_whole: bool = True
) -> Understood:
    """What pki.toml (the first reading) and the files it includes declare.

    ``further`` are problems the caller met on the way, such as an include that matches no file, and
    ``is_whole`` is False where a file is missing for such a reason.
    """
    validated = validate([reading.document for reading in readings], is_whole=is_whole)
    problems = [problem for reading in readings for problem in reading.problems]
    return Understood(
        validated.fleet,
        (*problems, *further, *validated.problems),
        {reading.document.source.name: reading.document.source for reading in readings},
    )


def judged(understood: Understood) -> Understood:
    """The same with the rules' judgement of the declaration, which holds however often one concludes."""
    if understood.fleet is None:
        return understood
    return replace(understood, judgement=judge_declaration(understood.fleet))


def conclude(understood: Understood, surroundings: Surroundings) -> Checked:
    """Let the rules judge what was understood, and find the place of every problem."""
    problems = understood.problems
    if understood.fleet is not None:
        ignored = frozenset(understood.fleet.ignored_rules)
        heard = (one for one in problems if one.severity is Severity.ERROR or one.rule not in ignored)
        judgement = understood.judgement
        if judgement is None:
            judgement = judge_declaration(understood.fleet)
        problems = (*heard, *judgement, *judge_state(understood.fleet, surroundings))
    problems = tuple(dict.fromkeys(_with_own_examples(problems, understood.fleet)))
    sources = understood.sources
    spans = spans_of(problems, sources)
    located = _with_fixes(locate(problems, sources, spans), sources, spans)
    return Checked(understood.fleet, located, sources)


_EXAMPLE = "example.com"


def _with_own_examples(problems: Sequence[Problem], fleet: Fleet | None) -> Iterator[Problem]:
    """The problems with examples in the domain that the file's hosts have, where remedies name another's."""
    if fleet is None or not any(one.help is not None and _EXAMPLE in one.help for one in problems):
        return iter(problems)
    names = [name for host in fleet.hosts for name in (host.name, *host.aliases)]
    domain = usual_domain(host.name for host in fleet.hosts)
    # Where the file has that domain itself, a remedy may mean just what is written there.
    if domain is None or any(_EXAMPLE in name for name in names):
        return iter(problems)
    return (
        replace(one, help=one.help.replace(_EXAMPLE, domain)) if one.help is not None else one
        for one in problems
    )


def _with_fixes(
    problems: tuple[LocatedProblem, ...], sources: Mapping[str, Source], spans: Mapping[str, Spans]
) -> tuple[LocatedProblem, ...]:
    """Find where fixes change the text. A file that is not TOML in every line has to be mended by hand."""
    if not any(one.problem.fix for one in problems):
        return problems
    from ipmpki.declaration.edit.fixes import Surgeon  # needed only where there is something to fix

    surgeons = {file: Surgeon(source, spans[file]) for file, source in sources.items() if file in spans}
    return tuple(
        replace(one, fix=surgeons[one.problem.place.file].locate(one.problem.fix))
        if one.problem.fix and sources[one.problem.place.file].is_whole
        else one
        for one in problems
    )


def check(
    readings: Sequence[Reading], surroundings: Surroundings, further: Iterable[Problem] = ()
) -> Checked:
    """Every problem of the files, in one go: ``understand`` and ``conclude``.

    For callers whose surroundings do not depend on what the files say; others call the two themselves.
    """
    return conclude(understand(readings, further), surroundings)
