"""Progress: the same events as plain lines or as a live table."""

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from onecore.cli.progress import (
    Board,
    LiveProgress,
    PlainProgress,
    plain_line,
    progress_for,
)
from onecore.notice import Notice

ROOT = Path(__file__).parents[3]
AT = 1_763_728_201.0  # 12:30:01 UTC


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Gone(io.StringIO):
    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")


def an_event(text="APPLYING", after=0.0, **fields):
    return Notice(AT + after, "provision 0", text, **fields)


def shown(terminal):
    """What was drawn, without the escape sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (an_event(), "12:30:01 provision 0: APPLYING"),
        (an_event("running", label="host-1", step="deploy"), "12:30:01 provision 0 host-1: deploy: running"),
        (an_event("quota reached", level="E"), "12:30:01 provision 0: ERROR: quota reached"),
        (an_event("again\r\n\x1b[2J", after=3601), "13:30:02 provision 0: again\\r\\n\\x1b[2J"),
    ],
)
def test_event_is_one_plain_line(event, line):
    assert plain_line(event) == line


def test_stream_that_is_no_terminal_gets_a_line_an_event():
    stream = io.StringIO()
    with progress_for(stream) as progress:
        progress.show(an_event("PENDING"))
        progress.show(an_event("APPLYING", after=1))
    assert stream.getvalue() == "12:30:01 provision 0: PENDING\n12:30:02 provision 0: APPLYING\n"


def test_reader_who_leaves_does_not_stop_the_work():
    with PlainProgress(Gone()) as progress:
        progress.show(an_event())
        progress.show(an_event())


def test_terminal_shows_a_header_and_a_row_per_host():
    terminal = Terminal()
    progress = progress_for(terminal)
    assert isinstance(progress, LiveProgress)
    with progress:
        progress.show(an_event("APPLYING"))
        progress.show(an_event("running", label="host-1", step="deploy", after=1))
        progress.show(an_event("[bold]ready", label="host-2", step="poll", after=2))
        progress.show(an_event("ready", label="host-1", done=True, after=9))
        progress.show(an_event("RUNNING", after=9.01))
    final = shown(terminal).rsplit("provision 0: RUNNING", 1)[1].split("\n")
    assert final[0].split() == ["1/2"]
    assert final[1].split() == ["NAME", "STEP", "STATE", "SECONDS"]
    assert final[2].split() == ["host-1", "deploy", "ready", "8"]
    assert final[3].split() == ["host-2", "poll", "[bold]ready", "0"]


def test_terminal_keeps_warnings_above_the_table_and_escapes_them():
    terminal = Terminal()
    with LiveProgress(terminal) as progress:
        progress.show(an_event("slow [link]\x07", label="host-1", level="W"))
    assert "12:30:01 provision 0 host-1: WARNING: slow [link]\\x07\n" in shown(terminal)


def test_burst_of_events_is_drawn_once_and_the_last_one_at_the_end():
    terminal = Terminal()
    with LiveProgress(terminal) as progress:
        for number in range(50):
            progress.show(an_event(f"number-{number}", label="host-1", after=number / 1000))
    assert shown(terminal).count("number-") == 2
    assert "number-49" in shown(terminal)


def test_terminal_is_left_in_order_after_an_error():
    terminal = Terminal()
    with pytest.raises(RuntimeError), LiveProgress(terminal) as progress:
        progress.show(an_event())
        raise RuntimeError("boom")
    assert terminal.getvalue().rstrip("\n").endswith("\x1b[?25h")  # the cursor is shown again


def test_live_progress_without_events_shows_nothing():
    terminal = Terminal()
    with LiveProgress(terminal):
        pass
    assert shown(terminal).strip() == ""


def test_finished_rows_give_way_when_there_is_no_room():
    board = Board()
    for number in range(6):
        board.add(an_event("x", label=f"host-{number}", done=number < 3))
    lines, left_out = board.shown(room=4)
    assert [line.name for line in lines] == ["host-3", "host-4", "host-5"]
    assert left_out == 3
    assert board.header() == "provision 0:   3/6"


def test_time_of_a_finished_row_stands_still():
    board = Board()
    board.add(an_event("x", label="host-1"))
    board.add(an_event("ready", label="host-1", after=5, done=True))
    board.add(an_event("checked", label="host-1", after=60, done=True))
    assert board.lines["host-1"].until - board.lines["host-1"].since == 5


REAL = """
import sys
from onecore.cli.progress import progress_for
from onecore.notice import Notice
with progress_for(sys.stderr) as progress:
    progress.show(Notice(1.0, "provision 0", "APPLYING"))
    progress.show(Notice(2.0, "provision 0", "running", label="host-1", step="deploy"))
print("rich" in sys.modules)
"""


def test_rich_is_loaded_at_a_real_terminal_only():
    piped = subprocess.run([sys.executable, "-c", REAL], cwd=ROOT, capture_output=True, text=True, check=True)
    assert piped.stdout == "False\n"
    assert piped.stderr.splitlines()[-1] == "00:00:02 provision 0 host-1: deploy: running"

    controller, terminal = pty.openpty()
    env = os.environ | {"TERM": "xterm"}
    live = subprocess.run(
        [sys.executable, "-c", REAL], cwd=ROOT, stdout=subprocess.PIPE, stderr=terminal, check=True, env=env
    )
    os.close(terminal)
    drawn = os.read(controller, 100_000).decode()
    os.close(controller)
    assert live.stdout == b"True\n"
    assert "host-1" in drawn
    assert "\x1b[" in drawn
