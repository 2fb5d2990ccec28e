"""Lists: the options that all of them have, those of OpenNebula's lists, and how they are printed."""

import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import click

from onecore.cli import layout, tables
from onecore.cli.layout import Layout
from onecore.cli.numbers import FiniteRange
from onecore.cli.output import (
    OutputFormat,
    emit,
    json_option,
    one_format,
    terminal_width,
    write,
    write_lines,
    yaml_option,
)
from onecore.cli.tables import Align, Column, Filter, Row
from onecore.clock import SystemClock

__all__ = [
    "Align",
    "Column",
    "TableOptions",
    "again_and_again",
    "describe",
    "table",
    "table_options",
    "top_options",
]

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class TableOptions:
    """What `table_options` read from the command line. `any_filter`: one that holds is enough."""

    fmt: OutputFormat = OutputFormat.TEXT
    columns: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    any_filter: bool = False
    header: bool = True
    describe: bool = False
    delimiter: str = ","
    layout: Layout = field(default_factory=Layout)


def table_options(command: Command) -> Command:
    """Adds the options of lists; the command gets them as `options: TableOptions`."""

    @functools.wraps(command)
    def with_options(*args: Any, **kwargs: Any) -> Any:
        given = {name: kwargs.pop(name) for name in _NAMES}
        return command(*args, options=_options(**given), **kwargs)

    for option in reversed(_OPTIONS):
        with_options = option(with_options)
    return with_options  # type: ignore[return-value]  # click reads parameters, not the signature


def table(
    columns: Sequence[Column[Row]],
    rows: Callable[[], Sequence[Row]],
    options: TableOptions,
    document: Callable[[Sequence[Row]], object] | None = None,
) -> None:
    """Prints the rows that pass the filters. `document` makes of them what JSON and YAML print; without it
    they print a list of objects with the shown cells. With --describe nothing is asked for rows."""
    if options.describe:
        describe(columns, options)
        return
    for name in options.layout.names:
        tables.named(columns, name)
    kept = tables.keep(columns, rows(), options.filters, options.any_filter)
    shown = tables.choose(columns, options.columns)
    if options.fmt is OutputFormat.TEXT:
        fitted = replace(options.layout, width=terminal_width())
        write_lines(tables.lines(shown, kept, header=options.header, layout=fitted))
    elif options.fmt is OutputFormat.CSV:
        names = [[column.header for column in shown]] if options.header else []
        write(_csv(names + tables.cells(shown, kept), options.delimiter))
    elif document is not None:
        emit(document(kept), options.fmt)
    else:
        emit([{column.header: column.value(row) for column in shown} for row in kept], options.fmt)


def describe(columns: Sequence[Column[Row]], options: TableOptions) -> None:
    """Prints what each column holds."""
    if options.fmt in (OutputFormat.TEXT, OutputFormat.CSV):
        write_lines(tables.described(columns))
    else:
        emit({column.header: column.about for column in columns}, options.fmt)


def top_options(command: Command) -> Command:
    """Adds --delay and --iterations."""
    delay = click.option(
        "-d", "--delay", type=FiniteRange(0.1, 3600), default=4.0, metavar="S", help="Seconds in between."
    )
    rounds = click.option(
        "-n", "--iterations", type=click.IntRange(1), metavar="N", help="End after N rounds."
    )
    return delay(rounds(command))


def again_and_again(show: Callable[[], None], delay: float, rounds: int | None, fmt: OutputFormat) -> None:
    """Shows it, on a terminal in the place of what was shown before."""
    clock, done = SystemClock(), 0
    while rounds is None or done < rounds:
        if done:
            clock.sleep(delay)
        if sys.stdout.isatty() and fmt is OutputFormat.TEXT:
            click.clear()
        show()
        done += 1


def _options(
    *, names: str, conditions: tuple[str, ...], operator: str, no_header: bool, describe: bool, **given: Any
) -> TableOptions:
    as_csv = given["as_csv"] or given["delimiter"] is not None
    expand = given["expand"]
    return TableOptions(
        fmt=one_format(
            {
                OutputFormat.JSON: given["as_json"],
                OutputFormat.YAML: given["as_yaml"],
                OutputFormat.CSV: as_csv,
            }
        ),
        columns=tuple(name for name in names.split(",") if name.strip()),
        filters=tables.parse_filters(conditions),
        any_filter=operator == "OR",
        header=not no_header,
        describe=describe,
        delimiter=given["delimiter"] or ",",
        layout=Layout(
            sizes=layout.sizes_of(given["sizes"]),
            adjusted=frozenset(layout.names_of(given["adjust"])),
            expand=None if expand is None or given["no_expand"] else layout.parts_of(expand),
        ),
    )


def _delimiter(ctx: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    written = {"\\t": "\t"}.get(text or "", text)
    if written is not None and (len(written) != 1 or written in '"\r\n' or not written.isascii()):
        raise click.BadParameter(f"{text!r} is not one character; a tab is written \\t")
    return written


def _csv(grid: list[list[str]], delimiter: str) -> str:
    import csv  # lazy: only --csv needs it
    import io

    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(grid)
    return out.getvalue()


_NAMES = (
    *("as_json", "as_yaml", "as_csv", "delimiter", "names", "conditions", "operator", "no_header"),
    *("sizes", "adjust", "expand", "no_expand", "describe"),
)
_OPTIONS = (
    json_option,
    yaml_option,
    click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values."),
    click.option(
        "--csv-del",
        "delimiter",
        metavar="CHAR",
        callback=_delimiter,
        help="Print values that are separated by CHAR; a tab is \\t.",
    ),
    click.option(
        "-l", "--list", "names", metavar="COLUMNS", default="", help="Columns, in this order, as in ID,NAME."
    ),
    click.option(
        "-f",
        "--filter",
        "conditions",
        metavar="CONDITION",
        multiple=True,
        help="Rows, as in NAME=web, STATE!=RUNNING, NAME~shop (contains) or HOSTS>=3 (also <, >, <=); may"
        " be repeated.",
    ),
    click.option(
        "--operator",
        type=click.Choice(["AND", "OR"], case_sensitive=False),
        metavar="AND|OR",
        default="AND",
        help="Whether all filters must hold, or one is enough.",
    ),
    click.option("--no-header", is_flag=True, help="Leave out the line of column names."),
    click.option(
        "-s", "--size", "sizes", metavar="COL=N", default="", help="Cut columns to N characters, or widen."
    ),
    click.option("--adjust", metavar="COLUMNS", default="", help="Never cut these columns."),
    click.option(
        "--expand",
        metavar="[COL=PART]",
        is_flag=False,
        flag_value="",
        default=None,
        help="Widen all columns to fill the terminal, or some: NAME, or NAME=0.4,GROUP=0.6.",
    ),
    click.option("--no-expand", is_flag=True, help="Do not, whatever --expand says."),
    click.option("--describe", is_flag=True, help="Say what each column holds, and which more there are."),
    click.option("--no-pager", is_flag=True, expose_value=False, hidden=True),  # OpenNebula's; we have none
)
