"""Serial numbers of certificates as people write them."""

from __future__ import annotations

import re

_HEXADECIMAL = re.compile(r"(?:0[xX])?([0-9a-fA-F]{1,40})")
"""RFC 5280, section 4.1.2.2: at most 20 octets."""
_DECIMAL = re.compile(r"[0-9]{1,49}")


def read_serials(written: str) -> list[int]:
    """The serial numbers a text may mean; as it is shown here, in hexadecimal, comes first."""
    digits = re.sub(r"[\s:]", "", written)
    numbers = []
    if hexadecimal := _HEXADECIMAL.fullmatch(digits):
        numbers.append(int(hexadecimal[1], 16))
    if _DECIMAL.fullmatch(digits):
        numbers.append(int(digits))
    return [number for number in numbers if number < 1 << 160]
