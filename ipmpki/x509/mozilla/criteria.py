"""By what roots are chosen: the purposes and trust levels of NSS, and the moment of judging.

The names are those of CKA_TRUST_* and CKT_NSS_* without the prefix, as curl's mk-ca-bundle.pl takes them with
``-p PURPOSES:LEVELS``; the default is InfoPrint Manager's command.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from ipmpki.diagnostics.fault import WrongUse
from ipmpki.diagnostics.wording import closest, quote

if TYPE_CHECKING:
    from datetime import datetime

EVERY: Final = "ALL"


class Purpose(StrEnum):
    """What a root may be trusted for, in the order of NSS's documentation of the file."""

    DIGITAL_SIGNATURE = "DIGITAL_SIGNATURE"
    NON_REPUDIATION = "NON_REPUDIATION"
    KEY_ENCIPHERMENT = "KEY_ENCIPHERMENT"
    DATA_ENCIPHERMENT = "DATA_ENCIPHERMENT"
    KEY_AGREEMENT = "KEY_AGREEMENT"
    KEY_CERT_SIGN = "KEY_CERT_SIGN"
    CRL_SIGN = "CRL_SIGN"
    SERVER_AUTH = "SERVER_AUTH"
    CLIENT_AUTH = "CLIENT_AUTH"
    CODE_SIGNING = "CODE_SIGNING"
    EMAIL_PROTECTION = "EMAIL_PROTECTION"
    IPSEC_END_SYSTEM = "IPSEC_END_SYSTEM"
    IPSEC_TUNNEL = "IPSEC_TUNNEL"
    IPSEC_USER = "IPSEC_USER"
    TIME_STAMPING = "TIME_STAMPING"
    STEP_UP_APPROVED = "STEP_UP_APPROVED"


class TrustLevel(StrEnum):
    """How far a root is trusted for a purpose."""

    TRUSTED_DELEGATOR = "TRUSTED_DELEGATOR"
    """An authority: what it issues is trusted."""
    NOT_TRUSTED = "NOT_TRUSTED"
    """Distrusted, whoever else may vouch for it."""
    MUST_VERIFY_TRUST = "MUST_VERIFY_TRUST"
    """No authority of its own: trusted only below another."""
    TRUSTED = "TRUSTED"
    """Trusted itself, but nothing it issues."""


class DistrustAfter(StrEnum):
    """What becomes of a root of which only certificates issued until a day in the past are trusted."""

    KEEP = "keep"
    """It stays, as with the script of curl 8.14.1: what it issued until that day is still trusted."""
    DROP = "drop"
    """It goes once that day has come, as with the script of curl 7.88.1."""


DEFAULT_PURPOSES: Final = frozenset({Purpose.SERVER_AUTH, Purpose.CLIENT_AUTH, Purpose.CRL_SIGN})
DEFAULT_LEVELS: Final = frozenset({TrustLevel.TRUSTED_DELEGATOR})


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which roots to keep: those with one of ``levels`` for one of ``purposes``, unexpired at ``at``."""

    at: datetime
    purposes: frozenset[Purpose] = DEFAULT_PURPOSES
    levels: frozenset[TrustLevel] = DEFAULT_LEVELS
    distrust_after: DistrustAfter = DistrustAfter.KEEP


_WordT = TypeVar("_WordT", Purpose, TrustLevel)


def read_purposes(written: str) -> frozenset[Purpose]:
    """Purposes from names with commas between; ``ALL`` for every one. Raises WrongUse."""
    return _read_names(written, Purpose, "purpose")


def read_levels(written: str) -> frozenset[TrustLevel]:
    """Levels from names with commas between; ``ALL`` for every one. Raises WrongUse."""
    return _read_names(written, TrustLevel, "trust level")


def in_order(words: frozenset[_WordT]) -> str:
    """Names in the order of their definition, with commas between."""
    return ", ".join(word for vocabulary in (Purpose, TrustLevel) for word in vocabulary if word in words)


def _read_names(written: str, vocabulary: type[_WordT], what: str) -> frozenset[_WordT]:
    known = [word.value for word in vocabulary]
    names = [name.strip().upper() for name in written.split(",")]
    for name in names:
        if name != EVERY and name not in known:
            near = closest(name, known)
            guess = f"did you mean {near}? " if near else ""
            raise WrongUse(
                f"there is no {what} {quote(name)}", f"{guess}one or more, commas between: {', '.join(known)}"
            )
    if EVERY in names:
        return frozenset(vocabulary)
    return frozenset(vocabulary(name) for name in names)
