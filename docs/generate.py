"""Writes the references that are made from the code: ``python docs/generate.py``; --check only compares.

A test and CI hold that nothing differs, so whoever changes a rule, a key or an option runs this.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

import ipmpki
from ipmpki.cli.main import COMMANDS, EXIT_STATUSES, cli
from ipmpki.render.json_schemas import SCHEMAS, schema_text
from ipmpki.render.pki_toml_reference import render_pki_reference
from ipmpki.render.problems.rules_reference import render_reference
from ipmpki.rules.catalog import registered

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
MAN = Path("data/share/man/man1")
"""Below ``data/`` lies what pip installs as it is; man looks into share/man beside every bin on the PATH."""
NOTE = "<!-- Made by docs/generate.py: change the code, then run it again. -->\n"
STATUS = "Exit status:"


def references() -> dict[Path, str]:
    """Every generated file, by its path below the repository, and what it is to hold."""
    rules = sorted(registered().values(), key=lambda rule: rule.name)
    pki = json.loads(schema_text("pki"))
    return {
        Path("docs/rules.md"): NOTE + render_reference(rules, ipmpki.__version__),
        Path("docs/pki.toml.md"): NOTE + render_pki_reference(pki, ipmpki.__version__),
        Path("docs/exit-codes.md"): NOTE + "\n".join(_exit_codes()) + "\n",
        **{Path(f"schemas/{name}.schema.json"): schema_text(name) for name in SCHEMAS},
        **{MAN / f"{_page(context)}.1": man_page(context) for context in commands()},
    }


def commands(parent: click.Context | None = None) -> Iterator[click.Context]:
    """The program and every command below it, in the order of the help."""
    context = parent or click.Context(cli, info_name="ipmpki", **cli.context_settings)
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = _below(context, name)
            yield from commands(click.Context(command, info_name=name, parent=context))


def _paragraphs(context: click.Context) -> list[str]:
    r"""A command's help by paragraphs; one that begins with \b keeps its lines (click's mark)."""
    text = (context.command.help or "").strip()
    return [part if part.startswith("\b") else " ".join(part.split()) for part in re.split(r"\n\s*\n", text)]


def _exit_codes() -> Iterator[str]:
    yield "# Exit statuses"
    yield ""
    yield "| status | means |"
    yield "|---|---|"
    for status, meaning in EXIT_STATUSES.items():
        yield f"| {status} | {meaning} |"
    yield ""
    yield "A command that is interrupted ends with 130. No status but 0 is ever a success."
    yield ""
    yield "## Commands that say more"
    yield ""
    for context in commands():
        told = [part.removeprefix(STATUS).strip() for part in _paragraphs(context) if part.startswith(STATUS)]
        for text in told:
            yield f"- `{context.command_path}`: {text}"
    yield ""
    yield "## The scripts on the hosts"
    yield ""
    yield "`install.sh`, and `install.ps1` alike:"
    yield ""
    yield "```text"
    yield _script_help().partition("exit status: ")[2].strip()
    yield "```"


def _script_help() -> str:
    """What install.sh says of itself, in the folder of a client that ipmpki makes here."""
    with tempfile.TemporaryDirectory() as folder:
        declaration = Path(folder) / "pki.toml"
        declaration.write_text(
            'schema = 1\n[ca]\ncommon_name = "CA"\nkey = "ec-p256"\n'
            '[[hosts]]\nname = "desk1.example.com"\nrole = "client"\n',
            "utf-8",
        )
        ipmpki.build(ipmpki.load(declaration))
        script = Path(folder) / "dist/hosts/desk1.example.com/install.sh"
        return subprocess.run(  # noqa: S603 -- a script made the line before
            ["/bin/sh", script, "--help"], check=True, capture_output=True, text=True
        ).stdout


def _page(context: click.Context) -> str:
    return context.command_path.replace(" ", "-")


def man_page(context: click.Context) -> str:
    """A command's manual page (man(7)), from its help."""
    return "\n".join(_man_lines(context)) + "\n"


def _man_lines(context: click.Context) -> Iterator[str]:
    command, page = context.command, _page(context)
    paragraphs = _paragraphs(context)
    yield '.\\" Made by docs/generate.py from the help of the command.'
    yield f'.TH "{page.upper()}" "1" "" "ipmpki {ipmpki.__version__}" "ipmpki"'
    yield ".SH NAME"
    parent = context.parent
    line = paragraphs[0] if parent is None else _line(parent, context.info_name or "")
    yield f"{_roff(page)} \\- {_roff(line.rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield f"\\fB{_roff(context.command_path)}\\fR {_roff(' '.join(command.collect_usage_pieces(context)))}"
    yield ".SH DESCRIPTION"
    for part in paragraphs:
        if not part.startswith(STATUS):
            yield from _man_text(part)
    yield ".SH OPTIONS"
    options = [one for one in command.get_params(context) if isinstance(one, click.Option)]
    for written, meaning in filter(None, (one.get_help_record(context) for one in options)):
        yield from (".TP", f"\\fB{_roff(written)}\\fR", _roff(meaning))
    if isinstance(command, click.Group):
        yield ".SH COMMANDS"
        for name in command.list_commands(context):
            yield from (".TP", f"\\fB{_roff(name)}\\fR", _roff(_line(context, name)))
    for part in re.split(r"\n\s*\n", (command.epilog or "").strip()):
        if part.strip("\b\n"):
            yield from _man_epilog(part.strip("\b\n"))
    told = [part.removeprefix(STATUS).strip() for part in paragraphs if part.startswith(STATUS)]
    if told:
        yield ".SH EXIT STATUS"
        yield from map(_roff, told)
    yield ".SH SEE ALSO"
    yield f".BR {_roff(_page(parent) if parent else 'ipmpki-check')} (1)"


def _line(context: click.Context, name: str) -> str:
    """A command's line in the overview of its group."""
    if context.command is cli:
        return COMMANDS[name][1]
    return _below(context, name).get_short_help_str(limit=200)


def _below(context: click.Context, name: str) -> click.Command:
    command = context.command.get_command(context, name) if isinstance(context.command, click.Group) else None
    if command is None:
        raise LookupError(name)
    return command


def _man_epilog(text: str) -> Iterator[str]:
    """A part of a command's epilog; its title, such as "Examples:", becomes a heading."""
    title, colon, rest = text.partition(":")
    if colon and "\n" not in title and rest.strip():
        yield f".SH {_roff(title.upper())}"
        text = rest.strip("\n") if rest.startswith("\n") else rest.strip()
    else:
        yield ".SH NOTES"
    yield from (".nf", *(_roff(line) for line in text.split("\n")), ".fi")


def _man_text(part: str) -> Iterator[str]:
    if part.startswith("\b"):
        yield from (".PP", ".nf", *(_roff(line) for line in part[1:].strip("\n").split("\n")), ".fi")
    else:
        yield from (".PP", _roff(part))


def _roff(text: str) -> str:
    """A line as it stands: backslash, minus, what is not ASCII, a dot that would be a request (groff(7))."""
    text = text.replace("\\", "\\(rs").replace("-", "\\-")
    text = re.sub(r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found[0]):04X}]", text)
    return f"\\&{text}" if text.startswith((".", "'")) else text


def main() -> int:
    """Write the references, or with --check say which differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where a file differs")
    is_check = parser.parse_args().check
    wanted = references()
    present = {path.relative_to(ROOT) for path in (ROOT / MAN).glob("*")}
    differing = sorted(
        path
        for path in wanted.keys() | present
        if not (ROOT / path).exists() or (ROOT / path).read_text("utf-8") != wanted.get(path)
    )
    for path in differing:
        print(f"differs from the code: {path}" if is_check else f"written: {path}")  # noqa: T201 -- its answer
        if is_check:
            continue
        if path not in wanted:
            (ROOT / path).unlink()
            continue
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(wanted[path], "utf-8")
    return 1 if is_check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
