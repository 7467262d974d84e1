"""``ipmpki lsp``: a language server, for editors."""

from __future__ import annotations

import logging
import os
import sys

import click

from ipmpki.diagnostics.fault import WrongUse


@click.command(epilog="Editors start it by themselves; docs/editors.md says how to tell them.")
def command() -> int:
    """Help an editor with pki.toml: problems while you write, explanations, completion, quick fixes.

    Speaks the Language Server Protocol over stdin and stdout. Reads the declaration, the files it includes
    and the store; writes nothing.
    """
    try:
        from ipmpki.lsp.server import serve
        from ipmpki.lsp.streams import TerseHandler
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] not in {"pygls", "lsprotocol", "cattrs"}:
            raise
        raise WrongUse(
            "the language server needs pygls, which is not installed",
            "install it beside ipmpki, with: pip install 'ipmpki[lsp]'",
        ) from missing
    if sys.stdin.isatty():
        raise WrongUse(
            "'ipmpki lsp' talks to an editor, not to a person",
            "let your editor start it, or see: ipmpki check --help",
        )
    logging.basicConfig(handlers=[TerseHandler(sys.stderr)], level=logging.WARNING, force=True)
    # Nothing else must get into the protocol: what is printed by mistake goes to stderr.
    stdout = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return serve(sys.stdin.buffer, stdout)


__all__ = ["command"]
