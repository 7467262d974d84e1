"""``ipmpki installed``: say which hosts have installed what is published for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.arguments import DEFAULT_FILE, HostName, looks_like_file, remembered_hosts
from ipmpki.diagnostics.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.operations.installed import Receipt


@click.command(
    epilog="""\b
Examples:
  ipmpki installed pki.toml ipm1.example.com desk1.example.com
  ipmpki installed pki.toml --all
  ipmpki installed pki.toml --receipt receipts/ipm1.example.com
  ipmpki installed pki.toml --live
  ipmpki installed pki.toml --skip desk7.example.com --reason "on leave until May"
"""
)
@click.argument("given", nargs=-1, type=HostName(remembered_hosts), metavar="[FILE] [HOST]...")
@click.option("--all", "everywhere", is_flag=True, help="Every host that has something to install.")
@click.option(
    "--receipt",
    "receipts",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A host's own record, /etc/ipm/.ipmpki/installed there; it may be given more than once.",
)
@click.option(
    "--live", is_flag=True, help="Ask every server that declares its tls_port, and record what it shows."
)
@click.option("--skip", is_flag=True, help="Let no stage wait for these hosts, which are dead or on leave.")
@click.option("--reason", metavar="WORDS", help="Why they are skipped; status shows it until they are back.")
@click.pass_context
def command(  # noqa: PLR0913 -- one parameter an option
    ctx: click.Context,
    given: tuple[str, ...],
    *,
    everywhere: bool,
    receipts: tuple[Path, ...],
    live: bool,
    skip: bool,
    reason: str | None,
) -> int:
    """Record that hosts of FILE have installed what dist/ holds for them now.

    An authority that takes over from another goes on to its next step when every host has, and a certificate
    that was replaced is revoked then, where revoke_replaced says so.
    """
    has_file = bool(given) and looks_like_file(given[0])
    file = Path(given[0] if has_file else DEFAULT_FILE)
    hosts = given[1:] if has_file else given
    if (bool(hosts), everywhere, bool(receipts), live).count(True) != 1:
        raise click.UsageError("name the hosts, or say --all or --live, or give their receipts", ctx)
    if skip != (reason is not None) or (skip and not hosts):
        raise click.UsageError("hosts are skipped by name, with a reason: --skip HOST --reason WORDS", ctx)
    from ipmpki.operations.installed import record_installed, record_receipts, record_skipped
    from ipmpki.operations.load import load
    from ipmpki.source.files import read_file

    status = 0
    if live:
        return _record_live(file)
    if reason is not None:
        for name in record_skipped(load(file), hosts, reason):
            console.say(f"{name}: no stage waits for it until it is known to have installed something")
        _tell_what_is_next(file)
        return status
    if receipts:
        files = [(str(path), read_file(path, what="the receipt", may_be_pipe=True)) for path in receipts]
        found = record_receipts(load(file), files)
        console.say("\n".join(map(_line, found)))
        status = int(any(one.differs for one in found))
        count = sum(not one.differs for one in found)
    else:
        count = len(record_installed(load(file), None if everywhere else hosts))
    console.say(f"recorded as installed: {count} host{'' if count == 1 else 's'}")
    _tell_what_is_next(file)
    return status


def _record_live(file: Path) -> int:
    from datetime import UTC, datetime

    from ipmpki.operations.live import look, record_seen
    from ipmpki.operations.load import load
    from ipmpki.plans.sight import Word
    from ipmpki.render.status.live import render_live_table

    project = load(file)
    if not project.store.exists():
        raise Fault("nothing has been issued yet: there is no store", "run 'ipmpki build' first")
    verdicts = look(project)
    pictures = console.can_show("✓▲✕")
    shown = render_live_table(str(file), verdicts, datetime.now(UTC), shows_pictures=pictures)
    console.say(shown.rpartition("To record")[0].rstrip() or shown.rstrip())
    names = record_seen(project, verdicts)
    console.say(f"recorded as seen: {len(names)} host{'' if len(names) == 1 else 's'}; of trust, lists and")
    console.say("settings this proves nothing, and no stage that waits for them moves")
    _tell_what_is_next(file)
    return int(any(one.word is not Word.CURRENT for one in verdicts))


def _line(one: Receipt) -> str:
    if not one.differs:
        return f"{one.host}: has installed what is published for it"
    return f"{one.host}: has something else; {_listed(one.differs)} not as published"


def _listed(files: Sequence[str]) -> str:
    return f"{files[0]} is" if len(files) == 1 else f"{', '.join(files)} are"


def _tell_what_is_next(file: Path) -> None:
    from ipmpki.operations.load import load
    from ipmpki.operations.plan import plan as make_plan
    from ipmpki.render.plan.text import render_stages

    project = load(file)
    if project.errors:
        return
    plan = make_plan(project)
    told = render_stages(plan)
    if told:
        console.say(told)
    if plan.changes:
        console.say(f"next: ipmpki build {file}")


__all__ = ["command"]
