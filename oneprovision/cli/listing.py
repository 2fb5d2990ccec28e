"""`list` and `top`."""

from collections.abc import Sequence
from dataclasses import dataclass

import click

from onecore.cli.listing import TableOptions, again_and_again, table, table_options, top_options
from onecore.cli.session import Session, pass_session
from onecore.cli.tables import Align, Column
from oneprovision.model.provision import Provision

_all = click.option("-a", "--all", "done", is_flag=True, help="Also those that are DONE.")


@dataclass(frozen=True)
class _Row:
    provision: Provision
    user: str
    group: str
    hosts: int


@click.command("list")
@_all
@table_options
@pass_session
def list_(session: Session, done: bool, options: TableOptions) -> None:
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
def top(session: Session, delay: float, done: bool, iterations: int | None, options: TableOptions) -> None:
    """List provisions again and again, until Ctrl-C.

    \b
    oneprovision top
    oneprovision top --delay 1 --iterations 10
    """
    again_and_again(lambda: _print(session, done, options), delay, iterations, options.fmt)


def _print(session: Session, done: bool, options: TableOptions) -> None:
    def document(kept: Sequence[_Row]) -> object:
        from oneprovision.usecases import reading  # lazy: a table needs no bodies

        return reading.pool(session.deps(), [row.provision for row in kept])

    table(_COLUMNS, lambda: _rows(session, done), options, document)


def _rows(session: Session, done: bool) -> list[_Row]:
    from oneprovision import store
    from oneprovision.usecases import visible

    deps = session.deps()
    provisions = visible.every(deps, done)
    users, groups = visible.owners(deps)
    with deps.database.read() as tx:
        counts = store.object_counts(tx)
    return [
        _Row(
            provision=p,
            user=users.get(p.uid, str(p.uid)),
            group=groups.get(p.gid, str(p.gid)),
            hosts=counts.get(p.id, {}).get("host", 0),
        )
        for p in provisions
    ]


def _registered(row: _Row) -> str:
    from onecore.clock import iso

    return iso(row.provision.created_at)


_COLUMNS = [
    Column[_Row]("ID", 4, Align.RIGHT, lambda row: str(row.provision.id), about="its number"),
    Column[_Row]("USER", 10, Align.LEFT, lambda row: row.user, about="its owner"),
    Column[_Row]("GROUP", 10, Align.LEFT, lambda row: row.group, about="the group of its owner"),
    Column[_Row]("NAME", 25, Align.LEFT, lambda row: row.provision.name, about="its name"),
    Column[_Row]("HOSTS", 5, Align.RIGHT, lambda row: str(row.hosts), about="how many hosts it has"),
    Column[_Row]("STATE", 20, Align.LEFT, lambda row: row.provision.state.name, about="its state"),
    Column[_Row]("REGTIME", 19, Align.LEFT, _registered, about="when it was made"),
]
