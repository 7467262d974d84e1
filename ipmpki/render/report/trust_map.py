"""Who trusts whom under the declared mode: the lines between authorities and hosts, drawn and in words.

The drawing and its words come from the same lines, so neither can say what the other does not. Widths are in
percent of the drawing's, as it follows the width of the page; heights are in pixels.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.diagnostics.wording import counted, day
from ipmpki.plans.dist_layout import TRUSTED, TRUSTED_FOR_CLIENTS
from ipmpki.render.prose import Code, Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipmpki.render.report.document import Report
    from ipmpki.render.report.words import Census

HEIGHT = 196
_BOX = 50
_LOWER = HEIGHT - _BOX - 1


class NodeKind(StrEnum):
    """What a line says of its two ends; from where it starts to where it points."""

    SIGNS = "signs"
    TRUSTS = "trusts"
    CHECKS = "checks"
    LETS_IN = "lets-in"

    @property
    def caption(self) -> str:
        """What it is called below the drawing."""
        return self.value.replace("-", " ")


class Party(StrEnum):
    """An authority, several of them, or hosts of one kind."""

    BUNDLE = "The trust bundle"
    OLD = "The old authority"
    NEW = "The new authority"
    AUTHORITY = "The authority"
    STRANGERS = "Anybody else"
    SERVERS = "Servers"
    CLIENTS = "Clients"

    @property
    def within(self) -> str:
        """Its name within a sentence."""
        return self.value[0].lower() + self.value[1:]


class Line(NamedTuple):
    """One statement of the map."""

    start: Party
    kind: NodeKind
    end: Party


@dataclass(frozen=True, slots=True)
class Box:
    """A party as it is drawn: the middle of its box, and two lines of text."""

    left: str
    width: str
    middle: str
    y: int
    first: str
    second: str
    is_stranger: bool


class Arrow(NamedTuple):
    """A line as it is drawn."""

    kind: str
    x1: str
    y1: int
    x2: str
    y2: int


@dataclass(frozen=True, slots=True)
class TrustMap:
    """The drawing, the statements it is of, and the same in sentences."""

    lines: tuple[Line, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    kinds: tuple[NodeKind, ...]
    sentences: tuple[Sentence, ...]


def draw_trust(report: Report, census: Census) -> TrustMap | None:
    """The map of a report; None where there are no hosts, or no authority yet."""
    if not report.hosts or not (report.is_bought or report.authority):
        return None
    lines = tuple(_lines(report))
    mentioned = {party for line in lines for party in (line.start, line.end)} | {Party.SERVERS, Party.CLIENTS}
    upper = [party for party in (Party.BUNDLE, Party.OLD, Party.NEW, Party.AUTHORITY) if party in mentioned]
    lower = [party for party in (Party.STRANGERS, Party.SERVERS, Party.CLIENTS) if party in mentioned]
    spans = _spans(upper, single=50.0) | _spans(lower, single=36.0)
    boxes = tuple(
        _box(party, spans[party], report, census, is_upper=party in upper) for party in (*upper, *lower)
    )
    kinds = tuple(kind for kind in NodeKind if any(line.kind is kind for line in lines))
    return TrustMap(lines, boxes, tuple(_arrows(lines, spans)), kinds, tuple(_sentences(report, lines)))


def _signers(report: Report) -> tuple[list[Party], list[Party]]:
    """The authorities that are trusted here, and those of them that the hosts' certificates are from."""
    if report.authority is None:
        return [], []
    if not report.outgoing:
        return [Party.AUTHORITY], [Party.AUTHORITY]
    trusted = [Party.OLD, Party.NEW]
    if report.rollover is None:
        return trusted, trusted
    return trusted, [Party.NEW if report.rollover.signs == report.authority.fingerprint else Party.OLD]


def _lines(report: Report) -> Iterator[Line]:
    trusted, signing = _signers(report)
    of_servers = [Party.BUNDLE] if report.is_bought else signing
    of_clients = [Party.BUNDLE] if report.is_bought and not report.is_mixed else signing
    by_clients = [Party.BUNDLE] if report.is_bought else trusted
    by_servers = [Party.BUNDLE] if report.is_bought and not report.is_mixed else trusted
    yield from (Line(issuer, NodeKind.SIGNS, Party.SERVERS) for issuer in of_servers)
    if report.mutual_auth:
        yield from (Line(issuer, NodeKind.SIGNS, Party.CLIENTS) for issuer in of_clients)
    yield from (Line(Party.CLIENTS, NodeKind.TRUSTS, issuer) for issuer in by_clients)
    yield Line(Party.CLIENTS, NodeKind.CHECKS, Party.SERVERS)
    if report.mutual_auth:
        yield from (Line(Party.SERVERS, NodeKind.TRUSTS, issuer) for issuer in by_servers)
        yield Line(Party.SERVERS, NodeKind.CHECKS, Party.CLIENTS)
        if report.is_bought and not report.is_mixed:
            yield Line(Party.BUNDLE, NodeKind.SIGNS, Party.STRANGERS)
            yield Line(Party.SERVERS, NodeKind.LETS_IN, Party.STRANGERS)


# --- The drawing ------------------------------------------------------------------------------------


def _spans(parties: Sequence[Party], *, single: float) -> dict[Party, tuple[float, float]]:
    """Left edge and width of each box of a row, with the outer edges of their lines inside the drawing."""
    count = len(parties)
    width = {1: single, 2: 40.0}.get(count, 30.0)
    if count == 1:
        return {parties[0]: ((100 - width) / 2, width)}
    step = (99.6 - width) / (count - 1)
    return {party: (0.2 + place * step, width) for place, party in enumerate(parties)}


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _box(party: Party, span: tuple[float, float], report: Report, census: Census, *, is_upper: bool) -> Box:
    left, width = span
    first, second = _label(party, report, census)
    return Box(
        _percent(left),
        _percent(width),
        _percent(left + width / 2),
        1 if is_upper else _LOWER,
        first,
        second,
        party is Party.STRANGERS,
    )


def _label(party: Party, report: Report, census: Census) -> tuple[str, str]:
    """Two lines that fit the box on a telephone: of three boxes in a row, too."""
    to = "" if report.is_mixed else "to "
    old = report.outgoing[-1] if report.outgoing else None
    if party is Party.BUNDLE:
        return ("Trust", "bundle")
    if party is Party.OLD and old is not None:
        return ("Old CA", f"{to}{day(old.not_after)}")
    if party in {Party.NEW, Party.AUTHORITY} and report.authority is not None:
        return ("New CA" if party is Party.NEW else "Authority", f"{to}{day(report.authority.not_after)}")
    if party is Party.STRANGERS:
        return ("Anyone", "else")
    number, noun = (census.servers, "server") if party is Party.SERVERS else (census.clients, "client")
    count, _, word = counted(number, noun).partition(" ")
    return (count, word)


def _arrows(lines: Sequence[Line], spans: dict[Party, tuple[float, float]]) -> Iterator[Arrow]:
    """Lines between the rows leave a box spread over its width, in the order of what they lead to."""
    upright = [line for line in lines if line.kind in {NodeKind.SIGNS, NodeKind.TRUSTS}]
    ends: dict[Party, list[tuple[float, str, Line]]] = defaultdict(list)
    for line in upright:
        ends[line.start].append((spans[line.end][0], line.kind.value, line))
        ends[line.end].append((spans[line.start][0], line.kind.value, line))
    at = {
        (party, line): spans[party][0] + spans[party][1] * (place + 1) / (len(attached) + 1)
        for party, attached in ends.items()
        for place, (_, _, line) in enumerate(sorted(attached))
    }
    for line in upright:
        y1, y2 = (_BOX + 1, _LOWER) if line.kind is NodeKind.SIGNS else (_LOWER, _BOX + 1)
        yield Arrow(line.kind.value, _percent(at[line.start, line]), y1, _percent(at[line.end, line]), y2)
    for line in lines:
        if line not in upright:
            yield _level(line, spans)


def _level(line: Line, spans: dict[Party, tuple[float, float]]) -> Arrow:
    """A line between two hosts; the two ways between the same have heights of their own."""
    (start, start_width), (end, end_width) = spans[line.start], spans[line.end]
    leftwards = end < start
    y = _LOWER + (17 if leftwards else 33)
    if leftwards:
        return Arrow(line.kind.value, _percent(start), y, _percent(end + end_width), y)
    return Arrow(line.kind.value, _percent(start + start_width), y, _percent(end), y)


# --- The words --------------------------------------------------------------------------------------


def _sentences(report: Report, lines: Sequence[Line]) -> Iterator[Sentence]:
    for issuer in (Party.BUNDLE, Party.OLD, Party.NEW, Party.AUTHORITY):
        signed = [line.end for line in lines if line.start is issuer and line.end is not Party.STRANGERS]
        trusted = any(line.end is issuer for line in lines)
        if signed:
            yield (_signing(issuer, signed, report),)
        elif trusted:
            when = "not yet" if issuer is Party.NEW else "no longer"
            yield (f"{issuer.value} is trusted, and signs {when}.",)
    for party in (Party.CLIENTS, Party.SERVERS):
        issuers = [line.end for line in lines if line.start is party and line.kind is NodeKind.TRUSTS]
        if issuers:
            names = " and ".join(issuer.within for issuer in issuers)
            only = ", and believe nobody else" if report.is_mixed and party is Party.SERVERS else ""
            yield (
                f"{party.value} trust {names}{only}. They know {'them' if len(issuers) > 1 else 'it'} by ",
                *_file(party, report),
                ".",
            )
    if not report.mutual_auth:
        yield ("Clients check servers. Clients show no certificate.",)
    else:
        yield ("Clients check servers, and servers check clients.",)
    if any(line.kind is NodeKind.LETS_IN for line in lines):
        yield (
            "Servers let in anybody with a certificate from one of these authorities, not only your clients. "
            "An authority of your own for the clients ends that: ",
            Code("[client_ca]"),
            ".",
        )


def _signing(issuer: Party, signed: Sequence[Party], report: Report) -> str:
    whom = " and ".join(party.within for party in signed)
    if issuer is not Party.BUNDLE:
        return f"{issuer.value} signs the certificates of {whom}."
    number = (
        "" if report.bundle is None else f", which holds {counted(report.bundle.authorities, 'certificate')}"
    )
    return f"The certificates of {whom} are bought, from authorities of the trust bundle{number}."


def _file(party: Party, report: Report) -> Sentence:
    if not (report.is_mixed and party is Party.SERVERS):
        return (Code(TRUSTED),)
    return (Code(TRUSTED_FOR_CLIENTS), ", or ", Code(TRUSTED), " where no keyword tells the two apart")
