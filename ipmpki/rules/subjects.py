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
    paths,
    presented,
    ranges,
    requests,
    service,
    state,
    structure,
    subject_fields,
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
    "paths",
    "presented",
    "ranges",
    "requests",
    "service",
    "state",
    "structure",
    "subject_fields",
    "wildcards",
]
