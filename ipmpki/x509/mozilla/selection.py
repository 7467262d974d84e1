"""Which roots are kept, which are left out, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ipmpki.x509.mozilla.criteria import DistrustAfter, Purpose, TrustLevel
from ipmpki.x509.trust_anchors import AnchorUnreadable, TrustAnchor, read_anchor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ipmpki.x509.mozilla.criteria import Criteria
    from ipmpki.x509.mozilla.roots import Root, Roots

_DISTRUST: Final = re.compile("distrust", re.IGNORECASE)


class OmissionReason(StrEnum):
    """Why a root is left out, in the order in which the reasons are looked for.

    The order of the first ones is that of curl's mk-ca-bundle.pl, which gives the first that holds.
    """

    UNREADABLE = "unreadable"
    MISLABELLED = "mislabelled"
    EXPIRED = "expired"
    DISTRUST_DATE_PASSED = "distrust-date-passed"
    NO_TRUST = "no-trust"
    CONTRADICTORY = "contradictory"
    DISTRUSTED = "distrusted"
    OTHER_PURPOSES = "other-purposes"
    REPEATED = "repeated"
    NO_CERTIFICATE = "no-certificate"


@dataclass(frozen=True, slots=True)
class ChosenRoot:
    """A root of the bundle: what it says of itself, and what Mozilla says of it.

    ``levels`` is its trust for each purpose. ``limits`` holds, for those of the asked purposes that have one,
    the moment (UTC) until which a certificate must have been issued for this root to vouch for it.
    """

    label: str
    der: bytes
    anchor: TrustAnchor
    levels: Mapping[Purpose, TrustLevel]
    limits: Mapping[Purpose, datetime]


@dataclass(frozen=True, slots=True)
class OmittedRoot:
    """A root that is not in the bundle: why, what more there is to say, and its line in the file."""

    label: str
    reason: OmissionReason
    detail: str
    line: int


@dataclass(frozen=True, slots=True)
class Selection:
    """What became of every certificate and trust object of a file, each in the file's order.

    ``unknown`` are purposes or levels of kept and left-out roots that this program does not know.
    """

    kept: tuple[ChosenRoot, ...]
    left_out: tuple[OmittedRoot, ...]
    unknown: tuple[str, ...]
    is_ancient: bool


def select(found: Roots, criteria: Criteria) -> Selection:
    """Choose the roots that meet the criteria; a certificate that stands twice is kept once.

    A root is kept on the trust of all of its trust objects: one that distrusts outweighs another that trusts.
    """
    kept: dict[str, ChosenRoot] = {}
    left_out: list[OmittedRoot] = []
    for root in found.roots:
        judged = _judge(root, criteria)
        if isinstance(judged, ChosenRoot) and judged.anchor.fingerprint in kept:
            judged = OmittedRoot(
                root.label, OmissionReason.REPEATED, "it stands in the file before", root.line
            )
        if isinstance(judged, ChosenRoot):
            kept[judged.anchor.fingerprint] = judged
        else:
            left_out.append(judged)
    left_out += [
        OmittedRoot(
            trust.label,
            OmissionReason.NO_CERTIFICATE,
            "distrusted" if trust.distrusts else "trust without a certificate",
            trust.line,
        )
        for trust in found.without_certificate
    ]
    unknown = {
        f"{purpose} {level}"
        for root in found.roots
        for trust in root.trust
        for purpose, level in trust.unknown
    }
    return Selection(
        tuple(kept.values()),
        tuple(sorted(left_out, key=lambda one: one.line)),
        tuple(sorted(unknown)),
        is_ancient=found.is_ancient,
    )


def _judge(root: Root, criteria: Criteria) -> ChosenRoot | OmittedRoot:  # noqa: PLR0911 -- one for each reason
    def left_out(reason: OmissionReason, detail: str) -> OmittedRoot:
        return OmittedRoot(root.label, reason, detail, root.line)

    try:
        anchor = read_anchor(root.der)
    except AnchorUnreadable as error:
        return left_out(OmissionReason.UNREADABLE, str(error))
    if (anchor.issuer, anchor.serial) != (root.issuer, root.serial):
        return left_out(
            OmissionReason.MISLABELLED, "the file gives another issuer or serial number than it has"
        )
    if anchor.not_after < criteria.at:
        return left_out(OmissionReason.EXPIRED, f"valid until {anchor.not_after:%Y-%m-%d}")
    until = root.server_distrust_after
    if criteria.distrust_after is DistrustAfter.DROP and until is not None and until <= criteria.at:
        return left_out(OmissionReason.DISTRUST_DATE_PASSED, f"issues nothing trusted since {until:%Y-%m-%d}")
    levels = _levels(root)
    if not levels:
        return left_out(OmissionReason.NO_TRUST, "no trust object has its issuer, serial number and digest")
    if _DISTRUST.search(root.label) and set(levels.values()) != {TrustLevel.NOT_TRUSTED}:
        return left_out(OmissionReason.CONTRADICTORY, "its label says distrust, its trust object does not")
    if any(level in criteria.levels and purpose in criteria.purposes for purpose, level in levels.items()):
        return ChosenRoot(root.label, root.der, anchor, levels, _limits(root, criteria))
    if any(levels.get(purpose) is TrustLevel.NOT_TRUSTED for purpose in criteria.purposes):
        return left_out(OmissionReason.DISTRUSTED, "for " + _listed(levels, TrustLevel.NOT_TRUSTED))
    delegated = _listed(levels, TrustLevel.TRUSTED_DELEGATOR)
    return left_out(
        OmissionReason.OTHER_PURPOSES, f"trusted for {delegated}" if delegated else "trusted for nothing"
    )


def _levels(root: Root) -> dict[Purpose, TrustLevel]:
    levels: dict[Purpose, TrustLevel] = {}
    for trust in root.trust:
        for purpose, level in trust.levels.items():
            if levels.get(purpose) is not TrustLevel.NOT_TRUSTED:
                levels[purpose] = level
    return levels


def _limits(root: Root, criteria: Criteria) -> dict[Purpose, datetime]:
    dates = {
        Purpose.SERVER_AUTH: root.server_distrust_after,
        Purpose.EMAIL_PROTECTION: root.email_distrust_after,
    }
    return {
        purpose: date for purpose, date in dates.items() if date is not None and purpose in criteria.purposes
    }


def _listed(levels: Mapping[Purpose, TrustLevel], level: TrustLevel) -> str:
    return ", ".join(purpose for purpose in levels if levels[purpose] is level)
