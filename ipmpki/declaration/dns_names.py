"""DNS names as people write them: what they mean, or what is wrong with them."""

from __future__ import annotations

import re
from collections import Counter
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration.ip_addresses import is_address

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_COMMON_NAME = 64
"""ub-common-name of RFC 5280, appendix A.1."""
LONGEST_NAME = 253
LONGEST_LABEL = 63

_REMEMBERED = 1 << 17
"""Names are read by several stages; a fleet of 10,000 hosts has some 30,000."""

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_PLAIN_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class NameFault(StrEnum):
    """Why a text is not a usable DNS name."""

    EMPTY = "empty"
    ADDRESS = "address"
    WILDCARD = "wildcard"
    SPACE = "space"
    TRAILING_DOT = "trailing-dot"
    EMPTY_LABEL = "empty-label"
    LABEL_TOO_LONG = "label-too-long"
    NAME_TOO_LONG = "name-too-long"
    HYPHEN = "hyphen"
    UNDERSCORE = "underscore"
    CHARACTER = "character"
    UNICODE = "unicode"
    NUMERIC = "numeric"


class Name(NamedTuple):
    """A text read as a DNS name. ``ascii`` is its lower-case A-label form, best effort where faulty."""

    written: str
    ascii: str
    fault: NameFault | None = None
    detail: str = ""

    @property
    def is_single_label(self) -> bool:
        """Whether the name has no dot, as a short host name has."""
        return "." not in self.ascii


@lru_cache(maxsize=_REMEMBERED)
def read_name(written: str) -> Name:
    """Read a DNS name: RFC 1123 section 2.1 for its shape, UTS 46 and RFC 5891 for Unicode."""
    lowered = written.lower()
    if (
        len(lowered) <= LONGEST_NAME
        and _PLAIN_NAME.fullmatch(lowered)
        and "xn--" not in lowered
        and not lowered.rpartition(".")[2].isdigit()
    ):
        return Name(written, lowered)
    return _read_unusual_name(written, lowered)


def _read_unusual_name(written: str, lowered: str) -> Name:  # noqa: PLR0911 -- one for each fault
    def faulty(fault: NameFault, detail: str = "") -> Name:
        return Name(written, lowered, fault, detail)

    if not written:
        return faulty(NameFault.EMPTY)
    if is_address(written):
        return faulty(NameFault.ADDRESS)
    if any(character.isspace() for character in written):
        return faulty(NameFault.SPACE)
    if "*" in written:
        return faulty(NameFault.WILDCARD)
    if written.endswith("."):
        return faulty(NameFault.TRAILING_DOT)
    if "" in written.split("."):
        return faulty(NameFault.EMPTY_LABEL)
    if "_" in written:
        return faulty(NameFault.UNDERSCORE)
    encoded = lowered
    if not lowered.isascii() or "xn--" in lowered:
        import idna  # start-up time: few declarations hold a Unicode name

        try:
            encoded = idna.encode(lowered, uts46=True).decode("ascii") if not lowered.isascii() else lowered
            if "xn--" in encoded:
                idna.decode(encoded)
        except (idna.IDNAError, UnicodeError) as reason:
            odd = re.search(r"Codepoint U\+(?P<code>[0-9A-F]+) ", str(reason))
            if odd is not None and chr(int(odd["code"], 16)) in lowered:
                return faulty(NameFault.CHARACTER, chr(int(odd["code"], 16)))
            return faulty(NameFault.UNICODE, str(reason))
    return _judge_labels(written, encoded)


def _judge_labels(written: str, encoded: str) -> Name:  # noqa: PLR0911 -- one for each fault
    for label in encoded.split("."):
        if not label:  # of characters that UTS 46 leaves out, such as U+FEFF
            return Name(written, encoded, NameFault.EMPTY_LABEL)
        if len(label) > LONGEST_LABEL:
            return Name(written, encoded, NameFault.LABEL_TOO_LONG, label)
        if label.startswith("-") or label.endswith("-"):
            return Name(written, encoded, NameFault.HYPHEN, label)
        if not _LABEL.fullmatch(label):
            odd = next(character for character in label if not re.fullmatch("[a-z0-9-]", character))
            return Name(written, encoded, NameFault.CHARACTER, odd)
    if len(encoded) > LONGEST_NAME:
        return Name(written, encoded, NameFault.NAME_TOO_LONG, str(len(encoded)))
    if encoded.rpartition(".")[2].isdigit():
        return Name(written, encoded, NameFault.NUMERIC, encoded.rpartition(".")[2])
    return Name(written, encoded)


_WRAPPED = {NameFault.SPACE, NameFault.TRAILING_DOT, NameFault.CHARACTER}
_URL = re.compile(r"(?:[a-z]+://(?P<of_url>[^/:]+)|(?P<name>[^/:]+))(?::[0-9]+)?(?(of_url)(?:/.*)?|/?)", re.I)


def intended_name(name: Name) -> str | None:
    """The name within a web address, before a port or a final dot, or between blanks; None if none is."""
    if name.fault not in _WRAPPED:
        return None
    match = _URL.fullmatch(name.written.strip())
    inner = (match["of_url"] or match["name"]).removesuffix(".") if match else ""
    return inner if inner and read_name(inner).fault is None else None


def meant_by(written: str, names: Iterable[str]) -> str:
    """The name that is meant, as DNS has it: a short one where only one of ``names`` begins with it.

    What is none of them comes back as it reads.
    """
    wanted = read_name(written.strip()).ascii
    known = set(names)
    longer = [name for name in known if name.startswith(f"{wanted}.")] if wanted else []
    return longer[0] if wanted not in known and len(longer) == 1 else wanted


def shared_domain(names: Iterable[str]) -> str:
    """The domain that all the names lie in, such as ``example.com``; empty where there is none."""
    labels: list[str] | None = None
    for name in names:
        above = name.split(".")[:0:-1]  # from the top down, without the host's own label
        if labels is None:
            labels = above
        else:
            same = next(
                (at for at, pair in enumerate(zip(labels, above, strict=False)) if pair[0] != pair[1]), None
            )
            labels = labels[: min(len(labels), len(above)) if same is None else same]
    return ".".join(reversed(labels or ()))


def usual_domain(names: Iterable[str]) -> str | None:
    """The domain that most of the names lie in; None where none of them has one."""
    domains = Counter(name.partition(".")[2] for name in names if read_name(name).fault is None)
    return next((domain for domain, _ in domains.most_common() if "." in domain), None)


def wildcard_covers(wildcard: str, name: str) -> bool:
    """Whether ``*.example.com`` covers a name: exactly one label in place of the star (RFC 9525, 6.3)."""
    star, _, domain = wildcard.partition(".")
    return star == "*" and name.partition(".")[2] == domain and bool(domain)


_ALPHABETS = {"LATIN", "GREEK", "CYRILLIC"}
"""Those whose letters look alike; no language writes a word with two of them (UTS 39, section 5.2)."""
_LOOKALIKES = dict(zip("авеіјкмнорстухѕԁһοα", "abeijkmhopctyxsdhoa", strict=True))


class MixedLabel(NamedTuple):
    """A part of a name with letters of several alphabets; ``meant`` is it in Latin, where it can be."""

    label: str
    alphabets: tuple[str, ...]
    meant: str | None


def mixed_label(encoded: str) -> MixedLabel | None:
    """The first label of an A-label name that mixes Latin, Greek and Cyrillic letters; None if none does."""
    if "xn--" not in encoded:
        return None
    import unicodedata  # start-up time, as is idna

    import idna

    for label in encoded.split("."):
        if not label.startswith("xn--"):
            continue
        decoded = idna.decode(label)
        words = {unicodedata.name(letter, "?").partition(" ")[0] for letter in decoded if letter.isalpha()}
        found = words & _ALPHABETS
        if len(found) > 1:
            latin = "".join(_LOOKALIKES.get(letter, letter) for letter in decoded)
            alphabets = tuple(sorted(word.capitalize() for word in found))
            return MixedLabel(decoded, alphabets, latin if latin.isascii() else None)
    return None
