"""Path validation (RFC 5280, section 6) and revocation, by OpenSSL through pyOpenSSL.

InfoPrint Manager speaks TLS by OpenSSL's file formats, and OpenSSL judges as it does: attributes of names
compared without case, DSA, every kind of name constraint, CRLs with all that RFC 5280 lets them have. Like
TLS, it does not process certificate policies; where an authority demands that, the verdict says so. Of CRLs
that another authority than the certificate's issuer made (RFC 5280, section 5: indirect CRLs), it finds none,
as a server does not that reads its CRLs from a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final

from cryptography import x509
from OpenSSL import crypto

from ipmpki.x509.certificate import quietly
from ipmpki.x509.presented_certificates import Chain, PathFailure, PathFault, PresentedCertificate, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

# openssl/x509_vfy.h: flags that pyOpenSSL passes on but does not name. They have kept their values since
# OpenSSL 1.0.
_EXTENDED_CRL_SUPPORT: Final = 0x1000
_USE_DELTAS: Final = 0x2000
_NO_CHECK_TIME: Final = 0x200000
_REVOCATION: Final = (
    crypto.X509StoreFlags.CRL_CHECK
    | crypto.X509StoreFlags.CRL_CHECK_ALL
    | _EXTENDED_CRL_SUPPORT
    | _USE_DELTAS
)

# openssl/x509_vfy.h: X509_V_ERR_*.
_UNTRUSTED: Final = frozenset({18, 19})
_INCOMPLETE: Final = frozenset({2, 20, 21})
_SIGNATURE: Final = frozenset({4, 6, 7})
_TIME: Final = frozenset({9, 10, 13, 14})
_LIST_EXPIRED: Final = frozenset({12})
_REVOKED: Final = frozenset({23})
_REVOCATION_UNKNOWN: Final = frozenset({3, 5, 8, 11, 15, 16, 33, 35, 36, 44, 45, 54, 55})
_POLICY: Final = frozenset({42, 43})
_FAULTS: Final = (
    (_UNTRUSTED, PathFault.UNTRUSTED),
    (_INCOMPLETE, PathFault.INCOMPLETE),
    (_SIGNATURE, PathFault.SIGNATURE),
    (_TIME, PathFault.TIME),
    (_LIST_EXPIRED, PathFault.LIST_EXPIRED),
    (_POLICY, PathFault.POLICY),
    (_REVOKED, PathFault.REVOKED),
    (_REVOCATION_UNKNOWN, PathFault.REVOCATION_UNKNOWN),
)

_RANKS: Final = (
    PathFault.INCOMPLETE,
    PathFault.ROOTLESS,
    PathFault.UNTRUSTED,
    PathFault.SIGNATURE,
    PathFault.CONSTRAINT,
    PathFault.POLICY,
    PathFault.TIME,
    PathFault.REVOCATION_UNKNOWN,
    PathFault.LIST_EXPIRED,
    PathFault.REVOKED,
)
"""How far a path came, by what stopped it."""

# What OpenSSL says, for people who do not know its words; where it says anything else, its own are shown.
_WORDS: Final[Mapping[int, str]] = {
    3: "none is from its issuer",
    8: "its signature is not that of the issuer",
    11: "it is not valid yet",
    25: "the path is longer than an authority above it allows",
    32: "the key of its issuer may not sign certificates",
    34: "it has a critical extension that nobody here knows",
    35: "its signer may not sign CRLs",
    36: "it has a critical extension that nobody here knows",
    44: "it covers other certificates",
    47: "a name is outside those that an authority above it may certify",
    48: "a name is among those that an authority above it may not certify",
    79: "it certifies others, but may not",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What chains are validated with: encodings in DER by SHA-256, anchors, further certificates, CRLs.

    ``pool`` are certificates that other files hold: of use, but not sent by a server. ``needs_root`` is
    whether a path has to end at a root, as OpenSSL demands, where others are content with a trusted issuer.
    """

    der: Mapping[str, bytes]
    anchors: Sequence[PresentedCertificate]
    pool: Sequence[PresentedCertificate]
    revocation_lists: Sequence[str]
    needs_root: bool = False


def judge_path(chain: Chain, evidence: Evidence, now: datetime) -> Verdict:
    """Validate one chain as of ``now``, aware. All that is wrong with it at once, as far as that can be told.

    What the clock says decides which issuer of a name is followed, as it does for whoever connects; only a
    chain that is refused is looked at without a clock, to tell why. Where names leave a choice, a client may
    follow either: the verdict is that of the order in which it fails, so that no order changes it.
    """
    own = tuple(one for one in chain.certificates if one is not chain.leaf)
    pools = [own, (*own, *evidence.pool)] if evidence.pool else [own]
    refused: list[_Validator] = []
    for pool in pools:
        attempts = list(_attempts(chain, evidence, pool, now))
        runs = [(one, *one.run(0)) for one in attempts]
        refused += [one for one, failure, _ in runs if failure is not None]
        _, failure, path = next((run for run in runs if run[1] is not None), runs[0])
        if failure is None:
            # The others stay at hand: a list may be signed by another key of an authority on the path.
            beside = (*path[1:-1], *(one for one in pool if one not in path))
            anchors = (*path[-1:], *(one for one in evidence.anchors if one not in path))
            found = _Validator(chain, evidence, beside, anchors, now)
            return Verdict(chain, found.further_failures(), path, _elsewhere(chain, evidence, path))
    failures, path = _refusal(refused)
    if not evidence.needs_root and any(one.fault is PathFault.INCOMPLETE for one in failures):
        rootless = next(filter(None, (attempt.without_root() for attempt in refused)), None)
        if rootless is not None:
            return rootless
    return Verdict(chain, failures, path, _elsewhere(chain, evidence, path))


def _attempts(
    chain: Chain, evidence: Evidence, pool: Sequence[PresentedCertificate], now: datetime
) -> Iterator[_Validator]:
    """As the files have it, and the other way round where two authorities have one name."""
    yield _Validator(chain, evidence, pool, evidence.anchors, now)
    names = [{one.fingerprint: one.subject for one in group} for group in (pool, evidence.anchors)]
    if any(len(set(group.values())) < len(group) for group in names):
        yield _Validator(chain, evidence, pool[::-1], evidence.anchors[::-1], now)


def _refusal(
    attempts: Sequence[_Validator],
) -> tuple[tuple[PathFailure, ...], tuple[PresentedCertificate, ...]]:
    """Why no path is valid: the reason of the one that came farthest."""
    best: tuple[int, tuple[PathFailure, ...], tuple[PresentedCertificate, ...]] | None = None
    for one in attempts:
        failure, path = one.run(_NO_CHECK_TIME)
        found = (failure,) if failure is not None else (*one.time_failures(), *one.further_failures())
        rank = _RANKS.index(failure.fault) if failure is not None else len(_RANKS)
        if best is None or rank > best[0]:
            best = (rank, tuple(dict.fromkeys(found)), path)
    assert best is not None  # noqa: S101 -- there is one attempt at least
    return best[1], best[2]


def _elsewhere(
    chain: Chain, evidence: Evidence, path: Sequence[PresentedCertificate]
) -> tuple[PresentedCertificate, ...]:
    """Those of a path that neither the chain's own file nor the trusted authorities hold."""
    there = {one.fingerprint for one in (*chain.certificates, *evidence.anchors)}
    return tuple(one for one in path if one.fingerprint not in there)


class _Validator:
    """Runs the library over one chain, with some certificates to build a path of, and different questions."""

    def __init__(
        self,
        chain: Chain,
        evidence: Evidence,
        further: Sequence[PresentedCertificate],
        anchors: Sequence[PresentedCertificate],
        now: datetime,
    ) -> None:
        self._chain = chain
        self._evidence = evidence
        self._further = further
        self._anchors = anchors
        self._now = now
        self._known = {one.fingerprint: one for one in (*chain.certificates, *further, *anchors)}

    def without_root(self) -> Verdict | None:
        """The verdict where an issuing authority is trusted as such; None where that does not help.

        So do GnuTLS, NSS and Java; OpenSSL demands the root unless it is told X509_V_FLAG_PARTIAL_CHAIN.
        """
        failure, path = self.run(crypto.X509StoreFlags.PARTIAL_CHAIN)
        if failure is not None or not path or path[-1] not in self._anchors:
            return None
        # A root that OpenSSL does not take for one is another matter, and so is an authority that does not
        # say which key signed it, as RFC 5280, section 4.2.1.1 demands of all but roots.
        if path[-1].issuer == path[-1].subject or not self._names_its_issuers_key(path[-1]):
            return None
        told = PathFailure(PathFault.ROOTLESS, path[-1].title, "its root is not there", path[-1].issuer)
        return Verdict(self._chain, (told,), path, _elsewhere(self._chain, self._evidence, path))

    def _names_its_issuers_key(self, one: PresentedCertificate) -> bool:
        try:
            with quietly():
                found = x509.load_der_x509_certificate(self._evidence.der[one.fingerprint]).extensions
                return bool(found.get_extension_for_class(x509.AuthorityKeyIdentifier))
        except (ValueError, x509.ExtensionNotFound):
            return False

    def time_failures(self) -> list[PathFailure]:
        """What the clock says against a path that is valid otherwise."""
        failure, _ = self.run(0)
        return [failure] if failure is not None else []

    def further_failures(self) -> tuple[PathFailure, ...]:
        """What is wrong with a path that can be trusted: policies, and revocation, each by itself."""
        asked = [crypto.X509StoreFlags.POLICY_CHECK | _NO_CHECK_TIME]
        if self._evidence.revocation_lists:
            asked += [_REVOCATION | _NO_CHECK_TIME, _REVOCATION]
        failures = [self.run(flags)[0] for flags in asked]
        return tuple(dict.fromkeys(one for one in failures if one is not None))

    def run(self, flags: int) -> tuple[PathFailure | None, tuple[PresentedCertificate, ...]]:
        """The first failure, or the path from the leaf to the trust anchor."""
        try:
            with quietly():
                verified = self._context(flags).get_verified_chain()
            prints = [one.digest("sha256").replace(b":", b"").decode().lower() for one in verified]
            return None, tuple(self._known[one] for one in prints if one in self._known)
        except crypto.X509StoreContextError as refusal:
            return self._failure(refusal), ()
        except (crypto.Error, ValueError) as refusal:
            words = f"OpenSSL cannot read it ({type(refusal).__name__})"
            return PathFailure(PathFault.CONSTRAINT, self._chain.leaf.title, words), ()

    def _context(self, flags: int) -> crypto.X509StoreContext:
        store = crypto.X509Store()
        for one in self._anchors:
            store.add_cert(self._loaded(one))
        if flags & _REVOCATION:
            for fingerprint in self._evidence.revocation_lists:
                store.add_crl(x509.load_der_x509_crl(self._evidence.der[fingerprint]))
        store.set_flags(flags)
        store.set_time(self._now.astimezone(UTC))
        return crypto.X509StoreContext(
            store, self._loaded(self._chain.leaf), list(map(self._loaded, self._further))
        )

    def _loaded(self, one: PresentedCertificate) -> crypto.X509:
        return crypto.load_certificate(crypto.FILETYPE_ASN1, self._evidence.der[one.fingerprint])

    def _failure(self, refusal: crypto.X509StoreContextError) -> PathFailure:
        code, depth, words = refusal.errors
        fault = next((fault for codes, fault in _FAULTS if code in codes), PathFault.CONSTRAINT)
        found: PresentedCertificate | None = self._chain.leaf if depth == 0 else None
        if depth > 0 and code not in _POLICY:  # with these, the library names no certificate
            digest = refusal.certificate.digest("sha256").replace(b":", b"").decode().lower()
            found = self._known.get(digest)
        missing = found.issuer if found is not None and fault is PathFault.INCOMPLETE else ""
        return PathFailure(
            fault, found.title if found else "an issuer", _WORDS.get(code, str(words)), missing
        )
