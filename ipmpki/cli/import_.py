"""``ipmpki import``: take certificates that were bought, and publish them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.build import tell_outcome
from ipmpki.cli.passphrase_options import given, passphrase_options
from ipmpki.cli.problems import FORMATS, exit_status, show_problems

if TYPE_CHECKING:
    from ipmpki.operations.import_bought import Arrival


@click.command(
    "import",
    epilog="""\b
Examples:
  ipmpki import pki.toml ipm1.crt intermediate.crt
  ipmpki import pki.toml order-4711.zip
""",
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.argument(
    "received",
    nargs=-1,
    required=True,
    metavar="CERTIFICATE...",
    type=click.Path(dir_okay=False, exists=True),
)
@passphrase_options("the passphrase of encrypted files")
@click.option(
    "--force", is_flag=True, help="Take a certificate in spite of warnings; never one with an error."
)
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", help="How problems are written."
)
def command(  # noqa: PLR0913 -- one for each option
    file: Path,
    received: tuple[str, ...],
    *,
    passphrase_env: str | None,
    passphrase_file: str | None,
    force: bool,
    format_: str,
) -> int:
    """Take into FILE's store what the authority sent, in any number of files, and publish it.

    PEM, DER, PKCS#7, PKCS#12 and zip are read; certificates and intermediates may stand in any order, and be
    for several hosts. Each is matched by its key, checked against what was ordered and against the trust
    bundle. One that could not work is not taken; of several for one key, the one that works and holds
    longest is.
    """
    from ipmpki.operations.build import build
    from ipmpki.operations.import_bought import Outcome, import_certificates
    from ipmpki.operations.load import load
    from ipmpki.source.files import read_file

    known = given(passphrase_env, passphrase_file)

    def ask(name: str) -> bytes | None:
        return known if known is not None else _ask(name)

    files = [(name, read_file(Path(name), what="the certificate", may_be_pipe=True)) for name in received]
    imported = import_certificates(load(file), files, passphrase=ask, force=force)
    show_problems(imported.problems, format_, " ".join(received))
    if format_ == "text":
        told = "\n".join(map(_line, imported.arrivals))
        console.say(told or "Nothing was taken: no host's certificate is in it.")
    if imported.was_changed:
        project = load(file)
        with console.progress_bar() as progress:
            built = build(project, progress=progress)
        if format_ == "text":
            tell_outcome(project, built)
    refused = any(one.outcome is Outcome.REFUSED for one in imported.arrivals)
    return 1 if refused or not imported.arrivals else exit_status(imported.problems, strict=False)


def _line(arrival: Arrival) -> str:
    words = {
        "taken": f"taken, valid until {arrival.certificate.not_after:%Y-%m-%d}",
        "known": "here already; nothing to do",
        "refused": "not taken: see above",
        "passed over": f"not taken, the one until {arrival.certificate.not_after:%Y-%m-%d}: {arrival.why}",
    }
    return f"{arrival.host}: {words[arrival.outcome]}"


def _ask(name: str) -> bytes | None:
    if not sys.stdin.isatty():
        return None
    return console.ask(f"Passphrase of {name}", may_be_empty=True).encode()


__all__ = ["command"]
