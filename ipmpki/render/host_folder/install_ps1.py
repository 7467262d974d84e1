"""Renders install.ps1, and install.cmd that starts it, for Windows.

The scripts are ASCII with CRLF line ends and no byte order mark: PowerShell 5.1 reads a script without a mark
in the computer's own code page, PowerShell 7 in UTF-8, and only ASCII is the same in both.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from ipmpki.declaration.fleet import Role
from ipmpki.render.host_folder.contents import RenderedFile
from ipmpki.render.host_folder.payload import payload_of
from ipmpki.render.host_folder.quote import quote_powershell
from ipmpki.render.host_folder.request_cnf import request_words
from ipmpki.render.host_folder.script_parts import Needs, head_of, needs_of, parts_of
from ipmpki.render.host_folder.templates import template
from ipmpki.render.platforms import Platform, platform_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ipmpki.render.host_folder.contents import HostBundle
    from ipmpki.render.host_folder.ipmssl_cfg import SettingsFile

INSTALL_PS1 = "install.ps1"
INSTALL_CMD = "install.cmd"
SCRIPT_MODE = 0o644

_PLAIN_RUN = re.compile(r"[ -~]+|[^ -~]")


def render_powershell(
    bundle: HostBundle, files: tuple[RenderedFile, ...], settings: tuple[SettingsFile, ...]
) -> tuple[RenderedFile, ...]:
    """Return install.ps1 and install.cmd of a host; ``files`` is the payload that install.ps1 puts in place.

    Only the first block of install.ps1 differs from that of another Windows host.
    """
    host = bundle.host
    this_host = {
        "host": ascii_literal(host.name),
        "names": ", ".join(ascii_literal(name) for name in (host.name, *host.aliases)),
        "role": ascii_literal(host.role.value),
        "declared_owner": ascii_literal((host.site.server_account or "") if host.role is Role.SERVER else ""),
        "restart_command": ascii_literal(host.site.restart_command or ""),
        "identity": ascii_literal(host.role.value if bundle.certificate is not None else ""),
        "own_key": "$true" if bundle.keeps_key else "$false",
        "awaits": "$true" if bundle.awaits_certificate else "$false",
        **{name: ascii_literal(word) for name, word in request_words(host.certificate).items()},
        "payload": _payload_tables(bundle, files),
        "settings": _settings_tables(settings),
        "look_for": _look_for_tables(settings),
    }
    head = head_of("ps1").render(this_host, platform=_platform_words(platform_of(host.os)))
    script = _windows_text(head) + _rest(needs_of(bundle))
    return (RenderedFile(INSTALL_PS1, script, SCRIPT_MODE), _install_cmd())


@cache
def _rest(needs: Needs) -> bytes:
    return _windows_text(parts_of("ps1", needs))


def ascii_literal(text: str) -> str:
    """Return a PowerShell expression in ASCII whose value is the string ``text``.

    It is a literal in single quotes, or, where ``text`` holds anything but printable ASCII, a sum in brackets
    of such literals and ``[char]`` code units of UTF-16. Raises ValueError for NUL.
    """
    runs = [run if " " <= run[0] <= "~" else None for run in _PLAIN_RUN.findall(text)]
    if len(runs) <= 1 and None not in runs:
        return quote_powershell(text)
    # The sum begins with a string, as the sum of two [char] would be one of numbers.
    terms = ["''"]
    for run in _PLAIN_RUN.findall(text):
        quoted = quote_powershell(run)
        if quoted.isascii() and run.isprintable():
            terms.append(quoted)
        else:
            terms += [f"[char]{unit}" for unit in _utf16_units(run)]
    return f"({' + '.join(terms)})"


def _utf16_units(char: str) -> list[int]:
    encoded = char.encode("utf-16-le", "surrogatepass")
    return [int.from_bytes(encoded[at : at + 2], "little") for at in range(0, len(encoded), 2)]


def _payload_tables(bundle: HostBundle, files: tuple[RenderedFile, ...]) -> str:
    """One hash table a file and folder it is put in."""
    placed = {item.file.name: item for item in payload_of(bundle)}
    return _tables(
        {
            "Area": ascii_literal(role.value),
            "Name": ascii_literal(file.name),
            "Kind": ascii_literal("key" if placed[file.name].is_key else "public"),
            "Sha256": ascii_literal(file.sha256),
        }
        for file in files
        for role in placed[file.name].roles
    )


@cache
def _settings_tables(settings: tuple[SettingsFile, ...]) -> str:
    """One hash table a keyword of ipmssl.cfg."""
    return _tables(
        {
            "Area": ascii_literal(file.role.value),
            "Action": ascii_literal("unset" if setting.value is None else "set"),
            "Keyword": ascii_literal(setting.keyword),
            "Value": ascii_literal(setting.value or ""),
        }
        for file in settings
        for setting in file.settings
    )


@cache
def _look_for_tables(settings: tuple[SettingsFile, ...]) -> str:
    return _tables(
        {"Area": ascii_literal(file.role.value), "What": ascii_literal(what)}
        for file in settings
        for what in file.look_for
    )


def _tables(rows: Iterable[Mapping[str, str]]) -> str:
    """Hash tables on lines of their own, to stand between ``@(`` and ``)``."""
    lines = [f"    @{{ {'; '.join(f'{key} = {value}' for key, value in row.items())} }}\n" for row in rows]
    return "\n" + "".join(lines) if lines else ""


@cache
def _platform_words(platform: Platform) -> dict[str, str]:
    return {
        "title": platform.title,
        "server_folder": ascii_literal(platform.server_folder or ""),
        "server_sample": ascii_literal(platform.server_sample or ""),
        "client_folder": ascii_literal(platform.client_folder),
        "client_sample": ascii_literal(platform.client_sample),
        "user_folder": ascii_literal(platform.user_folder),
        "server_restart": ascii_literal(platform.server_restart),
        "client_restart": ascii_literal(platform.client_restart),
    }


@cache
def _install_cmd() -> RenderedFile:
    return RenderedFile(INSTALL_CMD, _windows_text(template("install.cmd.j2").render()), SCRIPT_MODE)


def _windows_text(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("ascii")
