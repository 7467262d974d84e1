"""From the files of an old folder to what they hold, by what is in them rather than by their names."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ipmpki.operations.adopt.findings import LeftCode, LeftOut, Survey
from ipmpki.operations.adopt.index_txt import read_index, read_list_number
from ipmpki.operations.adopt.walk import shown
from ipmpki.x509.confined_reader import read_found_confined
from ipmpki.x509.pem import repairs_in
from ipmpki.x509.presented_certificates import FlawKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ipmpki.x509.foreign_pki import FileContents, Passphrases

_OLDER = frozenset({".old", ".bak", ".orig", ".save"})
"""How openssl, editors and people name what a file was before; openssl-ca(1) keeps index.txt.old."""


def survey_files(
    files: Iterable[tuple[str, bytes | LeftOut]],
    passphrases: Passphrases,
    progress: Callable[[str, int, int], None],
    without: Sequence[str] = (),
) -> Survey:
    """What the files hold; ``files`` are names and contents, as :func:`walk.read_folder` yields them.

    Those of ``without`` are told, and not read.
    """
    survey = Survey()
    for done, (name, content) in enumerate(files, start=1):
        file = shown(name)
        if file in without:
            survey.left.append(LeftOut(LeftCode.WITHOUT, file, "left out, as you said"))
        elif isinstance(content, LeftOut):
            survey.left.append(content)
        else:
            _take(survey, file, content, passphrases)
        progress("reading", done, 0)
    _drop_older(survey)
    return survey


def _take(survey: Survey, file: str, content: bytes, passphrases: Passphrases) -> None:
    number = read_list_number(file, content)
    if number is not None:
        survey.next_list = max(number, survey.next_list or 0)
        return
    found = read_found_confined(file, content, passphrases)
    if not found.is_empty:
        survey.repaired += ((file, told) for told in repairs_in(content))
        _keep(survey, file, found)
        return
    index, broken = read_index(file, content)
    if index is None:
        survey.passed_over.append(file)
        return
    survey.indexes.append(index)
    for line in broken:
        message = f"line {line} is none of openssl's index of certificates; it may revoke one"
        survey.left.append(LeftOut(LeftCode.LOST_REVOCATIONS, file, message, "mend the line"))


def _keep(survey: Survey, file: str, found: FileContents) -> None:
    for certificate in found.contents.certificates:
        held = survey.certificates.get(certificate.fingerprint)
        if held is None or _is_serial(held.place.file):
            survey.certificates[certificate.fingerprint] = certificate
    survey.der.update(found.contents.der)
    for key in found.keys:
        known = survey.keys.get(key.digest)
        if known is None or (key.is_encrypted and not known.is_encrypted):
            # Of two copies the one that is protected is kept as it is: its owner meant it to be.
            survey.keys[key.digest] = key
    for request in found.requests:
        survey.requests.setdefault(request.digest, request)
    survey.lists += found.lists
    if found.locked:
        survey.left.append(
            LeftOut(
                LeftCode.LOCKED_KEY,
                file,
                "the private key is encrypted, and no passphrase that was given opens it",
                "say where its passphrase is: --passphrase-env NAME or --passphrase-file PATH",
            )
        )
    survey.left += [
        LeftOut(
            LeftCode.LOST_REVOCATIONS if flaw.kind is FlawKind.REVOCATION_LIST else LeftCode.DAMAGED,
            file,
            flaw.message,
            flaw.remedy,
        )
        for flaw in found.contents.flaws
    ]


def _is_serial(file: str) -> bool:
    """Whether a file is named by a serial number, as tools name their own copies: another name says more."""
    return re.fullmatch("[0-9A-Fa-f]+", PurePosixPath(file).stem) is not None


def _drop_older(survey: Survey) -> None:
    """An index.txt.old is what index.txt was before the last change; it says nothing that is not there."""
    names = {index.file for index in survey.indexes}
    older = [index for index in survey.indexes if _before(index.file) in names]
    survey.indexes = [index for index in survey.indexes if index not in older]
    survey.passed_over += [index.file for index in older]


def _before(file: str) -> str:
    path = PurePosixPath(file)
    return str(path.with_suffix("")) if path.suffix in _OLDER else ""
