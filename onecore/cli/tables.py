"""Plain tables in the manner of OpenNebula: rows in, lines of text out; pure."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from onecore.cli.text import cut, display_width, printable
from onecore.errors import InvalidInput

Row = TypeVar("Row")

# A comma parts two conditions only where another condition follows: values may hold commas.
_BETWEEN_FILTERS = re.compile(r",(?=[A-Za-z_ ]+[!<>]?=)")
_FILTER = re.compile(r"([^=!<>]+)([!<>]?=)(.*)", re.DOTALL)


class Align(StrEnum):
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True)
class Column(Generic[Row]):
    """`width` is the least width; `shown` is whether it is there without `--list`."""

    name: str
    width: int | None
    align: Align
    value: Callable[[Row], str]
    shown: bool = True

    @property
    def header(self) -> str:
        return self.name.upper()


@dataclass(frozen=True)
class Filter:
    """A condition on what a cell shows: `=`, `!=`, and `<=` or `>=` between numbers."""

    column: str
    value: str
    operator: str = "="

    def admits(self, cell: str) -> bool:
        if self.operator in ("<=", ">="):
            return _in_order(cell, self.value) if self.operator == "<=" else _in_order(self.value, cell)
        return (cell == self.value) != (self.operator == "!=")


def _in_order(smaller: str, larger: str) -> bool:
    """Whether both are numbers, the one not above the other."""
    try:
        return float(smaller) <= float(larger)
    except ValueError:
        return False


def parse_filters(texts: Iterable[str]) -> tuple[Filter, ...]:
    """Every text is one or more comma-separated conditions; all of them must hold."""
    return tuple(_parse_filter(piece) for text in texts for piece in _BETWEEN_FILTERS.split(text))


def choose(columns: Sequence[Column[Row]], names: Sequence[str]) -> list[Column[Row]]:
    """The columns of those names in that order; without names, those shown by default."""
    if not names:
        return [column for column in columns if column.shown]
    return [_column(columns, name) for name in names]


def keep(columns: Sequence[Column[Row]], rows: Iterable[Row], filters: Sequence[Filter]) -> list[Row]:
    """The rows that every filter admits."""
    tests = [(wanted, _column(columns, wanted.column)) for wanted in filters]
    return [row for row in rows if all(wanted.admits(column.value(row)) for wanted, column in tests)]


def cells(columns: Sequence[Column[Row]], rows: Iterable[Row]) -> list[list[str]]:
    """What is printed: every cell on one line and free of control characters."""
    return [[printable(column.value(row)) for column in columns] for row in rows]


def lines(
    columns: Sequence[Column[Row]], rows: Iterable[Row], *, header: bool = True, width: int | None = None
) -> list[str]:
    """One line a row, columns as wide as their widest cell; cut to `width` terminal cells if given."""
    grid = cells(columns, rows)
    if header:
        grid.insert(0, [column.header for column in columns])
    widths = [
        max([column.width or 0, *(display_width(line[place]) for line in grid)])
        for place, column in enumerate(columns)
    ]
    aligns = [column.align for column in columns]
    printed = (_line(line, widths, aligns) for line in grid)
    return [line if width is None else cut(line, width) for line in printed]


def _line(line: Sequence[str], widths: Sequence[int], aligns: Sequence[Align]) -> str:
    padded = []
    for cell, width, align in zip(line, widths, aligns, strict=True):
        blank = " " * (width - display_width(cell))
        padded.append(blank + cell if align is Align.RIGHT else cell + blank)
    return " ".join(padded).rstrip(" ")


def _column(columns: Sequence[Column[Row]], name: str) -> Column[Row]:
    wanted = name.strip().upper()
    for column in columns:
        if column.header == wanted:
            return column
    known = ", ".join(column.header for column in columns)
    raise InvalidInput(f"there is no column {name.strip()!r}", hint=f"columns: {known}")


def _parse_filter(text: str) -> Filter:
    match = _FILTER.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"filter {text!r} is not a condition", hint="write it as in NAME=web, STATE!=RUNNING or HOSTS>=3"
        )
    column, operator, value = match.groups()
    return Filter(column.strip(), value, operator)
