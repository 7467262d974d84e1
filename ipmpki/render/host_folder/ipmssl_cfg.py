"""The ipmssl.cfg settings of a host: which file gets which keyword with which value.

``EnableTLS``, ``CertFile`` and ``KeyFile`` are the vendor's (facts, "Files and folders"). The names of any
other keyword come from pki.toml, where the administrator wrote what the shipped sample shows; one that was
not declared is never guessed but named among ``look_for``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.escape import to_json
from ipmpki.plans.dist_layout import TRUSTED, TRUSTED_FOR_CLIENTS
from ipmpki.render.platforms import Platform, platform_of

if TYPE_CHECKING:
    from ipmpki.declaration.fleet import KeywordNames
    from ipmpki.render.host_folder.contents import HostBundle

SETTINGS_NAME = "ipmssl.cfg"


@dataclass(frozen=True, slots=True)
class Setting:
    """One keyword of ipmssl.cfg and its value; None: the keyword must not be in force.

    A value may begin with a folder as the platform writes it; on Windows that holds environment variables
    (``%ProgramData%``), which the script expands, as nothing says that InfoPrint Manager does.
    """

    keyword: str
    value: str | None


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """One ipmssl.cfg: the server's, or the client file that the administrator enforces.

    ``sample`` is the shipped file to start from where the target is not there yet. ``look_for`` says in plain
    words which keywords the declaration does not name, so that somebody looks for them in the sample.
    """

    role: Role
    folder: str
    sample: str
    settings: tuple[Setting, ...]
    look_for: tuple[str, ...]


def settings_of(bundle: HostBundle) -> tuple[SettingsFile, ...]:
    """Return the settings files of a host, the server's first.

    A server gets both, as its command-line tools are clients. Raises ValueError for a server without a
    certificate, and for a declared keyword or value that could not stand on one line of ipmssl.cfg.
    """
    host = bundle.host
    is_server = host.role is Role.SERVER
    if is_server and bundle.certificate is None:
        message = f"{host.name} is a server and has no certificate yet: nothing can be installed there"
        raise ValueError(message)
    trusted = TRUSTED if bundle.client_authority is None else TRUSTED_FOR_CLIENTS
    shown = Role.SERVER if is_server and not bundle.is_mixed else Role.CLIENT
    has_identity = bundle.mutual_auth and (not is_server or not bundle.is_mixed or bundle.tools is not None)
    return _settings(
        _Kind(
            platform_of(host.os),
            is_server,
            bundle.mutual_auth,
            bundle.asks_clients,
            bundle.crl is not None,
            trusted,
            shown if has_identity else None,
            host.site.keywords,
        )
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    """All that settings depend on.

    ``trusted`` is the file of the authorities that a server believes of clients, ``shown`` whose certificate
    programs show where they are clients, None where they show none.
    """

    platform: Platform
    is_server: bool
    mutual_auth: bool
    asks_clients: bool
    has_crl: bool
    trusted: str
    shown: Role | None
    keywords: KeywordNames


@cache
def _settings(kind: _Kind) -> tuple[SettingsFile, ...]:
    """Cached, as a fleet of thousands has a handful of these."""
    client = _client_file(kind)
    return (_server_file(kind), client) if kind.is_server else (client,)


def _server_file(kind: _Kind) -> SettingsFile:
    platform, mutual_auth, keywords = kind.platform, kind.mutual_auth, kind.keywords
    if platform.server_folder is None or platform.server_sample is None:
        message = f"InfoPrint Manager has no server on {platform.title}"
        raise ValueError(message)
    # "A certificate or key beside ipmssl.cfg may be named without its folder."
    settings = [
        Setting("EnableTLS", "1"),
        Setting("CertFile", "server-cert.pem"),
        Setting("KeyFile", "server-key.pem"),
    ]
    look_for = []
    if keywords.ca_file is not None:
        settings.append(Setting(_keyword(keywords.ca_file), kind.trusted))
    elif mutual_auth and "ca_file" not in keywords.by_hand:
        look_for.append("the file of trusted authorities (ca-cert.pem)")
    if keywords.crl_file is None:
        if mutual_auth and "crl_file" not in keywords.by_hand:
            look_for.append("the revocation list")
    elif kind.has_crl:
        settings.append(Setting(_keyword(keywords.crl_file), "crl.pem"))
    if keywords.mutual_auth is not None:
        # A bare NAME is set to 1 by analogy with EnableTLS; NAME=VALUE is what the sample shows.
        name, _, value = keywords.mutual_auth.partition("=")
        settings.append(Setting(_keyword(name), _value(value) or "1" if kind.asks_clients else None))
    elif "mutual_auth" in keywords.by_hand:
        if not kind.asks_clients:
            look_for.append("mutual authentication, which must not be set: take it out by hand")
    elif kind.asks_clients:
        look_for.append("mutual authentication, which is not in force before it is set")
    return SettingsFile(
        Role.SERVER, platform.server_folder, platform.server_sample, tuple(settings), tuple(look_for)
    )


def _client_file(kind: _Kind) -> SettingsFile:
    platform, keywords = kind.platform, kind.keywords
    settings = [Setting("EnableTLS", "1")]
    if kind.shown is not None:
        # A server's own tools show the server's certificate, which under mutual authentication carries
        # clientAuth too. Its key stays readable by the server's account alone, so only that account's tools
        # can; that is said at the end of the installation, and is no reason to open the key to others.
        folder = f"{platform.server_folder}{platform.separator}" if kind.shown is Role.SERVER else ""
        settings.append(Setting("CertFile", f"{folder}{kind.shown}-cert.pem"))
        settings.append(Setting("KeyFile", f"{folder}{kind.shown}-key.pem"))
    look_for = []
    if keywords.ca_file is not None:
        settings.append(Setting(_keyword(keywords.ca_file), TRUSTED))
    elif "ca_file" not in keywords.by_hand:
        look_for.append("the file of trusted authorities (ca-cert.pem)")
    return SettingsFile(
        Role.CLIENT, platform.client_folder, platform.client_sample, tuple(settings), tuple(look_for)
    )


def _keyword(name: str) -> str:
    keyword = name.strip()
    if not keyword.isprintable() or not keyword or any(char in " =:#;" for char in keyword):
        message = f"{name!r} cannot be a keyword of {SETTINGS_NAME}"
        raise ValueError(message)
    return keyword


def _value(text: str) -> str:
    value = text.strip()
    if not value.isprintable():
        message = f"{text!r} cannot be a value in {SETTINGS_NAME}"
        raise ValueError(message)
    return value


@cache
def settings_json(files: tuple[SettingsFile, ...]) -> bytes:
    """Return settings.json: the keywords and values by file, for whoever edits by hand or by other tools."""
    document = {
        "version": 1,
        "files": [
            {
                "role": file.role.value,
                "folder": file.folder,
                "name": SETTINGS_NAME,
                "sample": file.sample,
                "settings": {setting.keyword: setting.value for setting in file.settings},
                "look_for": list(file.look_for),
            }
            for file in files
        ],
    }
    return to_json(document).encode()
