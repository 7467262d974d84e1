"""What each folder of dist/ is rendered from, as one digest: another digest means another folder."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ipmpki import __version__
from ipmpki.changes import CA_FOLDER, PLAYBOOK_FOLDER, REPORT_FOLDER, host_folder

if TYPE_CHECKING:
    from ipmpki.fleet import Fleet, HostSpec
    from ipmpki.issued import Issued


# Read here and not through the template engine, which a plan that changes nothing has no use for.
_TEMPLATES = Path(__file__).parent / "templates"


@cache
def templates_digest(folder: str = ".") -> str:
    """A SHA-256 over the templates of hosts' folders, in hexadecimal: an upgrade may change the scripts.

    With ``folder`` it is over those of a folder below them.
    """
    digest = hashlib.sha256()
    for path in sorted((_TEMPLATES / folder).iterdir()):
        # The report lies in no host's folder, nor does what stands in a folder of its own.
        if path.is_file() and not path.name.startswith("report."):
            content = path.read_bytes()
            digest.update(f"{path.name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def folder_inputs(fleet: Fleet, issued: Issued) -> dict[str, str]:
    """The digest of every folder's inputs, given what is issued now."""
    authority = issued.authority.fingerprint if issued.authority else ""
    crl = str(issued.revocation_list.number) if issued.revocation_list else ""
    common = f"{__version__}\n{templates_digest()}\n{fleet.mutual_auth}\n{authority}"
    inputs = {host_folder(host.name): _digest(_of_host(host, issued, common, crl)) for host in fleet.hosts}
    inputs[CA_FOLDER] = _digest(f"{authority}\n{crl}")
    inputs[PLAYBOOK_FOLDER] = _digest(_of_playbook(fleet, issued))
    inputs[REPORT_FOLDER] = str(issued.last_event)
    return inputs


def _of_playbook(fleet: Fleet, issued: Issued) -> str:
    hosts = "\n".join(
        f"{host.name} {host.role.value} {host.os.value} {bool(host.site.restart_command)}"
        for host in installable(fleet, issued)
    )
    return f"{__version__}\n{templates_digest(PLAYBOOK_FOLDER)}\n{fleet.batches!r}\n{hosts}"


def _waits(host: HostSpec, issued: Issued) -> bool:
    spec = host.certificate
    return spec is not None and spec.awaits_request and host.name not in issued.current


def installable(fleet: Fleet, issued: Issued) -> tuple[HostSpec, ...]:
    """The hosts whose folder holds something to install: not those that wait for what has to be bought."""
    if not fleet.is_third_party:
        return tuple(host for host in fleet.hosts if not _waits(host, issued))
    return tuple(
        host
        for host in fleet.hosts
        if (host.name in issued.current if host.certificate is not None else fleet.bundle is not None)
    )


def _of_host(host: HostSpec, issued: Issued, common: str, crl: str) -> str:
    current = issued.current.get(host.name) if host.certificate is not None else None
    carried = crl if host.carries_revocation_list else ""
    fingerprint = current.fingerprint if current else ""
    names = f"{host.name}\n{host.role.value}\n{host.os.value}\n{host.aliases!r}\n{host.addresses!r}"
    request = issued.requests.get(host.name)
    asked = f"\n{request.key_digest}" if request is not None and host.certificate is not None else ""
    kept = host.certificate.kept_key if host.certificate is not None else None
    own = f"\n{kept.path}" if kept is not None else ""
    return f"{common}\n{names}\n{host.site!r}\n{fingerprint}\n{carried}{asked}{own}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
