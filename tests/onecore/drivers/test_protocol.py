"""Arguments, environment and failures of driver calls."""

import signal
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.drivers import protocol
from onecore.errors import InvalidInput
from onecore.process import Ended, Outcome

EXE = Path("/r/pm/aws/x")


def an_outcome(
    stderr: str = "", stdout: str = "", ended: Ended = Ended.EXITED, code: int | None = 1
) -> Outcome:
    return Outcome(ended, code, stdout.encode(), stderr.encode(), 12.0, "No such file or directory")


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (protocol.deploy(EXE, Path("/f.xml"), "h", 7), ("/f.xml", "h", "7", "h")),
        (protocol.act(EXE, "i-1", "h", 7), ("i-1", "h", "7", "h")),
        (protocol.shutdown(EXE, "i-1", "h", 7), ("i-1", "h", "SHUTDOWN_POWEROFF", "7", "h")),
        (protocol.shutdown(EXE, "i-1", "h", 7, "SHUTDOWN"), ("i-1", "h", "SHUTDOWN", "7", "h")),
        (protocol.snapshot(EXE, "i-1", "h", 7, "before"), ("i-1", "h", "before", "7", "h")),
        (protocol.ask(EXE), ()),
        (protocol.allocate_ip(EXE, "tag"), ("tag",)),
        (protocol.release_ip(EXE, "ip-1", "tag"), ("ip-1", "tag")),
        (protocol.assign_ip(EXE, "ip-1", "i-1"), ("ip-1", "i-1")),
    ],
)
def test_arguments_are_in_the_order_of_the_protocol(argv: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert argv == (str(EXE), *expected)


@pytest.mark.parametrize("bad", ["", "-rf", "--all", "a\nb", "a\rb", "a\0b"])
def test_an_argument_that_could_be_taken_for_something_else_is_refused(bad: str) -> None:
    for build in (
        lambda: protocol.deploy(EXE, Path("/f"), bad, 1),
        lambda: protocol.act(EXE, bad, "h", 1),
        lambda: protocol.act(EXE, "i-1", bad, 1),
        lambda: protocol.shutdown(EXE, "i-1", "h", 1, bad),
        lambda: protocol.snapshot(EXE, "i-1", "h", 1, bad),
        lambda: protocol.allocate_ip(EXE, bad),
        lambda: protocol.release_ip(EXE, "ip-1", bad),
        lambda: protocol.assign_ip(EXE, "ip-1", bad),
    ):
        with pytest.raises(InvalidInput):
            build()


def test_environment_is_five_names_and_the_secrets() -> None:
    env = protocol.environment(Path("/one"), {"CLOUD_TOKEN": "t"}, "/usr/bin:/bin", "/home/u")
    assert env == {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": "/home/u",
        "LANG": "C.UTF-8",
        "ONE_HOME": "/one",
        "CLOUD_TOKEN": "t",
    }


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "ONE_HOME", "LD_PRELOAD", "BASH_ENV", "A=B", "", "1A", "A\n"]
)
def test_a_secret_cannot_take_the_place_of_what_steers_a_program(name: str) -> None:
    with pytest.raises(InvalidInput):
        protocol.environment(Path("/one"), {name: "v"}, "/bin")


def test_deployment_file_is_for_our_eyes_only_and_replaces_what_was_there(tmp_path: Path) -> None:
    file, other = tmp_path / "d.xml", tmp_path / "other"
    other.write_text("kept")
    file.symlink_to(other)
    protocol.write_deployment(file, "<HOST>a longer one</HOST>")
    protocol.write_deployment(file, "<HOST/>\u00e9")
    assert file.read_text("utf-8") == "<HOST/>\u00e9"
    assert file.stat().st_mode & 0o777 == 0o600
    assert other.read_text() == "kept"


MARKED = "noise\nERROR MESSAGE --8<------\n{}\nERROR MESSAGE ------>8--\nmore noise\n"


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (an_outcome(MARKED.format("quota reached")), "quota reached"),
        (an_outcome(MARKED.format("  first \n\n second  ")), "first; second"),
        (an_outcome(MARKED.format("")), "noise; more noise"),
        (an_outcome("ERROR MESSAGE --8<------\ncut short"), "cut short"),
        (an_outcome("1\n2\n3\n4\n5\n6\n7\n"), "3; 4; 5; 6; 7"),
        (an_outcome("", "told on stdout\n"), "told on stdout"),
        (an_outcome("\n \n", MARKED.format("marked on stdout")), "marked on stdout"),
        (an_outcome("plain", MARKED.format("marked on stdout")), "marked on stdout"),
        (an_outcome(code=3), "exit status 3"),
        (an_outcome("\x1b[31mred\x07"), "\\x1b[31mred\\x07"),
        (an_outcome(ended=Ended.SIGNALLED, code=-signal.SIGSEGV), "killed by signal 11 (SIGSEGV)"),
        (an_outcome("dying", ended=Ended.SIGNALLED, code=-9), "killed by signal 9 (SIGKILL): dying"),
        (an_outcome(ended=Ended.TIMED_OUT, code=-15), "timed out after 12 s"),
        (an_outcome("waiting for boot", ended=Ended.TIMED_OUT), "timed out after 12 s: waiting for boot"),
        (an_outcome("x", ended=Ended.OUTPUT_LIMIT), "printed more than a driver may and was stopped"),
        (an_outcome(ended=Ended.NOT_STARTED, code=None), "could not be started: No such file or directory"),
    ],
)
def test_failure_says_who_failed_at_what_and_why(outcome: Outcome, text: str) -> None:
    failed = protocol.failure("aws", "deploy", "web1", outcome)
    assert failed.message == f"aws deploy of web1: {text}"
    assert failed.retryable is (outcome.ended is Ended.TIMED_OUT)


def test_failure_of_a_call_without_a_host_names_driver_and_action() -> None:
    assert protocol.failure("aws", "list", "", an_outcome("no")).message == "aws list: no"


def test_failure_text_has_an_end() -> None:
    assert len(protocol.failure("aws", "poll", "h", an_outcome("x" * 100_000)).message) < 2100


def test_secrets_are_masked_in_a_failure_also_where_one_line_of_them_is_shown() -> None:
    key = "-----BEGIN KEY-----\nAAAABBBB\n-----END KEY-----"
    outcome = an_outcome("curl -H 'Bearer t0ken-1' failed\nbad key AAAABBBB")
    message = protocol.failure("aws", "poll", "h", outcome, ["t0ken-1", key]).message
    assert message == "aws poll of h: curl -H 'Bearer *****' failed; bad key *****"


@settings(deadline=None)
@given(st.binary(), st.binary(), st.sampled_from(Ended), st.integers(-64, 255) | st.none())
def test_every_outcome_makes_one_printable_line(
    out: bytes, err: bytes, ended: Ended, code: int | None
) -> None:
    message = protocol.failure("aws", "poll", "h", Outcome(ended, code, out, err, 1.0)).message
    assert message.isprintable()
