"""The only module that starts other programs: deadlines, process group kill, output caps, nothing inherited.

A program's standard output is a file. When `output_path` is given that file is locked for as long as the
program (or a child that shares its output) lives, so that after a crash of ours the next process can tell
whether the program is still at work, wait for it, and read what it answered.
"""

import math
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Thread
from typing import Generic, NoReturn, TypeVar

from onecore import spawning, standard_files, tasks
from onecore.alive import signal_group
from onecore.crew import Crew
from onecore.errors import NotFound, OneError
from onecore.spawning import Birth, Order
from onecore.tasks import Done, Task, Unknown
from onecore.waker import Waker

MIB = 1024 * 1024
TERM_GRACE_S = 2.0
TICK_S = 0.25
GATHER_S = 0.005
STDIN, STDOUT, STDERR = 0, 1, 2

Key = TypeVar("Key", bound=Hashable)


class Ended(StrEnum):
    """How a program ended."""

    EXITED = "exited"
    SIGNALLED = "signalled"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"
    OUTPUT_LIMIT = "output limit"
    NOT_STARTED = "not started"
    UNANSWERED = "unanswered"


@dataclass(frozen=True)
class Command:
    """A program to run. `env` is the whole environment; `argv[0]` is the path of the executable.

    Asked to stop, or past its deadline, it gets `stop_signal` and after `grace_s` seconds SIGKILL.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    stdin: bytes = b""
    timeout_s: float = 60.0
    output_limit: int = MIB
    output_path: Path | None = None
    stop_signal: int = signal.SIGTERM
    grace_s: float = TERM_GRACE_S


@dataclass(frozen=True)
class Outcome:
    """What became of a command. Outputs are cut at the limit; `problem` says why it could not be started.
    `answer` is what a task returned."""

    ended: Ended
    returncode: int | None
    stdout: bytes
    stderr: bytes
    duration_s: float
    problem: str = ""
    answer: object = None

    @property
    def ok(self) -> bool:
        return self.ended is Ended.EXITED and self.returncode == 0


Work = Command | Task
"""What a runner runs: programs, and functions in threads of their own."""


@dataclass(frozen=True)
class _Prepared:
    command: Command
    fds: tuple[int, int, int]


@dataclass
class _Child:
    command: Command
    pid: int
    pidfd: int
    stdout: int
    stderr: int
    started: float
    ended: Ended | None = None
    kill_at: float = 0.0

    @property
    def deadline(self) -> float:
        return self.kill_at or self.started + self.command.timeout_s


class Runner(Generic[Key]):
    """Runs many programs at once for one thread. `wait` reports those that ended, by key; `started` hears of
    each that is at work, from within `wait`."""

    def __init__(self, started: Callable[[Key], None] = lambda key: None) -> None:
        self.started = started
        self._starter: Crew[Key, Order, Birth | Exception] = spawning.crew()
        self._starting: dict[Key, _Prepared] = {}
        self._children: dict[Key, _Child] = {}
        self._stillborn: list[tuple[Key, Outcome]] = []
        self._by_fd: dict[int, Key] = {}
        self._at_task: dict[Key, Task] = {}
        self._tasks: Crew[Key, Task, Done] | None = None
        self._waker: Waker | None = None
        self._poll = select.poll()
        self._poll.register(self._starter.bell.fd, select.POLLIN)

    def __len__(self) -> int:
        return len(self._starting) + len(self._children) + len(self._stillborn) + len(self._at_task)

    def start(self, key: Key, command: Work) -> None:
        """Start `command`, without waiting for it to be loaded; one that cannot be started is reported by
        `wait` as NOT_STARTED."""
        if isinstance(command, Task):
            self._start_task(key, command)
            return
        try:
            prepared = _prepare(command)
        except (OSError, ValueError) as exc:
            self._never(key, exc)
            return
        self._starting[key] = prepared
        self._starter.order(key, Order(command.argv, command.env, prepared.fds))

    def wait(self, timeout_s: float) -> list[tuple[Key, Outcome]]:
        """The programs that ended, as soon as there is one, or nothing after `timeout_s` seconds."""
        until = time.monotonic() + timeout_s
        while True:
            ready = self._ready(until)
            ended = [self._reap(fd) for fd in ready if fd in self._by_fd]
            ended += self._stillborn
            self._stillborn = []
            self._enforce_limits()
            if ended or ready or not (len(self) or self._waker) or time.monotonic() >= until:
                return ended

    def gather(self, timeout_s: float, within_s: float) -> list[tuple[Key, Outcome]]:
        """As `wait`, and when one has ended also those that end in the next `within_s` seconds, until as many
        have ended as still run: a commit for each would cost more than these wait."""
        ended = self.wait(timeout_s)
        until = time.monotonic() + within_s
        while ended and len(ended) < len(self) and (left := until - time.monotonic()) > 0:
            ended += self.wait(left)
        return ended

    def listen(self) -> Waker:
        """What ends a `wait`, which from now on lasts its time also while nothing runs."""
        if self._waker is None:
            self._waker = Waker()
            self._poll.register(self._waker.fd, select.POLLIN)
        return self._waker

    def hurry(self) -> None:
        """Have tasks that only wait end; `wait` reports them as usual."""
        for task in self._at_task.values():
            task.stopping.set()

    def stop(self, key: Key) -> None:
        """Ask a program to end; a second time changes nothing. `wait` reports it as usual, as STOPPED."""
        self._finish_starting()
        child = self._children.get(key)
        if child is not None and child.ended is None:
            _ask_to_end(child, Ended.STOPPED, time.monotonic())

    def kill(self) -> None:
        """End everything that runs; what they were is reported by `wait` as usual."""
        self._finish_starting()
        self.hurry()
        for child in self._children.values():
            signal_group(child.pid, signal.SIGKILL)

    def leave(self) -> None:
        """See to nothing that runs any more: it goes on by itself, as after our death, and its `output_path`
        is locked by nobody but itself."""
        self._finish_starting()
        for pidfd, key in self._by_fd.items():
            self._poll.unregister(pidfd)
            child = self._children.pop(key)
            for fd in (pidfd, child.stdout, child.stderr):
                os.close(fd)
            Thread(target=os.waitpid, args=(child.pid, 0), name="waiting for an orphan", daemon=True).start()
        self._by_fd.clear()
        self._at_task.clear()
        self._stillborn.clear()

    def _start_task(self, key: Key, task: Task) -> None:
        if self._tasks is None:
            self._tasks = tasks.crew()
            self._poll.register(self._tasks.bell.fd, select.POLLIN)
        self._at_task[key] = task
        self._tasks.order(key, task)
        self.started(key)

    def _ready(self, until: float) -> list[int]:
        if self._stillborn or not (len(self) or self._waker):
            return []
        now = time.monotonic()
        soonest = min((min(child.deadline, now + TICK_S) for child in self._children.values()), default=until)
        ready = [fd for fd, _ in self._poll.poll(math.ceil(max(0.0, min(until, soonest) - now) * 1000))]
        if self._starter.bell.fd in ready:
            ready.remove(self._starter.bell.fd)
            self._collect()
        if self._tasks and self._tasks.bell.fd in ready:
            ready.remove(self._tasks.bell.fd)
            for key, done in self._tasks.collect():
                if self._at_task.pop(key, None) is not None:
                    self._stillborn.append((key, _outcome_of(done)))
        if self._waker and self._waker.fd in ready:
            self._waker.hear()
        return ready

    def _collect(self) -> None:
        born: list[Key] = []
        for key, birth in self._starter.collect():
            prepared = self._starting.pop(key)
            os.close(prepared.fds[STDIN])
            if isinstance(birth, Exception):
                for fd in prepared.fds[STDOUT:]:
                    os.close(fd)
                self._never(key, birth)
                continue
            _, stdout, stderr = prepared.fds
            child = _Child(prepared.command, birth.pid, birth.pidfd, stdout, stderr, birth.at)
            self._children[key] = child
            self._by_fd[child.pidfd] = key
            self._poll.register(child.pidfd, select.POLLIN)
            born.append(key)
        for key in born:
            self.started(key)

    def _finish_starting(self) -> None:
        until = time.monotonic() + TERM_GRACE_S  # for one whose order was interrupted
        while self._starting and time.monotonic() < until:
            select.select([self._starter.bell.fd], [], [], TICK_S)
            self._collect()

    def _never(self, key: Key, exc: Exception) -> None:
        problem = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        self._stillborn.append((key, Outcome(Ended.NOT_STARTED, None, b"", b"", 0.0, problem)))

    def _reap(self, pidfd: int) -> tuple[Key, Outcome]:
        key = self._by_fd.pop(pidfd)
        child = self._children.pop(key)
        self._poll.unregister(pidfd)
        return key, _reap(child)

    def _enforce_limits(self) -> None:
        now = time.monotonic()
        for child in self._children.values():
            if child.ended is None and _too_much(child):
                child.ended = Ended.OUTPUT_LIMIT
                signal_group(child.pid, signal.SIGKILL)
            elif now >= child.deadline and child.ended is None:
                _ask_to_end(child, Ended.TIMED_OUT, now)
            elif now >= child.deadline:
                child.kill_at = now + child.command.grace_s
                signal_group(child.pid, signal.SIGKILL)


def _outcome_of(done: Done) -> Outcome:
    error = done.error
    if error is None:
        return Outcome(Ended.EXITED, 0, b"", b"", done.duration_s, answer=done.answer)
    if isinstance(error, OneError) and not isinstance(error, Unknown):
        return Outcome(Ended.EXITED, 1, b"", error.message.encode(), done.duration_s, error.message)
    problem = error.message if isinstance(error, OneError) else f"{type(error).__name__}: {error}"
    return Outcome(Ended.UNANSWERED, None, b"", b"", done.duration_s, problem)


def run(command: Work) -> Outcome:
    """Run one program to its end, which is also when we are interrupted: nothing is left at work."""
    runner: Runner[int] = Runner()
    runner.start(0, command)
    try:
        while True:
            for _, outcome in runner.wait(TICK_S if isinstance(command, Task) else command.timeout_s):
                return outcome
    except BaseException:
        runner.kill()
        runner.wait(TERM_GRACE_S)
        raise


def replace(argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Become another program, found on the PATH of `env`; raises NotFound when it is not there."""
    sys.stdout.flush()
    sys.stderr.flush()
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores these, and an exec would hand that on
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(argv[0], list(argv), env)  # noqa: S606 no shell is wanted
    except FileNotFoundError as exc:
        raise NotFound(f"there is no program '{argv[0]}'", hint="install it, or correct PATH") from exc


def _prepare(command: Command) -> _Prepared:
    """Open its standard files; its output is locked from here on."""
    return _Prepared(command, standard_files.opened(command.stdin, command.output_path))


def _too_much(child: _Child) -> bool:
    limit = child.command.output_limit
    return any(standard_files.exceeds(fd, limit) for fd in (child.stdout, child.stderr))


def _reap(child: _Child) -> Outcome:
    # While the leader is a zombie its process group id cannot be reused: children left behind die first.
    os.waitid(os.P_PIDFD, child.pidfd, os.WEXITED | os.WNOWAIT)
    signal_group(child.pid, signal.SIGKILL)
    _, status = os.waitpid(child.pid, 0)
    if child.ended is None and _too_much(child):
        child.ended = Ended.OUTPUT_LIMIT
    returncode = os.waitstatus_to_exitcode(status)
    ended = child.ended or (Ended.EXITED if returncode >= 0 else Ended.SIGNALLED)
    duration = time.monotonic() - child.started
    command = child.command
    stdout = standard_files.content(child.stdout, command.output_limit, command.output_path is not None)
    stderr = standard_files.content(child.stderr, command.output_limit, recorded=False)
    for fd in (child.pidfd, child.stdout, child.stderr):
        os.close(fd)
    return Outcome(ended, returncode, stdout, stderr, duration)


def _ask_to_end(child: _Child, why: Ended, now: float) -> None:
    child.ended = why
    child.kill_at = now + child.command.grace_s
    signal_group(child.pid, child.command.stop_signal)
