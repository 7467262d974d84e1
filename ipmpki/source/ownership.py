"""Who, beside root and who runs this, decides over a path: by owning or writing it or a folder above it.

Whoever may rename a folder puts another in its place, and whoever owns a file made it as they like: a store
that somebody else made beforehand hands them every key that is written into it (CWE-282, CWE-732).
"""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.diagnostics.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

_WITHOUT_PERMISSIONS = frozenset(
    {"9p", "cifs", "drvfs", "exfat", "fuseblk", "msdos", "ntfs", "ntfs3", "smb3", "vfat"}
)
"""File systems whose modes are made up when they are mounted, so that they tell nothing and chmod is lost."""


class Custody(NamedTuple):
    """A file or folder, and who may change it. ``owner`` is None where that is root or who runs this.

    ``group`` is the group that may write it, None where none may, or it is the owner's own.
    """

    path: Path
    mode: int
    owner: str | None
    group: str | None
    is_folder: bool

    @property
    def is_open_to_all(self) -> bool:
        """Whether everybody may write it; the sticky bit keeps what is another's from being renamed."""
        return bool(self.mode & stat.S_IWOTH) and not (self.is_folder and self.mode & stat.S_ISVTX)


def custody_of(path: Path) -> Custody | None:
    """Who may change what lies at a path, links followed; None where nothing does, or nobody can tell."""
    if os.name != "posix":
        return None
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    mode = stat.S_IMODE(found.st_mode)
    group = None
    if mode & stat.S_IWGRP and found.st_gid != 0:
        group = _group(found.st_gid, found.st_uid)
    owner = None if found.st_uid in _trusted() else _user(found.st_uid)
    return Custody(path, mode, owner, group, stat.S_ISDIR(found.st_mode))


def owner_of_link(path: Path) -> str | None:
    """Who may let a link lead elsewhere, where that is neither root nor who runs this; else None."""
    try:
        found = path.lstat()
    except (OSError, ValueError):
        return None
    is_foreign = os.name == "posix" and stat.S_ISLNK(found.st_mode) and found.st_uid not in _trusted()
    return _user(found.st_uid) if is_foreign else None


def way_to(path: Path) -> Iterator[Path]:
    """Every folder and link that the system passes on its way to a path, and the path, from below."""
    at = Path(Path.cwd().anchor)
    passed, pending, links = {at: None}, [*reversed((Path.cwd() / path).parts[1:])], 0
    while pending:
        part = pending.pop()
        if part == os.pardir:
            at = at.parent
            continue
        at /= part
        passed[at] = None
        try:
            target = at.readlink()
        except (OSError, ValueError):
            continue
        links += 1
        if links > _MOST_LINKS:
            break
        at = Path(target.anchor) if target.is_absolute() else at.parent
        passed[at] = None
        pending += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    return reversed(passed)


_MOST_LINKS = 40
"""Linux follows no more (path_resolution(7))."""


def require_own(path: Path, *, what: str) -> None:
    """Let no key be written to a path that somebody else decides over.

    ``what`` is what is to be written there, for the message. Raises Fault with the command that mends it.
    """
    for place in way_to(path):
        other = owner_of_link(place)
        if other is not None:
            raise Fault(
                f"{what} would lie where '{other}' wants, to whom the link '{place}' belongs",
                "see how it came there, and remove it",
            )
        found = custody_of(place)
        if found is None:
            continue
        shown = shlex.quote(str(place))
        noun = "the folder" if found.is_folder else "the file"
        if found.owner is not None:
            raise Fault(
                f"{what} would lie in the hands of '{found.owner}', to whom {noun} '{place}' belongs",
                f"see how it came there; if it is yours: chown {_user(os.geteuid())} {shown}",
            )
        if found.is_open_to_all and _has_permissions(place):
            raise Fault(
                f"everybody on this computer may write {noun} '{place}' (mode {found.mode:04o}), and so put"
                f" another file in the place of {what}",
                f"run: chmod o-w {shown}",
            )
    # Where all may make files, they make those that SQLite would read beside the store.
    folder = Path(os.path.realpath(path)).parent
    around = custody_of(folder)
    if around is not None and around.mode & stat.S_IWOTH and _has_permissions(folder):
        raise Fault(
            f"everybody on this computer may put files into the folder '{folder}' (mode {around.mode:04o}),"
            f" beside {what}",
            "work in a folder of your own, readable for yourself alone",
        )


def _trusted() -> set[int]:
    """Root, who runs this, who became root by sudo, and in a container's user namespace who is outside it."""
    trusted = {0, os.geteuid()}
    caller = os.environ.get("SUDO_UID", "")
    if os.geteuid() == 0 and caller.isdecimal():
        trusted.add(int(caller))
    with contextlib.suppress(OSError, ValueError):
        # user_namespaces(7): one that maps all IDs is the system's own; elsewhere whoever is not mapped, such
        # as the root outside, is shown as the overflow ID.
        if Path("/proc/self/uid_map").read_text("ascii").split() != ["0", "0", "4294967295"]:
            trusted.add(int(Path("/proc/sys/kernel/overflowuid").read_text("ascii")))
    return trusted


def _user(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _group(gid: int, uid: int) -> str | None:
    """The group's name; None where it is the owner's own, as many systems give everybody one."""
    import grp
    import pwd

    try:
        group = grp.getgrgid(gid)
    except KeyError:
        return f"gid {gid}"
    with contextlib.suppress(KeyError):
        owner = pwd.getpwuid(uid)
        if group.gr_name == owner.pw_name and not set(group.gr_mem) - {owner.pw_name}:
            return None
    return group.gr_name


def _has_permissions(path: Path) -> bool:
    """Whether the file system that a path lies on keeps modes; Linux says so in proc_pid_mountinfo(5)."""
    try:
        lines = Path("/proc/self/mountinfo").read_text("utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return True
    kind, longest = "", -1
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        point = Path(fields[4].replace("\\040", " ")) if len(fields) > 4 else None  # noqa: PLR2004 -- the mount point
        if point is not None and path.is_relative_to(point) and len(point.parts) >= longest:
            kind, longest = after.split(" ")[0], len(point.parts)
    return kind not in _WITHOUT_PERMISSIONS
