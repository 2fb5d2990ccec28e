"""What commands print: tables, sections and documents."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.cli.layout import Layout
from onecore.cli.listing import table, table_options
from onecore.cli.output import OutputFormat, Table, emit, format_options, sections
from onecore.cli.tables import Align, Column, lines
from onecore.cli.text import cut, display_width, printable
from onecore.errors import InvalidInput

ROOT = Path(__file__).parents[3]


class State(StrEnum):
    RUNNING = "RUNNING"


@dataclass(frozen=True)
class Item:
    id: int
    name: str
    state: str = "RUNNING"


COLUMNS = [
    Column[Item]("id", 4, Align.RIGHT, lambda item: str(item.id)),
    Column[Item]("Name", None, Align.LEFT, lambda item: item.name),
    Column[Item]("State", None, Align.LEFT, lambda item: item.state),
    Column[Item]("Upper", None, Align.LEFT, lambda item: item.name.upper(), shown=False),
]
ITEMS = [Item(0, "web"), Item(12, "a longer name", "PENDING"), Item(3, "x,y z")]


def run_list(*argv, items=ITEMS, document=None):
    @click.command()
    @table_options
    def command(options):
        table(COLUMNS, lambda: items, options, document)

    return CliRunner().invoke(command, argv)


def run_emit(document, *argv):
    @click.command()
    @format_options
    def command(fmt):
        emit(document, fmt)

    return CliRunner().invoke(command, argv)


def printed(parts):
    @click.command()
    def command():
        sections(parts)

    return CliRunner().invoke(command, [], catch_exceptions=False).output


def test_table_is_aligned_and_the_last_column_is_not_padded():
    assert run_list().output == (
        "  ID NAME          STATE\n"
        "   0 web           RUNNING\n"
        "  12 a longer name PENDING\n"
        "   3 x,y z         RUNNING\n"
    )


@pytest.mark.parametrize(
    ("argv", "output"),
    [
        (["--no-header", "-l", "name"], "web\na longer name\nx,y z\n"),
        (["-l", "STATE,id", "-f", "NAME=web"], "STATE     ID\nRUNNING    0\n"),
        (["--list", "upper", "-f", "id!=0", "-f", "state=RUNNING"], "UPPER\nX,Y Z\n"),
        (["-l", "id", "-f", "state=RUNNING,name!=web"], "  ID\n   3\n"),
        (["-l", "id", "-f", "name=x,y z"], "  ID\n   3\n"),
        (["-l", "id", "--filter", "upper=WEB"], "  ID\n   0\n"),
        (["-l", "name", "-f", "name=nobody"], "NAME\n"),
        (["--csv", "-l", "id,name"], 'ID,NAME\n0,web\n12,a longer name\n3,"x,y z"\n'),
        (["--csv", "-l", "id", "--no-header"], "0\n12\n3\n"),
    ],
)
def test_list_options_choose_columns_rows_and_header(argv, output):
    assert run_list(*argv).output == output


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["-l", "nope"], "there is no column 'nope'"),
        (["-f", "nope=1"], "there is no column 'nope'"),
        (["-f", "web"], "filter 'web' is not a condition"),
        (["-f", "=x"], "filter '=x' is not a condition"),
    ],
)
def test_unknown_column_or_odd_filter_is_refused(argv, message):
    error = run_list(*argv).exception
    assert isinstance(error, InvalidInput)
    assert error.message == message


@pytest.mark.parametrize("argv", [["-j", "-y"], ["--csv", "--json"]])
def test_two_formats_at_once_are_a_usage_error(argv):
    result = run_list(*argv)
    assert result.exit_code == 2
    assert "choose one of" in result.output


def test_json_of_a_list_is_the_document_of_the_rows_that_pass():
    result = run_list("-j", "-f", "id=12", document=lambda rows: {"POOL": [row.id for row in rows]})
    assert json.loads(result.output) == {"POOL": [12]}


def test_json_of_a_list_without_document_is_its_cells():
    result = run_list("--json", "-l", "id,name", "-f", "id=0")
    assert json.loads(result.output) == [{"ID": "0", "NAME": "web"}]


def test_no_cell_can_steer_the_terminal_or_break_a_row():
    items = [Item(1, "a\x1b[2Jb\nc\x9bd\u202ee\u2028f")]
    expected = "a\\x1b[2Jb\\nc\\x9bd\\u202ee\\u2028f"
    assert run_list("--no-header", "-l", "name", items=items).output == f"{expected}\n"
    assert run_list("--no-header", "-l", "name", "--csv", items=items).output == f"{expected}\n"


def test_wide_characters_take_two_cells():
    output = run_list("--no-header", "-l", "name,state", items=[Item(1, "日本"), Item(2, "abcde")]).output
    assert output == "日本  RUNNING\nabcde RUNNING\n"


@given(st.lists(st.text(max_size=20), max_size=5), st.integers(1, 40))
@settings(deadline=None)
def test_table_is_one_line_a_row_and_never_wider_than_the_terminal(names, width):
    out = lines(COLUMNS, [Item(1, name, name) for name in names], layout=Layout(width))
    assert len(out) == len(names) + 1
    assert all(display_width(line) <= width and "\n" not in line for line in out)


@given(st.text())
@settings(deadline=None)
def test_printable_text_holds_no_control_character(text):
    assert not any(ord(char) < 32 or 0x7F <= ord(char) <= 0x9F for char in printable(text))


@given(st.text(max_size=30), st.integers(0, 40))
@settings(deadline=None)
def test_cut_is_a_beginning_that_fits(text, width):
    assert text.startswith(cut(text, width))
    assert display_width(cut(text, width)) <= width


def test_sections_look_like_opennebula():
    history = Table(COLUMNS[:2], [Item(0, "web"), Item(1, "db")])
    output = printed(
        [
            ("PROVISION 0 INFORMATION", [("ID", "0"), ("NAME", "web\x07"), ("DESCRIPTION", "")]),
            ("HOSTS", history),
            ("USER TEMPLATE", '{\n  "a": 1\n}\n'),
        ]
    )
    assert output == (
        "PROVISION 0 INFORMATION\n"
        "ID                  : 0\n"
        "NAME                : web\\x07\n"
        "DESCRIPTION         :\n"
        "\n"
        "HOSTS\n"
        "  ID NAME\n"
        "   0 web\n"
        "   1 db\n"
        "\n"
        "USER TEMPLATE\n"
        '{\n  "a": 1\n}\n'
    )


def test_a_long_key_moves_the_values_of_every_section():
    output = printed([("A", [("K", "1")]), ("B", [("A KEY LONGER THAN TWENTY", "2")])])
    assert {line.index(":") for line in output.splitlines() if ":" in line} == {24}


def test_json_is_indented_and_keeps_letters():
    assert run_emit({"name": "élise", "state": State.RUNNING}, "-j").output == (
        '{\n  "name": "élise",\n  "state": "RUNNING"\n}\n'
    )


def test_json_spells_terminal_controls_and_stays_the_same_document():
    document = {"a": "\x1b\x7f\x9b"}
    output = run_emit(document, "-j").output
    assert json.loads(output) == document
    assert not any(char in output for char in "\x1b\x7f\x9b")


def test_yaml_keeps_order_and_takes_enums_and_tuples():
    output = run_emit({"z": State.RUNNING, "a": ("é", None)}, "-y").output
    assert output == "z: RUNNING\na:\n- é\n- null\n"
    assert yaml.safe_load(output) == {"z": "RUNNING", "a": ["é", None]}


@pytest.mark.parametrize(
    ("document", "output"), [("two\nlines\x1b", "two\nlines\\x1b\n"), ({"a": 1}, '{\n  "a": 1\n}\n')]
)
def test_text_is_printed_as_it_is_and_other_documents_as_json(document, output):
    assert run_emit(document).output == output


@pytest.mark.parametrize("fmt", ["json", "yaml"])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_document_can_be_read_back_whatever_the_locale(fmt, encoding):
    document = {"name": "日本 é \udc80"}
    code = f"from onecore.cli.output import *; emit({document!a}, OutputFormat({fmt!r}))"
    env = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, env=env)
    if fmt == "json":
        assert json.loads(done.stdout.decode(encoding)) == document
    else:
        assert "日本 é" in yaml.safe_load(done.stdout.decode(encoding))["name"]


TABLE_OF_ONE = """
from onecore.cli.listing import *
from onecore.cli.output import sections
from onecore.cli.tables import Align, Column
columns = [Column("NAME", None, Align.LEFT, str)]
table(columns, lambda: ["x" * 100], TableOptions())
sections([("TITLE", [("K", "v")])])
"""


def test_table_is_cut_to_the_width_of_a_terminal_only():
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 30, 0, 0))
    subprocess.run([sys.executable, "-c", TABLE_OF_ONE], cwd=ROOT, stdout=terminal, check=True)
    os.close(terminal)
    shown = os.read(controller, 10_000).decode().replace("\r", "").split("\n")
    os.close(controller)
    assert shown[:2] == ["NAME", "x" * 30]
    assert shown[2].startswith("\x1b[1m\x1b[4mTITLE ")

    piped = subprocess.run(
        [sys.executable, "-c", TABLE_OF_ONE], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert piped.stdout.splitlines()[1:3] == ["x" * 100, "TITLE"]


def test_format_reaches_the_command():
    @click.command()
    @format_options
    @click.argument("name")
    def command(name, fmt):
        click.echo(f"{name} {fmt is OutputFormat.YAML}")

    assert CliRunner().invoke(command, ["web", "--yaml"]).output == "web True\n"
