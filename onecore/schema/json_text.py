"""Reads JSON text into nodes; json.JSONDecodeError where the text is not JSON at all."""

import re
from bisect import bisect_left
from json import JSONDecodeError, JSONDecoder

from onecore.schema.nodes import Limits, Node, Scalar, list_node, mapping_node, number_problem
from onecore.schema.problems import shown

_SPACE = re.compile(r"[ \t\r\n]*")
_WORDS = {
    "Expecting value": "a value is missing or misspelled",
    "Unterminated string starting at": "a string is not closed",
    "Invalid control character at": "a string holds a line break or control character; write it as an escape",
    "Invalid \\escape": "unknown escape in a string",
    "Invalid \\uXXXX escape": "unknown escape in a string",
}


def parse_json(text: str, name: str) -> Node:
    """The whole text as one value. The standard decoder knows no lines, so it reads the scalars only."""
    return _Reader(text, name).document()


class _Unusable(ValueError):
    """Valid JSON, or what Python takes for it, that we refuse."""


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._at = 0
        self._limits = Limits(name)
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._scalars = JSONDecoder(parse_int=_integer, parse_float=_number, parse_constant=_constant)

    def document(self) -> Node:
        node = self._value(0)
        if self._peek():
            raise self._error("there is more text after the end of the document")
        return node

    def _value(self, depth: int) -> Node:
        char, line = self._peek(), self._line()
        self._limits.spend(1, line)
        if char not in ("{", "["):
            return self._scalar(line)
        self._limits.check_depth(depth + 1, line)
        self._at += 1
        return self._object(depth + 1, line) if char == "{" else self._array(depth + 1, line)

    def _array(self, depth: int, line: int) -> Node:
        items: list[Node] = []
        if self._peek() != "]":
            items.append(self._value(depth))
            while self._comma("]"):
                items.append(self._value(depth))
        self._at += 1
        return list_node(items, line)

    def _object(self, depth: int, line: int) -> Node:
        entries: dict[str, Node] = {}
        first_lines: dict[str, int] = {}
        if self._peek() != "}":
            self._entry(depth, entries, first_lines)
            while self._comma("}"):
                self._entry(depth, entries, first_lines)
        self._at += 1
        return mapping_node(entries, line)

    def _entry(self, depth: int, entries: dict[str, Node], first_lines: dict[str, int]) -> None:
        if self._peek() != '"':
            raise self._error('a key in double quotes is missing (and no "," may follow the last entry)')
        line = self._line()
        self._limits.spend(1, line)
        key = self._scalar(line).value
        assert isinstance(key, str)  # noqa: S101 - it began with a quote
        if key in first_lines:
            message = f"key {shown(key)} is given twice, first in line {first_lines[key]}"
            raise self._limits.refuse(message, line)
        first_lines[key] = line
        if self._peek() != ":":
            raise self._error("a ':' is missing after the key")
        self._at += 1
        entries[key] = self._value(depth)

    def _comma(self, closing: str) -> bool:
        char = self._peek()
        if char == ",":
            self._at += 1
            return True
        if char == closing:
            return False
        raise self._error(f"a ',' or '{closing}' is missing")

    def _scalar(self, line: int) -> Node:
        begin = self._at
        try:
            value: Scalar
            value, self._at = self._scalars.raw_decode(self._text, begin)
        except _Unusable as exc:
            raise self._limits.refuse(str(exc), line) from exc
        except JSONDecodeError as exc:
            raise JSONDecodeError(_WORDS.get(exc.msg, exc.msg.lower()), self._text, exc.pos) from exc
        source = self._text[begin : self._at]
        if not isinstance(value, str):
            return Node(value, line, source=source)
        # Half of a surrogate pair is legal JSON, and can never be written to a file or a terminal.
        if "\\u" in source and any("\ud800" <= char <= "\udfff" for char in value):
            raise self._limits.refuse(f"{shown(value)} holds half of a surrogate pair", line)
        return Node(value, line)

    def _peek(self) -> str:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _line(self) -> int:
        return bisect_left(self._breaks, self._at) + 1

    def _error(self, message: str) -> JSONDecodeError:
        return JSONDecodeError(message, self._text, self._at)


def _integer(text: str) -> int:
    # Looked at before it is converted: Python refuses thousands of digits with an error of its own.
    value = int(text) if len(text) < 100 else 10**100
    return int(_usable(value))


def _number(text: str) -> float:
    return _usable(float(text))


def _constant(text: str) -> float:
    return _usable(float(text))


def _usable(value: int | float) -> int | float:
    problem = number_problem(value)
    if problem:
        raise _Unusable(problem)
    return value
