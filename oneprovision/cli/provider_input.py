"""From files and options to what is said of a provider; every secret is concealed before anything is said."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onecore.cli.secret_input import secret_from
from onecore.errors import InvalidInput
from oneprovision.model.provider import SCHEMA, ProviderForm, parse, unwrapped

if TYPE_CHECKING:
    from onecore.schema import Document

Conceal = Callable[[Iterable[str]], None]


def form_of_options(given: Mapping[str, Any], conceal: Conceal) -> ProviderForm:
    """What --name, --driver, --description, --connection and --set say."""
    connection = _connection(given["connection"], conceal)
    return ProviderForm(
        given["name"], given["driver"], given["description"], connection, _parameters(given["sets"]) or None
    )


def form_of_file(file: Path, conceal: Conceal) -> ProviderForm:
    """What the file says, or standard input for `-`."""
    from dataclasses import replace

    from onecore.schema import validate

    document = _loaded(file)
    if isinstance(document.data, Mapping):
        document = replace(document, data=unwrapped(document.data))
    form = parse(validate(document, SCHEMA))
    conceal(form.without_masks().connection.values())
    return form


def _loaded(file: Path) -> "Document":
    from onecore.schema import load_file, load_text

    if str(file) != "-" and not file.is_file():
        return load_file(file)  # says what is wrong with it
    name = "standard input" if str(file) == "-" else str(file)
    try:
        return load_text(sys.stdin.read(), name) if str(file) == "-" else load_file(file)
    except InvalidInput as exc:
        # A message of the parser quotes what it stumbled over, and that may be a secret.
        line = _first_line(exc)
        raise InvalidInput(
            f"{name}{line}: this is neither YAML nor JSON",
            hint="put values that begin with * & ! @ % or ` into quotes",
        ) from None


def _first_line(exc: InvalidInput) -> str:
    errors = exc.context.get("errors")
    line = errors[0].get("line") if isinstance(errors, list) and errors else None
    return f":{line}" if line else ""


def _connection(written: Sequence[str], conceal: Conceal) -> dict[str, str]:
    connection: dict[str, str] = {}
    for text in written:
        key, equals, source = text.partition("=")
        if not (key and equals):
            raise InvalidInput("--connection without a '='", hint="as in: --connection token=@token.txt")
        value = source
        if source == "-" or source.startswith("@"):
            value = secret_from(source.removeprefix("@"))
        conceal([value])
        connection[key] = value
    return connection


def _parameters(sets: Sequence[str]) -> dict[str, object]:
    pairs = [text.partition("=") for text in sets]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise InvalidInput(f"--set {name!r} has no '='", hint="as in: --set plan=small")
    return {name: value for name, _, value in pairs}
