"""Options and argument types that several commands share."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_DAYS = 36_525
"""A century: no certificate lasts longer."""


class Moment(click.ParamType[datetime]):
    """A day or a time in ISO 8601; a day means its beginning, a time without a zone is UTC."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read a moment."""
        if isinstance(value, datetime):
            return value
        try:
            if len(value) == len("2027-06-01"):
                return datetime.combine(date.fromisoformat(value), time(), UTC)
            moment = datetime.fromisoformat(value)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail(f"'{value}' is not a day such as 2027-06-01", param, ctx)
        return moment


class Days(click.ParamType[timedelta]):
    """A number of days, such as ``30d``, as lifetimes are written in pki.toml."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read the days."""
        if isinstance(value, timedelta):
            return value
        written = value.removesuffix("d")
        if not written.isascii() or not written.isdigit() or not 0 < int(written[:6]) <= MOST_DAYS:
            self.fail(f"'{value}' is not a number of days such as 30d", param, ctx)
        return timedelta(days=int(written[:6]))


def declaration_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """The argument FILE, which every command about a declaration has; ./pki.toml where it is left out."""
    return click.argument(
        "file",
        default="pki.toml",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        metavar="[FILE]",
    )(function)


def strict_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option that makes warnings count."""
    return click.option("--strict", is_flag=True, help="Let warnings count as errors in the exit status.")(
        function
    )
