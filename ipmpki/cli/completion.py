"""``ipmpki completion``: lets a shell complete commands, options, files and hosts."""

from __future__ import annotations

import click

from ipmpki.cli import console

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_IPMPKI_COMPLETE"
"""click looks for this variable when a shell asks what could be written next."""


@click.command(
    epilog="""\b
Where to put it:
  bash  ipmpki completion bash > ~/.local/share/bash-completion/completions/ipmpki
  zsh   ipmpki completion zsh > ~/.zfunc/_ipmpki
        and in ~/.zshrc: fpath+=~/.zfunc; autoload -Uz compinit; compinit
  fish  ipmpki completion fish > ~/.config/fish/completions/ipmpki.fish
Make the folder first if it is not there, then open a new shell. bash needs version 4.4 or newer
(and the package bash-completion); macOS comes with an older one, and with zsh.
"""
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the completion script of a shell."""
    from click.shell_completion import ShellComplete, get_completion_class

    script = get_completion_class(shell)
    if script is None:  # pragma: no cover -- click knows all of SHELLS
        raise click.UsageError(f"this version of click cannot complete for {shell}", ctx)
    # ShellComplete.source, not the class's own: bash's would look at the bash of this computer.
    console.say(ShellComplete.source(script(ctx.find_root().command, {}, "ipmpki", VARIABLE)))
    return 0


__all__ = ["command"]
