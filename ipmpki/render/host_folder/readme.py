"""Renders README.txt: three steps for whoever carries the folder to its host."""

from __future__ import annotations

from functools import cache
from textwrap import wrap
from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import OperatingSystem, Role
from ipmpki.diagnostics.escape import visible_lines
from ipmpki.render.host_folder.contents import RenderedFile
from ipmpki.render.host_folder.payload import PUBLIC_MODE, request_name
from ipmpki.render.host_folder.request_cnf import request_place
from ipmpki.render.host_folder.templates import template
from ipmpki.render.platforms import Dialect, platform_of

if TYPE_CHECKING:
    from ipmpki.declaration.fleet import HostSpec
    from ipmpki.render.host_folder.contents import HostBundle
    from ipmpki.render.host_folder.ipmssl_cfg import SettingsFile

README = "README.txt"


def render_readme(bundle: HostBundle, settings: tuple[SettingsFile, ...]) -> RenderedFile:
    """Return README.txt of a host, in lines that fit a terminal."""
    host = bundle.host
    platform = platform_of(host.os)
    windows = platform.dialect is Dialect.POWERSHELL
    advice = platform.server_restart if host.role is Role.SERVER else platform.client_restart
    command, spec = host.site.restart_command, host.certificate
    text = template("README.txt.j2").render(
        heading=f"{host.name}: TLS files for InfoPrint Manager, {host.role} on {platform.title}",
        authority=_one_line(bundle.authority_name),
        host=host.name,
        holds=_what_it_holds(bundle),
        has_key=bundle.key is not None,
        superuser="an administrator" if windows else platform.superuser,
        command="install.cmd" if windows else "sh install.sh",
        script="install.ps1" if windows else "install.sh",
        digest_command=_DIGEST_COMMANDS[platform.digest_tools[0]],
        reads_env=host.os is OperatingSystem.AIX,
        option=_WINDOWS_OPTIONS if windows else _POSIX_OPTIONS,
        user_folder=platform.user_folder if host.role is Role.CLIENT else "",
        owner_words=_owner_words(bundle, windows=windows),
        folders=[file.folder for file in settings],
        new_key_for=request_place(spec) if spec is not None else "",
        request=request_name(host.role),
        backups=f"{platform.client_folder}{platform.separator}.ipmpki",
        effect=f"{_EFFECT}run:\n\n       {_one_line(command)}"
        if command
        else _wrapped(f"{_EFFECT}{advice}."),
        look_for=[f"{file.role}'s file: {what}" for file in settings for what in file.look_for],
    )
    return RenderedFile(README, visible_lines(text).encode(), PUBLIC_MODE)


def render_waiting_readme(bundle: HostBundle) -> RenderedFile:
    """Return README.txt of a host whose first certificate has yet to be bought."""
    host = bundle.host
    text = template("README-waiting.txt.j2").render(
        heading=f"{host.name}: waiting for its {host.role} certificate",
        request=request_name(host.role),
        role=host.role,
        keeps_key=bundle.keeps_key,
    )
    return RenderedFile(README, visible_lines(text).encode(), PUBLIC_MODE)


def render_request_readme(bundle: HostBundle) -> RenderedFile:
    """Return README.txt of a host that makes its key itself, and whose request is awaited.

    Raises ValueError where nothing says where its certificate is to come from.
    """
    host, spec = bundle.host, bundle.host.certificate
    if spec is None or spec.kept_key is None:
        message = f"{host.name} has no certificate, and nothing says where it is to come from"
        raise ValueError(message)
    platform = platform_of(host.os)
    windows = platform.dialect is Dialect.POWERSHELL
    folder = platform.server_folder if host.role is Role.SERVER else platform.client_folder
    text = template("README-request.txt.j2").render(
        heading=f"{host.name}: a key and a request to be made on this host",
        host=host.name,
        superuser="an administrator" if windows else platform.superuser,
        command="install.cmd" if windows else "sh install.sh",
        option=_WINDOWS_OPTIONS if windows else _POSIX_OPTIONS,
        request=request_name(host.role),
        place=request_place(spec),
        key=f"{host.role}-key.pem",
        target=f"{folder}{platform.separator}{host.role}-key.pem",
        windows=windows,
        owner_words=_owner_of_new_key(host),
    )
    return RenderedFile(README, visible_lines(text).encode(), PUBLIC_MODE)


def _owner_of_new_key(host: HostSpec) -> str:
    if platform_of(host.os).dialect is Dialect.POWERSHELL:
        return ""  # rights are set when the key is put in place
    if host.role is Role.CLIENT:
        return "--owner root:GROUP lets the members of a group read it later, and so print."
    if host.site.server_account is not None:
        return f"It will belong to {_one_line(host.site.server_account)}, the account that runs the server."
    return "--owner ACCOUNT makes it that account's, if the server runs as another one."


_OPTIONS = ("dry-run", "verify", "rollback", "uninstall", "user", "new-key")
_POSIX_OPTIONS = {name: f"--{name}" for name in _OPTIONS}
_WINDOWS_OPTIONS = {
    "dry-run": "-DryRun",
    "verify": "-Verify",
    "rollback": "-Rollback",
    "uninstall": "-Uninstall",
    "user": "-User",
    "new-key": "-NewKey",
}
# How each system's surest tool is asked for the SHA-256 of its script.
_DIGEST_COMMANDS = {
    "openssl": "openssl dgst -sha256 install.sh",
    "sha256sum": "sha256sum install.sh",
    "Get-FileHash": "powershell Get-FileHash install.ps1",
}
_EFFECT = "3. For this to take effect, "


@cache
def _wrapped(text: str) -> str:
    """A step, wrapped."""
    return "\n".join(wrap(text, width=80, subsequent_indent="   "))


def _one_line(text: str) -> str:
    """A name from pki.toml cannot break out of its line."""
    return " ".join(text.split())


def _what_it_holds(bundle: HostBundle) -> str:
    role = bundle.host.role
    if bundle.certificate is None:
        return "It holds the certificate of the authority and no key: nothing in it is secret."
    if bundle.key is None:
        return f"It holds the certificate of this {role}; the key never left the host."
    return f"It holds the certificate and the private key of this {role}."


def _owner_words(bundle: HostBundle, *, windows: bool) -> list[str]:
    """Whose the key becomes. The vendor's facts: the server's key is for the server's account alone.

    Nothing is said of a client's key but that each client file must be readable by every user. A key that
    every user can read is hardly private, so it is closed until a group is named: to fail and say so is
    better than to publish a key.
    """
    if bundle.certificate is None:
        return []
    command = "install.cmd -Owner" if windows else "sh install.sh --owner"
    account = bundle.host.site.server_account
    if bundle.key is None:
        return [
            f"Its key is the one that {'-NewKey' if windows else '--new-key'} has made on the host, or one",
            f"that stands there as {bundle.host.role}-key.pem, readable by its user alone.",
        ]
    if bundle.host.role is Role.SERVER:
        if account is not None:
            return [f"The key will belong to {_one_line(account)}, the account that runs the server."]
        return [
            "No account is declared for the server, so its key stays with the administrator. If the",
            f"server runs as another account, say so:  {command} ACCOUNT",
        ]
    if windows:
        return [
            "client-key.pem is closed to other users; to open it to one account:  install.cmd -Owner ACCOUNT"
        ]
    return [
        "client-key.pem is then readable by root alone, and nobody else can print. To allow the",
        "members of a group, and no one else:  sh install.sh --owner root:GROUP",
    ]
