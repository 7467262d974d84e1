"""``ipmpki keywords``: read samples of ipmssl.cfg, and write what somebody chose into pki.toml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.diagnostics.fault import WrongUse
from ipmpki.diagnostics.wording import closest, quote

if TYPE_CHECKING:
    from ipmpki.declaration.ipmssl_sample import SampleKeyword

_PURPOSES = ("ca_file", "crl_file", "mutual_auth")


@click.command(
    epilog="""\b
Examples:
  ipmpki keywords server/ipmssl.cfg client/ipmssl.cfg
  ipmpki keywords server/ipmssl.cfg --crl-file NAME --mutual-auth NAME=yes --pki pki.toml
  ipmpki keywords server/ipmssl.cfg --by-hand mutual_auth
"""
)
@click.argument(
    "samples",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="SAMPLE...",
)
@click.option(
    "--pki",
    default="pki.toml",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The declaration to write into.",
)
@click.option("--ca-file", metavar="NAME", help="The keyword that names the file of trusted authorities.")
@click.option("--crl-file", metavar="NAME", help="The keyword that names the revocation list.")
@click.option(
    "--mutual-auth",
    metavar="NAME[=VALUE]",
    help="The keyword by which a server asks clients for certificates.",
)
@click.option(
    "--by-hand",
    multiple=True,
    type=click.Choice(_PURPOSES),
    help="What you set in ipmssl.cfg by hand; repeatable.",
)
@click.option(
    "--os",
    "system",
    type=click.Choice(("aix", "linux", "windows", "macos")),
    help="Write it for one operating system alone, where samples differ.",
)
def command(  # noqa: PLR0913 -- one for each option
    *,
    samples: tuple[Path, ...],
    pki: Path,
    ca_file: str | None,
    crl_file: str | None,
    mutual_auth: str | None,
    by_hand: tuple[str, ...],
    system: str | None,
) -> int:
    """Show every keyword of each SAMPLE, an ipmssl.cfg as InfoPrint Manager ships it, with its comment.

    The vendor publishes the names of three keywords only; those for the authorities' file, the revocation
    list and mutual authentication have to be read off the samples of a server and of a client. Which may be
    which is proposed by their words and never decided: what you choose is written into [ipm.keywords] of
    pki.toml, with every comment kept.
    """
    from ipmpki.declaration.ipmssl_sample import read_sample
    from ipmpki.source.files import read_file

    read = {
        str(one): read_sample(_text(read_file(one, what="the sample", may_be_pipe=True), one))
        for one in samples
    }
    given = {"ca_file": ca_file, "crl_file": crl_file, "mutual_auth": mutual_auth}
    chosen: dict[str, str | tuple[str, ...]] = {
        purpose: _as_in_a_sample(written, read) for purpose, written in given.items() if written is not None
    }
    if by_hand:
        chosen["by_hand"] = tuple(dict.fromkeys(by_hand))
    if not chosen:
        from ipmpki.render.keywords import render_keywords

        console.say(render_keywords(read, str(pki)))
        return 0
    return _write(pki, chosen, system)


def _text(content: bytes, sample: Path) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    if b"\0" in content:
        raise WrongUse(f"'{sample}' is no text", "give an ipmssl.cfg as the installation has it")
    return content.decode("utf-8", "replace")


def _as_in_a_sample(written: str, read: dict[str, tuple[SampleKeyword, ...]]) -> str:
    """The keyword as a sample spells it. Raises WrongUse where none has it."""
    name, equals, value = written.partition("=")
    names = [one.name for keywords in read.values() for one in keywords]
    found = next((one for one in names if one.casefold() == name.strip().casefold()), None)
    if found is None:
        near = closest(name, names)
        raise WrongUse(
            f"no sample given here has a keyword {quote(name)}",
            f"did you mean {quote(near)}?" if near else "copy the name from the sample",
        )
    return f"{found}{equals}{value}"


def _write(pki: Path, chosen: dict[str, str | tuple[str, ...]], system: str | None) -> int:
    from ipmpki.cli.save import save_edited, text_of
    from ipmpki.declaration.edit.keywords import set_keywords
    from ipmpki.operations.draft import open_draft

    draft = open_draft(pki)
    main = draft.files[0]
    text = set_keywords(text_of(main), chosen, system)
    named = ", ".join(
        f"{key} = {value if isinstance(value, str) else list(value)}" for key, value in chosen.items()
    )
    return save_edited(draft, main, text, f"wrote {named}")


__all__ = ["command"]
