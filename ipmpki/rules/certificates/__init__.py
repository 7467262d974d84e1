"""Rules about certificates, keys and CRLs that are shown to ``ipmpki verify``, whoever made them."""

from __future__ import annotations

from ipmpki.rules.certificates import (
    chains,
    contents,
    names,
    order,
    private_keys,
    revocation,
    usage,
    validity,
)

__all__ = ["chains", "contents", "names", "order", "private_keys", "revocation", "usage", "validity"]
