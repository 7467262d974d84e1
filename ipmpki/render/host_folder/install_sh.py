"""Renders install.sh, for AIX, Linux and macOS alike, from one set of parts."""

from __future__ import annotations

from functools import cache
from textwrap import wrap
from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import Role
from ipmpki.render.host_folder.contents import RenderedFile
from ipmpki.render.host_folder.quote import quote_sh
from ipmpki.render.host_folder.request_cnf import request_words
from ipmpki.render.host_folder.script_parts import Needs, head_of, needs_of, parts_of
from ipmpki.render.platforms import Platform, platform_of

if TYPE_CHECKING:
    from ipmpki.render.host_folder.contents import HostBundle
    from ipmpki.render.host_folder.ipmssl_cfg import SettingsFile
    from ipmpki.render.host_folder.payload import PayloadFile

INSTALL_SH = "install.sh"
INSTALL_SH_MODE = 0o755


def render_posix(
    bundle: HostBundle, payload: tuple[PayloadFile, ...], settings: tuple[SettingsFile, ...]
) -> RenderedFile:
    """Return install.sh of a host. Only its first block differs from that of another host of its system."""
    host = bundle.host
    this_host = {
        "host": host.name,
        "names": " ".join((host.name, *host.aliases)).lower(),
        "role": host.role.value,
        "declared_owner": (host.site.server_account or "") if host.role is Role.SERVER else "",
        "restart_command": host.site.restart_command or "",
        "identity": host.role.value if bundle.certificate is not None else "",
        "own_key": "1" if bundle.keeps_key else "",
        "awaits": "1" if bundle.awaits_certificate else "",
        **request_words(host.certificate),
        "payload": _payload_lines(payload),
        "settings": _settings_lines(settings),
        "look_for": _look_for_lines(settings),
    }
    quoted = {name: quote_sh(value) for name, value in this_host.items()}
    needs = needs_of(bundle)
    head = head_of("sh").render(quoted, needs=needs, platform=_platform_words(platform_of(host.os)))
    return RenderedFile(INSTALL_SH, head.encode() + _rest(needs), INSTALL_SH_MODE)


@cache
def _rest(needs: Needs) -> bytes:
    # It is nearly all of the script, and would be encoded anew for every host.
    return parts_of("sh", needs).encode()


@cache
def _platform_words(platform: Platform) -> dict[str, str]:
    return {
        "title": platform.title,
        "server_folder": quote_sh(platform.server_folder or ""),
        "server_sample": quote_sh(platform.server_sample or ""),
        "client_folder": quote_sh(platform.client_folder),
        "client_sample": quote_sh(platform.client_sample),
        "user_folder": quote_sh(platform.user_folder.removeprefix("~/")),
        "superuser": quote_sh(platform.superuser),
        "digest_tools": quote_sh(" ".join(platform.digest_tools)),
        "server_restart": quote_sh(_wrapped(platform.server_restart)),
        "client_restart": quote_sh(_wrapped(platform.client_restart)),
    }


def _wrapped(instruction: str) -> str:
    """Wrapped to stand behind 'Next: ' on a terminal."""
    return "\n      ".join(wrap(instruction, width=72))


def _payload_lines(payload: tuple[PayloadFile, ...]) -> str:
    """One line a file and folder: role, name, mode, kind, digest. None of them holds a blank."""
    return "\n".join(
        f"{role} {item.file.name} {item.file.mode:o} {'key' if item.is_key else 'public'} {item.file.sha256}"
        for item in payload
        for role in item.roles
    )


@cache
def _settings_lines(settings: tuple[SettingsFile, ...]) -> str:
    """One line a keyword: role, set or unset, keyword, value. Only the value may hold blanks."""
    return "\n".join(
        f"{file.role} unset {setting.keyword} -"
        if setting.value is None
        else f"{file.role} set {setting.keyword} {setting.value}"
        for file in settings
        for setting in file.settings
    )


@cache
def _look_for_lines(settings: tuple[SettingsFile, ...]) -> str:
    return "\n".join(f"{file.role} {what}" for file in settings for what in file.look_for)
