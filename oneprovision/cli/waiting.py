"""Has work on provisions seen through, and says where it stands: what all commands that act share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from onecore.history import Event
    from oneprovision.cli.door import Provisions
    from oneprovision.cli.session import FormSession


def conclude(session: "FormSession", door: "Provisions", numbers: Sequence[int]) -> None:
    """Wait as the options say. Raises OneError where a provision ended failed, or nobody wants to wait."""
    from onecore.cli.text import printable

    def tell(number: int, event: "Event") -> None:
        line = f"provision {number}: {event.action}: {printable(event.text)}"
        click.echo(session.redactor.text(line), err=True)

    listed = ",".join(map(str, numbers))
    if session.waits:
        door.see_through(numbers, tell)
    elif session.is_remote:
        click.echo(f"accepted; follow it with: oneprovision logs {numbers[0]} --follow", err=True)
    else:
        click.echo(f"recorded; carry it out with: oneprovision retry {listed}", err=True)
