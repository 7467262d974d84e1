"""``ipmpki status``: how every certificate stands, for people, monitors and calendars."""

from __future__ import annotations

import contextlib
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ipmpki.cli import console
from ipmpki.cli.options import MOST_DAYS, Days, Moment, declaration_argument
from ipmpki.diagnostics.fault import Fault, WrongUse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, timedelta

    from ipmpki.plans.status import Status

FORMATS = ("table", "json", "prometheus", "nagios", "ics")
UNKNOWN = 3


class _ForMonitors(click.Command):
    """With ``--format nagios`` every failure, even one of usage, is one line on stdout and status 3."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the options."""
        with _unknown_if(_asks_for_nagios(args)):
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _unknown_if(ctx.params["format_"] == "nagios"):
            return super().invoke(ctx)


def _asks_for_nagios(arguments: list[str]) -> bool:
    return "--format=nagios" in arguments or ("--format", "nagios") in pairwise(arguments)


@contextlib.contextmanager
def _unknown_if(is_for_nagios: bool) -> Iterator[None]:
    try:
        yield
    except (click.exceptions.Exit, BrokenPipeError):
        raise
    except (Exception, KeyboardInterrupt) as error:
        if not is_for_nagios:
            raise
        from ipmpki.render.status.nagios import render_unknown

        with contextlib.suppress(OSError):  # a monitor that cannot be told still sees the exit status
            console.say(render_unknown(_reason(error)))
        raise click.exceptions.Exit(UNKNOWN) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, Fault):
        return f"{error.message} ({error.remedy})" if error.remedy else error.message
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return "interrupted"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return f"ipmpki failed in a way it should not: {type(error).__name__}"


@click.command(
    cls=_ForMonitors,
    epilog="""\b
Examples:
  ipmpki status pki.toml
  ipmpki status pki.toml --format prometheus -o /var/lib/node_exporter/ipmpki.prom
  ipmpki status pki.toml --format nagios --warning 30 --critical 7
  ipmpki status pki.toml --format ics -o renewals.ics
  ipmpki status pki.toml --live --timeout 2
""",
)
@declaration_argument
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="For people, for programs, for monitors, for a calendar.",
)
@click.option("--at", type=Moment(), help="As of another day, such as 2027-06-01.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to a file, at once and readable by all, instead of stdout.",
)
@click.option(
    "--warning",
    type=click.IntRange(0, MOST_DAYS),
    metavar="DAYS",
    help="With nagios: WARNING this long before an end, instead of from when on it is to be renewed.",
)
@click.option(
    "--critical",
    type=click.IntRange(0, MOST_DAYS),
    metavar="DAYS",
    help="With nagios: CRITICAL this long before an end, instead of at the end.",
)
@click.option(
    "--backup-age",
    type=Days(),
    metavar="DAYS",
    help="How long the store may hold what no backup has, such as 30d: then WARNING, or status 1.",
)
@click.option("--live", is_flag=True, help="Ask every server that declares its tls_port what it shows now.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    metavar="SECONDS",
    help="With --live: how long a server may take; 5 where not given.",
)
def command(  # noqa: PLR0913 -- one parameter an option
    file: Path,
    *,
    format_: str,
    at: datetime | None,
    output: Path | None,
    warning: int | None,
    critical: int | None,
    backup_age: timedelta | None,
    live: bool,
    timeout: float | None,
) -> int:
    """Show how every certificate of FILE stands: until when it holds, and what is to be done next.

    Only FILE and its store are read; nothing is locked or changed, so it may run at any time. With --live,
    servers are asked over TLS: 0 each shows what was issued, 1 one does not; with nagios, 1 WARNING an older
    certificate that still holds, 2 CRITICAL anything else.

    Exit status: 0 fine, 1 if something has expired or is revoked, was not installed on a host in time, or is
    not backed up within --backup-age, 2 if FILE or its store is not there, 4 if
    the store cannot be read. With prometheus and ics, 0 whatever they tell. With nagios, 0 OK, 1 WARNING, 2
    CRITICAL (expired, revoked or not installed in time), 3 UNKNOWN (whatever else went wrong).
    """
    from ipmpki.operations.status import watch

    if (warning, critical) != (None, None) and format_ != "nagios":
        raise WrongUse("--warning and --critical are thresholds for a monitor", "add --format nagios")
    if warning is not None and critical is not None and critical > warning:
        raise WrongUse(
            f"--critical {critical} would come before --warning {warning}",
            "give --critical fewer days than --warning",
        )
    if timeout is not None and not live:
        raise WrongUse("--timeout is for servers that are asked", "add --live")
    if backup_age is not None and live:
        raise WrongUse("--live asks servers, and they know nothing of backups", "ask twice")
    if live:
        return _show_live(file, format_, at, output, warning, critical, timeout)
    status = watch(file, at)
    if format_ == "nagios":
        from ipmpki.render.status.nagios import Thresholds, render_nagios

        line, level = render_nagios(status, Thresholds(warning, critical, backup_age))
        _write(line + "\n", output)
        return int(level)
    text = _table(status, output, backup_age) if format_ == "table" else _renderer(format_)(status)
    is_well = not status.is_broken and not status.backup.is_due(status.at, backup_age)
    is_coloured = format_ == "table" and output is None and console.wants_colour(sys.stdout)
    _write(text, output, coloured=is_coloured)
    if status.errors and format_ == "table":
        console.say_warning(
            f"a part of {file} cannot be read, so this may lack hosts that are not in the store: see"
            f" 'ipmpki check {file}'"
        )
    return 0 if is_well or format_ in {"prometheus", "ics"} else 1


def _show_live(  # noqa: PLR0913, PLR0917 -- the options
    file: Path,
    format_: str,
    at: datetime | None,
    output: Path | None,
    warning: int | None,
    critical: int | None,
    timeout: float | None,
) -> int:
    from datetime import UTC, datetime

    from ipmpki.operations.live import SECONDS, look
    from ipmpki.operations.load import load
    from ipmpki.plans.sight import Word
    from ipmpki.render.status import live

    if format_ == "ics":
        raise WrongUse("what servers show now is no calendar", "leave out --live, or choose another format")
    now = at or datetime.now(UTC)
    verdicts = look(load(file), seconds=timeout or SECONDS, at=now)
    if format_ == "nagios":
        from ipmpki.render.status.nagios import Thresholds

        line, level = live.render_live_nagios(verdicts, now, Thresholds(warning, critical))
        _write(line + "\n", output)
        return int(level)
    if format_ == "prometheus":
        _write(live.render_live_prometheus(verdicts), output)
        return 0
    if format_ == "json":
        _write(live.render_live_json(str(file), verdicts, now), output)
    else:
        pictures = output is not None or console.can_show("✓▲✕")
        _write(live.render_live_table(str(file), verdicts, now, shows_pictures=pictures), output)
    return int(any(one.word is not Word.CURRENT for one in verdicts))


def _table(status: Status, output: Path | None, backup_age: timedelta | None) -> str:
    from ipmpki.render.status.table import LETTERS, PICTURES, render_table

    if output is not None:
        return render_table(status, backup_age=backup_age)
    return render_table(
        status,
        width=console.output_width(),
        colour=console.wants_colour(sys.stdout),
        backup_age=backup_age,
        marks=PICTURES if console.can_show("".join(PICTURES)) else LETTERS,
    )


def _renderer(format_: str) -> Callable[[Status], str]:
    if format_ == "json":
        from ipmpki.render.status.json import render_status_json

        return render_status_json
    if format_ == "prometheus":
        from ipmpki.render.status.prometheus import render_prometheus

        return render_prometheus
    from ipmpki.render.status.ics import render_calendar

    return render_calendar


def _write(text: str, output: Path | None, *, coloured: bool = False) -> None:
    if output is None:
        console.say_exactly(text, coloured=coloured)
        return
    from ipmpki.source.write_file import publish

    publish(output, text.encode())


__all__ = ["command"]
