"""Groups whose commands all know which server to ask: -s, -u and -p after the command, as in OneFlow."""

from typing import Any

import click

from onecore.cli.lazy import LazyGroup
from oneflow.cli.session import FlowSession

_SERVER = (
    (("-s", "--server"), "server", "URL", "Ask this server instead of the local state (ONEFLOW_URL)."),
    (("-u", "--username"), "username", "NAME", "User at the server (ONEFLOW_USER)."),
    (("-p", "--password"), "password", "PASSWORD", "His password (better: ONEFLOW_PASSWORD or ONE_AUTH)."),
)


class FlowGroup(LazyGroup):
    """A lazy group; each command that it hands out takes the options of the server as well."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        return command if command is None or command.name == "serve" else with_server_options(command)


def with_server_options(command: click.Command) -> click.Command:
    """Once per command. A short form that the command has for something else stays the command's."""
    if isinstance(command, click.Group) or any(option.name == "server" for option in command.params):
        return command
    taken = {name for option in command.params for name in option.opts}
    for names, field, metavar, text in _SERVER:
        free = [name for name in names if name not in taken]
        command.params.append(
            click.Option(
                [*free, field],
                metavar=metavar,
                help=text,
                default="",
                show_default=False,
                expose_value=False,
                callback=_remember,
            )
        )
    return command


def _remember(ctx: click.Context, option: click.Parameter, value: Any) -> None:
    session = ctx.find_object(FlowSession)
    if value and session is not None and option.name:
        setattr(session, option.name, value)
        if option.name == "password":
            session.conceal([value])
