"""``ipmpki doctor``: what is wrong with a store, and saving what can be saved of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.options import declaration_argument
from ipmpki.cli.restore import tell_list
from ipmpki.diagnostics.escape import to_json

if TYPE_CHECKING:
    from ipmpki.operations.doctor.diagnose import Diagnosis

_NOUNS = {
    "authorities": ("authority", "authorities"),
    "certificates": ("certificate", "certificates"),
    "revocation_lists": ("revocation list", "revocation lists"),
}


@click.command(
    epilog="""\b
Examples:
  ipmpki doctor pki.toml
  ipmpki doctor pki.toml --salvage saved.db     copy what can be read of a damaged store
"""
)
@declaration_argument
@click.option(
    "--salvage",
    "new",
    type=click.Path(path_type=Path),
    metavar="NEW.db",
    help="Copy every readable row of the store into the new file NEW.db; the store is only read.",
)
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", help="How to tell.")
def command(file: Path, new: Path | None, *, format_: str) -> int:
    """Look at everything in and around FILE's store, and say what is wrong and what to do.

    Exit status: 0 where it is healthy, 1 where there are problems, 4 where it cannot be read at all.
    """
    from ipmpki.operations.doctor.diagnose import diagnose
    from ipmpki.operations.load import understand_text
    from ipmpki.operations.passphrase import usable_passphrase
    from ipmpki.operations.project import DIST_NAME, store_path
    from ipmpki.source.files import read_file

    path = file.absolute()
    fleet = understand_text(path, str(file), read_file(file, what="the declaration")).fleet
    store = store_path(path, fleet)
    now = datetime.now(UTC).replace(microsecond=0)
    if new is not None:
        return _salvage(store, new, now)
    passphrase = usable_passphrase(path.parent, fleet.passphrase) if fleet is not None else None
    found = diagnose(store, path.parent / DIST_NAME, passphrase=passphrase, now=now)
    if format_ == "json":
        console.say(_json(store, found))
    else:
        _tell(store, found)
    if not found.is_readable:
        return 4
    return 0 if found.is_healthy else 1


def _tell(store: Path, found: Diagnosis) -> None:
    for one in found.findings:
        (console.tell if one.is_note else console.say_problem)(
            f"note: {one.message}" if one.is_note else one.message
        )
        console.tell(f"  help: {one.remedy}")
    if found.is_healthy:
        told = ", ".join(f"{count} {_NOUNS[name][count != 1]}" for name, count in found.holds.items())
        console.say(f"{store.name} is healthy: {told}, each looked at")


def _json(store: Path, found: Diagnosis) -> str:
    findings = [
        {
            "code": one.code,
            "severity": "info" if one.is_note else "error",
            "message": one.message,
            "help": one.remedy,
        }
        for one in found.findings
    ]
    values = {"version": 1, "store": store.name, "healthy": found.is_healthy, "readable": found.is_readable}
    return to_json({**values, "findings": findings, "holds": found.holds})


def _salvage(store: Path, new: Path, now: datetime) -> int:
    from ipmpki.operations.doctor.salvage import salvage

    done = salvage(store, new, now=now)
    console.say(f"{new}: saved {', '.join(done.saved)}")
    tell_list("Lost, as far as can be told:", done.lost)
    if not done.lost:
        console.say("nothing is known to be lost")
    console.say(
        f"{store.name} was only read. Next: keep it under another name, put {new.name} in its place, and run"
        " 'ipmpki doctor' and 'ipmpki plan'."
    )
    return 1 if done.lost else 0


__all__ = ["command"]
