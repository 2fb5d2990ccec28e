"""The one place that prints results: documents, tables and sections, on stdout."""

import functools
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from errno import EPIPE
from typing import Any, Generic, TypeVar

import click

from onecore.cli import tables
from onecore.cli.layout import Layout
from onecore.cli.tables import Column, Row
from onecore.cli.text import printable
from onecore.errors import OneError

Command = TypeVar("Command", bound=Callable[..., Any])

_KEY_WIDTH = 20
_TITLE_WIDTH = 80


class OutputFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    YAML = "yaml"
    CSV = "csv"


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A table inside a section of `show`."""

    columns: Sequence[Column[Row]]
    rows: Sequence[Row]


# A section body: `KEY : value` pairs, a table, or text that is printed as it stands.
Body = Sequence[tuple[str, str]] | Table[Any] | str


json_option = click.option("-j", "--json", "as_json", is_flag=True, help="Print JSON.")
yaml_option = click.option("-y", "--yaml", "as_yaml", is_flag=True, help="Print YAML.")


def format_options(command: Command) -> Command:
    """Adds -j/--json and -y/--yaml; the command gets the choice as `fmt`."""

    @yaml_option
    @json_option
    @functools.wraps(command)
    def with_format(*args: Any, as_json: bool, as_yaml: bool, **kwargs: Any) -> Any:
        fmt = one_format({OutputFormat.JSON: as_json, OutputFormat.YAML: as_yaml})
        return command(*args, fmt=fmt, **kwargs)

    return with_format  # type: ignore[return-value]  # click reads parameters, not the signature


def one_format(chosen: dict[OutputFormat, bool]) -> OutputFormat:
    """The one that was asked for. Raises UsageError for two."""
    asked = [fmt for fmt, wanted in chosen.items() if wanted]
    if len(asked) > 1:
        raise click.UsageError(f"choose one of {', '.join(f'--{fmt}' for fmt in asked)}")
    return asked[0] if asked else OutputFormat.TEXT


def emit(document: object, fmt: OutputFormat) -> None:
    """Prints one document. As text, a string is printed as it is and anything else as JSON."""
    if fmt is OutputFormat.YAML:
        write(_yaml(document))
    elif fmt is OutputFormat.TEXT and isinstance(document, str):
        write(printable(document, keep_newlines=True) + "\n")
    else:
        write(_json(document) + "\n")


def sections(parts: Sequence[tuple[str, Body]]) -> None:
    """Prints titled blocks with a blank line between them, the keys of all of them aligned."""
    keys = [key for _, body in parts if isinstance(body, list | tuple) for key, _ in body]
    key_width = max([_KEY_WIDTH, *map(len, keys)])
    out: list[str] = []
    for title, body in parts:
        if out:
            out.append("")
        out += [_heading(title), *_body_lines(body, key_width)]
    write_lines(out)


def write(text: str) -> None:
    """Puts `text` on stdout. A reader who went away is not hidden here: the edge ends quietly then."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as exc:
        if exc.errno == EPIPE:
            raise
        raise OneError(f"the output could not be written: {exc.strerror}") from exc


def write_lines(printed: Sequence[str]) -> None:
    write("".join(f"{line}\n" for line in printed))


def terminal_width() -> int | None:
    """None where stdout is no terminal."""
    if not sys.stdout.isatty():
        return None
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (OSError, ValueError):
        return None


def _json(document: object) -> str:
    text = json.dumps(document, ensure_ascii=False, indent=2)
    # A stream that cannot take a character would spell it in a way no JSON reader knows.
    if not _encodable(text):
        text = json.dumps(document, ensure_ascii=True, indent=2)
    return _escape_c1(text)


def _yaml(document: object) -> str:
    import yaml  # lazy: only -y needs it

    # Through JSON, for YAML represents no enum and no tuple; and it has no word for bytes that are no text.
    letters = re.sub("[\ud800-\udfff]", _spelled_surrogate, json.dumps(document, ensure_ascii=False))
    plain = json.loads(letters)
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(plain, Dumper=dumper, sort_keys=False, allow_unicode=True)
    if not _encodable(text):
        text = yaml.dump(plain, Dumper=dumper, sort_keys=False, allow_unicode=False)
    return text


def _spelled_surrogate(match: re.Match[str]) -> str:
    return f"\\\\u{ord(match.group()):04x}"


def _encodable(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _escape_c1(text: str) -> str:
    """JSON leaves DEL and the C1 controls as they are; terminals obey them. They occur in strings only."""
    return re.sub("[\x7f-\x9f]", lambda match: f"\\u{ord(match.group()):04x}", text)


def _body_lines(body: Body, key_width: int) -> list[str]:
    if isinstance(body, Table):
        return tables.lines(tables.choose(body.columns, ()), body.rows, layout=Layout(terminal_width()))
    if isinstance(body, str):
        return printable(body, keep_newlines=True).rstrip("\n").split("\n")
    return [f"{printable(key):<{key_width}}: {printable(value)}".rstrip(" ") for key, value in body]


def _heading(title: str) -> str:
    text = printable(title)
    return click.style(text.ljust(_TITLE_WIDTH), bold=True, underline=True) if sys.stdout.isatty() else text
