"""Free texts that pki.toml may hold: names, paths, commands; what cannot be meant is refused."""

from __future__ import annotations

import posixpath
import unicodedata

from pydantic_core import PydanticCustomError

from ipmpki.declaration.pkcs11_uri import is_token_uri
from ipmpki.diagnostics.escape import is_hidden, is_unseen
from ipmpki.diagnostics.wording import quote


def refused(fault: str, remedy: str, meant: str | int | None = None) -> PydanticCustomError:
    """A value of the right type that cannot be meant: fault and remedy in the words of a problem.

    ``meant`` is the value to write instead, where there is just one.
    """
    return PydanticCustomError("refused", "{fault}", {"fault": fault, "remedy": remedy, "meant": meant})


def _printable(written: str) -> str:
    """Refuse what no name, path or command holds on purpose: line ends, NUL, escape sequences."""
    if not written.isprintable() and any(unicodedata.category(character) == "Cc" for character in written):
        raise refused(
            f"{quote(written)} holds a line end or another control character", "write it on one line"
        )
    return written


def _visible(written: str, what: str) -> str:
    """Refuse also what is drawn as nothing: marks that turn the writing about, zero-width characters.

    ``what`` says what else than it shows the text would be.
    """
    _printable(written)
    if written.isascii():
        return written
    is_odd = is_hidden if what is _LINE else is_unseen  # no shell takes a no-break space for a space
    unseen = [place for place in range(len(written)) if is_odd(written[place]) and written[place] != " "]
    if unseen and (what is not _NAME or not all(_joins(written, place) for place in unseen)):
        codes = ", ".join(dict.fromkeys(f"U+{ord(written[place]):04X}" for place in unseen))
        plain = "".join(" " if one.isspace() else "" if is_odd(one) else one for one in written).strip()
        raise refused(
            f"{quote(written)} holds what nobody sees, {codes}: {what}",
            f"write {quote(plain)}{_THEN.get(what, '')}" if plain else "write what can be seen",
        )
    return written


_LINE = "scripts and settings would hold another text than one sees"
_FILE = "it names another file than it seems to"
_NAME = "another name than one sees would stand in every certificate"
_THEN = {_FILE: ", and rename the file where it is really called so"}
_FIRST_JOINED = 0x0600


def _joins(written: str, place: int) -> bool:
    """Whether a zero-width joiner or non-joiner stands where letters are written with it.

    As between letters of Arabic or behind the virama of an Indic script (RFC 5892, appendices A.1 and A.2).
    """
    near = written[max(place - 1, 0) : place] + written[place + 1 : place + 2]
    return (
        written[place] in "\u200c\u200d"
        and len(near) == 2  # noqa: PLR2004 -- the one before and the one behind
        and all(ord(one) >= _FIRST_JOINED and unicodedata.category(one)[0] in "LM" for one in near)
    )


def _given(written: str) -> str:
    if not written.strip():
        raise refused("this text is empty", "write a text, or leave the key out")
    return written


def file_path(written: str) -> str:
    """A path, or a pattern of paths, whose file is the one it looks like, and can be there."""
    _visible(_given(written), _FILE)
    if is_token_uri(written):
        return written
    parts = written.encode(errors="surrogateescape").split(b"/")
    if len(written) > LONGEST_PATH or any(len(part) > LONGEST_FILE_NAME for part in parts):
        raise refused(
            f"{quote(written)} is longer than the name of a file may be",
            f"use names of up to {LONGEST_FILE_NAME} bytes",
        )
    if written.endswith(("-journal", "-wal", "-shm")):  # https://www.sqlite.org/tempfiles.html
        raise refused(
            f"{quote(written)} has a name that SQLite takes for its own files beside a store, and removes",
            "give it another name",
        )
    if posixpath.normpath(written) == _PUBLISHED:
        raise refused(f"{quote(written)} is the folder that a build publishes", "name another file")
    return written


LONGEST_FILE_NAME = 200
"""File systems take 255 bytes; what lies beside the store for a while has a longer name than the store."""
LONGEST_PATH = 1000
"""The shortest limit of systems, macOS's PATH_MAX, is 1024, with the folder of pki.toml."""
_PUBLISHED = "dist"


def subject_text(written: str) -> str:
    """A field of a certificate's subject."""
    return _visible(_given(written), _NAME)


def line(written: str) -> str:
    """What becomes a part of scripts and settings: a command, an account, a keyword."""
    return _visible(written, _LINE)


def given_line(written: str) -> str:
    """The same, and not empty."""
    return line(_given(written))


def variable_name(written: str) -> str:
    """An environment variable's name. It is not quoted: people have put the passphrase itself here."""
    if any(map(is_hidden, _given(written))):
        raise refused("the name of the variable holds what nobody sees", "write the name anew, by hand")
    if "=" in written:  # environ(7): it ends the name
        raise refused("no variable's name holds '='", "write the name alone, and set the variable elsewhere")
    return written
