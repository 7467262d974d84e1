"""What nobody sees, shown: each output passes through here, whoever wrote what is quoted in it.

A control character drives a terminal, a mark of direction turns the writing about, and what has no width
makes two texts look alike. All are shown as a program would have them written: ``\\x1b``, ``\\u202e``.
"""

from __future__ import annotations

import re
import unicodedata
from struct import iter_unpack
from typing import Any

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt: what is drawn as nothing. Some are
letters or marks by their category: the fillers of Hangul, the variation selectors."""
_ODD = re.compile("[^ -~]")
_ODD_IN_LINES = re.compile("[^\n\t -~]")
_ODD_OR_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)|[^\n\t -~]")
_ODD_IN_JSON = re.compile("[^\n -~]")


def is_unseen(character: str) -> bool:
    """Whether a character is drawn as nothing, or only changes how others are drawn."""
    return unicodedata.category(character) in {"Cf", "Zl", "Zp"} or _UNSEEN.match(character) is not None


def is_hidden(character: str) -> bool:
    """Whether nobody sees a character, or takes it for another: a control, a mark, an odd space."""
    return not character.isprintable() or _UNSEEN.match(character) is not None


def visible(text: str) -> str:
    """A text of one line in which everything can be seen; a line end in it is shown as ``\\x0a``."""
    return text if text.isascii() and text.isprintable() else _ODD.sub(_shown, text)


def visible_lines(text: str) -> str:
    """A text of several lines in which everything else can be seen: line ends and tabs stay."""
    return text if text.isascii() and text.isprintable() else _ODD_IN_LINES.sub(_shown, text)


def visible_but_colours(text: str) -> str:
    """Like ``visible_lines``, for text that was made visible already, and then coloured."""
    return text if text.isascii() and text.isprintable() else _ODD_OR_COLOUR.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    character = found[0]
    return character if (found.re.groups and found[1]) or not is_hidden(character) else escaped(character)


def escaped(character: str) -> str:
    """A character as a program would have it written, whatever it is."""
    code = ord(character)
    if code <= 0x7F:  # noqa: PLR2004 -- C0 and DEL
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 -- the basic plane


def visible_json(document: str) -> str:
    """A JSON document of the same values (RFC 8259, section 7), in which everything can be seen."""
    return document if document.isascii() and document.isprintable() else _ODD_IN_JSON.sub(_as_json, document)


def _as_json(found: re.Match[str]) -> str:
    character = found[0]
    if not is_hidden(character):
        return character
    return "".join(
        f"\\u{unit:04x}" for (unit,) in iter_unpack(">H", character.encode("utf-16-be", "surrogatepass"))
    )


def to_json(value: Any) -> str:
    """A value as JSON for programs, which can be looked at on a terminal; it ends with a newline."""
    import json

    return visible_json(json.dumps(value, indent=2, ensure_ascii=False)) + "\n"
