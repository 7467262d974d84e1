"""Rules about certificates, keys and CRLs that are shown to ``ipmpki verify``, whoever made them."""

from __future__ import annotations

from ipmpki.rules.presented import chains, contents, keys, names, orders, revocation, time, usages

__all__ = ["chains", "contents", "keys", "names", "orders", "revocation", "time", "usages"]
