"""Text from a file made fit for a terminal, and the room it takes there."""

from __future__ import annotations

import unicodedata


def visible(text: str) -> str:
    """Text from a file with its control characters made visible, so that they cannot drive the terminal."""
    if text.isprintable():
        return text
    return "".join(character if is_harmless(character) else escaped(character) for character in text)


def is_harmless(character: str) -> bool:
    # Cf holds the marks that turn the writing direction around: U+202E and its like. A space that is not
    # the common one looks like it and is often the mistake itself.
    return character == " " or unicodedata.category(character) not in {
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
        "Zl",
        "Zp",
        "Zs",
    }


_PICTURES = 0x2400
"""Unicode's pictures of the control characters U+0000 to U+001F begin here; DEL's is U+2421."""


def escaped(character: str) -> str:
    code = ord(character)
    if code < 0x20:  # noqa: PLR2004 -- C0
        return chr(_PICTURES + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"  # noqa: PLR2004 -- DEL


def columns(text: str) -> int:
    """How many columns a text takes on a terminal: East Asian wide ones two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(character) in {"Mn", "Me"}
        else 2
        if unicodedata.east_asian_width(character) in {"W", "F"}
        else 1
        for character in text
    )
