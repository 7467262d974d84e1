"""``ipmpki verify``: certificates, keys and CRLs that exist, judged by the same rules, whoever made them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from ipmpki.cli import console
from ipmpki.cli.options import Moment, strict_option
from ipmpki.cli.problems import FORMATS, exit_status, show_problems


@click.command(
    epilog="""\b
Examples:
  ipmpki verify /var/pddir/default_cell/ssl --role server --name ipm1.example.com
  ipmpki verify server-cert.pem server-key.pem --ca ca-cert.pem --crl crl.pem
  ipmpki verify ipm1.example.com:6874 --ca ca-cert.pem
"""
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--role", type=click.Choice(("server", "client")), help="What the certificate is for.")
@click.option(
    "--mutual-auth",
    type=click.Choice(("off", "required")),
    help="Whether servers ask clients for a certificate.",
)
@click.option("--name", "names", multiple=True, help="A name or address that clients connect to; repeatable.")
@click.option("--ca", "anchors", multiple=True, metavar="FILE", help="The trusted authorities; repeatable.")
@click.option("--crl", "lists", multiple=True, metavar="FILE", help="A revocation list; repeatable.")
@click.option("--at", type=Moment(), help="Judge as of another day.")
@click.option("--timeout", type=click.FloatRange(0.1, 300), default=10, help="Seconds a server may take.")
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", help="How problems are written."
)
@click.option(
    "--pki",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The declaration whose store is asked what it knows of them; ./pki.toml if it is there.",
)
@strict_option
def command(  # noqa: PLR0913 -- one for each option
    *,
    paths: tuple[str, ...],
    role: str | None,
    mutual_auth: str | None,
    names: tuple[str, ...],
    anchors: tuple[str, ...],
    lists: tuple[str, ...],
    at: datetime | None,
    timeout: float,
    format_: str,
    pki: Path | None,
    strict: bool,
) -> int:
    """Judge what each PATH holds: a file, a host's folder, or a live server as HOST:PORT.

    Files are PEM (certificates, keys and CRLs in any mixture), DER or PKCS#7, and are judged together. Of a
    folder, the files that InfoPrint Manager uses are read; its ca-cert.pem is trusted unless --ca says
    otherwise. A server shows its own certificates alone: not its key, nor whom it trusts, nor its CRL. One at
    an address is asked for the first --name that is no address.

    Each certificate is told: whose it is, its names, until when, its key, its serial number, and whether the
    store of pki.toml issued it and it is the current one.

    Exit status: 0 without errors, 1 with errors (or warnings, with --strict), 2 if a file cannot be read,
    4 if a server cannot be reached, or the store of --pki cannot be used.
    """
    from ipmpki.declaration.vocabulary import Role
    from ipmpki.operations.verify.verify import Question, verify

    now = at or datetime.now(UTC)
    verified = verify(
        Question(
            paths,
            now,
            anchors,
            lists,
            Role(role) if role else None,
            mutual_auth == "required" if mutual_auth else None,
            names,
            timeout,
            pki,
        )
    )
    shown = " ".join(paths)
    if format_ == "json":
        from ipmpki.render.certificates import render_verified_json

        console.say(render_verified_json(verified.certificates, verified.problems, shown, now))
    else:
        if format_ == "text":
            from ipmpki.render.certificates import render_seen

            console.say(render_seen(verified.certificates, now, width=console.output_width()))
        show_problems(verified.problems, format_, shown, strict=strict)
    if format_ == "text" and not verified.problems:
        number = len(verified.certificates)
        console.tell(f"{shown}: no problems ({number} {'certificate' if number == 1 else 'certificates'})")
    return verified.failed or exit_status(verified.problems, strict=strict)


__all__ = ["command"]
