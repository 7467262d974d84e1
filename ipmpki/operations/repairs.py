"""What had to be looked past in files that are published anew: it does no harm here, and may elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import Fault
from ipmpki.diagnostics.problem import Problem, Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.source.files import read_file
from ipmpki.x509.pem import repairs_in
from ipmpki.x509.presented_certificates import RemarkKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.diagnostics.problem import Place
    from ipmpki.x509.contents import Contents
    from ipmpki.x509.presented_certificates import Remark

_NO_HARM = "what is published is written anew; write the file anew before another program reads it"


def declared_repairs(root: Path, fleet: Fleet) -> Iterator[Problem]:
    """The same of the files of authorities that pki.toml names; ``root`` is its folder."""
    named: list[tuple[str, Place]] = []
    if fleet.existing is not None:
        named.append((fleet.existing.certificate, fleet.place.at(fleet.signing_table, "certificate")))
    if fleet.bundle is not None and not fleet.bundle.is_certdata:
        named.append((fleet.bundle.path, fleet.place.at("ca", fleet.bundle.key)))
    for path, place in named:
        try:
            content = read_file(root / path, what="the certificate")
        except Fault:
            continue  # told elsewhere
        yield from repairs_told(path, content, place)


def repairs_told(path: str, content: bytes, place: Place) -> Iterator[Problem]:
    """A note for each file whose form had to be looked past."""
    found = repairs_in(content)
    if found:
        message = f"{quote(path)} was read all the same: {'; '.join(found)}"
        yield Problem("unusual-form", Severity.INFO, message, _NO_HARM, place)


def repairs_of(held: Iterable[Contents]) -> tuple[Remark, ...]:
    """What is told of certificates that were brought; DER and PKCS#7 are how they are sold."""
    remarks = (remark for contents in held for remark in contents.remarks)
    return tuple(
        replace(one, kind=RemarkKind.FORM, remedy=_NO_HARM) if one.is_repair else one
        for one in remarks
        if one.is_repair or one.kind is RemarkKind.FIELD
    )
