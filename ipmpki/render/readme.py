"""Renders README.txt: three steps for whoever carries the folder to its host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.fleet import Role
from ipmpki.platforms import Dialect, platform_of
from ipmpki.render.bundle import RenderedFile
from ipmpki.render.payload import PUBLIC_MODE
from ipmpki.render.templating import template

if TYPE_CHECKING:
    from ipmpki.render.bundle import HostBundle
    from ipmpki.render.settings import SettingsFile

README = "README.txt"


def render_readme(bundle: HostBundle, settings: tuple[SettingsFile, ...]) -> RenderedFile:
    """Return README.txt of a host, in lines that fit a terminal."""
    host = bundle.host
    platform = platform_of(host.os)
    windows = platform.dialect is Dialect.POWERSHELL
    is_server = host.role is Role.SERVER
    flags = ("-Verify", "-Rollback", "-Uninstall") if windows else ("--verify", "--rollback", "--uninstall")
    verify, rollback, uninstall = (f"{'install.cmd' if windows else 'sh install.sh'} {flag}" for flag in flags)
    text = template("README.txt.j2").render(
        heading=f"{_one_line(host.name)}: TLS files for InfoPrint Manager, {host.role} on {platform.title}",
        authority=_one_line(bundle.authority_name),
        holds=_what_it_holds(bundle),
        host=host.name,
        has_key=bundle.key is not None,
        superuser="an administrator" if windows else platform.superuser,
        windows=windows,
        owner="",
        owner_windows="",
        owner_words=_owner_words(bundle, windows),
        folders=[file.folder for file in settings],
        restart=_restart(host.site.restart_command, platform.server_restart if is_server else platform.client_restart),
        verify=verify,
        rollback=rollback,
        uninstall=uninstall,
        look_for=[f"{file.role}'s file: {what}" for file in settings for what in file.look_for],
    )
    return RenderedFile(README, text.encode(), PUBLIC_MODE)


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


def _restart(command: str | None, advice: str) -> str:
    return f"run: {command}" if command else advice


def _owner_words(bundle: HostBundle, windows: bool) -> list[str]:
    """Whose the key becomes. The vendor's facts: the server's key is for the server's account alone.

    Nothing is said of a client's key but that each client file must be readable by every user. A key that
    every user can read is hardly private, so it is closed until a group is named: to fail and say so is
    better than to publish a key.
    """
    if bundle.certificate is None:
        return []
    option = "-Owner" if windows else "--owner"
    account = bundle.host.site.server_account
    if bundle.key is None:
        return [f"The key itself must stand there as {bundle.host.role}-key.pem, readable by its user alone."]
    if bundle.host.role is Role.SERVER:
        if account is not None:
            return [f"The key will belong to {_one_line(account)}, the account that runs the server."]
        return [
            "No account is declared for the server, so its key stays with the administrator. If the",
            f"server runs as another account, say so:  {option} ACCOUNT",
        ]
    if windows:
        return ["client-key.pem is closed to other users; to give it to one of them:  -Owner ACCOUNT"]
    return [
        "client-key.pem is then readable by root alone, and nobody else can print. To allow the",
        "members of a group, and no one else:  sh install.sh --owner root:GROUP",
    ]
