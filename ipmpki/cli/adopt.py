"""``ipmpki adopt``: take over a PKI that openssl or easy-rsa made."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.init import TEMPLATE
from ipmpki.cli.problems import exit_status, show_what_hurts
from ipmpki.diagnostics.fault import WrongUse

if TYPE_CHECKING:
    from ipmpki.declaration.fleet import PassphraseSource
    from ipmpki.x509.presented_certificates import PresentedCertificate


@click.command(
    epilog="""\b
Examples:
  ipmpki adopt /etc/ssl/demoCA --dry-run
  ipmpki adopt ~/easy-rsa/pki --domain example.com
  ipmpki adopt /root/ca --into print/pki.toml --passphrase-env CA_PASSPHRASE
"""
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="DIR")
@click.option(
    "--into",
    type=click.Path(path_type=Path, dir_okay=False),
    default="pki.toml",
    metavar="FILE",
    help="The new declaration; the store lies beside it. Without it: pki.toml.",
)
@click.option(
    "--ca",
    "chosen",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Which authority to go on with, by its certificate, where DIR holds several.",
)
@click.option(
    "--domain", metavar="NAME", help="The domain of hosts whose certificates have a short name only."
)
@click.option(
    "--passphrase-env",
    "variables",
    multiple=True,
    metavar="NAME",
    help="Try what this environment variable holds on encrypted keys; repeatable.",
)
@click.option(
    "--passphrase-file",
    "files",
    multiple=True,
    metavar="PATH",
    help="Try the first line of this file on encrypted keys; repeatable.",
)
@click.option(
    "--without",
    multiple=True,
    metavar="FILE",
    help="A file in DIR to do without, though it may revoke certificates; repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be taken; write nothing.")
@click.option(
    "--format", "format_", type=click.Choice(("text", "json")), default="text", help="How it is told."
)
def command(  # noqa: PLR0913 -- one for each option
    *,
    folder: Path,
    into: Path,
    chosen: Path | None,
    domain: str | None,
    variables: tuple[str, ...],
    files: tuple[str, ...],
    without: tuple[str, ...],
    dry_run: bool,
    format_: str,
) -> int:
    """Take the authority in DIR, its certificates, keys and revocations into a new pki.toml and its store.

    DIR is what "openssl ca" or easy-rsa 2 or 3 works in, or any folder of PEM and DER files: what is in a
    file counts, not its name. Nothing in DIR is touched. Certificates that are as InfoPrint Manager needs
    them stay in force; "ipmpki plan" shows which are not, and why. What could not be taken is listed.

    Exit status: 0 adopted, 1 with errors in the new pki.toml or a key that does not fit, 2 where no authority
    can be taken or a file is in the way, 4 if it cannot be written.
    """
    from ipmpki.operations.adopt.adopt import AdoptionOptions, prepare
    from ipmpki.operations.adopt.put_in_place import complete, put_in_place, require_place
    from ipmpki.operations.adopt.summary import render_adoption_json, render_adoption_text
    from ipmpki.operations.load import load

    if not dry_run and complete(into):
        console.tell(f"{into}: the adoption that was interrupted before is complete now")
        console.tell(f"next: ipmpki plan {into}")
        return 0
    require_place(into, folder)
    with console.progress_bar() as progress:
        adoption = prepare(
            AdoptionOptions(
                folder=folder,
                into=into,
                template=(resources.files("ipmpki.cli") / TEMPLATE).read_text(encoding="utf-8"),
                chosen=_chosen(chosen),
                domain=_domain(domain),
                passphrases=tuple(_given(variables, files, into)),
                without=without,
                ask=_Asking(),
                now=datetime.now(UTC).replace(microsecond=0),
                progress=progress,
            )
        )
        if not dry_run:
            put_in_place(adoption)
    project = adoption.project if dry_run else load(into)
    if format_ == "json":
        console.say(render_adoption_json(adoption, project.problems, str(into), written=not dry_run))
        return exit_status(project.problems, strict=False)
    console.say(render_adoption_text(adoption, written=not dry_run))
    show_what_hurts(project.problems, str(into))
    if dry_run:
        console.say("nothing was written; without --dry-run, this is")
    else:
        console.say(
            f"wrote {into} and {project.store.name} beside it; nothing in {folder} was touched\n"
            f"next: look through {into}, then: ipmpki plan {into}"
        )
    return exit_status(project.problems, strict=False)


def _chosen(file: Path | None) -> tuple[PresentedCertificate, ...]:
    if file is None:
        return ()
    from ipmpki.source.files import read_file
    from ipmpki.x509.confined_reader import read_contents_confined

    content = read_file(file, what="the authority's certificate", may_be_pipe=True)
    held = read_contents_confined(str(file), content)
    authorities = tuple(one for one in held.certificates if one.is_authority)
    if not authorities:
        raise WrongUse(
            f"'{file}' holds no authority's certificate", "name the file that does, such as ca.crt"
        )
    return authorities


def _domain(written: str | None) -> str | None:
    from ipmpki.declaration.dns_names import read_name

    if written is None:
        return None
    name = read_name(written.removeprefix("."))
    if name.fault is not None:
        raise WrongUse(f"'{written}' is no domain", "name one such as --domain example.com")
    return name.ascii


def _given(
    variables: tuple[str, ...], files: tuple[str, ...], into: Path
) -> list[tuple[bytes, PassphraseSource]]:
    """Each passphrase, with where pki.toml can say that it is."""
    from ipmpki.declaration.fleet import PassphraseSource
    from ipmpki.operations.passphrase import read_passphrase

    asked = [(PassphraseSource(name, None), PassphraseSource(name, None)) for name in variables]
    for file in files:
        path, root = Path(file).absolute(), into.absolute().parent
        shown = path.relative_to(root) if path.is_relative_to(root) else path
        asked.append((PassphraseSource(None, file), PassphraseSource(None, str(shown))))
    given = [(read_passphrase(Path(), source), told) for source, told in asked]
    return [(passphrase, told) for passphrase, told in given if passphrase is not None]


class _Asking:
    """Asks a person on the terminal, where there is one, and says that the answer before was wrong."""

    def __init__(self) -> None:
        self._before = ""

    def __call__(self, name: str) -> bytes | None:
        if not sys.stdin.isatty():
            return None
        if name == self._before:
            console.tell("that does not open it")
        self._before = name
        asked = console.ask(f"Passphrase of {name} (empty: leave what is encrypted)", may_be_empty=True)
        return os.fsencode(asked) or None


__all__ = ["command"]
