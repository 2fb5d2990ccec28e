"""Arguments and options that several commands share: names turned into ids, documents read from files."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from onecore.cli.idlist import resolve
from onecore.cli.waiting import limit_option, wait_option
from oneflow.cli.door import documents_in
from oneflow.model.document import Kind
from oneflow.model.states import ServiceState

if TYPE_CHECKING:
    from oneflow.cli.door import Door

Command = TypeVar("Command", bound=Callable[..., Any])

file_argument = click.argument("file", type=click.Path(path_type=Path, allow_dash=True), required=False)


def number_of(door: "Door", selector: str, kind: Kind = Kind.SERVICE) -> int:
    """One document by id or name."""
    from onecore.errors import InvalidInput

    ids = _resolved(door, selector, kind)
    if len(ids) != 1:
        raise InvalidInput(f"'{selector}' names {len(ids)} {kind.noun}s; this command takes one")
    return ids[0]


def numbers_of(door: "Door", selector: str, kind: Kind = Kind.SERVICE) -> tuple[int, ...]:
    """Documents by ids, ranges and names: `1,8..15,web`. Where there are several, all of them exist: a slip
    in a list is said before anything is done with the rest of it."""
    ids = _resolved(door, selector, kind)
    if len(ids) > 1:
        for number in ids:
            door.shown(kind, number)
    return ids


def _resolved(door: "Door", selector: str, kind: Kind) -> tuple[int, ...]:
    return resolve(selector, _names(door, kind), kind.noun)


def _names(door: "Door", kind: Kind) -> Iterator[tuple[int, str]]:
    """Numbers with their names. A name means the service that is not DONE, if there is one."""
    every = [(int(d["ID"]), d["NAME"], _is_over(d)) for d in documents_in(door.listed(kind, brief=True))]
    living = {name for _, name, is_over in every if not is_over}
    yield from ((number, name) for number, name, is_over in every if not (is_over and name in living))


def _is_over(document: Any) -> bool:
    return bool(document["TEMPLATE"]["BODY"].get("state") == ServiceState.DONE)


def document_from(file: Path | None, what: str) -> Any:
    """A JSON or YAML document from a file, or from standard input for `-` and for no file at all."""
    from onecore.errors import InvalidInput
    from onecore.schema import load_file, load_text

    if file is not None and str(file) != "-":
        return load_file(file).data
    if file is None and sys.stdin.isatty():
        raise InvalidInput(f"no file with {what} is named", hint="name a JSON or YAML file, or - for stdin")
    return load_text(sys.stdin.read(), "standard input").data


def edited(shown: object, file: Path | None, what: str) -> Any:
    """What is to be laid down: from the file, or from an editor that begins with what is there; None when
    nothing was changed."""
    import json

    from onecore.schema import load_text

    if file is not None or not sys.stdin.isatty():
        return document_from(file, what)
    text = click.edit(json.dumps(shown, indent=2) + "\n", extension=".json")
    return None if text is None else load_text(text, "what you wrote").data


def wait_options(command: Command) -> Command:
    """--wait, --no-wait and --wait-timeout, kept in the session."""
    return _wait(limit_option("recover")(command))


_wait = wait_option(
    "Wait until the service is settled, and exit with 1 if it failed; without a server that is the default."
    " With --no-wait a server or the next command carries it out."
)
