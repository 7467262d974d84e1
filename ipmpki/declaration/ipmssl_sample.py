"""What a sample of ipmssl.cfg shows: its keywords, each with the comment that speaks of it.

A line is read as install.sh and install.ps1 read it. The vendor publishes the names of three keywords only,
so what another is for is for a person to decide; that the words of its comment are those of a purpose is all
that can be told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Possessive, so that a line of blanks takes no longer than its length.
_LINE = re.compile(
    r"[ \t]*+(?P<mark>[#;]*+)(?P<gap>[ \t]*+)(?P<word>[^ \t=:]++)"
    r"(?P<sign>[ \t]*+[=:][ \t]*+|[ \t]*+)(?P<rest>.*)"
)
_TAIL = re.compile(r"(?<![ \t])[ \t]++[#;].*$")
_QUOTED = re.compile(r'"[^"]*"')
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_WORD = re.compile(r"[a-z]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_.-]")

KNOWN = ("EnableTLS", "CertFile", "KeyFile")
"""The keywords that the vendor names and ipmpki sets by itself."""

PURPOSES = {
    "ca_file": frozenset({"ca", "cas", "authority", "authorities", "trust", "trusted", "root", "chain"}),
    "crl_file": frozenset({"crl", "crls", "revocation", "revoked", "revoke"}),
    "mutual_auth": frozenset(
        {
            "mutual",
            "authenticate",
            "authentication",
            "auth",
            "verify",
            "require",
            "required",
            "client",
            "peer",
        }
    ),
}
"""The words that speak of each purpose of [ipm.keywords]."""
_FEWEST_WORDS = {"ca_file": 1, "crl_file": 1, "mutual_auth": 2}
"""Of words that are on everybody's lips, one proves nothing."""


class SampleKeyword(NamedTuple):
    """A keyword of a sample: name and value as written, whether it is in force, its line, its comment."""

    name: str
    value: str
    is_set: bool
    line: int
    comment: str

    @property
    def may_be_for(self) -> tuple[str, ...]:
        """The purposes whose words its name or its comment has, the likeliest first."""
        if self.name.casefold() in {one.casefold() for one in KNOWN}:
            return ()
        spelt = _CAMEL.sub(" ", self.name).lower()
        words = set(_WORD.findall(f"{spelt} {self.comment.lower()}"))
        named = set(_WORD.findall(spelt))
        counts = {purpose: (len(words & wanted), len(named & wanted)) for purpose, wanted in PURPOSES.items()}
        fit = [purpose for purpose, (found, _) in counts.items() if found >= _FEWEST_WORDS[purpose]]
        return tuple(sorted(fit, key=lambda purpose: (-counts[purpose][1], -counts[purpose][0])))


def read_sample(text: str) -> tuple[SampleKeyword, ...]:
    """Every keyword of a sample, in its order; lines are ended in any way."""
    lines = text.removeprefix("\ufeff").splitlines()
    usual = _usual_sign(lines)
    found: list[SampleKeyword] = []
    remarks: list[str] = []
    for number, line in enumerate(lines, start=1):
        one = _keyword(line, usual)
        if one is not None:
            name, value, is_set, behind = one
            comment = " ".join([*remarks, behind]).strip()
            found.append(SampleKeyword(name, value, is_set, number, comment))
            remarks = []
        elif line.strip(" \t#;"):
            remarks.append(line.strip(" \t#;"))
        elif not line.strip():
            remarks = []  # a comment speaks of what stands right below it
    return tuple(found)


def _usual_sign(lines: Sequence[str]) -> str:
    """What stands between keyword and value in this file: ``=`` or ``:``, or empty for a blank."""
    for line in lines:
        match = _LINE.match(line)
        if match and match["word"].casefold() in {one.casefold() for one in KNOWN}:
            return match["sign"].strip()
    signs = [match["sign"].strip() for match in map(_LINE.match, lines) if match]
    return "=" if "=" in signs else ""


def _keyword(line: str, usual: str) -> tuple[str, str, bool, str] | None:
    """Name, value, whether it is in force, and the comment behind; None for what is no keyword."""
    match = _LINE.match(line)
    if match is None or not _NAME.fullmatch(match["word"]):
        return None
    value, behind = _value_and_comment(match["rest"])
    is_set = not match["mark"]
    sign = match["sign"].strip()
    if not is_set:  # else it may be prose
        if sign != usual:
            return None
        if not sign and (not value or " " in value.strip('"') or match["gap"]):
            return None
        if sign and " " in value and not value.startswith('"') and match["gap"]:
            return None
    return match["word"], value, is_set, behind


def _value_and_comment(rest: str) -> tuple[str, str]:
    quoted = _QUOTED.match(rest)
    if quoted is not None:
        return quoted[0], rest[quoted.end() :].strip(" \t#;")
    if rest.startswith(("#", ";")):
        return "", rest.strip(" \t#;")
    tail = _TAIL.search(rest)
    value = rest if tail is None else rest[: tail.start()]
    return value.rstrip(), "" if tail is None else tail[0].strip(" \t#;")


def purposes_of(keywords: Sequence[SampleKeyword]) -> Iterator[tuple[str, SampleKeyword]]:
    """Each purpose that a keyword may be for, with the keyword; the likeliest of a purpose first."""
    for purpose in PURPOSES:
        fit = [one for one in keywords if purpose in one.may_be_for]
        fit.sort(key=lambda one: one.may_be_for.index(purpose))
        yield from ((purpose, one) for one in fit)
