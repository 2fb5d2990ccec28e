"""Whatever happens inside a command, a person reads a sentence and a script gets a code."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest

from onecore.cli import edge
from onecore.errors import DriverFailed, InvalidInput, NotFound, TimedOut, WrongState
from onecore.log import Redactor

ROOT = Path(__file__).parents[3]
PROGRAM = [sys.executable, "-m", "tests.onecore.cli.edge_program"]


def run(tmp_path, *argv, outcome=None, **options):
    """Runs `one act`, which does what `outcome` says."""

    @click.command()
    @click.option("-j", "--json", is_flag=True)
    @click.option("--count", type=int)
    @click.argument("words", nargs=-1)
    def act(json, count, words):
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    group = click.Group("one", {"act": act})
    return edge.run(group, argv, "one", crash_file=lambda: tmp_path / "logs" / "crash.txt", **options)


@pytest.mark.parametrize(
    ("outcome", "code"), [(None, 0), (0, 0), (7, 7), (True, 0), ("text", 0), (click.exceptions.Exit(4), 4)]
)
def test_command_that_ends_well_gives_its_own_code_or_zero(tmp_path, capfd, outcome, code):
    assert run(tmp_path, "act", outcome=outcome) == code
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (NotFound("provision 9 not found"), 3, "ERROR: provision 9 not found\n"),
        (WrongState("busy", hint="wait"), 5, "ERROR: busy\n  hint: wait\n"),
        (TimedOut("no answer"), 124, "ERROR: no answer\n"),
        (DriverFailed("two\nlines\x1b[2J"), 1, "ERROR: two\nlines\\x1b[2J\n"),
        (DriverFailed("login with password=hunter2"), 1, "ERROR: login with password=*****\n"),
        (KeyboardInterrupt(), 130, "\nERROR: interrupted\n"),
        (click.exceptions.Abort(), 130, "ERROR: interrupted\n"),
        (SystemExit("told to stop"), 1, "ERROR: told to stop\n"),
        (SystemExit(6), 6, ""),
    ],
)
def test_expected_failure_is_one_sentence_and_its_exit_code(tmp_path, capfd, error, code, text):
    assert run(tmp_path, "act", outcome=error) == code
    assert capfd.readouterr() == ("", text)
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("option", ["-j", "--json"])
def test_failure_with_json_is_an_object_on_stderr(tmp_path, capfd, option):
    error = InvalidInput("é is bad", hint="fix é", context={"path": Path("/x"), "token": "abcd"})
    assert run(tmp_path, "act", option, outcome=error) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert json.loads(err) == {
        "error": {
            "message": "é is bad",
            "hint": "fix é",
            "exit_code": 2,
            "context": {"path": "/x", "token": "*****"},
        }
    }


def test_json_after_a_double_dash_is_an_argument(tmp_path, capfd):
    assert run(tmp_path, "act", "--", "-j", outcome=NotFound("gone")) == 3
    assert capfd.readouterr().err == "ERROR: gone\n"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["act", "--nope"], "no such option"),
        (["act", "--count", "x"], "'x' is not a valid integer"),
        (["nope"], "no such command"),
    ],
)
def test_usage_error_names_the_help_to_read(tmp_path, capfd, argv, message):
    assert run(tmp_path, *argv) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("ERROR: ")
    assert message in err.lower()
    assert f"hint: see '{' '.join(['one', *argv[:1]] if argv[0] == 'act' else ['one'])} --help'\n" in err


def test_usage_error_with_json_is_an_object_too(tmp_path, capfd):
    assert run(tmp_path, "act", "--json", "--nope") == 2
    assert json.loads(capfd.readouterr().err)["error"]["exit_code"] == 2


def test_without_a_command_the_help_is_shown(tmp_path, capfd):
    code = run(tmp_path)
    assert code in {0, 2}  # click before 8.2 takes it for a question
    assert "Usage: one" in "".join(capfd.readouterr())


def test_help_is_no_failure(tmp_path, capfd):
    assert run(tmp_path, "act", "--help") == 0
    assert "Usage: one act" in capfd.readouterr().out


def test_bug_is_one_line_and_a_private_report(tmp_path, capfd):
    argv = ["act", "user-password=hunter2", "word"]
    assert (
        run(tmp_path, *argv, outcome=RuntimeError("half-secret gone"), redactor=Redactor(["half-secret"]))
        == 1
    )
    report = tmp_path / "logs" / "crash.txt"
    assert capfd.readouterr().err == (
        f"ERROR: unexpected RuntimeError: ***** gone\n  hint: this is a bug; the report is in {report}\n"
    )
    text = report.read_text()
    assert "Traceback (most recent call last)" in text
    assert '"word"' in text
    assert "hunter2" not in text
    assert "half-secret" not in text
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_debug_shows_the_traceback(tmp_path, capfd):
    assert run(tmp_path, "act", outcome=RuntimeError("boom"), debug=True) == 1
    err = capfd.readouterr().err
    assert err.startswith("Traceback (most recent call last)")
    assert "ERROR: unexpected RuntimeError: boom\n" in err


def test_debug_leaves_json_readable(tmp_path, capfd):
    assert run(tmp_path, "act", "-j", outcome=RuntimeError("boom"), debug=True) == 1
    assert json.loads(capfd.readouterr().err)["error"]["context"]["report"].endswith("crash.txt")


def test_report_that_cannot_be_written_does_not_hide_the_bug(tmp_path, capfd):
    (tmp_path / "logs").write_text("in the way")
    assert run(tmp_path, "act", outcome=RuntimeError("boom")) == 1
    err = capfd.readouterr().err
    assert "unexpected RuntimeError: boom (no report: " in err
    assert "ONE_DEBUG=1" in err


def test_broken_pipe_to_somebody_else_is_not_taken_for_a_reader_who_left(tmp_path, capfd):
    assert run(tmp_path, "act", outcome=BrokenPipeError(32, "Broken pipe")) == 1
    assert "unexpected BrokenPipeError" in capfd.readouterr().err


def start(tmp_path, what, **options):
    return subprocess.Popen([*PROGRAM, str(tmp_path), what], cwd=ROOT, stderr=subprocess.PIPE, **options)


@pytest.mark.parametrize("what", ["many", "echo", "late"])
def test_reader_who_leaves_ends_the_command_quietly(tmp_path, what):
    reader, writer = os.pipe()
    with start(tmp_path, what, stdout=writer) as child:
        os.close(writer)
        os.close(reader)
        _, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (0, b"")


@pytest.mark.parametrize("what", ["many", "echo", "late"])
def test_output_to_a_full_disk_is_an_error(tmp_path, what):
    with Path("/dev/full").open("w") as full, start(tmp_path, what, stdout=full) as child:
        _, err = child.communicate(timeout=30)
    assert child.returncode == 1
    assert err.startswith(
        b"ERROR: the output could not be written" if what == "many" else b"ERROR: there is no space"
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize(("what", "code"), [("letters", 0), ("fail", 3)])
def test_no_letter_is_an_error_in_any_locale(tmp_path, encoding, what, code):
    env = os.environ | {"PYTHONIOENCODING": f"{encoding}:strict"}
    with start(tmp_path, what, stdout=subprocess.PIPE, env=env) as child:
        out, err = child.communicate(timeout=30)
    assert child.returncode == code
    assert "\\u65e5" in (out + err).decode(encoding)
    assert b"Traceback" not in err


def test_closed_streams_do_not_lend_their_numbers_to_files(tmp_path):
    shell = ["/bin/sh", "-c", '"$0" "$@" <&- >&- 2>&-', *PROGRAM, str(tmp_path), "file"]
    assert subprocess.run(shell, cwd=ROOT, timeout=30).returncode == 0
    assert (tmp_path / "file").read_text() == "data"


def test_interrupt_from_the_terminal_is_130(tmp_path):
    with start(tmp_path, "wait", stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert err.endswith(b"ERROR: interrupted\n")


def test_shell_completion_passes_through_the_edge(tmp_path):
    env = os.environ | {"_ONE_COMPLETE": "bash_complete", "COMP_WORDS": "one la", "COMP_CWORD": "1"}
    with start(tmp_path, "", stdout=subprocess.PIPE, env=env) as child:
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (0, b"plain,late\n", b"")
