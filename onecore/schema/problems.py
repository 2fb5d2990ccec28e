"""How a problem in a document is worded: one line each, values cut and made safe to print."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from onecore.errors import InvalidInput

MAX_REPORTED = 20
MAX_SHOWN = 80

_PLAIN_KEY = re.compile(r"[\w-]+")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; `path` is already in words, empty for the whole document."""

    message: str
    line: int | None = None
    path: str = ""


def refusal(name: str, problems: Iterable[Problem]) -> InvalidInput:
    """The error to raise: every problem once, in the order of the lines, at most 20 of them."""
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0)
    kept, more = ordered[:MAX_REPORTED], len(ordered) - MAX_REPORTED
    return InvalidInput(
        "\n".join(_one_line(name, problem) for problem in kept),
        hint=f"there are {more} more problems in {printable(name)}" if more > 0 else "",
        context={
            "errors": [
                {"file": name, "line": problem.line, "path": problem.path, "message": problem.message}
                for problem in kept
            ]
        },
    )


def path_text(path: Sequence[str | int]) -> str:
    """`hosts[0].provision.count`; a key which is not a plain word is put in brackets and quotes."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{cut(part)}" if text else cut(part)
        else:
            text += f"[{shown(part)}]"
    return text


def shown(value: object) -> str:
    """A scalar as a person wrote it: text in quotes, the rest as in JSON."""
    if isinstance(value, str):
        return f"'{printable(cut(value))}'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "this mapping"
    if isinstance(value, list):
        return "this list"
    return "null" if value is None else printable(cut(_repr(value)))


def cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def printable(text: str) -> str:
    """Control, direction and other invisible characters as escapes: a message must not steer a terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def _repr(value: object) -> str:
    # Python refuses to write out an integer of thousands of digits.
    if isinstance(value, int) and value.bit_length() > 1000:
        return "this number"
    return repr(value)


def _one_line(name: str, problem: Problem) -> str:
    place = printable(name) if problem.line is None else f"{printable(name)}:{problem.line}"
    return ": ".join(part for part in (place, problem.path, problem.message) if part)
