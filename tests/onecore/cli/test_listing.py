"""The options of lists: conditions, widths, separators, and what columns hold."""

import click
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.cli.layout import Layout, parts_of, sizes_of
from onecore.cli.listing import table, table_options
from onecore.cli.tables import Align, Column, Filter, lines, parse_filters
from onecore.errors import InvalidInput

Row = tuple[str, str, str]
COLUMNS = [
    Column[Row]("ID", 4, Align.RIGHT, lambda row: row[0], about="its number"),
    Column[Row]("NAME", 4, Align.LEFT, lambda row: row[1], about="its name"),
    Column[Row]("TIME", 10, Align.LEFT, lambda row: row[2], shown=False, about="when it was made"),
]
ROWS = [("2", "shop, front", "2026-01-05"), ("10", "shop-back", "2026-02-01"), ("-", "web", "2026-02-03")]


def run(*argv, rows=lambda: ROWS):
    @click.command()
    @table_options
    def command(options):
        table(COLUMNS, rows, options)

    return CliRunner().invoke(command, argv)


def ids(*argv):
    result = run("--no-header", "-l", "id", *argv)
    assert result.exit_code == 0, result.exception
    return result.output.split()


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("ID=10", ["10"]),
        ("ID!=10", ["2", "-"]),
        ("ID<10", ["2"]),
        ("ID<=10", ["2", "10"]),
        ("ID>2", ["10"]),
        ("ID>=2", ["2", "10"]),
        ("NAME~shop", ["2", "10"]),
        ("NAME~shop, f", ["2"]),
        ("NAME~shop,ID>2", ["10"]),
        ("NAME<t", ["2", "10"]),
        ("TIME>2026-01-31", ["10", "-"]),
        ("TIME<=2026-02-01,NAME!=web", ["2", "10"]),
        ("NAME=", []),
    ],
)
def test_conditions_compare_as_those_of_opennebula_but_numbers_as_numbers(condition, kept):
    assert ids("-f", condition) == kept


@pytest.mark.parametrize(
    ("operator", "kept"), [("AND", []), ("OR", ["2", "-"]), ("or", ["2", "-"]), ("And", [])]
)
def test_all_conditions_have_to_hold_or_one_is_enough(operator, kept):
    assert ids("-f", "NAME=web", "-f", "ID=2", "--operator", operator) == kept


def test_without_conditions_everything_is_kept_whatever_the_operator():
    assert ids("--operator", "OR") == ["2", "10", "-"]


def test_csv_is_separated_as_asked_and_quoted_where_it_has_to_be():
    assert run("--csv-del", ";", "-f", "ID=2").output == "ID;NAME\n2;shop, front\n"
    assert run("--csv", "--csv-del", " ", "-f", "ID=2").output == 'ID NAME\n2 "shop, front"\n'
    assert run("--csv-del", "\\t", "--no-header", "-f", "ID=10").output == "10\tshop-back\n"


@pytest.mark.parametrize("separator", ["", "::", '"', "\n", "é"])
def test_what_cannot_separate_is_a_usage_error(separator):
    result = run("--csv-del", separator)
    assert result.exit_code == 2
    assert "is not one character" in result.output


def test_describe_names_every_column_and_asks_for_no_rows():
    def nothing():
        raise AssertionError("rows are not needed")

    assert run("--describe", rows=nothing).output == (
        "ID                  : its number\n"
        "NAME                : its name\n"
        "TIME                : when it was made (shown with --list)\n"
    )


def test_sizes_cut_and_widen_but_not_what_is_adjusted():
    assert run("-s", "NAME=6,ID=1", "-f", "ID=10").output == "I NAME\n1 shop-b\n"
    assert run("--size", "name=6", "--adjust", "name", "-f", "ID=10").output == "  ID NAME\n  10 shop-back\n"
    assert run("--size", "ID=6", "-f", "ID=10").output == "    ID NAME\n    10 shop-back\n"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--size", "NAME"], "the size of column NAME is '' and not a number from 1 to 10000"),
        (["--size", "NAME=0"], "the size of column NAME is '0' and not a number from 1 to 10000"),
        (["--size", "NOPE=3"], "there is no column 'NOPE'"),
        (["--adjust", "nope"], "there is no column 'NOPE'"),
        (["--expand", "NAME=2"], "the part of column NAME is '2' and not a number from 0 to 1"),
        (["--expand", "NAME=nan"], "the part of column NAME is 'nan' and not a number from 0 to 1"),
        (["--expand", "NOPE"], "there is no column 'NOPE'"),
    ],
)
def test_widths_that_make_no_sense_are_refused_by_name(argv, message):
    error = run(*argv).exception
    assert isinstance(error, InvalidInput)
    assert error.message == message


def test_a_server_where_a_size_belongs_is_told_where_to_stand():
    error = run("-s", "http://127.0.0.1:2474").exception
    assert isinstance(error, InvalidInput)
    assert "-s is for a server only before the command" in error.hint


@pytest.mark.parametrize(
    ("expand", "widths"),
    [
        ("", [4 + 3, 9 + 6]),  # of the 10 that are left, in proportion to 4 and 9
        ("NAME", [4, 19]),
        ("ID=0.4,NAME=0.6", [8, 15]),
        ("ID=0.4,NAME", [8, 15]),
        ("ID=1", [14, 9]),
    ],
)
def test_what_is_left_of_the_terminal_is_shared_as_asked(expand, widths):
    layout = Layout(width=24, expand=parts_of(expand))
    assert layout.widths(["ID", "NAME"], [4, 9]) == widths


def test_without_a_terminal_nothing_is_expanded():
    assert Layout(expand={}).widths(["ID"], [4]) == [4]
    assert run("--expand").output == run("--expand", "--no-expand").output == run().output


@given(
    st.lists(st.text(max_size=15), min_size=1, max_size=4),
    st.integers(1, 60),
    st.dictionaries(st.sampled_from(["ID", "NAME"]), st.none() | st.floats(0, 1), max_size=2),
)
@settings(deadline=None)
def test_no_expansion_makes_a_table_wider_than_the_terminal(names, width, expand):
    shown = lines(COLUMNS[:2], [("1", name, "") for name in names], layout=Layout(width, expand=expand))
    assert all(len(line.encode("ascii", "replace")) <= width for line in shown)


def test_conditions_are_parted_only_where_another_begins():
    assert parse_filters(["NAME=a, b,STATE~x,ID>3"]) == (
        Filter("NAME", "a, b"),
        Filter("STATE", "x", "~"),
        Filter("ID", "3", ">"),
    )


def test_sizes_are_read_by_column():
    assert sizes_of("name=20, id=3") == {"NAME": 20, "ID": 3}
