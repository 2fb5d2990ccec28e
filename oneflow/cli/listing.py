"""`list` and `top`."""

import click

from onecore.cli.listing import TableOptions, again_and_again, table, table_options, top_options
from onecore.cli.output import OutputFormat
from onecore.cli.tables import Align, Column
from oneflow.cli.door import documents_in
from oneflow.cli.session import FlowSession, pass_session
from oneflow.cli.view import Entry, as_pool, body_of, owner_columns, time_column
from oneflow.model.document import Kind
from oneflow.model.states import ServiceState


@click.command("list")
@table_options
@pass_session
def list_(session: FlowSession, options: TableOptions) -> None:
    """List services.

    \b
    oneflow list
    oneflow list -f STATE=RUNNING -l ID,NAME,STATE,STARTTIME
    oneflow list -j
    """
    print_services(session, options)


@click.command()
@click.argument("service", required=False)
@top_options
@table_options
@pass_session
def top(
    session: FlowSession, service: str | None, delay: float, iterations: int | None, options: TableOptions
) -> None:
    """List services, or show SERVICE, again and again, until Ctrl-C.

    \b
    oneflow top
    oneflow top 0 --delay 1 --iterations 10
    """
    from oneflow.cli.showing import print_service

    if service is None:
        again_and_again(lambda: print_services(session, options), delay, iterations, options.fmt)
    else:
        again_and_again(lambda: print_service(session, service, options.fmt), delay, iterations, options.fmt)


def print_services(session: FlowSession, options: TableOptions) -> None:
    brief = options.fmt in (OutputFormat.TEXT, OutputFormat.CSV)
    table(COLUMNS, lambda: documents_in(session.door().listed(Kind.SERVICE, brief)), options, as_pool)


def state_name(document: Entry) -> str:
    number = int(body_of(document)["state"])
    return ServiceState(number).name if number in set(ServiceState) else str(number)


COLUMNS: list[Column[Entry]] = [
    *owner_columns(25),
    Column("STATE", 11, Align.LEFT, state_name, about="its state"),
    # What later releases call the same, and their further column.
    Column(
        "STAT", 11, Align.LEFT, state_name, shown=False, about="its state, as later releases call the column"
    ),
    time_column("STARTTIME", "start_time"),
    Column(
        "ROLES",
        15,
        Align.LEFT,
        lambda document: _roles(document),
        shown=False,
        about="its roles, with the VMs that each has and wants",
    ),
]


def _roles(document: Entry) -> str:
    roles = body_of(document)["roles"]
    return ",".join(
        f"{role['name']}:{len(role.get('nodes', ()))}/{role.get('cardinality', 1)}" for role in roles
    )
