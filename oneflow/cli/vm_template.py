"""`vm-template`: which driver makes the VMs of a role, on which account, with what."""

import click

from onecore.cli.tables import Align, Column
from oneflow.cli import editing
from oneflow.cli.arguments import numbers_of
from oneflow.cli.documents import Shelf, create_command, list_command, show_command
from oneflow.cli.group import FlowGroup
from oneflow.cli.session import FlowSession, pass_session
from oneflow.cli.view import Entry, body_of, owner_columns
from oneflow.model.document import Kind


@click.group("vm-template", cls=FlowGroup, table={})
def vm_template() -> None:
    """VM templates: numbered, named by the roles of services. Number 0 is `dummy`, a cloud of files.

    \b
    oneflow vm-template create small.yaml
    oneflow vm-template list
    """


_COLUMNS: list[Column[Entry]] = [
    *owner_columns(25),
    Column(
        "DRIVER",
        12,
        Align.LEFT,
        lambda document: str(body_of(document)["driver"]),
        about="the pm driver that makes the VMs",
    ),
    Column(
        "PROVIDER",
        8,
        Align.RIGHT,
        lambda document: str(body_of(document).get("provider", "-")),
        about="the account that is used, - for none",
    ),
]


_SHELF = Shelf(Kind.VM_TEMPLATE, "VM_TEMPLATE", _COLUMNS)

_LIST = """List VM templates.

\b
oneflow vm-template list
"""
_SHOW = """Show VM_TEMPLATE.

\b
oneflow vm-template show 0
"""
_CREATE = """Create a VM template: JSON or YAML with `name`, `driver` and what the driver needs, from FILE or
standard input.

\b
oneflow vm-template create small.yaml
echo '{"name": "small", "driver": "dummy"}' | oneflow vm-template create
"""


@vm_template.command()
@click.argument("selected", metavar="VM_TEMPLATES")
@pass_session
def delete(session: FlowSession, /, selected: str) -> None:
    """Delete VM_TEMPLATES that nothing uses any more.

    \b
    oneflow vm-template delete 1,3
    """
    door = session.door()
    for number in numbers_of(door, selected, Kind.VM_TEMPLATE):
        door.delete(Kind.VM_TEMPLATE, number)


for _command in (
    list_command(_SHELF, _LIST),
    show_command(_SHELF, _SHOW),
    create_command(_SHELF, _CREATE),
    *editing.commands(Kind.VM_TEMPLATE),
):
    vm_template.add_command(_command)
