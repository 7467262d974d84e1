"""The arguments ``[FILE] NAME``, which commands about one host have."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ipmpki.diagnostics.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from click.shell_completion import CompletionItem

DEFAULT_FILE = "pki.toml"


class HostName(click.ParamType[str]):
    """A host's name, or the file before it: both are completed. ``names_of`` lists the hosts of a file."""

    name = "host"

    def __init__(self, names_of: Callable[[Path], Iterable[str]], *, follows_file: bool = True) -> None:
        self._names_of = names_of
        self._follows_file = follows_file

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer files and the hosts that are known."""
        from click.shell_completion import CompletionItem

        given = ctx.params.get(param.name or "") or () if self._follows_file else (ctx.params.get("file"),)
        names: list[str] = []
        with contextlib.suppress(Fault, OSError):
            names = list(self._names_of(Path(given[0]) if given and given[0] else Path(DEFAULT_FILE)))
        items = [CompletionItem(name) for name in names if name.startswith(incomplete.lower())]
        return items if given else [*items, CompletionItem(incomplete, type="file")]


def target_argument(
    names_of: Callable[[Path], Iterable[str]], what: str = "NAME"
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The arguments ``[FILE] NAME``; ./pki.toml where FILE is left out."""

    def read(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> Any:  # noqa: ARG001 -- click's
        if ctx.resilient_parsing:
            return given
        command = ctx.command_path
        if len(given) == 1 and not looks_like_file(given[0]):
            return Path(DEFAULT_FILE), given[0]
        if len(given) == 2 and not (looks_like_file(given[1]) and not looks_like_file(given[0])):  # noqa: PLR2004 -- FILE and NAME
            return Path(given[0]), given[1]
        if len(given) > 1:
            wrong = f"FILE comes before {what}" if len(given) == 2 else f"one {what} at a time"  # noqa: PLR2004 -- as above
            raise click.UsageError(f"{wrong}: {command} {DEFAULT_FILE} {what}", ctx)
        file = given[0] if given else DEFAULT_FILE
        raise click.UsageError(f"the host's {what} is missing: {command} {file} {what}", ctx)

    return click.argument(
        "target", nargs=-1, type=HostName(names_of), metavar=f"[FILE] {what}", callback=read, is_eager=False
    )


def file_and_backup(function: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments ``[FILE] BACKUP``; ./pki.toml where FILE is left out."""

    def read(ctx: click.Context, param: click.Parameter, given: tuple[Path, ...]) -> Any:  # noqa: ARG001 -- click's
        if ctx.resilient_parsing:
            return given
        if len(given) not in {1, 2}:
            wrong = "the file of the backup is missing" if not given else "one backup at a time"
            raise click.UsageError(f"{wrong}: {ctx.command_path} {DEFAULT_FILE} BACKUP", ctx)
        return given if len(given) == 2 else (Path(DEFAULT_FILE), given[0])  # noqa: PLR2004 -- FILE and BACKUP

    return click.argument(
        "given_files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE] BACKUP", callback=read
    )(function)


def remembered_hosts(path: Path) -> Iterable[str]:
    """Every host that the store of a declaration knows or knew, for completing their names."""
    from ipmpki.operations import history

    return history.remembered_hosts(path)


def looks_like_file(written: str) -> bool:
    """Whether an argument means a declaration rather than a host."""
    with contextlib.suppress(OSError, ValueError):  # a text that no file's name can be
        return written.lower().endswith(".toml") or Path(written).is_file()
    return False
