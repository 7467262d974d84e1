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
from ipmpki.x509.presented import Chain, PathFailure, PathFault, PresentedCertificate, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
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

    ``pool`` are certificates that other files hold: of use, but not sent by a server.
    """

    der: Mapping[str, bytes]
    anchors: Sequence[PresentedCertificate]
    pool: Sequence[PresentedCertificate]
    revocation_lists: Sequence[str]


def judge_path(chain: Chain, evidence: Evidence, now: datetime) -> Verdict:
    """Validate one chain as of ``now``, aware. All that is wrong with it at once, as far as that can be told.

    Trust comes first, then time, then revocation; each is asked for by itself, since the library stops at the
    first failure.
    """
    validator = _Validator(chain, evidence, now)
    own = [one for one in chain.certificates if one is not chain.leaf]
    elsewhere: tuple[PresentedCertificate, ...] = ()
    failure, path = validator.run(own, _NO_CHECK_TIME)
    if failure is not None and failure.fault is PathFault.INCOMPLETE and evidence.pool:
        further, longer = validator.run([*own, *evidence.pool], _NO_CHECK_TIME)
        if further is None:
            own_prints = {one.fingerprint for one in chain.certificates}
            trusted = {one.fingerprint for one in evidence.anchors}
            elsewhere = tuple(
                one for one in longer if one.fingerprint not in own_prints and one.fingerprint not in trusted
            )
            failure, path, own = None, longer, [*own, *evidence.pool]
    if failure is not None:
        return Verdict(chain, (failure,))
    asked = [0, crypto.X509StoreFlags.POLICY_CHECK | _NO_CHECK_TIME]
    if evidence.revocation_lists:
        asked += [_REVOCATION | _NO_CHECK_TIME, _REVOCATION]
    failures = [validator.run(own, flags)[0] for flags in asked]
    distinct = dict.fromkeys(one for one in failures if one is not None)
    return Verdict(chain, tuple(distinct), path, elsewhere)


class _Validator:
    """Runs the library over one chain with different sets of questions."""

    def __init__(self, chain: Chain, evidence: Evidence, now: datetime) -> None:
        self._chain = chain
        self._evidence = evidence
        self._now = now
        self._known = {
            one.fingerprint: one for one in (*chain.certificates, *evidence.pool, *evidence.anchors)
        }

    def run(
        self, further: Iterable[PresentedCertificate], flags: int
    ) -> tuple[PathFailure | None, tuple[PresentedCertificate, ...]]:
        """The first failure, or the path from the leaf to the trust anchor."""
        try:
            with quietly():
                verified = self._context(further, flags).get_verified_chain()
            prints = [one.digest("sha256").replace(b":", b"").decode().lower() for one in verified]
            return None, tuple(self._known[one] for one in prints if one in self._known)
        except crypto.X509StoreContextError as refusal:
            return self._failure(refusal), ()
        except (crypto.Error, ValueError) as refusal:
            words = f"OpenSSL cannot read it ({type(refusal).__name__})"
            return PathFailure(PathFault.CONSTRAINT, self._chain.leaf.title, words), ()

    def _context(self, further: Iterable[PresentedCertificate], flags: int) -> crypto.X509StoreContext:
        store = crypto.X509Store()
        for one in self._evidence.anchors:
            store.add_cert(self._loaded(one))
        if flags & _REVOCATION:
            for fingerprint in self._evidence.revocation_lists:
                store.add_crl(x509.load_der_x509_crl(self._evidence.der[fingerprint]))
        store.set_flags(flags)
        store.set_time(self._now.astimezone(UTC))
        return crypto.X509StoreContext(
            store, self._loaded(self._chain.leaf), list(map(self._loaded, further))
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
