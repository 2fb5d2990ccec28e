"""Plain tables in the manner of OpenNebula: rows in, lines of text out; pure."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from onecore.cli.layout import Layout
from onecore.cli.text import cut, display_width, printable
from onecore.errors import InvalidInput

Row = TypeVar("Row")

_PLAIN = Layout()

# A comma parts two conditions only where another condition follows: values may hold commas.
_BETWEEN_FILTERS = re.compile(r",(?=[A-Za-z_ ]+(?:[!<>]?=|[<>~]))")
_FILTER = re.compile(r"([^=!<>~]+)([!<>]?=|[<>~])(.*)", re.DOTALL)


class Align(StrEnum):
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True)
class Column(Generic[Row]):
    """`width` is the least width; `shown` is whether it is there without `--list`; `about` is what
    `--describe` says of it."""

    name: str
    width: int | None
    align: Align
    value: Callable[[Row], str]
    shown: bool = True
    about: str = ""

    @property
    def header(self) -> str:
        return self.name.upper()


@dataclass(frozen=True)
class Filter:
    """A condition on what a cell shows. `~` is for a text inside it; what is larger goes by number where the
    value is one, and then a cell that is none never fits; else by the letters."""

    column: str
    value: str
    operator: str = "="

    def admits(self, cell: str) -> bool:
        if self.operator in ("=", "!="):
            return (cell == self.value) != (self.operator == "!=")
        if self.operator == "~":
            return self.value in cell
        order = _order(cell, self.value)
        return order is not None and order in _ORDERS[self.operator]


# Below, equal or above.
_ORDERS = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}


def _order(cell: str, value: str) -> int | None:
    try:
        limit = float(value)
    except ValueError:
        return (cell > value) - (cell < value)
    try:
        number = float(cell)
    except ValueError:
        return None
    return (number > limit) - (number < limit)


def parse_filters(texts: Iterable[str]) -> tuple[Filter, ...]:
    """Every text is one or more comma-separated conditions."""
    return tuple(_parse_filter(piece) for text in texts for piece in _BETWEEN_FILTERS.split(text))


def choose(columns: Sequence[Column[Row]], names: Sequence[str]) -> list[Column[Row]]:
    """The columns of those names in that order; without names, those shown by default."""
    if not names:
        return [column for column in columns if column.shown]
    return [named(columns, name) for name in names]


def keep(
    columns: Sequence[Column[Row]], rows: Iterable[Row], filters: Sequence[Filter], any_of_them: bool = False
) -> list[Row]:
    """The rows that every filter admits, or any of them; without filters, all rows."""
    if not filters:
        return list(rows)
    tests = [(wanted, named(columns, wanted.column)) for wanted in filters]
    enough = any if any_of_them else all
    return [row for row in rows if enough(wanted.admits(column.value(row)) for wanted, column in tests)]


def cells(columns: Sequence[Column[Row]], rows: Iterable[Row]) -> list[list[str]]:
    """What is printed: every cell on one line and free of control characters."""
    return [[printable(column.value(row)) for column in columns] for row in rows]


def lines(
    columns: Sequence[Column[Row]], rows: Iterable[Row], *, header: bool = True, layout: Layout = _PLAIN
) -> list[str]:
    """One line a row; columns as wide as their widest cell, if the layout says nothing else."""
    grid = cells(columns, rows)
    if header:
        grid.insert(0, [column.header for column in columns])
    content = [
        max([column.width or 0, *(display_width(line[place]) for line in grid)])
        for place, column in enumerate(columns)
    ]
    widths = layout.widths([column.header for column in columns], content)
    aligns = [column.align for column in columns]
    printed = (_line(line, widths, aligns) for line in grid)
    return [line if layout.width is None else cut(line, layout.width) for line in printed]


def described(columns: Sequence[Column[Row]]) -> list[str]:
    """A line for each column: its name and what it holds, in the manner of OpenNebula's --describe."""
    width = max([20, *(len(column.header) for column in columns)])
    return [f"{column.header:<{width}}: {_about(column)}" for column in columns]


def named(columns: Sequence[Column[Row]], name: str) -> Column[Row]:
    """The column of that name, in any case. Raises InvalidInput that lists those there are."""
    wanted = name.strip().upper()
    for column in columns:
        if column.header == wanted:
            return column
    known = ", ".join(column.header for column in columns)
    raise InvalidInput(f"there is no column {name.strip()!r}", hint=f"columns: {known}")


def _line(line: Sequence[str], widths: Sequence[int], aligns: Sequence[Align]) -> str:
    padded = []
    for cell, width, align in zip(line, widths, aligns, strict=True):
        text = cut(cell, width)
        blank = " " * (width - display_width(text))
        padded.append(blank + text if align is Align.RIGHT else text + blank)
    return " ".join(padded).rstrip(" ")


def _about(column: Column[Row]) -> str:
    about = column.about or "as its source says it"
    return about if column.shown else f"{about} (shown with --list)"


def _parse_filter(text: str) -> Filter:
    match = _FILTER.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"filter {text!r} is not a condition",
            hint="write it as in NAME=web, STATE!=RUNNING, NAME~shop or HOSTS>=3",
        )
    column, operator, value = match.groups()
    return Filter(column.strip(), value, operator)
