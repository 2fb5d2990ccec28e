"""The one way to ask before something is destroyed."""

import click

from onecore.cli.text import printable
from onecore.errors import InvalidInput


def confirm(question: str, yes: bool, stdin_is_tty: bool) -> bool:
    """True when the user agreed, by `--yes` or by answering; refused where nobody can be asked.

    The question goes to stderr, since stdout is data.
    """
    if yes:
        return True
    if not stdin_is_tty:
        raise InvalidInput(f"{_command_name()} needs --yes when nobody can be asked")
    return click.confirm(printable(question), default=False, err=True)


def _command_name() -> str:
    ctx = click.get_current_context(silent=True)
    return (ctx.info_name if ctx else None) or "this command"
