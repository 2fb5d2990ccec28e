"""`rename`, `update`, `chown`, `chgrp`, `chmod`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onecore.cli.ownership import Kind, ownership_commands
from oneprovision.cli.arguments import provision_id, provision_ids
from oneprovision.cli.session import FormSession, pass_session

if TYPE_CHECKING:
    from oneprovision.cli.door import Provisions


@click.command()
@click.argument("provision")
@click.argument("name")
@pass_session
def rename(session: FormSession, /, provision: str, name: str) -> None:
    """Give PROVISION another NAME.

    \b
    oneprovision rename 42 web
    """
    door = session.provisions()
    door.update(provision_id(door, provision), {"name": name})


@click.command()
@click.argument("provision")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--set", "sets", metavar="KEY=VALUE", multiple=True, help="name=…, description=… or tags.KEY=…."
)
@pass_session
def update(session: FormSession, /, provision: str, file: Path | None, sets: tuple[str, ...]) -> None:
    """Change name, description or tags of PROVISION: from a YAML or JSON FILE (- for standard input), by
    --set, or in an editor when neither is given.

    \b
    oneprovision update 42 --set description="the web tier" --set tags.team=web
    oneprovision update 42 changes.yaml
    """
    door = session.provisions()
    number = provision_id(door, provision)
    if sets:
        changes = _from_sets(sets)
    elif file:
        changes = _loaded(file)
    else:
        document: Any = door.document(number)
        changes = _edited(document["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"])
    door.update(number, changes)


@dataclass(frozen=True)
class _Provisions:
    door: "Provisions"

    def numbers(self, selector: str) -> tuple[int, ...]:
        return provision_ids(self.door, selector)

    def chown(self, number: int, user: str, group: str | None) -> None:
        self.door.chown(number, user, group)

    def chgrp(self, number: int, group: str) -> None:
        self.door.chgrp(number, group)

    def chmod(self, number: int, mode: str) -> None:
        self.door.chmod(number, mode)


def _provisions(session: FormSession) -> _Provisions:
    return _Provisions(session.provisions())


chown, chgrp, chmod = ownership_commands(Kind("PROVISIONS", "oneprovision", _provisions, "42"))


def _from_sets(sets: tuple[str, ...]) -> dict[str, object]:
    from onecore.errors import InvalidInput

    changes: dict[str, object] = {}
    tags: dict[str, object] = {}
    for each in sets:
        key, equals, value = each.partition("=")
        if not equals:
            raise InvalidInput(f"--set {each!r} has no '='", hint="as in: --set description=web")
        if key.startswith("tags."):
            tags[key.removeprefix("tags.")] = value
        else:
            changes[key] = value
    return {**changes, "tags": tags} if tags else changes


def _loaded(file: Path) -> dict[str, object]:
    from onecore.schema import load_file, load_text, validate

    document = load_text(sys.stdin.read(), "standard input") if str(file) == "-" else load_file(file)
    return validate(document, {"type": "object"})


def _edited(body: dict[str, object]) -> dict[str, object]:
    import json

    from onecore.errors import InvalidInput
    from onecore.schema import load_text, validate

    if not sys.stdin.isatty():
        raise InvalidInput("nothing to change is given", hint="name a file, or use --set KEY=VALUE")
    shown = {key: body[key] for key in ("name", "description", "tags")}
    text = click.edit(json.dumps(shown, indent=2) + "\n", extension=".json")
    return {} if text is None else validate(load_text(text, "what you wrote"), {"type": "object"})
