"""What files, folders and servers hold, collected into the groups that are judged together.

Nothing is waited for that might never end, and whatever cannot be read becomes a flaw among the others.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ipmpki.declaration.ip_addresses import is_address
from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.fault import Fault, UnreadableFile
from ipmpki.diagnostics.problem import Place
from ipmpki.operations.verify import tls_server
from ipmpki.plans.dist_layout import TRUSTED_FOR_CLIENTS
from ipmpki.source.files import read_file
from ipmpki.x509.confined_reader import read_contents_confined
from ipmpki.x509.contents import Contents, read_chain
from ipmpki.x509.presented_certificates import Flaw, FlawKind, KeyFileMode, RemarkKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipmpki.x509.presented_certificates import Remark

BUNDLE = "ca-cert.pem"
CERTIFICATES = {"server-cert.pem": Role.SERVER, "client-cert.pem": Role.CLIENT}
_IN_FOLDERS = (BUNDLE, TRUSTED_FOR_CLIENTS, *CERTIFICATES, "server-key.pem", "client-key.pem", "crl.pem")


@dataclass(slots=True)
class Group:
    """What is judged together: contents by the name of their file, and the trusted authorities among them.

    ``server`` is the host of a live server, ``client_anchors`` whom servers believe of clients beside these.
    """

    contents: dict[str, Contents] = field(default_factory=dict)
    anchors: list[Contents] = field(default_factory=list)
    client_anchors: list[Contents] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    key_files: list[KeyFileMode] = field(default_factory=list)
    server: str | None = None

    def everything(self) -> list[Contents]:
        """What all its files hold, those with trusted authorities last."""
        return [*self.contents.values(), *self.anchors, *self.client_anchors]


def groups_of(paths: Sequence[str], seconds: float, server_name: str | None) -> Iterator[Group]:
    """Files together, first; then each folder and each server, which may take so many seconds.

    A server at an address is asked for ``server_name``.
    """
    files = Group()
    yield files
    for written in paths:
        path = Path(written)
        server = tls_server.read_peer(written) if not os.path.lexists(path) else None
        if server is not None:
            yield _server(server, seconds, server_name)
        elif os.path.isdir(written):  # noqa: PTH112 -- a Path raises where the name is too long
            yield _folder(path, written)
        elif written not in files.contents:
            _add_file(files, written)


def _server(server: tls_server.Peer, seconds: float, server_name: str | None) -> Group:
    group = Group(server=server.host)
    try:
        asked = server_name if is_address(server.host) else None
        chain = tls_server.fetch_chain(server, seconds=seconds, server_name=asked)
    except tls_server.ServerUnreachable as fault:
        group.flaws.append(Flaw(FlawKind.SERVER, Place(server.written), fault.message, fault.remedy))
    else:
        group.contents[server.written] = _with_its_own(read_chain(server.written, chain))
    return group


def _with_its_own(contents: Contents) -> Contents:
    """What a server sent; where its own certificate cannot be read, no other is judged in its place."""
    if any(flaw.place.path == (0,) for flaw in contents.flaws):
        contents.certificates = []
        contents.remarks = []
    return contents


def _folder(path: Path, written: str) -> Group:
    group = Group()
    found = [name for name in _IN_FOLDERS if os.path.lexists(path / name)]
    for name in found:
        inside = os.path.join(written, name)  # noqa: PTH118 -- how the user wrote it, not a path to use
        if name == BUNDLE:
            add_bundle(group, inside)
        elif name == TRUSTED_FOR_CLIENTS:
            add_bundle(group, inside, is_for_clients=True)
        else:
            _add_file(group, inside)
    # A client has no copy of it: in dist/, where the folder was published, it lies beside the hosts.
    published = path.parent.parent / "ca" / TRUSTED_FOR_CLIENTS
    if path.parent.name == "hosts" and TRUSTED_FOR_CLIENTS not in found and published.is_file():
        add_bundle(group, str(published), is_for_clients=True)
    if not found:
        message = f"the folder holds none of {', '.join(_IN_FOLDERS)}"
        group.flaws.append(Flaw(FlawKind.NOTHING, Place(written), message, "name the files one by one"))
    return group


def _add_file(group: Group, written: str) -> None:
    contents = _read(group, written)
    if contents is None:
        return
    group.contents[written] = contents
    if contents.is_empty:
        message = "there is no certificate, key or CRL in this file"
        contents.flaws.append(Flaw(FlawKind.NOTHING, Place(written, (0,)), message, "copy the right file"))
    if contents.keys and os.name == "posix":
        with contextlib.suppress(OSError):  # gone since it was read
            mode = stat.S_IMODE(Path(written).stat().st_mode)
            group.key_files.append(KeyFileMode(written, mode, contents.keys[0].place))


def add_bundle(group: Group, written: str, *, is_for_clients: bool = False) -> None:
    """Read a file of authorities that all trust, or only servers, of clients."""
    contents = _read(group, written)
    if contents is None:
        return
    contents.flaws = [
        replace(flaw, kind=FlawKind.BUNDLE) if flaw.kind is FlawKind.NOTHING else flaw
        for flaw in contents.flaws
    ]
    if not contents.certificates and not contents.flaws:
        message = "there is no certificate in this file, which should hold the trusted authorities"
        remedy = "an authority's certificate begins with the line -----BEGIN CERTIFICATE-----"
        contents.flaws.append(Flaw(FlawKind.BUNDLE, Place(written, (0,)), message, remedy))
    (group.client_anchors if is_for_clients else group.anchors).append(contents)


def add_lists(group: Group, written: str) -> None:
    """Read a file of CRLs."""
    contents = _read(group, written)
    if contents is None:
        return
    if not contents.revocation_lists and not contents.flaws:
        message = "there is no CRL in this file"
        remedy = "a CRL begins with the line -----BEGIN X509 CRL-----"
        contents.flaws.append(Flaw(FlawKind.NOTHING, Place(written, (0,)), message, remedy))
    group.contents[written] = contents


def _read(group: Group, written: str) -> Contents | None:
    """What a regular file holds; anything else might never end, and is a flaw."""
    path = Path(written)
    try:
        if path.exists() and not path.is_file():
            raise UnreadableFile(f"'{written}' is not a regular file", "save what it holds into a file first")
        content = read_file(path, what="the file")
        return _held_to_its_place(read_contents_confined(written, content), path)
    except Fault as fault:
        group.flaws.append(Flaw(FlawKind.FILE, Place(written), fault.message, fault.remedy))
    except (OSError, ValueError) as error:  # a path that the system cannot even look at
        message = f"'{written}' cannot be read: {getattr(error, 'strerror', None) or error}"
        group.flaws.append(Flaw(FlawKind.FILE, Place(written), message, "check the path"))
    return None


def _held_to_its_place(contents: Contents, path: Path) -> Contents:
    """A form that nobody loads is a fault where InfoPrint Manager reads the file, or its name says PEM."""
    if path.name in _IN_FOLDERS or path.suffix.lower() == ".pem":
        contents.remarks = [
            replace(one, kind=RemarkKind.UNLOADABLE) if one.kind is RemarkKind.FORM else one
            for one in contents.remarks
        ]
    return contents


def remarks_of(group: Group) -> tuple[Remark, ...]:
    """What had to be looked past to read what a group holds."""
    return tuple(remark for one in group.everything() for remark in one.remarks)


def flaws_of(group: Group) -> tuple[Flaw, ...]:
    """Everything in a group that could not be read."""
    return (*group.flaws, *(flaw for one in group.everything() for flaw in one.flaws))
