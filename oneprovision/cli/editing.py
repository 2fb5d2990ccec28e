"""`rename`, `update`, `chown`, `chgrp`, `chmod`."""

import sys
from pathlib import Path
from typing import Any

import click

from oneprovision.cli.arguments import provision_id, provision_ids
from oneprovision.cli.session import FormSession, pass_session


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


@click.command()
@click.argument("selected", metavar="PROVISIONS")
@click.argument("user")
@click.argument("group", required=False)
@pass_session
def chown(session: FormSession, /, selected: str, user: str, group: str | None) -> None:
    """Give PROVISIONS to USER, and to GROUP if named. For members of the group oneadmin.

    \b
    oneprovision chown 1,3..5 alice users
    """
    door = session.provisions()
    for number in provision_ids(door, selected):
        door.chown(number, user, group)


@click.command()
@click.argument("selected", metavar="PROVISIONS")
@click.argument("group")
@pass_session
def chgrp(session: FormSession, /, selected: str, group: str) -> None:
    """Give PROVISIONS to GROUP. For members of the group oneadmin.

    \b
    oneprovision chgrp 42 users
    """
    door = session.provisions()
    for number in provision_ids(door, selected):
        door.chgrp(number, group)


@click.command()
@click.argument("selected", metavar="PROVISIONS")
@click.argument("mode")
@pass_session
def chmod(session: FormSession, /, selected: str, mode: str) -> None:
    """Change who may do what with PROVISIONS: MODE is an octet of use 4, manage 2, admin 1, for owner, group
    and others, or what changes: for u, g, o or a(ll), add +, take - or set = some of u(se), m(anage),
    a(dmin).

    \b
    oneprovision chmod 42 640
    oneprovision chmod 42 g+u,o=
    """
    door = session.provisions()
    for number in provision_ids(door, selected):
        door.chmod(number, mode)


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
