"""Renders the folder of one host: every file of ``dist/hosts/NAME/``, for every operating system."""

from __future__ import annotations

import json
from operator import attrgetter
from typing import TYPE_CHECKING

from ipmpki.render.host_folder.contents import RenderedFile
from ipmpki.render.host_folder.install_sh import render_posix
from ipmpki.render.host_folder.ipmssl_cfg import settings_json, settings_of
from ipmpki.render.host_folder.payload import PUBLIC_MODE, payload_of, request_name
from ipmpki.render.host_folder.readme import render_readme, render_request_readme, render_waiting_readme
from ipmpki.render.host_folder.request_cnf import render_request_configuration
from ipmpki.render.platforms import Dialect, platform_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ipmpki.render.host_folder.contents import HostBundle
    from ipmpki.render.host_folder.ipmssl_cfg import SettingsFile
    from ipmpki.render.host_folder.payload import PayloadFile

SETTINGS_JSON = "settings.json"
MANIFEST = "manifest.json"


def render_host(bundle: HostBundle) -> tuple[RenderedFile, ...]:
    """Return every file of a host's folder, the same bytes for the same bundle.

    A host that still waits for its first certificate gets its request and no script, as there is nothing to
    install; one that makes its key itself gets the script, which does that, and what a request is made from.
    Raises ValueError for a server that has neither, or that stands where InfoPrint Manager has no server, and
    for a declared keyword that ipmssl.cfg could not hold.
    """
    requests = _requests(bundle)
    asking = render_request_configuration(bundle.host.certificate)
    if bundle.awaits_certificate:
        scripts = _scripts(bundle, (), ()) if asking else ()
        readme = render_waiting_readme(bundle) if requests else render_request_readme(bundle)
        waiting = (*scripts, *requests, *asking, readme)
        return (*waiting, _manifest(bundle.host.name, waiting))
    settings = settings_of(bundle)
    payload = payload_of(bundle)
    rendered = (
        *_scripts(bundle, payload, settings),
        *(item.file for item in payload),
        *requests,
        *asking,
        RenderedFile(SETTINGS_JSON, settings_json(settings), PUBLIC_MODE),
        render_readme(bundle, settings),
    )
    return (*rendered, _manifest(bundle.host.name, rendered))


def _scripts(
    bundle: HostBundle, payload: tuple[PayloadFile, ...], settings: tuple[SettingsFile, ...]
) -> tuple[RenderedFile, ...]:
    if platform_of(bundle.host.os).dialect is Dialect.POWERSHELL:
        # Not needed, and so not loaded, by a fleet without Windows.
        from ipmpki.render.host_folder.install_ps1 import render_powershell

        return render_powershell(bundle, tuple(item.file for item in payload), settings)
    return (render_posix(bundle, payload, settings),)


def _requests(bundle: HostBundle) -> tuple[RenderedFile, ...]:
    if bundle.request is None:
        return ()
    return (RenderedFile(request_name(bundle.host.role), bundle.request, PUBLIC_MODE),)


def _manifest(host: str, files: Iterable[RenderedFile]) -> RenderedFile:
    """Return manifest.json: SHA-256 and mode of each file but itself, by name.

    One file a line; put together by hand, as json's own indentation takes as long as all other rendering.
    Names of files are this package's own and need no escaping.
    """
    lines = ",\n".join(
        f'    {{"name": "{file.name}", "sha256": "{file.sha256}", "mode": "{file.mode:04o}"}}'
        for file in sorted(files, key=attrgetter("name"))
    )
    text = f'{{\n  "version": 1,\n  "host": {json.dumps(host)},\n  "files": [\n{lines}\n  ]\n}}\n'
    return RenderedFile(MANIFEST, text.encode(), PUBLIC_MODE)
