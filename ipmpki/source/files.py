"""The source reader: the only place that reads the declaration and the files it names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import Fault, UnreadableFile, WrongDeclaration
from ipmpki.diagnostics.problem import Fix, Problem, Related, Remove, Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.registry import KeyFile
from ipmpki.source.secrets import is_usual_variable_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from ipmpki.declaration.fleet import Fleet, PassphraseSource
    from ipmpki.diagnostics.problem import Place

LARGEST_FILE = 64 * 1024 * 1024
"""No declaration, certificate or key is larger; a device or a disk image is."""

_UNNAMED = "the environment variable that is named for "


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the declaration as read: its name as shown to people, and its bytes."""

    name: str
    content: bytes


def read_file(path: Path, *, what: str) -> bytes:
    """The bytes of a file. Raises UnreadableFile, saying ``what`` it should have been."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UnreadableFile(
            f"{what} '{path}' cannot be read: {error.strerror or error}", "check the path and its permissions"
        ) from error
    if len(content) > LARGEST_FILE:
        raise UnreadableFile(
            f"{what} '{path}' is larger than {LARGEST_FILE // 1024**2} MiB", "check the path"
        )
    return content


def read_included(
    declaration: Path,
    shown: str,
    patterns: Iterable[tuple[str, Place]],
    unsaved: Mapping[Path, bytes] | None = None,
) -> tuple[tuple[SourceFile, ...], tuple[Problem, ...]]:
    """Read the files that ``include`` brings in, in the order of patterns and names, each once.

    ``declaration`` is pki.toml, which no pattern brings in, and ``shown`` its name as people gave it.
    ``unsaved`` has, by resolved path, the bytes of files that are being edited.
    """
    unsaved = unsaved or {}
    files: dict[Path, SourceFile] = {}
    problems: list[Problem] = []
    owners: dict[Path, Place] = {}
    root, itself = declaration.parent, declaration.resolve()
    prefix = os.path.dirname(shown)  # noqa: PTH120 -- how the user wrote it, not a path to use
    for pattern, place in patterns:
        try:
            found = sorted(path for path in root.glob(pattern) if path.is_file())
        except (ValueError, NotImplementedError, OSError) as error:
            problems.append(_unreadable(f"the pattern '{pattern}' cannot be followed: {error}", place))
            continue
        if not found:
            problems.append(_unreadable(f"no file matches '{pattern}'", place))
        further = {path: resolved for path in found if (resolved := path.resolve()) != itself}
        if found and all(resolved in owners for resolved in further.values()):
            problems.append(_without_effect(pattern, place, [owners[one] for one in further.values()]))
        for path, resolved in further.items():
            if owners.setdefault(resolved, place) != place:
                continue
            try:
                content = unsaved.get(resolved)
                if content is None:
                    content = read_file(path, what="the included file")
            except UnreadableFile as fault:
                problems.append(_unreadable(fault.message, place))
                continue
            name = os.path.join(prefix, path.relative_to(root).as_posix())  # noqa: PTH118 -- as above
            files.setdefault(resolved, SourceFile(name, content))
    return tuple(files.values()), tuple(problems)


def _without_effect(pattern: str, place: Place, owners: list[Place]) -> Problem:
    """The problem of a pattern that matches files which ``owners`` bring in, or else pki.toml alone."""
    if not owners:
        return Problem(
            "include-without-effect",
            Severity.WARNING,
            f"the pattern {quote(pattern)} matches no file but this one",
            "name the files that hold further hosts, such as 'sites/*.toml', or leave it out",
            place,
        )
    return Problem(
        "include-without-effect",
        Severity.WARNING,
        f"the pattern {quote(pattern)} brings in no file that is not there already",
        "take it out, or correct it if other files are meant",
        place,
        tuple(Related("this one brings it in", owner) for owner in dict.fromkeys(owners)),
        fix=Fix("take it out", (Remove(place),)),
    )


def _unreadable(message: str, place: Place) -> Problem:
    return Problem(
        "file-unreadable",
        Severity.ERROR,
        message,
        "check the path, which is relative to pki.toml, and its permissions",
        place,
    )


def missing_files(root: Path, fleet: Fleet, *, is_adopted: bool) -> Iterator[Problem]:
    """Files the declaration names that are not there. An adopted authority's key lies in the store."""
    ca = fleet.place.at(fleet.signing_table)
    named: list[tuple[str | None, Place]] = []
    if fleet.existing is not None:
        named.append((fleet.existing.certificate, ca.at("certificate")))
        if not is_adopted and fleet.token_key is None:
            named.append((fleet.existing.key_file, ca.at("key_file")))
    if fleet.passphrase is not None:
        named.append((fleet.passphrase.file, _passphrase_place(fleet)))
    if fleet.is_third_party and fleet.bundle is not None:
        named.append((fleet.bundle.path, fleet.place.at("ca", fleet.bundle.key)))
    for path, place in named:
        if path is not None and not (root / path).is_file():
            yield _unreadable(f"there is no file '{path}'", place)


def _passphrase_place(fleet: Fleet) -> Place:
    """Where the file of the passphrase, or of a token's PIN, is named."""
    ca = fleet.place.at(fleet.signing_table)
    declared = getattr(fleet.declared, fleet.signing_table).passphrase
    return ca.at("passphrase", "file") if declared is not None else ca.at("key_file")


def bundle_changed_at(root: Path, fleet: Fleet) -> datetime | None:
    """When the file of the trust bundle last changed; None where there is none. Files keep no better date."""
    if not fleet.is_third_party or fleet.bundle is None:
        return None
    try:
        return datetime.fromtimestamp((root / fleet.bundle.path).stat().st_mtime, UTC)
    except (OSError, OverflowError, ValueError):
        return None


def secret_files(root: Path, fleet: Fleet, store: Path) -> Iterator[KeyFile]:
    """The files that hold secrets, with their permissions, for the rule that judges these."""
    ca = fleet.place.at(fleet.signing_table)
    named: list[tuple[str | None, Place]] = []
    if fleet.existing is not None and fleet.token_key is None:
        named.append((fleet.existing.key_file, ca.at("key_file")))
    if fleet.passphrase is not None:
        named.append((fleet.passphrase.file, _passphrase_place(fleet)))
    store_place = fleet.place.at("store") if fleet.declared.store is not None else ca
    named.append((str(store), store_place))
    if os.name != "posix":
        return
    for path, place in named:
        if path is not None and (root / path).is_file():
            yield KeyFile(path, (root / path).stat().st_mode & 0o777, place)


def read_passphrase(root: Path, source: PassphraseSource | None) -> bytes | None:
    """The passphrase of the CA's key from where it is declared; None where none is.

    Raises WrongDeclaration where it is empty or its environment variable is not set.
    """
    if source is None:
        return None
    return passphrase_from(root, source, whose="the CA key's passphrase", fault=WrongDeclaration)


def usable_passphrase(root: Path, source: PassphraseSource | None) -> bytes | None:
    """The same for whoever can do without: None also where it is declared and not to be had."""
    try:
        return read_passphrase(root, source)
    except Fault:
        return None


def passphrase_from(root: Path, source: PassphraseSource, *, whose: str, fault: type[Fault]) -> bytes:
    """A passphrase from an environment variable or a file's first line, as octets, never empty.

    A relative path is meant from ``root``. Raises ``fault``, or UnreadableFile.
    """
    if source.env is not None:
        value = os.environ.get(source.env)
        if not value:
            # Where somebody wrote the passphrase itself, it must not be shown.
            name = source.env if is_usual_variable_name(source.env) else "NAME"
            which = (
                f"the environment variable {name}, for {whose}," if name == source.env else _UNNAMED + whose
            )
            raise fault(
                f"{which} is not set",
                f"set it for this command only, for example: read -rs {name}; export {name}",
            )
        return os.fsencode(value)
    content = read_file(root / (source.file or ""), what="the passphrase file")
    passphrase = content.partition(b"\n")[0].rstrip(b"\r")
    if not passphrase:
        raise fault(
            f"the passphrase file '{source.file}' has an empty first line",
            "write the passphrase into its first line",
        )
    return passphrase
