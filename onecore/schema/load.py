"""Turns the text of a file or a request into a document; whatever is wrong with it is InvalidInput."""

from json import JSONDecodeError
from pathlib import Path

from onecore.errors import InvalidInput
from onecore.schema.document import Document
from onecore.schema.json_text import parse_json
from onecore.schema.nodes import MAX_BYTES, Node, document_of
from onecore.schema.problems import Problem, printable, refusal


def load_file(path: Path) -> Document:
    name = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as exc:
        raise InvalidInput(f"file '{printable(name)}' does not exist") from exc
    except IsADirectoryError as exc:
        raise InvalidInput(f"'{printable(name)}' is a directory, not a file") from exc
    except (OSError, ValueError) as exc:  # ValueError: a name no file can have
        why = (getattr(exc, "strerror", None) or str(exc)).lower()
        raise InvalidInput(f"cannot read '{printable(name)}': {why}") from exc
    return load_text(content, name)


def load_text(text: str | bytes, name: str) -> Document:
    """Parse YAML or JSON: JSON where the name ends in .json, or where the text begins like it and is it."""
    decoded = _decoded(text, name)
    if not decoded.strip():
        raise refusal(name, [Problem("the document is empty", 1)])
    root = _parsed(decoded, name)
    if root.value is None:
        raise refusal(name, [Problem("the document is empty", root.line)])
    return document_of(root, name)


def load_json(text: str | bytes, name: str) -> object:
    """The data of a JSON text that is no file; `name` says in messages what it is."""
    decoded = _decoded(text, name)
    if not decoded.strip():
        raise refusal(name, [Problem("the document is empty", 1)])
    try:
        return document_of(parse_json(decoded, name), name).data
    except JSONDecodeError as exc:
        raise refusal(name, [Problem(exc.msg, exc.lineno)]) from exc


def _decoded(text: str | bytes, name: str) -> str:
    if len(text) > MAX_BYTES:
        raise _too_large(name)
    try:
        content = text if isinstance(text, bytes) else text.encode()
        decoded = content.decode()
    except UnicodeError as exc:
        raise refusal(name, [Problem("this is not UTF-8 text")]) from exc
    if len(content) > MAX_BYTES:
        raise _too_large(name)
    return decoded.removeprefix("\ufeff")


def _too_large(name: str) -> InvalidInput:
    return refusal(name, [Problem(f"more than {MAX_BYTES // 1024} KiB of text")])


def _parsed(text: str, name: str) -> Node:
    is_json = name.lower().endswith(".json")
    if not is_json and not text.lstrip().startswith(("{", "[")):
        return _yaml(text, name)
    try:
        return parse_json(text, name)
    except JSONDecodeError as exc:
        if not is_json:
            return _yaml(text, name)
        raise refusal(name, [Problem(exc.msg, exc.lineno)]) from exc


def _yaml(text: str, name: str) -> Node:
    from onecore.schema.yaml_text import parse_yaml  # lazy: PyYAML, not needed for JSON

    return parse_yaml(text, name)
