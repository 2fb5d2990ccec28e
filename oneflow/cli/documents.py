"""`list`, `show` and `create` of both kinds of templates."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from onecore.cli.listing import TableOptions, table, table_options
from onecore.cli.output import OutputFormat, emit, format_options, sections, write
from onecore.cli.ownership import permissions
from onecore.cli.tables import Column
from oneflow.cli.arguments import document_from, file_argument, number_of
from oneflow.cli.door import documents_in
from oneflow.cli.session import FlowSession, pass_session
from oneflow.cli.view import Entry, as_pool, body_of, moment
from oneflow.elasticity.legacy import taken_otherwise
from oneflow.model.document import Kind


@dataclass(frozen=True)
class Shelf:
    """Templates of one kind. `metavar` is what one is called in the help."""

    kind: Kind
    metavar: str
    columns: Sequence[Column[Entry]]

    def print_all(self, session: FlowSession, options: TableOptions) -> None:
        table(self.columns, lambda: documents_in(session.door().listed(self.kind)), options, as_pool)


def list_command(shelf: Shelf, text: str) -> click.Command:
    @click.command("list", help=text)
    @table_options
    @pass_session
    def list_(session: FlowSession, options: TableOptions) -> None:
        shelf.print_all(session, options)

    return list_


def show_command(shelf: Shelf, text: str) -> click.Command:
    @click.command("show", help=text)
    @click.argument("selected", metavar=shelf.metavar)
    @format_options
    @pass_session
    def show(session: FlowSession, /, selected: str, fmt: OutputFormat) -> None:
        door = session.door()
        document = door.shown(shelf.kind, number_of(door, selected, shelf.kind))
        if fmt is OutputFormat.TEXT:
            _print(shelf, document["DOCUMENT"])
        else:
            emit(document, fmt)

    return show


def create_command(shelf: Shelf, text: str) -> click.Command:
    @click.command("create", help=text)
    @file_argument
    @format_options
    @pass_session
    def create(session: FlowSession, /, file: Path | None, fmt: OutputFormat) -> None:
        document = session.door().create(shelf.kind, document_from(file, f"the {shelf.kind.noun}"))
        if fmt is OutputFormat.TEXT:
            write(f"ID: {document['DOCUMENT']['ID']}\n")
        else:
            emit(document, fmt)
        for sentence in taken_otherwise(body_of(document["DOCUMENT"]).get("roles")):
            click.echo(f"note: {sentence}", err=True)

    return create


def _print(shelf: Shelf, document: Entry) -> None:
    body = body_of(document)
    named = (("ID", "ID"), ("NAME", "NAME"), ("USER", "UNAME"), ("GROUP", "GNAME"))
    pairs = [(title, document[key]) for title, key in named]
    if body.get("registration_time") is not None:
        pairs.append(("REGISTRATION TIME", moment(float(body["registration_time"]))))
    sections(
        [
            (f"{shelf.kind.noun.upper()} {document['ID']} INFORMATION", pairs),
            ("PERMISSIONS", permissions(document["PERMISSIONS"])),
            ("TEMPLATE CONTENTS", json.dumps(body, indent=2, ensure_ascii=False)),
        ]
    )
