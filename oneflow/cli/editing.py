"""`rename`, `chown`, `chgrp`, `chmod`, `update`, for services and for both kinds of templates."""

from pathlib import Path

import click

from oneflow.cli.arguments import edited, number_of, numbers_of
from oneflow.cli.session import FlowSession, pass_session
from oneflow.cli.view import body_of
from oneflow.model.document import Kind

_WORDS = {
    Kind.SERVICE: ("SERVICE", "oneflow"),
    Kind.TEMPLATE: ("TEMPLATE", "oneflow template"),
    Kind.VM_TEMPLATE: ("VM_TEMPLATE", "oneflow vm-template"),
}

_MAY = "Change who may do what with them."


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


def chown_command(kind: Kind) -> click.Command:
    noun, program = _WORDS[kind]
    text = f"Give {noun}S to USER, and to GROUP if named. For members of the group oneadmin."

    @click.command("chown", help=_help(text, f"{program} chown 1,3..5 alice users"))
    @click.argument("selected", metavar=f"{noun}S")
    @click.argument("user")
    @click.argument("group", required=False)
    @pass_session
    def chown(session: FlowSession, /, selected: str, user: str, group: str | None) -> None:
        door = session.door()
        for number in numbers_of(door, selected, kind):
            door.chown(kind, number, user, group)

    return chown


def chgrp_command(kind: Kind) -> click.Command:
    noun, program = _WORDS[kind]
    text = f"Give {noun}S to GROUP. For members of the group oneadmin."

    @click.command("chgrp", help=_help(text, f"{program} chgrp 0 users"))
    @click.argument("selected", metavar=f"{noun}S")
    @click.argument("group")
    @pass_session
    def chgrp(session: FlowSession, /, selected: str, group: str) -> None:
        door = session.door()
        for number in numbers_of(door, selected, kind):
            door.chgrp(kind, number, group)

    return chgrp


def chmod_command(kind: Kind) -> click.Command:
    noun, program = _WORDS[kind]
    text = (
        f"Change who may do what with {noun}S: MODE is an octet of use 4, manage 2, admin 1, for owner, group"
        " and others, or what changes: for u, g, o or a(ll), add +, take - or set = some of u(se), m(anage),"
        " a(dmin)."
    )

    @click.command(
        "chmod", help=_help(text, f"{program} chmod 0 640\n{program} chmod 0,2 g+u,o="), short_help=_MAY
    )
    @click.argument("selected", metavar=f"{noun}S")
    @click.argument("mode")
    @pass_session
    def chmod(session: FlowSession, /, selected: str, mode: str) -> None:
        door = session.door()
        for number in numbers_of(door, selected, kind):
            door.chmod(kind, number, mode)

    return chmod


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


rename, chown, chgrp, chmod, update = (
    make(Kind.SERVICE)
    for make in (rename_command, chown_command, chgrp_command, chmod_command, update_command)
)
