"""install.ps1 -NewKey: a key that never leaves its host, and both key and certificate by one change."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.extent import mostly_exhaustive
from tests.render.host_folder.bundles import bundle_of, write_folder
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.render.host_folder.contents import HostBundle
    from tests.render.conftest import PrepareWindows


def carry(bundle: HostBundle, folder: Path) -> None:
    shutil.rmtree(folder)
    write_folder(bundle, folder)


@pytest.mark.parametrize(
    "key_type", mostly_exhaustive(["rsa-2048", "rsa-3072", "ec-p256", "ec-p384"], every_time=["rsa-2048"])
)
def test_a_key_is_made_waits_and_is_installed_with_its_certificate(
    windows_host: PrepareWindows, key_type: str
) -> None:
    require("openssl")
    host = windows_host(bundle_of(os="windows", own_key=True, label="awaited", key_type=key_type))
    assert "there is nothing to install yet" in host.run(status=1)
    (host.folder / "server.csr.ipmpki-new").mkdir()
    assert "there is no place for the request" in host.run("-NewKey", "-DryRun", status=1)
    (host.folder / "server.csr.ipmpki-new").rmdir()
    said = host.run("-NewKey", "-DryRun")
    assert "this would make a new key" in said
    assert f"would write its request, server.csr, into\n  {host.folder}\n" in said
    assert not list(host.folder.glob("*.csr*"))
    assert host.sight() == {}
    said = host.run("-NewKey")
    assert "a new key was made, and its request written" in said
    assert f"made by  {shutil.which('openssl')}" in said
    waiting = host.state("waiting-key.pem")
    made = waiting.read_bytes()
    assert stat.S_IMODE(waiting.stat().st_mode) == 0o600
    request = (host.folder / "server.csr").read_bytes()
    x509.load_pem_x509_csr(request)
    assert "the key that was made before still waits" in host.run("-NewKey")
    carry(bundle_of(os="windows", request=request, key_type=key_type), host.folder)
    assert "the new key, made on this host" in host.run()
    assert host.server("server-key.pem").read_bytes() == made
    assert not waiting.exists()
    assert "nothing differs" in host.run("-Verify")
    assert "waits again for its certificate" in host.run("-Rollback")
    assert waiting.read_bytes() == made
    host.run()
    host.run("-Uninstall")
    assert {path for path, content in host.sight().items() if content is not None} == set()


def test_a_certificate_that_no_key_here_belongs_to_is_refused_and_told_what_mends_it(
    windows_host: PrepareWindows,
) -> None:
    host = windows_host(bundle_of(os="windows", own_key=True))
    assert "there is no key for server-cert.pem here" in host.run(status=1)
    assert host.sight() == {}
    said = host.run("-Verify", status=1)
    assert "missing: put here the key of the request" in said
    assert "or make another by install.cmd -NewKey" in said


def test_openssl_does_not_load_what_the_environment_names(
    windows_host: PrepareWindows, tmp_path: Path
) -> None:
    host = windows_host(bundle_of(os="windows", own_key=True, label="awaited"))
    fake = tmp_path / "bin" / "openssl"
    fake.parent.mkdir()
    record = tmp_path / "environment"
    fake.write_text(f'#!/bin/sh\nenv >> "{record}"\nexec {require("openssl")} "$@"\n')
    fake.chmod(0o755)
    path = os.environ["PATH"]
    names = ("OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "RANDFILE")
    environment = {"PATH": f"{fake.parent}:{path}", **dict.fromkeys(names, "/attacker")}
    try:
        outcome = host.powershell.run(
            host.folder / "install.ps1", "-Root", str(host.root), "-NewKey", environment=environment
        )
    finally:
        host.powershell.ask(
            {"args": ["-Command", "''"], "environment": {"PATH": path, **dict.fromkeys(names)}}
        )
    assert outcome.status == 0, outcome
    seen = record.read_text()
    assert "/attacker" not in seen
    assert "request.cnf" in seen


def lasting(start: datetime, days: int) -> bytes:
    """A certificate of that time, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(start).not_valid_after(start + timedelta(days))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    ("start", "words", "mends"),
    [
        (-40, "expired", "Next: run 'ipmpki build' where pki.toml is"),
        (40, "not valid yet: see this computer's clock", "Next: set this computer's clock"),
    ],
)
def test_a_time_that_does_not_fit_is_named_with_what_mends_it(
    windows_host: PrepareWindows, start: int, words: str, mends: str
) -> None:
    moment = datetime.now(UTC) + timedelta(start)
    host = windows_host(replace(bundle_of("client", "windows"), ca_certificates=lasting(moment, 10)))
    assert f"ca-cert.pem  {words}" in host.run()
    said = host.run("-Verify", status=1)
    assert f"ca-cert.pem  {words}" in said
    assert mends in said
