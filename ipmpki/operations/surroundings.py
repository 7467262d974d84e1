"""What lies around a declaration: its secrets, who else gets at its files, whether git would take them in.

Nothing is judged here; the rules do that with what is found.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.declaration.pkcs11_uri import is_token_uri
from ipmpki.diagnostics.fault import UnreadableFile
from ipmpki.diagnostics.problem import Place
from ipmpki.operations.existing_authority import read_authority
from ipmpki.operations.project import DIST_NAME
from ipmpki.operations.recovery.authority import lost_words, regained, stranger_in, ways_on
from ipmpki.operations.recovery.revocation_lists import newer_list
from ipmpki.operations.trust_bundle import untrusted_hosts
from ipmpki.plans.dist_layout import host_folder
from ipmpki.rules.context import (
    Access,
    KeyFile,
    LostStore,
    RootlessAuthority,
    ScopeOfNames,
    Secret,
    Surroundings,
)
from ipmpki.source.files import unreadable
from ipmpki.source.ownership import custody_of, owner_of_link, way_to
from ipmpki.x509.root import certificates_in, first_without_root

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator, Mapping

    from ipmpki.declaration import tables
    from ipmpki.declaration.fleet import CertificateSpec, Fleet
    from ipmpki.diagnostics.problem import Problem
    from ipmpki.operations.check import Understood
    from ipmpki.store.records import Issued

_PATIENCE_SECONDS = 5.0
"""A repository on a network drive may be slow; what it would have said is worth no more."""


def surroundings_of(
    path: Path, understood: Understood, store: Path, issued: Issued, now: datetime
) -> Surroundings:
    """What rules may know beside the declaration at ``path``, as of ``now``."""
    root, fleet = path.parent, understood.fleet
    if fleet is None:
        return Surroundings(now)
    return Surroundings(
        now,
        key_files=tuple(secret_files(root, fleet, store)),
        issued=issued,
        bundle_changed_at=bundle_changed_at(root, fleet),
        untrusted=untrusted_hosts(root, fleet, store, issued, now),
        accesses=tuple(accesses(root, map(Place, understood.sources), fleet, store)),
        secrets=secrets(root, fleet, store, root / DIST_NAME),
        lost=_lost(root / DIST_NAME, fleet, store, issued),
        newer_list=newer_list(root / DIST_NAME, fleet, issued),
        scope=_scope(root, fleet, issued),
        rootless=_rootless(root, fleet, issued),
    )


def _scope(root: Path, fleet: Fleet, issued: Issued) -> ScopeOfNames | None:
    """The names that the authority which signs, or is to be made, may not certify."""
    if not fleet.signs_here:
        return None
    pem = b"" if issued.signer is None else issued.signer.certificates_pem
    if fleet.existing is not None:
        try:
            pem = read_authority(root, fleet.existing.certificate)
        except UnreadableFile:
            return None  # told elsewhere
    elif issued.signer is None or issued.signer.specification != specification.of_authority(fleet.authority):
        spec = fleet.authority
        if spec.permitted_domains is None and spec.permitted_networks is None:
            return None
        orders = _orders(fleet)
        scope = spec.scope_for([*chain(*orders.values())])
        assert scope is not None  # noqa: S101 -- one of the two is given
        found = {
            name: tuple(one for order in each for one in scope.outside(order.dns_names, order.addresses))
            for name, each in orders.items()
        }
        return ScopeOfNames(spec.subject.common_name, {name: each for name, each in found.items() if each})
    if not any(_CONSTRAINED in der for der in certificates_in(pem)):
        return None
    from ipmpki.x509.name_constraints import refused_by

    return ScopeOfNames(*refused_by(pem, _orders(fleet)))


def _orders(fleet: Fleet) -> dict[str, list[CertificateSpec]]:
    """What is to be issued here, by host."""
    return {host.name: [one for _, one in host.certificates if not one.is_bought] for host in fleet.hosts}


_CONSTRAINED = bytes.fromhex("0603551d1e")
"""The object identifier of name constraints: looked for before the library that reads them is loaded."""


def _rootless(root: Path, fleet: Fleet, issued: Issued) -> RootlessAuthority | None:
    """The authority that signs, where its certificate leads to a root that hosts do not get with it."""
    if not fleet.signs_here:
        return None
    pem = b"" if issued.signer is None else issued.signer.certificates_pem
    if fleet.existing is not None:
        try:
            pem = read_authority(root, fleet.existing.certificate)
        except UnreadableFile:
            return None  # told elsewhere
    der = first_without_root(pem)
    if der is None:
        return None
    from ipmpki.x509.certificate import CertificateUnreadable, names_of

    with contextlib.suppress(CertificateUnreadable):
        return RootlessAuthority(*names_of(der))
    return None


def _lost(dist: Path, fleet: Fleet, store: Path, issued: Issued) -> LostStore | None:
    """What lies in dist/ and the store never knew."""
    found = stranger_in(dist, fleet, issued, store)
    if found is None or regained(dist, fleet, issued, store) is not None:
        return None
    return LostStore(lost_words(store, issued), found.words, ways_on(dist), _store_place(fleet))


# --- Permissions ------------------------------------------------------------------------------------


def accesses(root: Path, sources: Iterable[Place], fleet: Fleet, store: Path) -> Iterator[Access]:
    """What decides who gets a certificate or holds keys, and the folders above, with who may change them.

    ``root`` is the folder of pki.toml, ``sources`` are pki.toml (the first) and the files it includes. All
    folders above count, too: whoever may rename one puts another in its place. Nothing is told where the
    system has no permission bits, or of what is not there.
    """
    folders: dict[Path, Place] = {}
    files = dict(reversed([*_files(root, sources, fleet), *_held(root, fleet, store)]))
    for path, place in reversed(files.items()):  # what is named twice is told where it is named first
        found = custody_of(path)
        if found is not None and not found.is_folder:
            yield Access(_shown(path, root), found.mode, place, owner=found.owner, group=found.group)
        for folder in way_to(path):
            folders.setdefault(folder, place)
    around = {Path(os.path.realpath(path)).parent for path, _ in _held(root, fleet, store)}
    for folder, place in folders.items():
        other = owner_of_link(folder)
        if other is not None:
            yield Access(_shown(folder, root), 0, place, owner=other)
        found = custody_of(folder)
        if found is not None and found.is_folder:
            # The sticky bit keeps nobody from putting something beside a store.
            mode = found.mode & ~stat.S_ISVTX if folder in around else found.mode
            yield Access(str(folder), mode, place, True, found.owner, found.group)


def _held(root: Path, fleet: Fleet, store: Path) -> Iterator[tuple[Path, Place]]:
    """The files that hold keys or open them, and the folder that keys are published in."""
    yield store, _store_place(fleet)
    for one in secret_files(root, fleet, store):
        yield root / one.path, one.place
    yield root / DIST_NAME, fleet.place


def _files(root: Path, sources: Iterable[Place], fleet: Fleet) -> Iterator[tuple[Path, Place]]:
    shown = ""
    for number, place in enumerate(sources):
        if not number:
            shown = os.path.dirname(place.file)  # noqa: PTH120 -- how the user wrote it
        yield root / os.path.relpath(place.file, shown or "."), place
    if fleet.bundle is not None:
        yield root / fleet.bundle.path, fleet.place.at("ca", fleet.bundle.key)
    for host in fleet.hosts:
        if host.declared.csr is not None and host.was_read("csr"):
            yield root / host.declared.csr, host.place.at("csr")


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


# --- Git --------------------------------------------------------------------------------------------


def secrets(root: Path, fleet: Fleet, store: Path, dist: Path) -> tuple[Secret, ...]:
    """Where private keys and passphrases lie, or will, and which of them git would take in.

    ``root`` is the folder of pki.toml. Git is asked only where there is a repository around.
    """
    found = list(_secrets(root, fleet, store, dist))
    open_to = _not_ignored({probe for _, probe, _ in found})
    tracked = _tracked(open_to)
    return tuple(
        Secret(
            shown,
            os.path.realpath(path),
            place,
            repository=_repository_of(probe) if probe in open_to else None,
            is_tracked=probe in tracked,
        )
        for (shown, path), probe, place in found
    )


def _store_place(fleet: Fleet) -> Place:
    return fleet.place.at("store") if fleet.declared.store is not None else fleet.place


def _secrets(
    root: Path, fleet: Fleet, store: Path, dist: Path
) -> Iterator[tuple[tuple[str, Path], str, Place]]:
    """Each as shown, its path, the path of a file there is or will be, and where it is declared."""
    host = next((host for host in fleet.hosts if host.certificate is not None), None)
    if host is not None:
        # Asked of a key: whoever has git ignore keys, or all of dist/ in whatever way, is right.
        key = dist / host_folder(host.name) / f"{host.role.value}-key.pem"
        yield (f"{_shown(dist, root)}/", dist), os.path.realpath(key), fleet.place
    yield (_shown(store, root), store), os.path.realpath(store), _store_place(fleet)
    authorities: tuple[tuple[str, tables.SigningAuthority | None], ...] = (
        ("ca", fleet.declared.ca),
        ("client_ca", fleet.declared.client_ca),
    )
    for table, authority in authorities:
        if authority is None:
            continue
        passphrase = authority.passphrase
        named = (
            (authority.key_file, ("key_file",)),
            (passphrase.file if passphrase is not None else None, ("passphrase", "file")),
        )
        for written, steps in named:
            if written is None or is_token_uri(written) or not fleet.was_read(table, *steps):
                continue
            path = root / written
            yield (written, path), os.path.realpath(path), fleet.place.at(table, *steps)


def _not_ignored(paths: Iterable[str]) -> set[str]:
    """Those of some absolute paths that the git repository around them would take in."""
    by_repository: dict[str, set[str]] = {}
    for path in paths:
        repository = _repository_of(path)
        if repository is not None:
            by_repository.setdefault(repository, set()).add(path)
    found: set[str] = set()
    for repository, inside in by_repository.items():
        found |= inside - _ignored(repository, inside)
    return found


def _tracked(paths: Iterable[str]) -> set[str]:
    """Those of some absolute paths that git has taken in already."""
    found: set[str] = set()
    for path in paths:
        repository, git = _repository_of(path), _git()
        if repository is None or git is None:
            continue
        listed = _asked(git, repository, ["ls-files", "-z", "--", path], b"")
        if listed is not None and listed.stdout:
            found.add(path)
    return found


def _repository_of(path: str) -> str | None:
    """The nearest folder above that git takes for a work tree: .git is a folder there, or a file."""
    return next((str(above) for above in Path(path).parents if os.path.lexists(above / ".git")), None)


def _ignored(repository: str, paths: set[str]) -> set[str]:
    """What git says it ignores; all of it where git cannot be asked, so that nothing is told for nothing."""
    git = _git()
    if git is None:
        return paths
    given = b"".join(os.fsencode(path) + b"\0" for path in sorted(paths))
    answer = _asked(git, repository, ["check-ignore", "--stdin", "-z"], given)
    if answer is None:
        return paths
    if answer.returncode not in {0, 1}:  # none of them is ignored: 1; not to be asked, such as another's: 128
        return paths
    return {os.fsdecode(path) for path in answer.stdout.split(b"\0") if path}


def _asked(
    git: str, repository: str, command: list[str], given: bytes
) -> subprocess.CompletedProcess[bytes] | None:
    """What git answers; None where it cannot be asked."""
    import subprocess

    # A repository may be somebody else's: nothing that its configuration names is run, or fetched from.
    harmless = ("-c", "core.fsmonitor=false", "-c", "protocol.allow=never")
    try:
        return subprocess.run(  # noqa: S603 -- fixed commands; paths go in by the input, or behind "--"
            [git, *harmless, "-C", repository, *command],
            input=given,
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
            env=_environment(os.environ),
        )
    except (OSError, subprocess.SubprocessError):
        return None


def _git() -> str | None:
    git = shutil.which("git")
    # Windows looks in the folder at hand first, where anybody may have put a program of that name.
    return git if git is not None and Path(git).absolute().parent != Path.cwd() else None


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what a hook of git says of its own repository, which may be another."""
    kept = {name: value for name, value in environment.items() if not name.startswith("GIT_")}
    return kept | {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}


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
            yield unreadable(f"there is no file '{path}'", place)


def no_place_for(root: Path, store: Path, fleet: Fleet) -> Iterator[Problem]:
    """Where the store cannot be: a build would find out only when it has begun."""
    if not store.parent.is_dir():
        yield unreadable(
            f"there is no folder '{store.parent}' to put the store into",
            _store_place(fleet),
            "make it, readable for yourself alone, or name another place",
        )
    taken = os.path.abspath(store)  # noqa: PTH100 -- as written
    for path, place in _named(fleet):
        if os.path.abspath(root / path) == taken:  # noqa: PTH100 -- as above
            yield unreadable(f"'{path}' is the store's place, too", place, "give one of the two another name")


def _named(fleet: Fleet) -> Iterator[tuple[str, Place]]:
    """Each file that pki.toml says is there, or will be, and that is not the store."""
    ca = fleet.place.at(fleet.signing_table)
    if fleet.existing is not None:
        yield fleet.existing.certificate, ca.at("certificate")
        if fleet.token_key is None:
            yield fleet.existing.key_file, ca.at("key_file")
    if fleet.passphrase is not None and fleet.passphrase.file is not None:
        yield fleet.passphrase.file, _passphrase_place(fleet)
    if fleet.bundle is not None:
        yield fleet.bundle.path, fleet.place.at("ca", fleet.bundle.key)
    for host in fleet.hosts:
        if host.declared.csr is not None and host.was_read("csr"):
            yield host.declared.csr, host.place.at("csr")


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
