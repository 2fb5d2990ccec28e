"""`list` and `top`."""

import click

from onecore.cli.listing import TableOptions, again_and_again, table, table_options, top_options
from onecore.cli.tables import Align, Column
from oneprovision.cli.door import Row
from oneprovision.cli.session import FormSession, pass_session

_all = click.option("-a", "--all", "done", is_flag=True, help="Also those that are DONE.")


@click.command("list")
@_all
@table_options
@pass_session
def list_(session: FormSession, done: bool, options: TableOptions) -> None:
    """List provisions.

    \b
    oneprovision list
    oneprovision list --all -f STATE=RUNNING -l ID,NAME,HOSTS
    oneprovision list -j
    """
    _print(session, done, options)


@click.command()
@top_options
@_all
@table_options
@pass_session
def top(
    session: FormSession, delay: float, done: bool, iterations: int | None, options: TableOptions
) -> None:
    """List provisions again and again, until Ctrl-C.

    \b
    oneprovision top
    oneprovision top --delay 1 --iterations 10
    """
    again_and_again(lambda: _print(session, done, options), delay, iterations, options.fmt)


def _print(session: FormSession, done: bool, options: TableOptions) -> None:
    door = session.provisions()
    table(_COLUMNS, lambda: door.rows(done), options, door.pool)


def _registered(row: Row) -> str:
    from onecore.clock import iso

    return iso(row.registered_at)


_COLUMNS = [
    Column[Row]("ID", 4, Align.RIGHT, lambda row: str(row.id), about="its number"),
    Column[Row]("USER", 10, Align.LEFT, lambda row: row.user, about="its owner"),
    Column[Row]("GROUP", 10, Align.LEFT, lambda row: row.group, about="the group of its owner"),
    Column[Row]("NAME", 25, Align.LEFT, lambda row: row.name, about="its name"),
    Column[Row]("HOSTS", 5, Align.RIGHT, lambda row: str(row.hosts), about="how many hosts it has"),
    Column[Row]("STATE", 20, Align.LEFT, lambda row: row.state, about="its state"),
    Column[Row]("REGTIME", 19, Align.LEFT, _registered, about="when it was made"),
]
