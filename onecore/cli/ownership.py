"""`chown`, `chgrp` and `chmod`, for whatever has an owner; and how permissions are shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import click

from onecore.cli.session import Session, pass_session


class Owned(Protocol):
    """Things of one kind that belong to somebody."""

    def numbers(self, selector: str) -> tuple[int, ...]: ...
    def chown(self, number: int, user: str, group: str | None) -> None: ...
    def chgrp(self, number: int, group: str) -> None: ...
    def chmod(self, number: int, mode: str) -> None: ...


@dataclass(frozen=True)
class Kind:
    """`plural`: what one names, as in PROVISIONS; `program`: the words before the command; `one`, `some`: as
    examples name them; `things` are asked with the session of the command."""

    plural: str
    program: str
    things: Callable[[Any], Owned]
    one: str = "0"
    some: str = "1,3..5"


def ownership_commands(kind: Kind) -> tuple[click.Command, click.Command, click.Command]:
    """chown, chgrp and chmod of that kind."""
    return _chown(kind), _chgrp(kind), _chmod(kind)


def permissions(bits: Mapping[str, str]) -> list[tuple[str, str]]:
    """The lines of a section, of the bits that a document has."""

    def share(name: str) -> str:
        letters = (("U", "u"), ("M", "m"), ("A", "a"))
        return "".join(letter if bits[f"{name}_{bit}"] == "1" else "-" for bit, letter in letters)

    return [(name, share(name)) for name in ("OWNER", "GROUP", "OTHER")]


def _chown(kind: Kind) -> click.Command:
    @click.command("chown")
    @click.argument("selected", metavar=kind.plural)
    @click.argument("user")
    @click.argument("group", required=False)
    @pass_session
    def chown(session: Session, /, selected: str, user: str, group: str | None) -> None:
        things = kind.things(session)
        for number in things.numbers(selected):
            things.chown(number, user, group)

    chown.help = (
        f"Give {kind.plural} to USER, and to GROUP if named. For members of the group oneadmin.\n\n"
        f"\b\n{kind.program} chown {kind.some} alice users"
    )
    return chown


def _chgrp(kind: Kind) -> click.Command:
    @click.command("chgrp")
    @click.argument("selected", metavar=kind.plural)
    @click.argument("group")
    @pass_session
    def chgrp(session: Session, /, selected: str, group: str) -> None:
        things = kind.things(session)
        for number in things.numbers(selected):
            things.chgrp(number, group)

    chgrp.help = (
        f"Give {kind.plural} to GROUP. For members of the group oneadmin.\n\n"
        f"\b\n{kind.program} chgrp {kind.one} users"
    )
    return chgrp


def _chmod(kind: Kind) -> click.Command:
    @click.command("chmod", short_help="Change who may do what with them.")
    @click.argument("selected", metavar=kind.plural)
    @click.argument("mode")
    @pass_session
    def chmod(session: Session, /, selected: str, mode: str) -> None:
        things = kind.things(session)
        for number in things.numbers(selected):
            things.chmod(number, mode)

    chmod.help = (
        f"Change who may do what with {kind.plural}: MODE is an octet of use 4, manage 2, admin 1, for owner,"
        " group and others, or what changes: for u, g, o or a(ll), add +, take - or set = some of u(se),"
        " m(anage), a(dmin).\n\n"
        f"\b\n{kind.program} chmod {kind.one} 640\n{kind.program} chmod {kind.some} g+u,o="
    )
    return chmod
