"""Whether what hosts have is still below an authority that the trust bundle holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.x509.contents import read_contents
from ipmpki.x509.path_validation import Evidence, judge_path
from ipmpki.x509.presented import Chain, PathFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from ipmpki.x509.trust_bundle import TrustBundle

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
