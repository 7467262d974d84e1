"""The chosen roots as one file of certificates: plain PEM, or with a text about each."""

from __future__ import annotations

import base64
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.wording import counted
from ipmpki.x509.mozilla.criteria import TrustLevel, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ipmpki.x509.mozilla.criteria import Criteria
    from ipmpki.x509.mozilla.selection import ChosenRoot

_PEM_WIDTH: Final = 64
"""RFC 7468, section 2."""


class Form(StrEnum):
    """How the bundle is written."""

    TEXT = "text"
    """A comment before each certificate, as mk-ca-bundle.pl -t writes a text."""
    PEM = "pem"
    """Certificates and nothing else."""


@dataclass(frozen=True, slots=True)
class RootsSource:
    """Where the roots are from: the file's name without its folder, and its SHA-256 in hexadecimal.

    ``judged_at`` is the moment of judging where somebody chose it; None for now, so that the bundle of an
    unchanged file is the same every day.
    """

    name: str
    sha256: str
    judged_at: datetime | None


def render_bundle(kept: Sequence[ChosenRoot], criteria: Criteria, form: Form, source: RootsSource) -> bytes:
    """The bundle's bytes, the same for the same arguments."""
    if form is Form.PEM:
        return "".join(_pem(one.der) for one in kept).encode("ascii")
    blocks = [_heading(len(kept), criteria, source)]
    blocks += [_comment(_about(one)) + _pem(one.der) for one in kept]
    return "\n".join(blocks).encode("utf-8")


def moment(at: datetime) -> str:
    """A moment in UTC, as ``2024-11-30 23:59:59 UTC``."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def one_line(text: str) -> str:
    """A text of the file in which nothing breaks a line or drives a terminal."""
    return visible(text)


def _heading(number: int, criteria: Criteria, source: RootsSource) -> str:
    lines = [
        f"{counted(number, 'certificate')} of authorities, from Mozilla's list",
        f"source:         {one_line(source.name)}, SHA-256 {source.sha256}",
        f"purposes:       {in_order(criteria.purposes)}",
        f"trust levels:   {in_order(criteria.levels)}",
        f"distrust-after: {criteria.distrust_after}",
    ]
    if source.judged_at is not None:
        lines.append(f"judged as of:   {moment(source.judged_at)}")
    lines.append("The source is subject to the Mozilla Public License 2.0, http://mozilla.org/MPL/2.0/.")
    return _comment(lines)


def _about(one: ChosenRoot) -> Iterator[str]:
    label = one_line(one.label)
    yield label
    yield "=" * len(label)
    if one.anchor.subject:
        yield f"Subject:      {one_line(one.anchor.subject)}"
    yield f"SHA-256:      {bytes.fromhex(one.anchor.fingerprint).hex(':').upper()}"
    yield f"Valid from:   {moment(one.anchor.not_before)}"
    yield f"Valid until:  {moment(one.anchor.not_after)}"
    by_level: dict[TrustLevel, list[str]] = defaultdict(list)
    for purpose, level in one.levels.items():
        by_level[level].append(purpose)
    for level in TrustLevel:
        if level in by_level:
            yield f"{level}: {', '.join(by_level[level])}"
    for purpose, date in one.limits.items():
        yield f"{purpose}: only certificates issued until {moment(date)} are trusted"


def _comment(lines: Iterator[str] | list[str]) -> str:
    # A line of a file's own words must not begin as a line of PEM does.
    return "".join(f"# {line}\n" for line in lines)


def _pem(der: bytes) -> str:
    encoded = base64.b64encode(der).decode("ascii")
    body = "\n".join(encoded[start : start + _PEM_WIDTH] for start in range(0, len(encoded), _PEM_WIDTH))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
