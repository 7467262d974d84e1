"""Old PKIs, made on the fly by the tools that people made them with: openssl and easy-rsa."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = """
[ca]
default_ca = old
[old]
dir = .
database = $dir/index.txt
new_certs_dir = $dir/newcerts
certificate = $dir/cacert.pem
serial = $dir/serial
crlnumber = $dir/crlnumber
private_key = $dir/private/cakey.pem
default_md = sha256
default_days = 365
default_crl_days = 60
policy = any
unique_subject = no
copy_extensions = copy
crl_extensions = crl
[any]
commonName = supplied
organizationName = optional
[crl]
authorityKeyIdentifier = keyid
[server]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth, clientAuth
[server-alone]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
[client]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
[mail]
basicConstraints = CA:FALSE
extendedKeyUsage = emailProtection
[bare]
basicConstraints = CA:FALSE
[below]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
"""

RSA = ("-newkey", "rsa:2048")
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


@dataclass
class OldPki:
    """A folder that ``openssl ca`` works in. Keys are elliptic where nothing asks for RSA: faster."""

    folder: Path

    def openssl(self, *arguments: str, **options: Any) -> str:
        """Run openssl in the folder."""
        completed: subprocess.CompletedProcess[str] = subprocess.run(
            [require("openssl"), *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        assert completed.returncode == 0, completed.stderr
        return completed.stdout

    def found(
        self,
        subject: str = "/C=US/O=Acme/CN=Acme Print CA",
        *,
        days: int = 3650,
        passphrase: str | None = None,
        key: tuple[str, ...] = EC,
    ) -> OldPki:
        """Make the authority and its books."""
        for name in ("private", "newcerts", "certs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "openssl.cnf").write_text(CONFIGURATION)
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text("1000\n")
        (self.folder / "crlnumber").write_text("01\n")
        protected = ("-nodes",) if passphrase is None else ("-passout", f"pass:{passphrase}")
        self.openssl(
            *("req", "-x509", *key, *protected, "-keyout", "private/cakey.pem", "-out", "cacert.pem"),
            *("-days", str(days), "-subj", subject, "-utf8"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )
        return self

    def issue(  # noqa: PLR0913 -- one for each thing that shops did differently
        self,
        name: str,
        extensions: str = "client",
        *,
        names: str | None = None,
        key: tuple[str, ...] = EC,
        file: str | None = None,
        end: str | None = None,
        begin: str | None = None,
        passphrase: str | None = None,
        more: tuple[str, ...] = (),
    ) -> Path:
        """A certificate as certs/FILE.crt, its key as private/FILE.key; the names default to the name."""
        file = file or name
        asked = f"DNS:{name}" if names is None else names
        protected = ("-nodes",) if passphrase is None else ("-passout", f"pass:{passphrase}")
        added = ("-addext", f"subjectAltName={asked}") if asked else ()
        self.openssl(
            *("req", "-new", *key, *protected, "-keyout", f"private/{file}.key", "-utf8"),
            *("-out", f"certs/{file}.csr", "-subj", f"/CN={name}", *added),
        )
        dates = (*(("-startdate", begin) if begin else ()), *(("-enddate", end) if end else ()))
        self.openssl(
            *(
                "ca",
                "-batch",
                "-config",
                "openssl.cnf",
                "-extensions",
                extensions,
                *dates,
                *more,
                *self.opened,
            ),
            *("-in", f"certs/{file}.csr", "-out", f"certs/{file}.crt"),
        )
        return self.folder / "certs" / f"{file}.crt"

    opened: tuple[str, ...] = ()
    """What ``openssl ca`` needs to open an encrypted key."""

    def revoke(self, file: str, reason: str = "keyCompromise") -> None:
        """Revoke a certificate in the index."""
        self.openssl(
            *("ca", "-config", "openssl.cnf", "-revoke", f"certs/{file}.crt", "-crl_reason", reason),
            *self.opened,
        )

    def list_revocations(self) -> None:
        """Make the next CRL."""
        self.openssl("ca", "-config", "openssl.cnf", "-gencrl", "-out", "crl.pem", *self.opened)

    def state(self) -> dict[str, tuple[bytes, int, int, int]]:
        """Every file: contents, mode, inode and time of change."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            status = path.lstat()
            is_small = path.is_file() and status.st_size < 1 << 20
            content = path.read_bytes() if is_small and not path.is_symlink() else b""
            found[str(path.relative_to(self.folder))] = (
                content,
                status.st_mode,
                status.st_ino,
                status.st_mtime_ns,
            )
        return found


def print_shop(folder: Path) -> OldPki:
    """A server, two clients in force, one revoked, and a CRL."""
    old = OldPki(folder).found(key=RSA)
    old.issue(
        "ipm1.example.com",
        "server",
        names="DNS:print.example.com,DNS:ipm1.example.com,IP:10.1.2.3",
        key=RSA,
    )
    for name in ("desk1", "desk2", "desk3"):
        old.issue(f"{name}.example.com")
    old.revoke("desk3.example.com")
    old.list_revocations()
    return old
