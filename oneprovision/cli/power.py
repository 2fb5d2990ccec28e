"""Commands that act on machines which exist: the same shape for hosts and for single machines."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import click

from onecore.cli.output import OutputFormat, format_options
from onecore.cli.session import Session, pass_session

Act = Callable[[Session, str, str, OutputFormat, dict[str, Any]], None]
"""Does the action of that name (of `onecore.machines.power.Action`) with what is selected."""


class Power(NamedTuple):
    """A command: what it is called, the action that it is, what help says, and an example or more."""

    name: str
    action: str
    about: str
    examples: tuple[str, ...]


def add_commands(
    group: click.Group,
    selected: str,
    powers: Sequence[Power],
    act: Act,
    options: Sequence[Callable[[Any], Any]] = (),
) -> None:
    """`selected`: what the argument is called in the help; `options` are those of every command."""
    for power in powers:
        _add(group, selected, power, act, options)


def _add(
    group: click.Group, metavar: str, power: Power, act: Act, options: Sequence[Callable[[Any], Any]]
) -> None:
    examples = "\n".join(f"oneprovision {group.name} {example}" for example in power.examples)

    @format_options
    @pass_session
    def command(session: Session, /, selected: str, fmt: OutputFormat, **given: Any) -> None:
        act(session, selected, power.action, fmt, given)

    for option in reversed([click.argument("selected", metavar=metavar), *options]):
        command = option(command)
    group.command(power.name, help=f"{power.about}\n\n\b\n{examples}")(command)
