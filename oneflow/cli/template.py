"""Service templates: `oneflow template …`, which is `oneflow-template …` as well."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onecore.cli.listing import TableOptions, again_and_again, table_options, top_options
from onecore.cli.output import OutputFormat, emit, format_options, write
from onecore.cli.tables import Column
from oneflow.cli import editing
from oneflow.cli.arguments import document_from, file_argument, number_of, numbers_of, wait_options
from oneflow.cli.documents import Shelf, create_command, list_command, show_command
from oneflow.cli.group import FlowGroup
from oneflow.cli.session import FlowSession, pass_session
from oneflow.cli.view import Entry, body_of, owner_columns, time_column
from oneflow.cli.waiting import carry_out
from oneflow.model.document import Kind

if TYPE_CHECKING:
    from oneflow.cli.door import Door

_ABOUT = """Service templates, from which services are made.

\b
oneflow template create examples/web-application.json
oneflow template instantiate 0
"""

_COLUMNS: list[Column[Entry]] = [
    *owner_columns(37),
    time_column("REGTIME", "registration_time"),
]


_SHELF = Shelf(Kind.TEMPLATE, "TEMPLATE", _COLUMNS)

_LIST = """List service templates.

\b
oneflow template list
oneflow-template list -l ID,NAME,REGTIME
"""
_SHOW = """Show TEMPLATE with its body.

\b
oneflow template show 0
oneflow template show web-application -j
"""
_CREATE = """Create a service template: JSON or YAML from FILE or standard input. It is checked whole; nothing
is started.

\b
oneflow template create examples/web-application.json
oneflow-template create - < web.yaml
"""


@click.command()
@top_options
@table_options
@pass_session
def top(session: FlowSession, delay: float, iterations: int | None, options: TableOptions) -> None:
    """List service templates again and again, until Ctrl-C.

    \b
    oneflow template top --delay 1
    """
    again_and_again(lambda: _SHELF.print_all(session, options), delay, iterations, options.fmt)


@click.command()
@click.argument("selected", metavar="TEMPLATES")
@click.option(
    "--delete-vm-templates", "--delete-images", "deep", is_flag=True, help="Also VM templates only they use."
)
@pass_session
def delete(session: FlowSession, /, selected: str, deep: bool) -> None:
    """Delete TEMPLATES. Services that were made from them stay.

    \b
    oneflow template delete 0,2..4
    oneflow template delete web --delete-vm-templates
    """
    door = session.door()
    for number in numbers_of(door, selected, Kind.TEMPLATE):
        door.delete(Kind.TEMPLATE, number, deep)


@click.command()
@click.argument("selected", metavar="TEMPLATE")
@file_argument
@click.option("-m", "--multiple", type=click.IntRange(1, 1000), default=1, metavar="N", help="N services.")
@click.option("--name", default="", help="Name of the service instead of the template's.")
@wait_options
@format_options
@pass_session
def instantiate(
    session: FlowSession,
    /,
    selected: str,
    file: Path | None,
    multiple: int,
    name: str,
    fmt: OutputFormat,
) -> None:
    """Make a service from TEMPLATE, and wait until it runs. FILE (- for standard input) holds what is laid
    over the template: roles by name, custom_attrs_values and so on. Without FILE, values that the template
    asks for are asked at the terminal; elsewhere defaults are taken, and what is missing is said.

    \b
    oneflow template instantiate 0
    oneflow template instantiate web-application values.json --name shop --wait-timeout 600
    oneflow-template instantiate 0 -m 3 --no-wait
    """
    template = number_of(session.door(), selected, Kind.TEMPLATE)
    changes = _changes(session.door(), template, file)
    if name:
        changes = {**(changes or {}), "name": name}
    with session.acting() as door:
        made = []
        for _ in range(multiple):
            made.append(int(door.instantiate(template, changes)["DOCUMENT"]["ID"]))
            if fmt is OutputFormat.TEXT:
                # Before the waiting: whoever is interrupted knows what to delete.
                write(f"ID: {made[-1]}\n")
                sys.stdout.flush()
        try:
            carry_out(session, door, made)
        finally:
            if fmt is not OutputFormat.TEXT:
                for number in made:
                    emit(door.shown(Kind.SERVICE, number), fmt)


@click.command()
@click.argument("selected", metavar="TEMPLATE")
@click.argument("name")
@click.option(
    *("-R", "--recursive", "--recursive-templates", "deep"), is_flag=True, help="Copy its VM templates, too."
)
@pass_session
def clone(session: FlowSession, /, selected: str, name: str, deep: bool) -> None:
    """Copy TEMPLATE under another NAME. The copy uses the same VM templates.

    \b
    oneflow template clone 0 web-test
    oneflow template clone 0 web-test --recursive
    """
    door = session.door()
    document = door.clone(number_of(door, selected, Kind.TEMPLATE), name, deep)
    write(f"ID: {document['DOCUMENT']['ID']}\n")


def _changes(door: "Door", number: int, file: Path | None) -> Any:
    from oneflow.cli.inputs import answers, ask_at_terminal, can_ask

    if file is not None:
        return document_from(file, "the changes")
    if not can_ask():
        return None
    body = body_of(door.shown(Kind.TEMPLATE, number))
    return answers(body, ask_at_terminal) or None


def template_group(name: str) -> click.Group:
    group = FlowGroup(name, table={}, help=_ABOUT)
    for command in (
        list_command(_SHELF, _LIST),
        top,
        show_command(_SHELF, _SHOW),
        create_command(_SHELF, _CREATE),
        delete,
        instantiate,
        clone,
        *editing.commands(Kind.TEMPLATE),
    ):
        group.add_command(command)
    return group


template = template_group("template")
