"""Every subject's rules; importing this module registers them all."""

from __future__ import annotations

from ipmpki.rules import (
    addresses,
    aliases,
    authority,
    bought,
    domains,
    hosts,
    keys,
    lifetimes,
    mixed,
    names,
    presented,
    ranges,
    requests,
    service,
    state,
    structure,
    wildcards,
)

__all__ = [
    "addresses",
    "aliases",
    "authority",
    "bought",
    "domains",
    "hosts",
    "keys",
    "lifetimes",
    "mixed",
    "names",
    "presented",
    "ranges",
    "requests",
    "service",
    "state",
    "structure",
    "wildcards",
]
