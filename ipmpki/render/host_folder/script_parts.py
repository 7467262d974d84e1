"""The parts that an install script is made of, and which of them a host needs.

A script is a folder of files: ``head``, a template in which hosts differ, and parts that are the same for
every host that has them, with the same names for install.sh and install.ps1. What stands in a part between
the lines ``#% if NEED`` (or ``#% if not NEED``) and ``#% end`` is for the hosts that have that need. To the
script's own language these lines are comments, so each part can be read, and checked, as it is. The template
engine would take 20 ms to find them, more than all else that a small fleet's folders take.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration.vocabulary import Role
from ipmpki.render import TEMPLATES
from ipmpki.render.host_folder.templates import template

if TYPE_CHECKING:
    from jinja2 import Template

    from ipmpki.render.host_folder.contents import HostBundle

PARTS = (
    "start",
    "options",
    "host",
    "folder",
    "rights",
    "settings",
    "plan",
    "change",
    "recovery",
    "own_key",
    "user",
    "restart",
    "words",
    "run",
)
"""Every part, in the order in which they follow the head."""

_ONLY_WHERE_NEEDED = frozenset({"own_key", "user"})

_CHOICE = re.compile(r"^#% if (not )?(\w+)\n(.*?)^#% end\n", re.MULTILINE | re.DOTALL)


class Needs(NamedTuple):
    """What a host's script has a use for; each is a name that the parts may ask for.

    ``key``: there is, or will be, a key to put in place. ``own_key``: the host makes it itself. ``user``: one
    user of it may install for himself. ``restart``: a command is declared that restarts it. ``left``: there
    may be a folder in which the work has to be left to the account that it belongs to.
    """

    server: bool
    key: bool
    own_key: bool
    user: bool
    restart: bool
    left: bool


def needs_of(bundle: HostBundle) -> Needs:
    """Return what the script of a host has a use for."""
    host = bundle.host
    return Needs(
        server=host.role is Role.SERVER,
        key=bundle.certificate is not None or bundle.keeps_key,
        own_key=bundle.keeps_key,
        user=host.role is Role.CLIENT,
        restart=bool(host.site.restart_command),
        left=host.role is Role.SERVER or bundle.keeps_key,
    )


def head_of(suffix: str) -> Template:
    """Return the head of the script ``install.SUFFIX``, to be rendered for each host."""
    return template(f"install_{suffix}/head.{suffix}.j2")


@cache
def parts_of(suffix: str, needs: Needs) -> str:
    """Return what follows the head in the script ``install.SUFFIX`` of every host that has these needs."""
    words = needs._asdict()

    def chosen(match: re.Match[str]) -> str:
        return match[3] if words[match[2]] is (match[1] is None) else ""

    return "\n".join(
        _CHOICE.sub(chosen, (TEMPLATES / f"install_{suffix}" / f"{part}.{suffix}").read_text("ascii"))
        for part in PARTS
        if part not in _ONLY_WHERE_NEEDED or words[part]
    )
