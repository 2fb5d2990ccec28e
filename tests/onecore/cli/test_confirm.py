"""Nothing is destroyed without a yes."""

import click
import pytest
from click.testing import CliRunner

from onecore.cli.confirm import confirm
from onecore.errors import InvalidInput


@click.command("deprovision")
@click.option("--yes", is_flag=True)
@click.option("--tty", is_flag=True)
def deprovision(yes, tty):
    click.echo(confirm("deprovision provision 3 ('\x1bweb')?", yes, stdin_is_tty=tty))


@pytest.mark.parametrize("tty", [[], ["--tty"]])
def test_yes_option_needs_no_question(tty):
    result = CliRunner().invoke(deprovision, ["--yes", *tty])
    assert (result.stdout, result.stderr) == ("True\n", "")


@pytest.mark.parametrize(("answer", "agreed"), [("y\n", "True"), ("n\n", "False"), ("\n", "False")])
def test_answer_at_the_terminal_decides_and_no_is_the_default(answer, agreed):
    result = CliRunner().invoke(deprovision, ["--tty"], input=answer)
    assert result.stdout.split()[-1] == agreed
    assert "deprovision provision 3 ('\\x1bweb')? [y/N]" in result.stderr


def test_without_terminal_and_without_yes_the_command_is_refused():
    error = CliRunner().invoke(deprovision, []).exception
    assert isinstance(error, InvalidInput)
    assert error.message == "deprovision needs --yes when nobody can be asked"


def test_outside_a_command_the_refusal_still_makes_sense():
    with pytest.raises(InvalidInput, match="this command needs --yes"):
        confirm("sure?", yes=False, stdin_is_tty=False)
