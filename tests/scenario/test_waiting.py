"""Who waits may stop, watch from elsewhere, or ask another process to stop; what was begun stays recorded."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence

import pytest

from tests.scenario.command import DEADLINE_S, ROOT, Home, Running, until

pytestmark = pytest.mark.scenario


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_records_what_runs_and_says_how_to_carry_on(counting: Home, number: signal.Signals):
    running = creating(counting)
    running.signal(number)
    running.says("stopping: the driver calls that run are recorded first")
    counting.hold()
    answer = running.end(130)
    assert "stopped waiting for provision 0 (APPLYING); what was begun is recorded" in answer.err
    assert "oneprovision retry 0;" in answer.err
    assert "oneprovision logs 0 --follow" in answer.err
    # Those that ran have ended, are recorded, and no other was begun.
    assert (counting.count("deploy"), len(counting.machines())) == (2, 2)
    recorded = [host["resource_id"] for host in counting.show()["pending"]]
    assert sum(each is not None for each in recorded) == 2
    counting.run("retry", 0)
    assert (counting.state(), counting.count("deploy")) == ("RUNNING", 4)


def test_the_second_signal_stops_at_once_and_retry_finishes(counting: Home):
    running = creating(counting)
    running.signal()
    running.says("stopping")
    running.signal()
    answer = running.end(130)
    assert "at once" in answer.err
    assert "oneprovision retry 0;" in answer.err
    assert counting.count("deploy") == 2
    counting.hold()
    counting.run("retry", 0)
    assert (counting.state(), counting.count("deploy")) == ("RUNNING", 4)
    assert set(counting.machines()) == counting.wanted()


def test_a_signal_while_hosts_are_waited_for_stops_too(deaf: Home):
    running = deaf.start("create", deaf.folder / "old.yaml")
    running.says("ssh:")
    running.signal()
    assert "provision 0 (CONFIGURING_PROVISION)" in running.end(130).err
    assert deaf.state() == "CONFIGURING_PROVISION"


def test_a_signal_while_a_driver_of_a_crash_is_waited_for_stops_too(counting: Home):
    creating(counting).kill()
    running = counting.start("retry", 0)
    running.says("waiting for a deploy that outlived")
    running.signal()
    assert "oneprovision retry 0;" in running.end(130).err
    counting.hold()
    counting.run("retry", 0)
    assert (counting.state(), counting.count("deploy")) == ("RUNNING", 4)


def test_a_signal_ends_what_only_reads(home: Home):
    home.create(hosts=1)
    running = home.start("top", "--delay", "60", "--csv")
    until(lambda: "dummy-cluster" in running.out.read_text(), "the first round")
    running.signal()
    assert "stopping" not in running.end(130).err


def test_logs_follow_sees_the_end_and_exits(counting: Home):
    running = creating(counting)
    follower = counting.start("logs", 0, "--follow")
    until(lambda: "New state: APPLYING" in follower.out.read_text(), "the log so far")
    assert not follower.is_over
    counting.hold()
    running.end()
    log = follower.end().out
    assert "New state: RUNNING" in log.splitlines()[-1]
    assert log == counting.run("logs", 0).out


def test_logs_follow_in_json_is_a_document_a_line(home: Home):
    home.create(hosts=1)
    lines = [json.loads(line) for line in home.run("logs", 0, "--follow", "-j").out.splitlines()]
    assert lines == home.run("logs", 0, "-j").json["lines"]


def test_a_second_command_is_told_who_is_at_work(counting: Home):
    running = creating(counting)
    refused = counting.run("add-host", 0, code=5)
    assert f"process {running.process.pid}" in refused.err
    assert "oneprovision logs 0 --follow" in refused.err
    counting.hold()
    running.end()


def test_cancel_by_a_second_process_stops_a_create(counting: Home):
    running = creating(counting)
    told = counting.run("cancel", 0)
    assert f"asked process {running.process.pid} to stop (create)" in told.out
    counting.hold()
    assert "cancelled while APPLYING" in running.end(1).err
    assert (counting.state(), counting.count("deploy")) == ("APPLYING_FAILURE", 2)
    counting.run("retry", 0)
    assert (counting.state(), counting.count("deploy")) == ("RUNNING", 4)


def test_cancel_stops_a_wait_for_hosts(deaf: Home):
    running = deaf.start("create", deaf.folder / "old.yaml")
    running.says("ssh:")
    deaf.run("cancel", 0)
    running.end(1)
    assert deaf.state() == "CONFIGURING_PROVISION_FAILURE"


def test_a_second_cancel_takes_a_failed_scale_back(counting: Home):
    counting.create(hosts=1)
    before = counting.machines()
    counting.hold("deploy")
    running = counting.start("add-host", 0, "--amount", 3, "--threads", 2)
    until(lambda: counting.count("deploy") == 3, "two more deploys")
    counting.run("cancel", 0)
    counting.hold()
    running.end(1)
    assert counting.state() == "SCALING_FAILURE"
    assert "runs as before" in counting.run("cancel", 0).out
    assert (counting.state(), counting.machines(), counting.host_ids()) == ("RUNNING", before, [0])
    assert counting.show()["pending"] == []


def test_cancel_of_what_a_crash_left_makes_it_a_failure(counting: Home):
    running = creating(counting)
    running.kill()
    counting.hold()
    assert counting.state() == "APPLYING"
    counting.run("cancel", 0)
    assert counting.state() == "APPLYING_FAILURE"
    counting.run("deprovision", 0, "--yes")
    assert counting.machines() == {}


def test_cancel_of_what_runs_is_refused(home: Home):
    home.create(hosts=1)
    home.run("cancel", 0, code=5)


def test_top_prints_as_many_rounds_as_asked(home: Home):
    home.create(hosts=1)
    rows = home.run("top", "-n", 2, "--delay", "0.1", "--csv", "--no-header", "-l", "NAME,STATE").out
    assert rows == "dummy-cluster,RUNNING\n" * 2


def test_progress_on_a_pipe_is_plain_lines(home: Home):
    err = home.create(hosts=2).err
    assert "\x1b" not in err
    assert all(line[2] == line[5] == ":" for line in err.splitlines()), err
    assert "provision 0 dummy-cluster-1: ready: the provider says it runs" in err


def test_progress_on_a_terminal_is_a_table_with_each_host(home: Home):
    code, shown = on_a_terminal(home, home.creation("defaults.provision.latency=0.2"))
    assert code == 0
    assert "\x1b[" in shown
    for host in ("dummy-cluster-0", "dummy-cluster-1", "dummy-cluster-2"):
        assert host in shown
    assert "plan: add host dummy-cluster-0" in shown
    assert "3/3" in shown


def test_deprovision_asks_on_a_terminal(home: Home):
    home.create(hosts=1)
    code, shown = on_a_terminal(home, ("deprovision", "0"), typed=b"n\n")
    assert (code, len(home.machines())) == (130, 1)
    assert "remove everything of provision 0" in shown
    code, _ = on_a_terminal(home, ("deprovision", "0"), typed=b"y\n")
    assert (code, home.machines()) == (0, {})


def test_ctrl_c_at_the_question_ends_it(home: Home):
    home.create(hosts=1)
    code, _ = on_a_terminal(home, ("deprovision", "0"), typed=b"\x03")
    assert (code, len(home.machines()), home.state()) == (130, 1, "RUNNING")


def creating(home: Home) -> Running:
    """A create of four hosts; the deploys of the first two wait."""
    home.hold("deploy")
    running = home.start(*home.creation(hosts=4), "--threads", "2")
    until(lambda: home.count("deploy") == 2, "two deploys have started")
    return running


def on_a_terminal(home: Home, argv: Sequence[str], typed: bytes = b"") -> tuple[int, str]:
    """Run on a pseudo-terminal of 30 lines, typing `typed` at the first question."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
    command = (sys.executable, "-m", "oneprovision", *argv)
    process = subprocess.Popen(
        # The first terminal that the leader of a session opens controls it: so Ctrl-C becomes a signal.
        ["/bin/sh", "-c", ': <>"$0"; exec "$@"', os.ttyname(slave), *command],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**home.environment, "TERM": "xterm"},
        cwd=ROOT,
        start_new_session=True,
    )
    os.close(slave)
    try:
        shown = _dialogue(master, typed)
        return process.wait(DEADLINE_S), shown.decode()
    finally:
        os.close(master)
        process.kill()
        process.wait()


def _dialogue(master: int, typed: bytes) -> bytes:
    """All that is shown until the other side is closed."""
    shown, deadline = b"", time.monotonic() + DEADLINE_S
    while True:
        assert time.monotonic() < deadline, shown
        if select.select([master], [], [], 2)[0]:
            try:
                shown += os.read(master, 65536)
            except OSError:
                return shown
        elif typed and b"]: " in shown:
            # Only once all is silent: a signal is lost on who is just about to listen.
            os.write(master, typed)
