"""``ipmpki revoke``: take the trust from a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.arguments import remembered_hosts, target_argument
from ipmpki.declaration.vocabulary import RevocationReason

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.operations.revoke import RevokedCertificates


@click.command(
    epilog="""\b
Examples:
  ipmpki revoke pki.toml desk7.example.com --reason key-compromise
  ipmpki revoke pki.toml 4F:02:…:9C --reason superseded       one certificate, by its serial number

\b
Reasons:
  key-compromise          somebody else may have the key: everything of the host is revoked
  superseded              another certificate has taken its place
  cessation-of-operation  the host is not used any more
  affiliation-changed, privilege-withdrawn, unspecified
"""
)
@target_argument(remembered_hosts, "HOST|SERIAL")
@click.option(
    "--reason",
    type=click.Choice([one.value for one in RevocationReason]),
    metavar="REASON",
    required=True,
    help="Why, as the revocation list will say; see below.",
)
def command(target: tuple[Path, str], reason: str) -> int:
    """Record in FILE's store that a certificate must not be trusted any more.

    The next build puts it on the revocation list and gives the host another certificate, with another key.
    Servers refuse it once they have the new list: where the list goes to them, see [ipm] keywords, crl_file.
    """
    from ipmpki.operations.load import load
    from ipmpki.operations.revoke import revoke

    file, wanted = target
    done = revoke(load(file), wanted, RevocationReason(reason))
    console.say("\n".join(_told(done, file)))
    return 0


def _told(done: RevokedCertificates, file: Path) -> list[str]:
    from ipmpki.declaration.fleet import host_of

    lines = [
        f"revoked: {host_of(one.host)}, serial {one.serial:X}, which was to end on {one.not_after:%Y-%m-%d}"
        for one in done.revoked
    ]
    lines += [
        f"revoked before, on {one.revoked_at:%Y-%m-%d}: {host_of(one.host)}, serial {one.serial:X}"
        for one in done.before
    ]
    if done.sold:
        lines.append(
            "It was bought: ask the authority that sold it to revoke it, too. No list here can name it."
        )
    if done.revoked:
        lines.append(f"next: ipmpki build {file}")
    return lines


__all__ = ["command"]
