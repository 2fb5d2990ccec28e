"""`rename`, `chown`, `chgrp`, `chmod`, `update`, for services and for both kinds of templates."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from onecore.cli.ownership import Kind as OwnedKind
from onecore.cli.ownership import ownership_commands
from oneflow.cli.arguments import edited, number_of, numbers_of
from oneflow.cli.session import FlowSession, pass_session
from oneflow.cli.view import body_of
from oneflow.model.document import Kind

if TYPE_CHECKING:
    from oneflow.cli.door import Door

_WORDS = {
    Kind.SERVICE: ("SERVICE", "oneflow"),
    Kind.TEMPLATE: ("TEMPLATE", "oneflow template"),
    Kind.VM_TEMPLATE: ("VM_TEMPLATE", "oneflow vm-template"),
}


def rename_command(kind: Kind) -> click.Command:
    noun, program = _WORDS[kind]

    @click.command("rename", help=_help(f"Give {noun} another NAME.", f"{program} rename 0 shop"))
    @click.argument("selected", metavar=noun)
    @click.argument("name")
    @pass_session
    def rename(session: FlowSession, /, selected: str, name: str) -> None:
        door = session.door()
        door.rename(kind, number_of(door, selected, kind), name)

    return rename


@dataclass(frozen=True)
class _Documents:
    door: "Door"
    kind: Kind

    def numbers(self, selector: str) -> tuple[int, ...]:
        return numbers_of(self.door, selector, self.kind)

    def chown(self, number: int, user: str, group: str | None) -> None:
        self.door.chown(self.kind, number, user, group)

    def chgrp(self, number: int, group: str) -> None:
        self.door.chgrp(self.kind, number, group)

    def chmod(self, number: int, mode: str) -> None:
        self.door.chmod(self.kind, number, mode)


def ownership(kind: Kind) -> tuple[click.Command, click.Command, click.Command]:
    noun, program = _WORDS[kind]

    def documents(session: FlowSession) -> _Documents:
        return _Documents(session.door(), kind)

    return ownership_commands(OwnedKind(f"{noun}S", program, documents))


def update_command(kind: Kind) -> click.Command:
    noun, program = _WORDS[kind]
    text = (
        f"Change {noun}: with the JSON or YAML of FILE (- for standard input), or in an editor. It is a whole"
        " body as `show -j` has it; with --append only what changes."
    )

    @click.command(
        "update", help=_help(text, f"{program} update 0 changed.json"), short_help="Change its contents."
    )
    @click.argument("selected", metavar=noun)
    @click.argument("file", type=click.Path(path_type=Path, allow_dash=True), required=False)
    @click.option("-a", "--append", is_flag=True, help="FILE holds only the keys that change.")
    @pass_session
    def update(session: FlowSession, /, selected: str, file: Path | None, append: bool) -> None:
        door = session.door()
        number = number_of(door, selected, kind)
        document = door.shown(kind, number)
        shown = {key: value for key, value in body_of(document).items() if key not in ("log",)}
        if kind is Kind.VM_TEMPLATE:
            shown = {"name": document["DOCUMENT"]["NAME"], **shown}
        data = edited({} if append else shown, file, "the changes")
        if data is not None:
            door.update(kind, number, {**shown, **data} if _lays_over(kind, append, data) else data, append)

    return update


def _lays_over(kind: Kind, append: bool, data: object) -> bool:
    """VM templates are replaced as a whole; what is appended is laid over here."""
    return kind is Kind.VM_TEMPLATE and append and isinstance(data, dict)


def _help(text: str, example: str) -> str:
    return f"{text}\n\n\b\n{example}"


def commands(kind: Kind) -> tuple[click.Command, ...]:
    """rename, update, chown, chgrp and chmod."""
    return rename_command(kind), update_command(kind), *ownership(kind)


rename, update, chown, chgrp, chmod = commands(Kind.SERVICE)
