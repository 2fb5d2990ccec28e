"""`list` and `top`."""

from functools import partial
from typing import TYPE_CHECKING

import click

from onecore.cli.numbers import FiniteRange
from onecore.cli.output import Align, Column, OutputFormat, TableOptions, table, table_options
from onecore.cli.session import Session, pass_session
from oneprovision.model.provision import Provision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onecore.deps import Deps
    from onecore.document import Document


@click.command("list")
@click.option("-a", "--all", "done", is_flag=True, help="Also those that are DONE.")
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
@click.option(
    "-d", "--delay", type=FiniteRange(0.1, 3600), default=4.0, metavar="S", help="Seconds in between."
)
@click.option("-a", "--all", "done", is_flag=True, help="Also those that are DONE.")
@click.option("-n", "--iterations", type=click.IntRange(1), metavar="N", help="End after N rounds.")
@table_options
@pass_session
def top(session: Session, delay: float, done: bool, iterations: int | None, options: TableOptions) -> None:
    """List provisions again and again, until Ctrl-C.

    \b
    oneprovision top
    oneprovision top --delay 1 --iterations 10
    """
    import sys

    clock = session.deps().clock
    rounds = 0
    while iterations is None or rounds < iterations:
        if rounds:
            clock.sleep(delay)
        if sys.stdout.isatty() and options.fmt is OutputFormat.TEXT:
            click.clear()
        _print(session, done, options)
        rounds += 1


def _print(session: Session, done: bool, options: TableOptions) -> None:
    from oneprovision import store
    from oneprovision.usecases import visible

    deps = session.deps()
    rows = visible.every(deps, done)
    users, groups = visible.owners(deps)
    with deps.database.read() as tx:
        counts = store.object_counts(tx)

    def count(p: Provision, kind: str) -> str:
        return str(counts.get(p.id, {}).get(kind, 0))

    columns = [
        Column[Provision]("ID", 4, Align.RIGHT, lambda p: str(p.id)),
        Column[Provision]("USER", 10, Align.LEFT, lambda p: users.get(p.uid, str(p.uid))),
        Column[Provision]("GROUP", 10, Align.LEFT, lambda p: groups.get(p.gid, str(p.gid))),
        Column[Provision]("NAME", 25, Align.LEFT, lambda p: p.name),
        Column[Provision]("HOSTS", 5, Align.RIGHT, lambda p: count(p, "host")),
        Column[Provision]("STATE", 20, Align.LEFT, lambda p: p.state.name),
        Column[Provision]("REGTIME", 19, Align.LEFT, lambda p: _iso(p.created_at)),
    ]
    table(columns, rows, options, partial(_pool, deps))


def _pool(deps: "Deps", kept: "Sequence[Provision]") -> "Document":
    from oneprovision.usecases import reading  # lazy: a table needs no bodies

    return reading.pool(deps, kept)


def _iso(timestamp: float) -> str:
    from onecore.clock import iso

    return iso(timestamp)
