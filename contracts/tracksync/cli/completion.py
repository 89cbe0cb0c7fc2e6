"""`tracksync completion`: what a shell needs to complete commands, options and names."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

SHELLS: Final = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> int:
    """Print the completion script of a shell: commands, options, and the names of clauses, faults and scenarios.

    \b
    Examples:
      eval "$(tracksync completion bash)"    in ~/.bashrc
      eval "$(tracksync completion zsh)"     in ~/.zshrc
      tracksync completion fish > ~/.config/fish/completions/tracksync.fish
    """
    root = context.find_root().command
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(root, {}, "tracksync", "_TRACKSYNC_COMPLETE").source())
    return 0
