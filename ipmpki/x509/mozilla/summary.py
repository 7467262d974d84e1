"""What is said of a bundle: how many authorities, what was left out and why, what stays with a limit."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from ipmpki.x509.mozilla.bundle import one_line
from ipmpki.x509.mozilla.criteria import DEFAULT_LEVELS, Criteria, DistrustAfter, in_order
from ipmpki.x509.mozilla.selection import OmissionReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ipmpki.x509.mozilla.selection import Selection

_PHRASES: Final[Mapping[OmissionReason, str]] = {
    OmissionReason.UNREADABLE: "unreadable",
    OmissionReason.MISLABELLED: "listed under another issuer or serial number than their own",
    OmissionReason.EXPIRED: "expired",
    OmissionReason.DISTRUST_DATE_PASSED: "dropped, as what they issue now is not trusted",
    OmissionReason.NO_TRUST: "without a trust object",
    OmissionReason.CONTRADICTORY: "distrusted by their label, not by their trust object",
    OmissionReason.DISTRUSTED: "distrusted by Mozilla",
    OmissionReason.OTHER_PURPOSES: "not trusted for these purposes",
    OmissionReason.REPEATED: "standing in the file twice",
    OmissionReason.NO_CERTIFICATE: "listed without a certificate",
}
_MOST_NAMES: Final = 10
_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----([^-]*+)-----END CERTIFICATE-----")


def authorities(number: int) -> str:
    """``1 authority``, ``121 authorities``."""
    return "1 authority" if number == 1 else f"{number} authorities"


def account(selection: Selection, before: bytes, *, with_left_out: bool) -> Iterator[str]:
    """What became of a file's roots, line by line, against the bundle ``before``, in PEM."""
    yield from _changes(selection, before)
    line = left_out_line(selection)
    if line:
        yield line
    if with_left_out:
        for one in selection.left_out:
            yield f"  {one_line(one.label) or '(no name)'}: {_each(one.reason)} ({one.detail})"
    yield from _limits(selection)


def left_out_line(selection: Selection) -> str:
    """How many were left out, by reason, in the order of reasons; empty where none was."""
    counts = Counter(one.reason for one in selection.left_out)
    phrases = [f"{counts[reason]} {_PHRASES[reason]}" for reason in OmissionReason if counts[reason]]
    return f"left out {len(selection.left_out)}: {'; '.join(phrases)}" if phrases else ""


def _limits(selection: Selection) -> Iterator[str]:
    """The kept roots of which only what was issued until a day is trusted, the earliest day first."""
    limits = sorted(
        (date, purpose, one_line(one.label)) for one in selection.kept for purpose, date in one.limits.items()
    )
    if limits:
        yield (
            f"{len(limits)} of the {len(selection.kept)} kept {'vouches' if len(limits) == 1 else 'vouch'} "
            "only for certificates issued until a day:"
        )
    for date, purpose, label in limits:
        yield f"  {date:%Y-%m-%d}  {purpose}  {label}"


def warnings(selection: Selection, criteria: Criteria) -> Iterator[str]:
    """What somebody should look at although the work went well."""
    odd = criteria.levels - DEFAULT_LEVELS
    if odd:
        yield (
            f"the levels {in_order(odd)} bring in certificates that Mozilla does not trust as authorities; "
            "whoever takes this bundle for a list of authorities trusts them"
        )
    if selection.unknown:
        yield f"the file says what this version does not know, and ignores: {', '.join(selection.unknown)}"
    if any(
        one.reason in {OmissionReason.UNREADABLE, OmissionReason.MISLABELLED} for one in selection.left_out
    ):
        yield "a certificate of the file is damaged; --left-out shows which"


def _changes(selection: Selection, before: bytes) -> Iterator[str]:
    old: set[str] = set()
    for found in _CERTIFICATE.finditer(before):
        with contextlib.suppress(binascii.Error):
            old.add(hashlib.sha256(base64.b64decode(found[1])).hexdigest())
    new = {one.anchor.fingerprint: one.label for one in selection.kept}
    came = [one_line(label) for fingerprint, label in new.items() if fingerprint not in old]
    gone = len(old - set(new))
    if old and (came or gone):
        names = f" ({', '.join(came)})" if 0 < len(came) <= _MOST_NAMES else ""
        yield f"compared with the bundle before: {len(came)} new{names}, {gone} gone"


def nothing_kept(selection: Selection, criteria: Criteria) -> tuple[str, str]:
    """The fault and the remedy where not one root is left."""
    fault = f"not one authority meets {in_order(criteria.purposes)} at {in_order(criteria.levels)}"
    if selection.is_ancient:
        return f"{fault}: the file is from before 2012, when levels had other names", "fetch a newer file"
    line = left_out_line(selection)
    if not line:
        return f"{fault}: the file holds no certificate", "fetch the file again"
    options = "--purposes, --levels and --at"
    if criteria.distrust_after is DistrustAfter.DROP:
        options = "--purposes, --levels, --at and --distrust-after"
    return f"{fault}: {line}", f"look at {options}, and at whether the file is old"


def _each(reason: OmissionReason) -> str:
    return _PHRASES[reason].replace("their own", "its own").replace("their", "its").replace("they", "it")
