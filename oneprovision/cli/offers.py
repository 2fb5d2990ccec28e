"""`provider locations|plans|images|prices`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from onecore.cli.listing import TableOptions, table, table_options
from onecore.cli.session import Session, pass_session
from onecore.cli.tables import Align, Column

Offer = Mapping[str, Any]

_EXAMPLES = {
    "locations": "oneprovision provider locations vultr -f COUNTRY=NL",
    "plans": "oneprovision provider plans linode -f 'MEMORY_MB>=4096' --sort PRICE_PER_MONTH",
    "images": "oneprovision provider images digitalocean -f DISTRIBUTION=Debian -j",
    "prices": "oneprovision provider prices ams -f 'PRICE_PER_MONTH<=10' --sort -PRICE_PER_MONTH",
}


def _command(action: str, what: str) -> click.Command:
    @click.command(
        action,
        help=f"List {what}. NAME is a provider (id or name), or a driver with keys in the environment.\n\n"
        "What the provider answers is kept for a day.\n\n"
        f"\b\n{_EXAMPLES[action]}\noneprovision provider {action} ams --refresh",
    )
    @click.argument("name")
    @click.option("--sort", metavar="COLUMN", help="By this column; -COLUMN for the largest first.")
    @click.option("--refresh", is_flag=True, help="Ask the provider, also when its answer is known.")
    @table_options
    @pass_session
    def command(
        session: Session, /, name: str, sort: str | None, refresh: bool, options: TableOptions
    ) -> None:
        from oneprovision.usecases import offers

        found = offers.offers(session.deps(), name, action, refresh)
        columns = columns_of(found.rows)
        rows = ordered(found.rows, columns, sort) if sort else list(found.rows)
        table(columns, lambda: rows, options, list)

    return command


locations = _command("locations", "the places where machines can be")
plans = _command("plans", "the sizes that machines can have, with prices")
images = _command("images", "the systems that machines can start with")
prices = _command("prices", "what each plan costs")


def columns_of(rows: Sequence[Offer]) -> list[Column[Offer]]:
    """A column for everything that is said of an offer. Lists are not shown unless asked for, nor is a name
    that only repeats the id."""
    keys = dict.fromkeys(("id", "name", *(key for row in rows for key in row)))
    return [_column(key, rows) for key in keys]


def ordered(rows: Sequence[Offer], columns: Sequence[Column[Offer]], sort: str) -> list[Offer]:
    """Numbers by their value, anything else by what is shown; what is not said comes last."""
    from onecore.cli.tables import choose

    name = sort.removeprefix("-")
    (column,) = choose(columns, [name])
    known = [row for row in rows if column.value(row) != "-"]
    unknown = [row for row in rows if column.value(row) == "-"]
    return [*sorted(known, key=_weight(column), reverse=sort.startswith("-")), *unknown]


def _weight(column: Column[Offer]) -> Callable[[Offer], tuple[int, float, str]]:
    def weight(row: Offer) -> tuple[int, float, str]:
        cell = column.value(row)
        try:
            return 0, float(cell), cell
        except ValueError:
            return 1, 0.0, cell.lower()

    return weight


def _column(key: str, rows: Sequence[Offer]) -> Column[Offer]:
    values = [row[key] for row in rows if key in row]
    numbers = bool(values) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    long = any(isinstance(value, list | dict) for value in values)
    repeats = key == "name" and all(row["name"] == row["id"] for row in rows)
    return Column(
        key,
        len(key),
        Align.RIGHT if numbers else Align.LEFT,
        lambda row: _cell(row.get(key)),
        shown=not (long or repeats),
    )


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)
