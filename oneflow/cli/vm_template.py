"""`vm-template`: which driver makes the VMs of a role, on which account, with what."""

from pathlib import Path

import click

from onecore.cli.listing import TableOptions, table, table_options
from onecore.cli.output import OutputFormat, emit, format_options, sections, write
from onecore.cli.tables import Align, Column
from oneflow.cli import editing
from oneflow.cli.arguments import document_from, file_argument, number_of, numbers_of
from oneflow.cli.door import documents_in
from oneflow.cli.group import FlowGroup
from oneflow.cli.session import FlowSession, pass_session
from oneflow.cli.view import Entry, as_pool, body_of, owner_columns, permissions
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


@vm_template.command("list")
@table_options
@pass_session
def list_(session: FlowSession, options: TableOptions) -> None:
    """List VM templates.

    \b
    oneflow vm-template list
    """
    table(_COLUMNS, lambda: documents_in(session.door().listed(Kind.VM_TEMPLATE)), options, as_pool)


@vm_template.command()
@click.argument("selected", metavar="VM_TEMPLATE")
@format_options
@pass_session
def show(session: FlowSession, /, selected: str, fmt: OutputFormat) -> None:
    """Show VM_TEMPLATE.

    \b
    oneflow vm-template show 0
    """
    import json

    door = session.door()
    document = door.shown(Kind.VM_TEMPLATE, number_of(door, selected, Kind.VM_TEMPLATE))
    if fmt is not OutputFormat.TEXT:
        emit(document, fmt)
        return
    inner = document["DOCUMENT"]
    pairs = [
        ("ID", inner["ID"]),
        ("NAME", inner["NAME"]),
        ("USER", inner["UNAME"]),
        ("GROUP", inner["GNAME"]),
    ]
    sections(
        [
            (f"VM TEMPLATE {inner['ID']} INFORMATION", pairs),
            ("PERMISSIONS", permissions(inner["PERMISSIONS"])),
            ("TEMPLATE CONTENTS", json.dumps(body_of(inner), indent=2, ensure_ascii=False)),
        ]
    )


@vm_template.command()
@file_argument
@format_options
@pass_session
def create(session: FlowSession, /, file: Path | None, fmt: OutputFormat) -> None:
    """Create a VM template: JSON or YAML with `name`, `driver` and what the driver needs, from FILE or
    standard input.

    \b
    oneflow vm-template create small.yaml
    echo '{"name": "small", "driver": "dummy"}' | oneflow vm-template create
    """
    document = session.door().create(Kind.VM_TEMPLATE, document_from(file, "the VM template"))
    if fmt is OutputFormat.TEXT:
        write(f"ID: {document['DOCUMENT']['ID']}\n")
    else:
        emit(document, fmt)


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


for _make in (
    editing.update_command,
    editing.rename_command,
    editing.chown_command,
    editing.chgrp_command,
    editing.chmod_command,
):
    vm_template.add_command(_make(Kind.VM_TEMPLATE))
