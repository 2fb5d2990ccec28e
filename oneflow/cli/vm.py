"""`vm`: the virtual machines of services."""

from typing import TYPE_CHECKING

import click

from onecore.cli.listing import TableOptions, table, table_options
from onecore.cli.output import OutputFormat, emit, format_options
from onecore.cli.tables import Align, Column
from oneflow.cli.door import documents_in
from oneflow.cli.group import FlowGroup
from oneflow.cli.session import FlowSession, pass_session
from oneflow.cli.view import Entry, body_of
from oneflow.model.document import Kind

if TYPE_CHECKING:
    from oneflow.cli.door import Door


@click.group(cls=FlowGroup, table={})
def vm() -> None:
    """Virtual machines of services.

    \b
    oneflow vm list
    oneflow vm show 3
    """


def _addresses(row: Entry) -> str:
    return str(row["vm"].get("MONITORING", {}).get("GUEST_IP_ADDRESSES", "-"))


_COLUMNS: list[Column[Entry]] = [
    Column("ID", 6, Align.RIGHT, lambda row: row["vm"]["ID"], about="its number"),
    Column("USER", 15, Align.LEFT, lambda row: row["vm"]["UNAME"], about="the owner of its service"),
    Column("GROUP", 15, Align.LEFT, lambda row: row["vm"]["GNAME"], about="the group of its service"),
    Column("NAME", 25, Align.LEFT, lambda row: row["vm"]["NAME"], about="its name"),
    Column("STAT", 4, Align.LEFT, lambda row: _stat(row), about="its state, as OpenNebula shortens it"),
    Column("SERVICE", 7, Align.RIGHT, lambda row: row["service"], about="the number of its service"),
    Column("ROLE", 15, Align.LEFT, lambda row: row["role"], about="its role in the service"),
    Column("IP", 15, Align.LEFT, _addresses, about="its addresses"),
]


def _stat(row: Entry) -> str:
    from oneflow.model.vm import Sighting, short_state

    return short_state(Sighting(int(row["vm"]["STATE"]), int(row["vm"]["LCM_STATE"])))


@vm.command("list")
@table_options
@pass_session
def list_(session: FlowSession, options: TableOptions) -> None:
    """List the VMs of all services.

    \b
    oneflow vm list
    oneflow vm list -f SERVICE=0 -l ID,NAME,IP
    """
    table(_COLUMNS, lambda: _rows(session.door()), options, lambda kept: [{"VM": row["vm"]} for row in kept])


@vm.command()
@click.argument("number", metavar="VM", type=click.IntRange(0))
@format_options
@pass_session
def show(session: FlowSession, /, number: int, fmt: OutputFormat) -> None:
    """Show the VM of that id as OpenNebula's document of it.

    \b
    oneflow vm show 3
    """
    from onecore.errors import NotFound

    for row in _rows(session.door()):
        if row["vm"]["ID"] == str(number):
            emit({"VM": row["vm"]}, fmt)
            return
    raise NotFound(f"there is no VM {number}", hint="see: oneflow vm list")


@vm.command()
@click.argument("number", metavar="VM", type=click.IntRange(0))
@format_options
@pass_session
def token(session: FlowSession, /, number: int, fmt: OutputFormat) -> None:
    """Print the token of VM, with which one may speak for it at OneGate. -j also says where that is.

    \b
    oneflow vm token 3
    curl -X PUT -H "X-ONEGATE-VMID: 3" -H "X-ONEGATE-TOKEN: $(oneflow vm token 3)" -d READY=YES http://127.0.0.1:5030/vm
    """
    secret, endpoint = session.door().token(number)
    emit(secret if fmt is OutputFormat.TEXT else {"token": secret, "endpoint": endpoint}, fmt)


def _rows(door: "Door") -> list[Entry]:
    """Each VM with its service and role."""
    return [
        {"vm": node["vm_info"]["VM"], "service": document["ID"], "role": role["name"]}
        for document in documents_in(door.listed(Kind.SERVICE))
        for role in body_of(document)["roles"]
        for node in role["nodes"]
        if "vm_info" in node
    ]
