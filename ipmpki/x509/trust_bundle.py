"""The trust bundle of a declaration whose certificates are bought: what hosts get as ca-cert.pem."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ipmpki.diagnostics.fault import UnreadableFile
from ipmpki.x509.certificate import CertificateUnreadable, encodings
from ipmpki.x509.contents import read_contents
from ipmpki.x509.mozilla.bundle import Form, RootsSource, render_bundle
from ipmpki.x509.mozilla.certdata import parse
from ipmpki.x509.mozilla.criteria import Criteria, Purpose
from ipmpki.x509.mozilla.flaws import NothingKept
from ipmpki.x509.mozilla.recognise import text_of
from ipmpki.x509.mozilla.roots import match
from ipmpki.x509.mozilla.selection import select
from ipmpki.x509.mozilla.summary import nothing_kept
from ipmpki.x509.path_validation import Evidence, judge_path
from ipmpki.x509.pem import CERTIFICATE, armoured, why_unreadable
from ipmpki.x509.presented_certificates import Chain, PathFault
from ipmpki.x509.trust_anchors import AnchorUnreadable, read_anchor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from ipmpki.x509.trust_anchors import TrustAnchor

_COMMON_NAME: Final = re.compile(r"(?:^|,)CN=((?:[^,\\]|\\.)*)")


class BundleUnusable(UnreadableFile):
    """A file that is to hold trusted authorities holds none, or cannot be read."""


@dataclass(frozen=True, slots=True)
class TrustBundle:
    """The authorities that hosts trust, as PEM.

    ``names`` has each by its SHA-256 in lower-case hex. ``limits`` has, for those that have one, the moment
    (UTC) until which a certificate must have been issued for it to be trusted.
    """

    pem: bytes
    names: Mapping[str, str]
    limits: Mapping[str, datetime]
    periods: tuple[tuple[datetime, datetime], ...] = ()
    """When each of them is valid, where the file has not been filtered by that."""

    def why_nobody(self, at: datetime) -> str | None:
        """In words, why none of them can be trusted at that time; None where one can."""
        if not self.periods or any(begin <= at <= end for begin, end in self.periods):
            return None
        last = max(end for _, end in self.periods)
        if last < at:
            return f"none is valid now: the last one ended on {last:%Y-%m-%d}"
        first = min(begin for begin, end in self.periods if end >= at)
        return f"none is valid now: the next one begins on {first:%Y-%m-%d %H:%M} UTC"

    @property
    def sha256(self) -> str:
        """What tells one bundle from another."""
        return hashlib.sha256(self.pem).hexdigest()


@lru_cache(maxsize=4)
def from_certdata(content: bytes, name: str, at: datetime) -> TrustBundle:
    """The authorities of Mozilla's certdata.txt that InfoPrint Manager's documentation chooses.

    ``at`` is when they must not have expired. Raises a fault that says what the file is instead.
    """
    criteria = Criteria(at)
    selection = select(match(parse(text_of(content, name), name), name), criteria)
    if not selection.kept:
        raise NothingKept(*nothing_kept(selection, criteria))
    source = RootsSource(name, hashlib.sha256(content).hexdigest(), None)
    return TrustBundle(
        # Without comments, so that a newer file with the same authorities makes no host be installed again.
        render_bundle(selection.kept, criteria, Form.PEM, source),
        {one.anchor.fingerprint: one.label for one in selection.kept},
        {
            one.anchor.fingerprint: one.limits[Purpose.SERVER_AUTH]
            for one in selection.kept
            if Purpose.SERVER_AUTH in one.limits
        },
    )


@lru_cache(maxsize=4)
def from_pem(content: bytes, name: str) -> TrustBundle:
    """The authorities of a PEM file, each written anew. Raises BundleUnusable."""
    try:
        held = list(dict.fromkeys(encodings(content)))
    except CertificateUnreadable as fault:
        raise BundleUnusable(f"'{name}': {fault.message}", _BEGINS.format(name)) from None
    anchors = [_anchor(one, number, name) for number, one in enumerate(held, start=1)]
    pem = b"".join(armoured(CERTIFICATE, one) for one in held)
    names = {one.fingerprint: _title(one) for one in anchors}
    return TrustBundle(pem, names, {}, tuple((one.not_before, one.not_after) for one in anchors))


_BEGINS: Final = (
    "a trusted authority begins with the line -----BEGIN CERTIFICATE-----; for Mozilla's raw list, declare"
    ' certdata = "{}" instead'
)


def _anchor(encoded: bytes, number: int, name: str) -> TrustAnchor:
    try:
        return read_anchor(encoded)
    except AnchorUnreadable:
        why = why_unreadable(encoded) or "it is not built as a certificate is"
        message = f"certificate {number} in '{name}' is cut off or damaged: {why}"
        raise BundleUnusable(message, "copy the file again, whole and as text") from None


def _title(anchor: TrustAnchor) -> str:
    found = _COMMON_NAME.search(anchor.subject)
    return found[1].replace("\\", "") if found else anchor.subject or "an authority without a name"


_END = b"-----END CERTIFICATE-----"


_NO_TRUST = frozenset({PathFault.UNTRUSTED, PathFault.INCOMPLETE})


def hosts_without_trust(
    chains: Mapping[str, bytes], bundle: TrustBundle, now: datetime
) -> Iterator[tuple[str, str]]:
    """Each host whose certificate leads to no authority of the bundle, with the name of what issued it.

    ``chains`` are PEM, leaf first. Of hosts with the same intermediates one is validated, as the others stand
    and fall with it.
    """
    trusted = read_contents("bundle", bundle.pem)
    verdicts: dict[tuple[bytes, str], bool] = {}
    for host, pem in chains.items():
        held = read_contents(host, pem)
        if not held.certificates:
            continue
        leaf = held.certificates[0]
        kind = (pem.partition(_END)[2], leaf.issuer)
        if kind not in verdicts:
            evidence = Evidence({**trusted.der, **held.der}, trusted.certificates, (), ())
            verdict = judge_path(Chain(leaf, tuple(held.certificates), None), evidence, now)
            verdicts[kind] = any(failure.fault in _NO_TRUST for failure in verdict.failures)
        if verdicts[kind]:
            yield host, leaf.issuer
