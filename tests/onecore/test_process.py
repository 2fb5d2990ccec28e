"""Programs are started, bounded, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onecore.alive import bearers, is_held, kill_bearers, kill_holders
from onecore.process import MIB, Command, Ended, Outcome, Runner, run
from onecore.standard_files import emptied

ENV = {"PATH": "/usr/bin:/bin"}


def sh(script: str, **options) -> Command:
    return Command(("/bin/sh", "-c", script), ENV, **options)


def eventually(true, within_s: float = 5.0) -> bool:
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            return False
        os.sched_yield()
    return True


def test_output_error_and_status_come_back():
    outcome = run(sh("cat; echo bad >&2; exit 3", stdin=b"in"))
    assert (outcome.stdout, outcome.stderr, outcome.returncode, outcome.ended) == (
        b"in",
        b"bad\n",
        3,
        Ended.EXITED,
    )


def test_an_input_larger_than_a_pipe_arrives_whole():
    assert run(sh("wc -c", stdin=b"x" * 300_000)).stdout.strip() == b"300000"


def test_a_program_that_hangs_is_ended_at_its_deadline_with_its_children():
    outcome = run(sh("sleep 60 & sleep 60", timeout_s=0.2))
    assert outcome.ended is Ended.TIMED_OUT
    assert outcome.duration_s < 2


def test_a_program_deaf_to_sigterm_is_killed():
    outcome = run(sh("trap '' TERM; while :; do sleep 0.1; done", timeout_s=0.2))
    assert outcome.ended is Ended.TIMED_OUT
    assert outcome.returncode == -9


def test_a_program_that_is_asked_to_stop_gets_its_signal_and_its_grace():
    runner: Runner[str] = Runner()
    runner.start(
        "p", sh("trap 'exit 7' INT; echo up; while :; do sleep 0.01; done", stop_signal=signal.SIGINT)
    )
    assert runner.wait(0.3) == []
    runner.stop("p")
    runner.stop("p")
    [(_, outcome)] = runner.wait(5)
    assert (outcome.ended, outcome.returncode) == (Ended.STOPPED, 7)


def test_a_program_deaf_to_its_stop_signal_is_killed_after_its_grace():
    runner: Runner[str] = Runner()
    runner.start("p", sh("trap '' INT; while :; do sleep 0.1; done", stop_signal=signal.SIGINT, grace_s=0.2))
    assert runner.wait(0.1) == []
    runner.stop("p")
    [(_, outcome)] = runner.wait(5)
    assert (outcome.ended, outcome.returncode) == (Ended.STOPPED, -9)


def test_to_stop_what_ended_already_is_nothing():
    runner: Runner[str] = Runner()
    runner.start("p", sh("exit 0"))
    assert runner.wait(5)[0][1].ok
    runner.stop("p")
    assert len(runner) == 0


def test_descendants_that_left_for_a_session_of_their_own_are_found_and_killed(tmp_path: Path):
    mark, up = f"ONE_RUN=test-{os.getpid()}", tmp_path / "up"
    script = f"setsid sh -c '>{up}; sleep 60 & wait' & while [ ! -e {up} ]; do sleep 0.01; done"
    assert run(Command(("/bin/sh", "-c", script), {**ENV, "ONE_RUN": mark.partition("=")[2]})).ok
    assert eventually(lambda: len(bearers(mark)) == 2)
    assert kill_bearers(mark) == 2
    assert bearers(mark) == []
    assert kill_bearers(mark) == 0


def test_a_child_left_behind_dies_with_the_program(tmp_path: Path):
    pidfile = tmp_path / "pid"
    assert run(sh(f"sleep 60 & echo $! > {pidfile}")).ok
    pid = int(pidfile.read_text())
    assert eventually(lambda: not _alive(pid))


def test_64_mib_of_output_are_cut_and_named():
    outcome = run(sh("head -c 67108864 /dev/zero", output_limit=MIB))
    assert outcome.ended is Ended.OUTPUT_LIMIT
    assert len(outcome.stdout) == MIB


def test_endless_output_is_ended():
    assert run(sh("yes", timeout_s=30)).ended is Ended.OUTPUT_LIMIT


@pytest.mark.parametrize("path", ["/nonexistent", "/etc/passwd", "/tmp"])
def test_what_cannot_be_started_is_an_outcome(path: str):
    outcome = run(Command((path,), ENV))
    assert outcome.ended is Ended.NOT_STARTED
    assert outcome.problem


def test_a_script_without_interpreter_line_is_a_shell_script(tmp_path: Path):
    script = tmp_path / "old"
    script.write_text("echo $1\n")
    script.chmod(0o700)
    assert run(Command((str(script), "hello"), ENV)).stdout == b"hello\n"


def test_nothing_is_inherited_but_the_given_environment_and_standard_files(tmp_path: Path):
    with (tmp_path / "secret").open("w"):
        outcome = run(sh("env; readlink /proc/$$/fd/* | grep -c secret"))
    lines = outcome.stdout.decode().split()
    assert {line.split("=")[0] for line in lines[:-1]} <= {"PATH", "PWD", "_", "OLDPWD", "SHLVL"}
    assert lines[-1] == "0"


def test_the_program_has_no_terminal_and_its_own_session():
    outcome = run(sh("ps -o pid=,sid= -p $$ 2>/dev/null || cut -d' ' -f1,6 /proc/$$/stat"))
    pid, session = outcome.stdout.split()
    assert pid == session


def test_many_programs_run_side_by_side_and_report_as_they_end():
    runner: Runner[str] = Runner()
    runner.start("slow", sh("sleep 0.3; echo slow"))
    runner.start("quick", sh("echo quick"))
    runner.start("missing", Command(("/nonexistent",), ENV))
    order = []
    while len(runner):
        order += [key for key, _ in runner.wait(5)]
    assert (sorted(order[:2]), order[2:]) == (["missing", "quick"], ["slow"])


def test_who_runs_them_hears_of_each_that_is_at_work_and_of_no_other():
    heard: list[str] = []
    runner: Runner[str] = Runner(heard.append)
    runner.start("a", sh("true"))
    runner.start("missing", Command(("/nonexistent",), ENV))
    while len(runner):
        runner.wait(5)
    assert heard == ["a"]


def test_a_program_is_stopped_and_killed_also_while_it_is_being_started():
    runner: Runner[str] = Runner()
    runner.start("stopped", sh("sleep 60"))
    runner.stop("stopped")
    runner.start("killed", sh("sleep 60"))
    runner.kill()
    ended = {}
    while len(runner):
        ended.update(dict(runner.wait(5)))
    assert ended["stopped"].ended is Ended.STOPPED
    assert ended["killed"].ended is Ended.SIGNALLED


@pytest.mark.parametrize(
    ("argv", "env"),
    [
        (("/bin/ec\0ho",), {}),
        (("/bin/echo", "a\0b"), {}),
        (("/bin/echo",), {"A": "\0"}),
        (("/bin/echo",), {"A=B": "c"}),
        (("/bin/echo",), {"": "c"}),
    ],
)
def test_what_an_exec_cannot_carry_is_not_cut_but_refused(argv: tuple[str, ...], env: dict[str, str]):
    assert run(Command(argv, env)).ended is Ended.NOT_STARTED


def test_hundreds_of_programs_at_once_all_end_and_leave_no_descriptor_open():
    runner: Runner[int] = Runner()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(200):
        runner.start(number, sh(f"echo {number}"))
    printed = {}
    while len(runner):
        printed.update({key: int(outcome.stdout) for key, outcome in runner.wait(5)})
    assert printed == {number: number for number in range(200)}
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_signals_that_python_ignores_are_as_usual_for_a_program():
    assert run(sh("yes | head -n 1; kill -PIPE $$; echo deaf")).returncode == -signal.SIGPIPE


def test_those_that_end_soon_after_the_first_are_gathered_until_half_have_ended():
    runner: Runner[int] = Runner()
    for number in range(4):
        runner.start(number, sh("true"))
    runner.start(4, sh("sleep 60"))
    gathered = runner.gather(5, within_s=60)
    assert 2 < len(gathered) < 5
    runner.kill()
    while len(runner):
        runner.wait(5)


def test_wait_gives_up_at_its_timeout_and_kill_ends_all():
    runner: Runner[str] = Runner()
    runner.start("a", sh("sleep 60"))
    assert runner.wait(0.05) == []
    runner.kill()
    [(key, outcome)] = runner.wait(5)
    assert (key, outcome.ended) == ("a", Ended.SIGNALLED)


def test_an_output_path_is_held_as_long_as_the_program_lives(tmp_path: Path):
    path = tmp_path / "out"
    assert not is_held(path)
    runner: Runner[int] = Runner()
    runner.start(0, sh("echo id-1; sleep 60", output_path=path))
    assert is_held(path)
    assert eventually(lambda: path.read_bytes().strip() == b"id-1")
    assert kill_holders(path) >= 1
    [(_, outcome)] = runner.wait(5)
    assert outcome.stdout == b"id-1\n"
    # The children of the program were killed with it; the kernel takes a moment to end them.
    assert eventually(lambda: not is_held(path))


def test_programs_that_are_left_go_on_and_hold_their_output_alone(tmp_path: Path):
    path, go_on = tmp_path / "out", tmp_path / "go on"
    runner: Runner[int] = Runner()
    script = f"until [ -e '{go_on}' ]; do sleep 0.01; done; echo id-1"
    runner.start(0, sh(script, output_path=path))
    runner.leave()
    assert len(runner) == 0
    assert is_held(path)
    go_on.touch()
    assert eventually(lambda: not is_held(path))
    assert path.read_bytes().strip() == b"id-1"


def test_whoever_sees_to_a_program_is_not_killed_with_it(tmp_path: Path):
    path = tmp_path / "out"
    code = (
        "import sys; from pathlib import Path; from onecore.process import *\n"
        "command = Command(('/bin/sleep', '60'), {}, output_path=Path(sys.argv[1]))\n"
        "print(run(command).ended, flush=True)\n"
    )
    argv = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True) as other:
        assert eventually(lambda: path.exists() and kill_holders(path) == 1)
        assert other.communicate(timeout=60)[0] == "signalled\n"
        assert other.returncode == 0


@pytest.mark.parametrize("script", ["echo id-1", "echo id-1 >/dev/stdout", "echo; echo id-1"])
def test_an_output_file_used_before_holds_the_new_answer_alone(tmp_path: Path, script: str):
    path = tmp_path / "out"
    for before in ("printf %9999d 0", "printf junk >/dev/stdout"):
        assert run(sh(before, output_path=path)).ok
        assert run(sh(script, output_path=path)).stdout.strip() == b"id-1"


def test_the_output_of_a_program_that_ended_is_emptied_and_of_one_that_lives_is_kept(tmp_path: Path):
    path = tmp_path / "out"
    runner: Runner[int] = Runner()
    runner.start(0, sh("echo id-1; sleep 60", output_path=path))
    assert eventually(lambda: b"id-1" in path.read_bytes())
    assert not emptied(path)
    assert b"id-1" in path.read_bytes()
    runner.kill()
    assert [outcome.stdout for _, outcome in runner.wait(5)] == [b"id-1\n"]
    assert eventually(lambda: emptied(path))
    assert path.read_bytes().strip() == b""


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_an_interrupted_run_leaves_nothing_at_work(tmp_path: Path):
    pidfile = tmp_path / "pid"

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(sh(f"echo $$ > {pidfile}; sleep 60"))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not _alive(int(pidfile.read_text()))


def test_who_listens_waits_though_nothing_runs_and_is_woken():
    runner: Runner[int] = Runner()
    assert runner.wait(60) == []
    waker = runner.listen()
    began = time.monotonic()
    assert runner.wait(0.05) == []
    assert time.monotonic() - began >= 0.05
    waker.ring()
    assert runner.wait(60) == []
    assert time.monotonic() - began < 30
    began = time.monotonic()
    assert runner.wait(0.05) == []
    assert time.monotonic() - began >= 0.05


def test_who_is_woken_still_hears_of_what_ends():
    runner: Runner[int] = Runner()
    waker = runner.listen()
    runner.start(1, sh("exit 0"))
    waker.ring()
    ended: list[tuple[int, Outcome]] = []
    while not ended:
        ended = runner.wait(60)
    assert [(key, outcome.ok) for key, outcome in ended] == [(1, True)]
