"""What a host's folder is made from, as one text: a digest that decides, and sums that tell what changed."""

from __future__ import annotations

import hashlib
import zlib
from enum import StrEnum
from typing import TYPE_CHECKING

from ipmpki.diagnostics.wording import joined

if TYPE_CHECKING:
    from collections.abc import Mapping


class Input(StrEnum):
    """A part of what a folder is made from, in the words of a plan."""

    PROGRAM = "the install script is that of another ipmpki"
    TRUST = "whom it trusts changed"
    NAMES = "its names, its role or its system changed"
    ACCOUNT = "the account of its server changed"
    RESTART = "its restart command changed"
    KEYWORDS = "the keywords for its ipmssl.cfg changed"
    MUTUAL_AUTH = "what is said of mutual authentication changed"
    CERTIFICATE = "its certificate changed"
    LIST = "its revocation list changed"
    REQUEST = "the request that it is to make changed"


_SEPARATOR = ":"


def inputs_text(parts: Mapping[Input, str]) -> str:
    """What the store keeps of a folder's inputs: another text means another folder."""
    written = [parts.get(one, "").encode("utf-8", "surrogatepass") for one in Input]
    whole = hashlib.sha256(b"\0".join(written)).hexdigest()
    return _SEPARATOR.join([whole, *(f"{zlib.crc32(one):08x}" for one in written)])


def changed_inputs(old: str, new: str) -> str:
    """Which parts differ between two such texts, in words."""
    before, after = old.split(_SEPARATOR)[1:], new.split(_SEPARATOR)[1:]
    if len(before) != len(after):
        return Input.PROGRAM.value  # an earlier ipmpki kept the digest alone
    changed = [part.value for part, one, other in zip(Input, before, after, strict=False) if one != other]
    return joined(changed) if changed else Input.PROGRAM.value
