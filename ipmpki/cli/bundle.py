"""``ipmpki bundle``: the globally known authorities, from Mozilla's list to ca-cert.pem."""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.options import Moment
from ipmpki.diagnostics.fault import Fault, UnreadableFile, WrongUse

if TYPE_CHECKING:
    from ipmpki.operations.download import Fetched
    from ipmpki.x509.mozilla.criteria import Criteria
    from ipmpki.x509.mozilla.selection import Selection

URL = (
    "https://raw.githubusercontent.com/mozilla-firefox/firefox/refs/heads/release/"
    "security/nss/lib/ckfw/builtins/certdata.txt"
)
"""The list of the released Firefox, as curl's mk-ca-bundle.pl fetches it by default."""
STANDARD_OUTPUT = "-"
FORMS = ("text", "pem")
DISTRUST_AFTER = ("keep", "drop")
PURPOSES = "SERVER_AUTH,CLIENT_AUTH,CRL_SIGN"
LEVELS = "TRUSTED_DELEGATOR"


@click.command(
    epilog="""\b
Examples:
  ipmpki bundle certdata.txt -o ca-cert.pem
  ipmpki bundle --download -o ca-cert.pem       keeps ./certdata.txt, fetched only when it has changed
  ipmpki bundle certdata.txt -o - --format pem | openssl storeutl -noout -certs /dev/stdin

\b
It chooses as InfoPrint Manager's documentation does with curl's script:
  mk-ca-bundle.pl -t -p SERVER_AUTH,CLIENT_AUTH,CRL_SIGN:TRUSTED_DELEGATOR
"""
)
@click.argument("certdata", default="certdata.txt", type=click.Path(path_type=Path), metavar="[CERTDATA]")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="The bundle to write, such as ca-cert.pem; - for standard output.",
)
@click.option("--download", is_flag=True, help="Fetch CERTDATA first, if it has changed.")
@click.option("--url", help="With --download: from where, if not from Mozilla's repository.")
@click.option(
    "--purposes", default=PURPOSES, show_default=True, help="What authorities must be trusted for; or ALL."
)
@click.option("--levels", default=LEVELS, show_default=True, help="How far they must be trusted; or ALL.")
@click.option(
    "--distrust-after",
    type=click.Choice(DISTRUST_AFTER),
    default="keep",
    show_default=True,
    help="An authority that is trusted only for what it issued until a day in the past: keep or drop it.",
)
@click.option("--at", type=Moment(), help="Judge as of another day, such as 2027-06-01.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="text",
    show_default=True,
    help="With a text about each certificate, as the script's -t has it, or PEM alone.",
)
@click.option("--left-out", is_flag=True, help="List everything that was left out, and why.")
def command(  # noqa: PLR0913 -- one parameter an option
    certdata: Path,
    output: Path,
    *,
    download: bool,
    url: str | None,
    purposes: str,
    levels: str,
    distrust_after: str,
    at: datetime | None,
    form: str,
    left_out: bool,
) -> int:
    """Make a bundle of authorities from CERTDATA, Mozilla's certdata.txt (./certdata.txt if left out).

    Exit status: 0 done, 1 if no authority is left, 2 if CERTDATA cannot be read or is something else, 4 if
    the work failed. In every case but the first the old bundle stays as it was.
    """
    from ipmpki.x509.mozilla import criteria as choice
    from ipmpki.x509.mozilla.bundle import Form, RootsSource, render_bundle
    from ipmpki.x509.mozilla.summary import warnings

    if url is not None and not download:
        raise WrongUse("--url says from where, but nothing is to be fetched", "add --download")
    if certdata.is_dir():
        raise UnreadableFile(f"'{certdata}' is a folder", "name the file in it, such as certdata.txt")
    criteria = choice.Criteria(
        (at or datetime.now(UTC)).astimezone(UTC),
        choice.read_purposes(purposes),
        choice.read_levels(levels),
        choice.DistrustAfter(distrust_after),
    )
    before = _previous(output, certdata)
    fetched = _fetched(certdata, url or URL) if download else None
    content = fetched.content if fetched is not None else _read(certdata)
    selection = _select(content, str(certdata) if fetched is None else url or URL, criteria)
    if fetched is not None:
        _keep(certdata, fetched)
    source = RootsSource(certdata.name, hashlib.sha256(content).hexdigest(), criteria.at if at else None)
    is_new = _write(output, render_bundle(selection.kept, criteria, Form(form), source))
    _tell(selection, output, before, is_new=is_new, with_left_out=left_out)
    for warning in warnings(selection, criteria):
        console.say_warning(warning)
    return 0


def _read(certdata: Path) -> bytes:
    from ipmpki.source.files import read_file

    if not certdata.exists():
        raise UnreadableFile(
            f"there is no file '{certdata}'", "check the path, or let it be fetched with --download"
        )
    return read_file(certdata, what="Mozilla's list", may_be_pipe=True)


def _select(content: bytes, name: str, criteria: Criteria) -> Selection:
    from ipmpki.x509.mozilla.certdata import parse
    from ipmpki.x509.mozilla.flaws import NothingKept
    from ipmpki.x509.mozilla.recognise import text_of
    from ipmpki.x509.mozilla.roots import match
    from ipmpki.x509.mozilla.selection import select
    from ipmpki.x509.mozilla.summary import nothing_kept

    try:
        selection = select(match(parse(text_of(content, name), name), name), criteria)
        if not selection.kept:
            raise NothingKept(*nothing_kept(selection, criteria))
    except Fault as fault:
        fault.message += "; nothing was written"
        raise
    return selection


def _previous(output: Path, certdata: Path) -> bytes:
    """What the bundle was before. Raises WrongUse where it is something that must not be overwritten."""
    from ipmpki.source.files import read_file

    if str(output) == STANDARD_OUTPUT or not output.is_file():
        return b""
    if certdata.exists() and output.samefile(certdata):
        raise WrongUse(
            f"'{output}' is the file that is read", "give the bundle another name, such as ca-cert.pem"
        )
    before = read_file(output, what="the old bundle")
    if b"PRIVATE KEY-----" in before:
        raise WrongUse(
            f"'{output}' holds a private key; it is not overwritten", "give the bundle another name"
        )
    return before


def _fetched(certdata: Path, url: str) -> Fetched | None:
    """Fetch the file; None where the one that is here is unchanged."""
    from ipmpki.operations.download import FetchedFile, fetch

    receipt_file = _receipt_file(certdata)
    known = None
    if certdata.is_file() and receipt_file.is_file():
        known = FetchedFile.from_json(_read(receipt_file))
        if known is not None and not known.covers(url, _read(certdata)):
            known = None
    with console.progress_bar() as progress:
        fetched = fetch(url, known=known, progress=lambda done, total: progress("downloading", done, total))
    if fetched is None:
        console.tell(f"{certdata}: unchanged at {url}")
    else:
        console.tell(f"{certdata}: {len(fetched.content):,} bytes from {url}")
    return fetched


def _keep(certdata: Path, fetched: Fetched) -> None:
    """Keep a file that has proven to be what it should be."""
    from ipmpki.source.write_file import publish

    publish(certdata, fetched.content)
    if fetched.receipt is not None:
        publish(_receipt_file(certdata), fetched.receipt.to_json().encode())


def _receipt_file(certdata: Path) -> Path:
    return certdata.with_name(f"{certdata.name}.etag")


def _write(output: Path, bundle: bytes) -> bool:
    from ipmpki.source.write_file import publish

    if str(output) != STANDARD_OUTPUT:
        return publish(output, bundle)
    sys.stdout.buffer.write(bundle)
    sys.stdout.buffer.flush()
    return True


def _tell(selection: Selection, output: Path, before: bytes, *, is_new: bool, with_left_out: bool) -> None:
    from ipmpki.x509.mozilla import summary

    lines = "\n".join(summary.account(selection, before, with_left_out=with_left_out))
    number = summary.authorities(len(selection.kept))
    if str(output) == STANDARD_OUTPUT:
        console.tell(f"{number}\n{lines}")
    else:
        console.say(f"{output}: {number}, {'written' if is_new else 'unchanged'}\n{lines}")


__all__ = ["command"]
