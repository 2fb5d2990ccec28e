"""Help and TAB come from the table; a command is imported when it is run."""

import sys

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from onecore.cli.lazy import Entry, LazyGroup

COMMANDS = """
import click

@click.command()
@click.option("--force", is_flag=True)
@click.argument("name", default="none")
def remove_ip(force, name):
    click.echo(f"removed {name} {click.get_current_context().command_path}")

not_a_command = 3
"""


@pytest.fixture
def group(tmp_path, monkeypatch):
    (tmp_path / "lazy_commands.py").write_text(COMMANDS)
    monkeypatch.syspath_prepend(tmp_path)
    yield LazyGroup(
        "one",
        table={
            "show": Entry("lazy_commands", "missing", "Show one."),
            "remove-ip": ("lazy_commands", "remove_ip", "Give an address back."),
            "broken": ("lazy_commands", "not_a_command", "Not really a command."),
        },
        aliases={"del-ip": "remove-ip"},
    )
    sys.modules.pop("lazy_commands", None)


def invoke(group, *argv):
    return CliRunner().invoke(group, argv, prog_name="one")


def completions(group, *words):
    *before, incomplete = words
    return ShellComplete(group, {}, "one", "_ONE_COMPLETE").get_completions(list(before), incomplete)


def test_help_lists_the_table_in_its_order_and_imports_nothing(group):
    result = invoke(group, "--help")
    assert result.exit_code == 0
    listed = result.output.split("Commands:\n")[1].splitlines()
    assert [line.split(maxsplit=1) for line in listed] == [
        ["show", "Show one."],
        ["remove-ip", "Give an address back."],
        ["broken", "Not really a command."],
    ]
    assert "lazy_commands" not in sys.modules


def test_completion_offers_names_with_help_and_imports_nothing(group):
    items = completions(group, "")
    assert [(item.value, item.help) for item in items] == [
        ("show", "Show one."),
        ("remove-ip", "Give an address back."),
        ("broken", "Not really a command."),
    ]
    assert [item.value for item in completions(group, "re")] == ["remove-ip"]
    assert [item.value for item in completions(group, "--h")] == ["--help"]
    assert "lazy_commands" not in sys.modules


@pytest.mark.parametrize("name", ["remove-ip", "del-ip"])
def test_options_of_a_command_are_completed_under_either_name(group, name):
    assert [item.value for item in completions(group, name, "--f")] == ["--force"]


@pytest.mark.parametrize("name", ["remove-ip", "del-ip"])
def test_alias_runs_the_command_under_its_proper_name(group, name):
    assert invoke(group, name, "7").output == "removed 7 one remove-ip\n"


def test_command_added_by_hand_stands_beside_the_table(group):
    group.add_command(click.Command("zap", callback=lambda: click.echo("zapped"), short_help="Zap."))
    assert "zap        Zap." in invoke(group, "--help").output
    assert invoke(group, "zap").output == "zapped\n"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("shwo", "no such command 'shwo'; did you mean 'show'?"),
        ("del-pi", "no such command 'del-pi'; did you mean 'del-ip'?"),
        ("xyzzy", "no such command 'xyzzy'\n"),
    ],
)
def test_unknown_command_is_a_usage_error_with_the_closest_name(group, typed, message):
    result = invoke(group, typed)
    assert result.exit_code == 2
    assert message in result.output


def test_unknown_option_is_told_as_such(group):
    result = invoke(group, "--nope")
    assert result.exit_code == 2
    assert "--nope" in result.output


def test_entry_that_is_no_command_is_a_bug(group):
    assert isinstance(invoke(group, "broken").exception, TypeError)
