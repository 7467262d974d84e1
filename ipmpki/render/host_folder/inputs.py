"""What each folder of dist/ is rendered from, as one digest: another digest means another folder."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

from ipmpki.declaration.fleet import tools_holder
from ipmpki.declaration.vocabulary import Role
from ipmpki.plans.dist_layout import CA_FOLDER, PLAYBOOK_FOLDER, REPORT_FOLDER, host_folder
from ipmpki.plans.folder_inputs import Input, inputs_text
from ipmpki.plans.trust import installable, trusted_by
from ipmpki.render import TEMPLATES
from ipmpki.render.host_folder.request_cnf import request_words
from ipmpki.version import __version__
from ipmpki.x509.root import chain_below_root

if TYPE_CHECKING:
    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.store.records import Issued, IssuedCertificate, StoredAuthority


# The parts of the install scripts. The playbook, in a folder of its own too, asks for it by name.
_SCRIPT_FOLDERS = ("install_sh", "install_ps1")


@cache
def templates_digest(folder: str = ".") -> str:
    """A SHA-256 over the templates of hosts' folders, in hexadecimal: an upgrade may change the scripts.

    With ``folder`` it is over those of a folder below them.
    """
    # Read here and not through the template engine, which a plan that changes nothing has no use for.
    digest = hashlib.sha256()
    of_scripts = () if folder != "." else _SCRIPT_FOLDERS
    for path in sorted(path for name in (folder, *of_scripts) for path in (TEMPLATES / name).iterdir()):
        # The report lies in no host's folder.
        if path.is_file() and not path.name.startswith("report."):
            content = path.read_bytes()
            digest.update(f"{path.name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def folder_inputs(fleet: Fleet, issued: Issued) -> dict[str, str]:
    """The digest of every folder's inputs, given what is issued now."""
    # What is published of an authority is all that its file held, such as the root above it.
    signers = " ".join(map(_trusted, issued.signers)) if fleet.signs_here else ""
    bundle = issued.bundle.fingerprint if issued.bundle and fleet.is_third_party else ""
    lists = issued.revocation_lists if fleet.signs_here else {}
    crl = " ".join(
        f"{one.identity}:{lists[one.identity].number}" for one in issued.signers if one.identity in lists
    )
    authority = f"{signers}\n{bundle}\n{fleet.is_mixed}"
    program = f"{__version__}\n{templates_digest()}"
    inputs = {
        host_folder(host.name): inputs_text(_of_host(host, fleet, issued, program, crl))
        for host in fleet.hosts
    }
    inputs[CA_FOLDER] = _digest(f"{authority}\n{crl}")
    inputs[PLAYBOOK_FOLDER] = _digest(_of_playbook(fleet, issued))
    inputs[REPORT_FOLDER] = str(issued.last_event)
    return inputs


def issuing_chain(certificate: IssuedCertificate, issued: Issued) -> bytes:
    """What a host sends behind a certificate that was issued here, in PEM; empty where a root issued it."""
    authority = next((one for one in issued.signers if one.identity == certificate.authority), None)
    return chain_below_root(authority.fingerprint, authority.certificates_pem) if authority else b""


def _of_playbook(fleet: Fleet, issued: Issued) -> str:
    hosts = "\n".join(
        f"{host.name} {host.role.value} {host.os.value} {bool(host.site.restart_command)}"
        for host in installable(fleet, issued)
    )
    return (
        f"{__version__}\n{templates_digest(PLAYBOOK_FOLDER)}\n{fleet.batches!r}\n{fleet.mutual_auth}\n{hosts}"
    )


def _of_host(host: HostSpec, fleet: Fleet, issued: Issued, program: str, crl: str) -> dict[Input, str]:
    current = issued.current.get(host.name) if host.certificate is not None else None
    trusted = " ".join(map(_trusted, trusted_by(host, fleet, issued)))
    certificate = current.fingerprint if current else ""
    if fleet.is_mixed and host.role is Role.SERVER:
        tools = issued.current.get(tools_holder(host.name))
        trusted += "".join(f"\n{one.fingerprint}" for one in issued.signers)
        certificate += f"\n{tools.fingerprint if tools else ''}"
    asks = f"\n{fleet.asks_clients}" if host.role is Role.SERVER else ""
    request = issued.requests.get(host.name)
    asked = request.key_digest if request is not None and host.certificate is not None else ""
    kept = host.certificate.kept_key if host.certificate is not None else None
    # A host's own request asks for what is declared now, whatever certificate it still has.
    own = f"\n{kept.path}\n{request_words(host.certificate)!r}" if kept is not None else ""
    tools = issued.current.get(tools_holder(host.name)) if fleet.is_mixed else None
    chain = b"".join(issuing_chain(one, issued) for one in (current, tools) if one is not None)
    certificate += f"\n{hashlib.sha256(chain).hexdigest()}" if chain else ""
    return {
        Input.PROGRAM: program,
        Input.TRUST: trusted,
        Input.NAMES: f"{host.name}\n{host.role.value}\n{host.os.value}\n{host.aliases!r}\n{host.addresses!r}",
        Input.ACCOUNT: f"{host.site.server_account}",
        Input.RESTART: f"{host.site.restart_command}\n{host.site.server_name}",
        Input.KEYWORDS: f"{host.site.keywords!r}",
        Input.MUTUAL_AUTH: f"{fleet.mutual_auth}{asks}",
        Input.CERTIFICATE: certificate,
        Input.LIST: crl if host.carries_revocation_list else "",
        Input.REQUEST: f"{asked}{own}",
    }


def _trusted(authority: StoredAuthority) -> str:
    return hashlib.sha256(authority.certificates_pem).hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
