"""The command line: finds the command, runs it, and turns every failure into one line and an exit status."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ipmpki.diagnostics.fault import Fault
from ipmpki.version import __version__, version_line

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "init": ("ipmpki.cli.init", "Write a commented pki.toml to start from."),
    "adopt": ("ipmpki.cli.adopt", "Take over a PKI that openssl or easy-rsa made."),
    "check": ("ipmpki.cli.check", "Find every problem of a declaration, and say how to mend it."),
    "plan": ("ipmpki.cli.plan", "Show what a build would change, and why; change nothing."),
    "build": ("ipmpki.cli.build", "Check, plan, issue and publish."),
    "status": ("ipmpki.cli.status", "Show how long each certificate holds, and what is to be done next."),
    "show": ("ipmpki.cli.show", "Show a certificate in words, and every one that came before it."),
    "log": ("ipmpki.cli.log", "Show what was done, when, why and by whom."),
    "import": ("ipmpki.cli.import_", "Take certificates that were bought, and publish them."),
    "installed": ("ipmpki.cli.installed", "Say which hosts have installed what is published for them."),
    "revoke": (
        "ipmpki.cli.revoke",
        "Take the trust from a certificate: the next build lists and replaces it.",
    ),
    "verify": ("ipmpki.cli.verify", "Judge any certificates, keys and CRLs, on disk or of a live server."),
    "backup": ("ipmpki.cli.backup", "Copy the store, encrypted, into one file, while others work."),
    "restore": ("ipmpki.cli.restore", "Put a backup back, after comparing it with what is there."),
    "passphrase": ("ipmpki.cli.passphrase", "Set, change or remove the passphrase of the CA's key."),
    "doctor": ("ipmpki.cli.doctor", "Find what is wrong with a store, and save what can be saved."),
    "host": ("ipmpki.cli.host", "Add, remove, change and list hosts in pki.toml."),
    "keywords": (
        "ipmpki.cli.keywords",
        "Read keywords off samples of ipmssl.cfg, and name them in pki.toml.",
    ),
    "bundle": ("ipmpki.cli.bundle", "Make ca-cert.pem from Mozilla's list of authorities."),
    "rules": ("ipmpki.cli.rules", "List the rules that declarations and certificates are judged by."),
    "explain": ("ipmpki.cli.explain", "Explain one rule: what it finds, who is hurt, what to write."),
    "lsp": (
        "ipmpki.cli.lsp",
        "Help an editor with pki.toml: problems, explanations, completion, quick fixes.",
    ),
    "schema": ("ipmpki.cli.schema", "Print a JSON Schema of ipmpki's files."),
    "completion": ("ipmpki.cli.completion", "Print the completion script of a shell."),
}
"""Command names, the module of each, and its line in the overview: help imports none of them."""

EXIT_STATUSES = {
    0: "fine; warnings are allowed, unless --strict",
    1: "the declaration or the certificates have errors",
    2: "wrong usage, an unreadable file, or a saved plan that does not fit any more",
    3: "changes are pending: only with plan --exit-code",
    4: "the work itself failed: disk, store, lock, a server that cannot be reached",
}
"""What a command ends with, where its own help does not say more."""

EPILOG = """\b
Examples:
  ipmpki init                 a commented pki.toml to start from
  ipmpki check pki.toml       every problem, where it stands, how to mend it
  ipmpki plan  pki.toml       what a build would change, and why
  ipmpki build pki.toml       issue certificates, write dist/hosts/NAME/install.sh
  ipmpki explain wildcard-too-broad

\b
Exit status:
""" + "".join(f"  {status}  {meaning}\n" for status, meaning in EXIT_STATUSES.items())


class LazyGroup(click.Group):
    """A group whose commands are imported when they run, so that start-up pays for none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """All command names, in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's
        """Import a command by name."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        if not isinstance(command, click.Command):
            message = f"{COMMANDS[cmd_name][0]} holds no command"
            raise TypeError(message)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """The overview, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the commands from the table above: a press of the tab key imports none of them."""
        from click.shell_completion import CompletionItem

        offered = [CompletionItem(name, help=line) for name, (_, line) in COMMANDS.items()]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [one for one in offered if one.value.startswith(incomplete)] + options

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for one that does not exist, the nearest name is offered."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from ipmpki.diagnostics.wording import closest

            near = closest(args[0], list(COMMANDS))
            guess = f"; did you mean '{near}'?" if near else ""
            raise click.UsageError(f"there is no command '{args[0]}'{guess}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message=version_line())
def cli() -> None:
    """Compile pki.toml into certificates, install scripts and a report for InfoPrint Manager."""


_NOWHERE = ("the folder that you work in was deleted", "go to another: cd DIRECTORY")


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit status. No traceback ever reaches a user."""
    from ipmpki.cli import console

    _stand_in_for_closed_streams()
    try:
        status = cli.main(arguments, prog_name="ipmpki", standalone_mode=False)
    except click.exceptions.Exit as leaving:
        status = leaving.exit_code
    except click.Abort:
        console.say_error("interrupted", "run the command again: it carries on where it was")
        status = 130
    except click.UsageError as error:
        _tell_wrong_use(error)
        status = error.exit_code
    except click.ClickException as error:
        console.say_error(_one_line(error), None)
        status = error.exit_code
    except Fault as fault:
        console.say_error(fault.message, fault.remedy)
        status = fault.exit_status
    except BrokenPipeError:
        status = 0  # whoever read our output has left, such as `head`; nothing is to be said any more
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            console.say_error("a path is longer than this system takes", "name a shorter one")
            status = 2
        elif error.filename is not None:
            status = _unforeseen(error)
        elif _stands_nowhere():
            console.say_error(*_NOWHERE)
            status = 4
        else:  # a stream's: all that is done to files says which
            why = error.strerror or error
            remedy = "see whether the disk it goes to is full, then run the command again"
            console.say_error(f"the output cannot be written: {why}", remedy)
            status = 4
    except Exception as error:  # noqa: BLE001 -- the edge: whatever it is, a person gets one line
        status = _unforeseen(error)
    _give_up_on_full_streams()
    sys.exit(status if isinstance(status, int) else 0)


def _tell_wrong_use(error: click.UsageError) -> None:
    from ipmpki.cli import console

    if isinstance(error, click.BadParameter) and _stands_nowhere():  # no file is there, nor can be
        console.say_error(*_NOWHERE)
        return
    where = error.ctx.command_path if error.ctx is not None else "ipmpki"
    console.say_error(_one_line(error), f"see '{where} --help'")


def _stand_in_for_closed_streams() -> None:
    """Put /dev/null where the caller closed a stream (``>&-``), whose place the next file would take."""
    for name in ("stdin", "stdout", "stderr"):  # in the order of their descriptors, the lowest free is taken
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), "r" if name == "stdin" else "w"))


def _give_up_on_full_streams() -> None:
    """Let what a stream did not take go nowhere, or Python would try, and fail, once more when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _stands_nowhere() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _one_line(error: click.ClickException) -> str:
    """What click says; it lists choices in lines of their own."""
    return " ".join(error.format_message().split())


def _unforeseen(error: Exception) -> int:
    from ipmpki.cli import console

    if os.environ.get("IPMPKI_TRACEBACK"):
        raise error
    where: Any = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    spot = f" at {where.tb_frame.f_code.co_name}:{where.tb_lineno}" if where is not None else ""
    console.say_error(
        f"ipmpki failed in a way it should not: {type(error).__name__}{spot}",
        "please report it, with the output of the same command after 'export IPMPKI_TRACEBACK=1'",
    )
    return 4
