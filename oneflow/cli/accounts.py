"""`user` and `group`: accounts of the state file, which a server answers nothing about."""

import click

from onecore.cli.accounts import groups_of
from onecore.errors import InvalidInput
from oneflow.cli.session import FlowSession

user, group = groups_of("oneflow")


def _refuse_at_a_distance() -> None:
    session = click.get_current_context().find_object(FlowSession)
    if session is not None and session.is_remote:
        raise InvalidInput(
            "accounts are managed where the state is, not over a server",
            hint="run this beside the server, without --server and ONEFLOW_URL",
        )


user.callback = group.callback = _refuse_at_a_distance
