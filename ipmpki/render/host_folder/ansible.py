"""Renders ``dist/ansible/``: an inventory of all hosts, and playbooks that install on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import OperatingSystem, Role
from ipmpki.plans.installation import roles_in_order
from ipmpki.render.host_folder.contents import RenderedFile
from ipmpki.render.host_folder.quote import quote_yaml
from ipmpki.render.host_folder.templates import template, verbatim
from ipmpki.render.platforms import Dialect, platform_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipmpki.declaration.fleet import HostSpec

INVENTORY = "inventory.yml"
FOR_THIS_FLEET = ("install.yml", "README.txt")
FOR_EVERY_FLEET = ("verify.yml", "rollback.yml", "host.yml", "posix.yml", "windows.yml")
PUBLIC_MODE = 0o644

_GROUP_OF_ROLE = {Role.SERVER: "servers", Role.CLIENT: "clients"}
_POSIX = tuple(os for os in OperatingSystem if platform_of(os).dialect is Dialect.SH)


def render_playbook(
    hosts: Sequence[HostSpec], batches: Sequence[int | str], *, mutual_auth: bool = False
) -> tuple[RenderedFile, ...]:
    """Return every file of dist/ansible, the same bytes for the same hosts, systems, batches and mode.

    Nothing in them is secret: the playbooks copy the keys from ``dist/hosts``, and name only the hosts.
    """
    systems = {host.os for host in hosts}
    words = {
        "groups": tuple(_GROUP_OF_ROLE[role] for role in roles_in_order(mutual_auth=mutual_auth)),
        "batches": f"[{', '.join(map(_batch, batches))}]",
        "pace": ", then ".join(map(str, batches)),
        "has_windows": OperatingSystem.WINDOWS in systems,
        "has_posix": any(system in _POSIX for system in systems),
        "has_aix": OperatingSystem.AIX in systems,
        "posix_titles": " or ".join(platform_of(system).title for system in _POSIX if system in systems),
    }
    return (
        _file(INVENTORY, "".join(_inventory(hosts))),
        *(_file(name, template(f"ansible/{name}.j2").render(words)) for name in FOR_THIS_FLEET),
        *(_file(name, verbatim(f"ansible/{name}")) for name in FOR_EVERY_FLEET),
    )


def _file(name: str, text: str) -> RenderedFile:
    return RenderedFile(name, text.encode("ascii"), PUBLIC_MODE)


def _batch(batch: int | str) -> str:
    return quote_yaml(batch) if isinstance(batch, str) else str(batch)


def _inventory(hosts: Sequence[HostSpec]) -> Iterator[str]:
    """Each host twice, by role and by system. Plain lines: a fleet may have 10,000 hosts."""
    names = {host.name: quote_yaml(host.name) for host in hosts}
    yield "---\n# Every host with something to install, by role and by operating system. Made by ipmpki.\n\n"
    yield "all:\n  children:\n"
    for role, group in _GROUP_OF_ROLE.items():
        yield from _group(group, [_member(names[host.name], host) for host in hosts if host.role is role])
    for system in OperatingSystem:
        yield from _group(
            system.value, [f"        {names[host.name]}: {{}}\n" for host in hosts if host.os is system]
        )
    yield "    posix:\n      children:\n"
    for system in _POSIX:
        yield f"        {system.value}: {{}}\n"


def _group(name: str, members: list[str]) -> Iterator[str]:
    yield f"    {name}:\n      hosts:{'' if members else ' {}'}\n"
    yield from members


def _member(name: str, host: HostSpec) -> str:
    """A host in the group of its role: without a command of its own, its script refuses --restart."""
    told = "\n          ipmpki_has_restart_command: true\n" if host.site.restart_command else " {}\n"
    return f"        {name}:{told}"
