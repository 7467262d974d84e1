"""``ipmpki host``: add, remove, change and list hosts; pki.toml keeps its comments and its layout."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ipmpki.cli import console
from ipmpki.cli.arguments import target_argument
from ipmpki.cli.options import declaration_argument
from ipmpki.cli.save import save_edited, text_of
from ipmpki.declaration.key_types import KeyType
from ipmpki.declaration.vocabulary import OperatingSystem, Role
from ipmpki.diagnostics.escape import to_json
from ipmpki.diagnostics.fault import Fault
from ipmpki.diagnostics.problem import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ipmpki.declaration.edit import Change
    from ipmpki.declaration.fleet import HostSpec
    from ipmpki.operations.draft import Draft
    from ipmpki.source.files import SourceFile

OPTIONAL_KEYS = (
    *("os", "subject", "aliases", "ips", "key", "lifetime", "renew_before", "renew_key", "csr"),
    *("restart_command", "server_name", "tls_port", "formerly"),
)
"""What a host may leave out. The model has the same; a press of the tab key does not wait for that."""

_LISTS = ("aliases", "ips")


# --- The declaration and its included files -------------------------------------------------------


def _open(path: Path) -> Draft:
    from ipmpki.operations.draft import open_draft  # a press of the tab key does not pay for what checks

    return open_draft(path)


@contextlib.contextmanager
def _naming(file: SourceFile) -> Iterator[None]:
    """Say which file a fault is about: the editor knows only its text."""
    try:
        yield
    except Fault as fault:
        fault.message = f"{file.name}: {fault.message}"
        raise


def _meant(declaration: Draft, name: str) -> str:
    """The name of the one host that a short name can mean; the name as it is where it means none so."""
    from ipmpki.declaration import edit
    from ipmpki.declaration.dns_names import meant_by, read_name

    names: list[str] = []
    for file in declaration.files:
        with contextlib.suppress(Fault):  # a file that cannot be read is told where it is looked through
            names += edit.names_in(text_of(file))
    found = meant_by(name, [read_name(one.strip()).ascii for one in names])
    return name if found == read_name(name.strip()).ascii else found


def _file_with(declaration: Draft, name: str) -> SourceFile:
    """The file that declares a host. Raises WrongUse where none does."""
    from ipmpki.declaration import edit

    names: list[str] = []
    refusal: Fault | None = None
    for file in declaration.files:
        try:
            with _naming(file):
                found = edit.names_in(text_of(file))
                if edit.declares(text_of(file), name):
                    return file
        except Fault as fault:
            refusal = refusal or fault
        else:
            names += found
    raise refusal or edit.not_declared(name, names)


def _require_free(declaration: Draft, name: str, *, beside: SourceFile) -> None:
    """Raise WrongUse where another file than the one to edit declares a host of that name."""
    from ipmpki.declaration import edit

    for other in declaration.files:
        is_taken = False
        # A file that cannot be read is for the check to report.
        with contextlib.suppress(Fault):
            is_taken = other.name != beside.name and edit.declares(text_of(other), name)
        if is_taken:
            raise edit.already_declared(name, other.name)


# --- Editing --------------------------------------------------------------------------------------


# --- Arguments ------------------------------------------------------------------------------------


def _declared_names(path: Path) -> list[str]:
    checked = _open(path).check(datetime.now(UTC))
    return [host.name for host in checked.fleet.hosts] if checked.fleet else []


_target_argument = target_argument(_declared_names)


def _shared_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The keys a host may have beside its name, role, aliases and addresses."""
    options = (
        click.option(
            "--os",
            type=click.Choice([one.value for one in OperatingSystem]),
            help="The system it runs.",
        ),
        click.option("--subject", metavar="WILDCARD", help="A wildcard for the certificate's subject."),
        click.option("--key", type=click.Choice([one.value for one in KeyType]), help="The key made for it."),
        click.option("--lifetime", metavar="TIME", help="How long its certificate is valid, such as 397d."),
        click.option("--renew-before", metavar="TIME", help="How long before its end it is renewed."),
        click.option(
            "--renew-key", type=click.Choice(("new", "keep")), help="Whether it gets a new key then."
        ),
        click.option("--csr", metavar="FILE", help="A request made on the host, which keeps its key."),
        click.option("--restart-command", metavar="COMMAND", help="Restarts what runs on it."),
        click.option("--server-name", metavar="NAME", help="Its server's name to InfoPrint Manager."),
        click.option("--tls-port", type=click.IntRange(1, 65535), help="Where its server speaks TLS."),
        click.option("--formerly", metavar="NAME", help="The name that it had; --rename writes it."),
    )
    for option in reversed(options):
        function = option(function)
    return function


# --- Commands -------------------------------------------------------------------------------------


_OTHER_WORDS = {
    "rename": "set --rename",
    "edit": "set",
    "change": "set",
    "update": "set",
    "delete": "remove",
    "rm": "remove",
    "new": "add",
    "create": "add",
    "show": "list",
    "ls": "list",
}
"""What people say for these commands elsewhere."""


class _Group(click.Group):
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for one that does not exist, the one that does that is offered."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            from ipmpki.diagnostics.wording import closest

            meant = _OTHER_WORDS.get(args[0].lower()) or closest(args[0], list(self.commands))
            guess = f"; did you mean 'ipmpki host {meant}'?" if meant else ""
            raise click.UsageError(f"there is no command 'host {args[0]}'{guess}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Group,
    epilog="""\b
Examples:
  ipmpki host add pki.toml desk7.example.com --role client --os windows
  ipmpki host set pki.toml ipm1.example.com --add-alias print.example.com
  ipmpki host remove pki.toml desk7.example.com
  ipmpki host list pki.toml
""",
)
def command() -> None:
    """Add, remove, change and list the hosts of pki.toml.

    The file keeps its comments and its layout. An edit that would bring an error is refused, and nothing
    is written.
    """


@command.command(
    "add",
    short_help="Declare a host, in the style of those that are there.",
    epilog="""\b
Example:
  ipmpki host add pki.toml ipm2.example.com --role server --os linux \\
      --alias print.example.com --ip 10.1.2.4 --ip fc00::4
""",
)
@_target_argument
@click.option(
    "--role",
    type=click.Choice([one.value for one in Role]),
    required=True,
    help="Whether it runs an InfoPrint Manager server, or prints through one.",
)
@_shared_options
@click.option("--alias", "aliases", multiple=True, metavar="NAME", help="Another name of it; repeatable.")
@click.option("--ip", "ips", multiple=True, metavar="ADDRESS", help="An address of it; repeatable.")
def add(
    target: tuple[Path, str], role: str, aliases: tuple[str, ...], ips: tuple[str, ...], **keys: str
) -> int:
    """Declare a host: it is written below the last one, in the same style."""
    from ipmpki.declaration import edit

    path, name = target
    declaration = _open(path)
    main = declaration.files[0]
    _require_free(declaration, name, beside=main)
    fields: dict[str, str | int | tuple[str, ...]] = {"name": name, "role": role}
    fields |= {key: value for key, value in keys.items() if value is not None}
    fields |= {key: values for key, values in zip(_LISTS, (aliases, ips), strict=True) if values}
    with _naming(main):
        text = edit.add_host(text_of(main), fields)
    return save_edited(declaration, main, text, f"added {role} {name}")


@command.command(
    "remove",
    short_help="Remove a host; the next build revokes its certificate.",
    epilog="Example: ipmpki host remove pki.toml desk7.example.com",
)
@_target_argument
def remove(target: tuple[Path, str]) -> int:
    """Remove a host, and the comment lines directly above it.

    The next build revokes its certificate and removes its folder.
    """
    from ipmpki.declaration import edit

    path, name = target
    declaration = _open(path)
    name = _meant(declaration, name)
    file = _file_with(declaration, name)
    with _naming(file):
        text = edit.remove_host(text_of(file), name)
    return save_edited(declaration, file, text, f"removed {name}")


@command.command(
    "set",
    short_help="Change a host's keys, aliases and addresses.",
    epilog="""\b
Examples:
  ipmpki host set pki.toml ipm1.example.com --add-alias print.example.com --remove-ip 10.1.2.3
  ipmpki host set pki.toml desk7.example.com --rename desk8.example.com
  ipmpki host set pki.toml desk7.example.com --unset lifetime
""",
)
@_target_argument
@click.option("--rename", metavar="NAME", help="Its new name.")
@click.option("--role", type=click.Choice([one.value for one in Role]), help="Server or client.")
@_shared_options
@click.option(
    "--alias", "aliases", multiple=True, metavar="NAME", help="All its aliases, instead of those it has."
)
@click.option("--add-alias", "more_aliases", multiple=True, metavar="NAME", help="One more alias.")
@click.option("--remove-alias", "fewer_aliases", multiple=True, metavar="NAME", help="An alias to remove.")
@click.option(
    "--ip", "ips", multiple=True, metavar="ADDRESS", help="All its addresses, instead of those it has."
)
@click.option("--add-ip", "more_ips", multiple=True, metavar="ADDRESS", help="One more address.")
@click.option("--remove-ip", "fewer_ips", multiple=True, metavar="ADDRESS", help="An address to remove.")
@click.option(
    "--unset",
    multiple=True,
    type=click.Choice(OPTIONAL_KEYS),
    help="A key to remove, so that the default holds again.",
)
def change(target: tuple[Path, str], **given: Any) -> int:
    """Change a host. Options that may be given more than once: all about aliases and addresses, --unset."""
    from ipmpki.declaration import edit

    path, name = target
    declaration = _open(path)
    name = _meant(declaration, name)
    changes = _changes(given, _known_as(declaration, name) if given["rename"] is not None else None)
    if not changes:
        raise click.UsageError("nothing to change: give at least one option, see 'ipmpki host set --help'")
    file = _file_with(declaration, name)
    if given["rename"] is not None:
        _require_free(declaration, given["rename"], beside=file)
    with _naming(file):
        text = edit.set_host(text_of(file), name, changes)
    return save_edited(declaration, file, text, f"changed {name}")


def _known_as(declaration: Draft, name: str) -> str:
    """The name under which the store knows a host: the former one, where it was renamed before."""
    from ipmpki.declaration.dns_names import read_name

    fleet = declaration.check(datetime.now(UTC)).fleet
    wanted = read_name(name).ascii
    found = next((one for one in fleet.hosts if one.name == wanted), None) if fleet is not None else None
    return found.formerly if found is not None and found.formerly is not None else wanted


def _changes(given: dict[str, Any], known_as: str | None) -> list[Change]:
    """The options of ``host set`` as changes, in an order in which none undoes another.

    ``known_as`` is the name that a host which gets another one is known by: what was issued is under it.
    """
    from ipmpki.declaration.edit import Extend, Put, Reduce, Unset

    keys = [key for key in ("role", *OPTIONAL_KEYS) if key not in _LISTS]
    single = {"name": given["rename"], **{key: given[key] for key in keys}}
    if given["rename"] is not None and single["formerly"] is None and "formerly" not in given["unset"]:
        single["formerly"] = known_as
    lists = {key: [*given[key], *given[f"fewer_{key}"], *given[f"more_{key}"]] for key in _LISTS}
    clash = [key for key in given["unset"] if single.get(key) or lists.get(key)]
    if clash:
        raise click.UsageError(f"'{clash[0]}' cannot be set and unset at once")
    changes: list[Change] = [Put(key, value) for key, value in single.items() if value is not None]
    for key in _LISTS:
        if given[key]:
            changes.append(Put(key, given[key]))
        changes += [Reduce(key, value) for value in given[f"fewer_{key}"]]
        changes += [Extend(key, value) for value in given[f"more_{key}"]]
    return changes + [Unset(key) for key in given["unset"]]


@command.command(
    "list",
    short_help="List all hosts, with the defaults applied.",
    epilog="Example: ipmpki host list pki.toml --format json",
)
@declaration_argument
@click.option(
    "--format", "format_", type=click.Choice(("text", "json")), default="text", help="How they are written."
)
def show(file: Path, format_: str) -> int:
    """List the hosts of FILE and of the files it includes, with the defaults applied."""
    from ipmpki.cli.problems import show_problems

    checked = _open(file).check(datetime.now(UTC))
    errors = sum(one.problem.severity is Severity.ERROR for one in checked.problems)
    hosts = checked.fleet.hosts if checked.fleet is not None else ()
    if errors and not hosts:
        show_problems(checked.problems, "text", str(file))
        return 1
    if format_ == "json":
        listed = {"version": 1, "hosts": [_as_json(host) for host in hosts]}
        console.say(to_json(listed))
    elif hosts:
        console.say(_table(hosts))
    else:
        console.tell(f"{file} declares no host; 'ipmpki host add {file} NAME --role server' adds one")
    if errors:
        count = "an error" if errors == 1 else f"{errors} errors"
        console.tell(f"{file} has {count}, so this list may lack something: ipmpki check {file}")
    return 0


def _as_json(host: HostSpec) -> dict[str, object]:
    return {
        "name": host.name,
        "role": host.role.value,
        "os": host.os.value,
        "aliases": list(host.aliases),
        "ips": [str(address) for address in host.addresses],
        "file": host.place.file,
    }


def _table(hosts: Sequence[HostSpec]) -> str:
    rows = [["NAME", "ROLE", "OS", "ALIASES", "ADDRESSES"]]
    several = len({host.place.file for host in hosts}) > 1
    if several:
        rows[0].append("FILE")
    for host in hosts:
        aliases = ", ".join(host.aliases) or "-"
        addresses = ", ".join(map(str, host.addresses)) or "-"
        row = [host.name, host.role.value, host.os.value, aliases, addresses]
        rows.append([*row, host.place.file] if several else row)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


__all__ = ["command"]
