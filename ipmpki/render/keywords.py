"""The keywords of samples of ipmssl.cfg, for the person who decides what each is for."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from ipmpki.declaration.ipmssl_sample import KNOWN, PURPOSES, purposes_of
from ipmpki.diagnostics.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ipmpki.declaration.ipmssl_sample import SampleKeyword

_WIDTH = 80
_KNOWN = {one.casefold() for one in KNOWN}
_TITLES = {
    "ca_file": "the file of trusted authorities",
    "crl_file": "the revocation list",
    "mutual_auth": "asking clients for certificates",
}


def render_keywords(samples: Mapping[str, Sequence[SampleKeyword]], declaration: str) -> str:
    """Every keyword with its comment, then which may be for what; nothing is decided here."""
    return "\n".join(_lines(samples, declaration)) + "\n"


def _lines(samples: Mapping[str, Sequence[SampleKeyword]], declaration: str) -> Iterator[str]:
    for file, keywords in samples.items():
        yield f"{visible(file)}: {len(keywords)} keyword{'' if len(keywords) == 1 else 's'}"
        for one in keywords:
            yield f"  {visible(one.name)}{_value(one)}"
            if one.comment:
                yield from textwrap.wrap(
                    visible(one.comment), _WIDTH, initial_indent="      ", subsequent_indent="      "
                )
        yield ""
    yield "What each is for only you can tell. By their words these may be:"
    for purpose in PURPOSES:
        fit = [
            (file, one)
            for file, keywords in samples.items()
            for found, one in purposes_of(keywords)
            if found == purpose
        ]
        names = dict.fromkeys(
            f"{visible(one.name)} (line {one.line} of {visible(file)})" for file, one in fit
        )
        yield f"  {purpose:<12} {_TITLES[purpose]}"
        for name in names:
            yield f"      {name}"
        if not names:
            yield "      none that its words would tell"
    yield ""
    yield "When you know, write it into pki.toml; leave out what there is no keyword for:"
    options = "--ca-file NAME --crl-file NAME --mutual-auth NAME[=VALUE]"
    yield f"  ipmpki keywords {' '.join(map(visible, samples))} --pki {declaration} \\"
    yield f"      {options}"


def _value(one: SampleKeyword) -> str:
    told = f" = {visible(one.value)}" if one.value else ""
    if one.name.casefold() in _KNOWN:
        return f"{told}  (ipmpki sets it)"
    return told + ("  (in force)" if one.is_set else "")
