"""Has work on services done and says how it ended: the part that all commands which change one share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from oneflow.cli.session import FlowSession

if TYPE_CHECKING:
    from oneflow.cli.door import Door


def carry_out(session: FlowSession, door: "Door", numbers: Sequence[int]) -> None:
    """See the work through as the options say. Raises OneError when a service ended failed, or the user
    stopped waiting."""
    from oneflow.cli.settled import failure

    door.carry_out(numbers, session.wait)
    ends = [end for end in map(door.progress, numbers) if end is not None]
    failed = [failure(end) for end in ends if end.failed]
    for error in failed[1:]:
        click.echo(f"ERROR: {error.message}", err=True)
    if failed:
        raise failed[0]
    open_ = [str(end.id) for end in ends if not end.settled]
    if open_:
        listed = ",".join(open_)
        click.echo(
            f"accepted; follow it with: oneflow logs {open_[0]} --follow;"
            f" where no server drives it, carry it out with: oneflow recover {listed}",
            err=True,
        )
