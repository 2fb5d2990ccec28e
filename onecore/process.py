"""The only module that starts other programs: deadlines, process group kill, output caps, nothing inherited.

A program's standard output is a file. When `output_path` is given that file is locked for as long as the
program (or a child that shares its output) lives, so that after a crash of ours the next process can tell
whether the program is still at work, wait for it, and read what it answered. Such a file begins with one
empty line, which is ours.
"""

import errno
import fcntl
import math
import os
import select
import signal
import sys
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Generic, NoReturn, TypeVar

from onecore.errors import NotFound
from onecore.waker import Waker

MIB = 1024 * 1024
TERM_GRACE_S = 2.0
TICK_S = 0.25
KILL_ROUNDS = 500
STDIN, STDOUT, STDERR = 0, 1, 2
# A file that is cut to nothing is written to the disk when it is closed (ext4), and to cut it again waits for
# that: milliseconds for each program. So one byte stays.
_MARK = b"\n"

Key = TypeVar("Key", bound=Hashable)


class Ended(StrEnum):
    """How a program ended."""

    EXITED = "exited"
    SIGNALLED = "signalled"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"
    OUTPUT_LIMIT = "output limit"
    NOT_STARTED = "not started"


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
    """What became of a command. Outputs are cut at the limit; `problem` says why it could not be started."""

    ended: Ended
    returncode: int | None
    stdout: bytes
    stderr: bytes
    duration_s: float
    problem: str = ""

    @property
    def ok(self) -> bool:
        return self.ended is Ended.EXITED and self.returncode == 0


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
    """Runs many programs at once from one thread. `wait` reports those that ended, by key."""

    def __init__(self) -> None:
        self._children: dict[Key, _Child] = {}
        self._stillborn: list[tuple[Key, Outcome]] = []
        self._poll = select.poll()
        self._by_fd: dict[int, Key] = {}
        self._waker: Waker | None = None

    def __len__(self) -> int:
        return len(self._children) + len(self._stillborn)

    def start(self, key: Key, command: Command) -> None:
        """Start `command`; one that cannot be started is reported by the next `wait` as NOT_STARTED."""
        try:
            child = _spawn(command)
        except (OSError, ValueError) as exc:
            problem = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
            self._stillborn.append((key, Outcome(Ended.NOT_STARTED, None, b"", b"", 0.0, problem)))
            return
        self._children[key] = child
        self._by_fd[child.pidfd] = key
        self._poll.register(child.pidfd, select.POLLIN)

    def wait(self, timeout_s: float) -> list[tuple[Key, Outcome]]:
        """The programs that ended, as soon as there is one, or nothing after `timeout_s` seconds."""
        until = time.monotonic() + timeout_s
        while True:
            ready = self._ready(until)
            ended = self._stillborn + [self._reap(fd) for fd in ready if fd in self._by_fd]
            self._stillborn = []
            self._enforce_limits()
            if ended or ready or not (self._children or self._waker) or time.monotonic() >= until:
                return ended

    def listen(self) -> Waker:
        """What ends a `wait`, which from now on lasts its time also while nothing runs."""
        if self._waker is None:
            self._waker = Waker()
            self._poll.register(self._waker.fd, select.POLLIN)
        return self._waker

    def stop(self, key: Key) -> None:
        """Ask a program to end; a second time changes nothing. `wait` reports it as usual, as STOPPED."""
        child = self._children.get(key)
        if child is not None and child.ended is None:
            _ask_to_end(child, Ended.STOPPED, time.monotonic())

    def kill(self) -> None:
        """End everything that runs; what they were is reported by `wait` as usual."""
        for child in self._children.values():
            _signal_group(child.pid, signal.SIGKILL)

    def _ready(self, until: float) -> list[int]:
        if self._stillborn or not (self._children or self._waker):
            return []
        now = time.monotonic()
        soonest = min((min(child.deadline, now + TICK_S) for child in self._children.values()), default=until)
        ready = self._poll.poll(math.ceil(max(0.0, min(until, soonest) - now) * 1000))
        if self._waker:
            self._waker.hear()
        return [fd for fd, _ in ready]

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
                _signal_group(child.pid, signal.SIGKILL)
            elif now >= child.deadline and child.ended is None:
                _ask_to_end(child, Ended.TIMED_OUT, now)
            elif now >= child.deadline:
                child.kill_at = now + child.command.grace_s
                _signal_group(child.pid, signal.SIGKILL)


def run(command: Command) -> Outcome:
    """Run one program to its end, which is also when we are interrupted: nothing is left at work."""
    runner: Runner[int] = Runner()
    runner.start(0, command)
    try:
        while True:
            for _, outcome in runner.wait(command.timeout_s):
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


def is_held(path: Path) -> bool:
    """Whether a program that was started with this `output_path` is still alive."""
    try:
        os.close(_locked(path))
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def forget_output(path: Path) -> bool:
    """Empty the output of a program that ended; False, and nothing done, while a child of it lives."""
    try:
        fd = _locked(path)
    except BlockingIOError:
        return False
    try:
        _empty(fd)
    finally:
        os.close(fd)
    return True


def kill_holders(path: Path) -> int:
    """Kill every process that has this file open, with its process group; returns how many there were."""
    killed = 0
    for pid in _holders(path):
        _signal_group(os.getpgid(pid), signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        killed += 1
    return killed


def bearers(mark: str) -> list[int]:
    """The processes with `mark` (NAME=value) in their environment: a program's descendants keep it, also
    those that made a session of their own, which no signal to its process group reaches."""
    wanted = mark.encode()
    return [pid for pid in _others() if wanted in _environment(pid)]


def kill_bearers(mark: str) -> int:
    """Kill them all; returns how many there were."""
    killed: set[int] = set()
    for _ in range(KILL_ROUNDS):  # one that was forking has a child that the last look did not see
        pids = bearers(mark)
        if not pids:
            break
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed.update(pids)
        time.sleep(0.01)
    return len(killed)


def _environment(pid: int) -> list[bytes]:
    """Empty for one that is over (a zombie is), or not ours to look at."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _others() -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            yield int(entry.name)


def _holders(path: Path) -> Iterator[int]:
    wanted = path.resolve()
    for pid in _others():
        with suppress(OSError):
            if any(link.readlink() == wanted for link in Path(f"/proc/{pid}/fd").iterdir()):
                yield pid


def _spawn(command: Command) -> _Child:
    stdin = _memory_file("stdin", command.stdin) if command.stdin else os.open(os.devnull, os.O_RDONLY)
    fds = [stdin]
    try:
        fds.append(_output_file(command.output_path))
        fds.append(_memory_file("stderr"))
        started = time.monotonic()
        pid = _posix_spawn(command, fds)
    except BaseException:
        for fd in fds[1:]:
            os.close(fd)
        raise
    finally:
        os.close(stdin)
    return _Child(command, pid, os.pidfd_open(pid), fds[STDOUT], fds[STDERR], started)


def _posix_spawn(command: Command, fds: list[int]) -> int:
    """A new session (no terminal, own process group) that inherits the three standard files only."""
    argv = command.argv
    actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(fds)]
    for program in (argv, ("/bin/sh", *argv)):
        try:
            return os.posix_spawn(
                program[0],
                program,
                command.env,
                file_actions=actions,
                setsid=True,
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT],
            )
        except OSError as exc:
            # A script without a first line `#!` is a shell script, as every shell and the old tool take it.
            if exc.errno != errno.ENOEXEC or program is not argv:
                raise
    raise AssertionError("unreachable")


def _memory_file(name: str, content: bytes = b"") -> int:
    """An anonymous file, so that a large input or output can never block on a pipe."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    if content:
        os.write(fd, content)
        os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _output_file(path: Path | None) -> int:
    if path is None:
        return _memory_file("stdout")
    fd = _locked(path, os.O_CREAT)
    try:
        _empty(fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _locked(path: Path, further: int = 0) -> int:
    """The file, opened and locked; raises BlockingIOError while a program holds it."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | further, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _empty(fd: int) -> None:
    os.pwrite(fd, _MARK, 0)
    os.ftruncate(fd, len(_MARK))
    os.lseek(fd, len(_MARK), os.SEEK_SET)


def _too_much(child: _Child) -> bool:
    limit = child.command.output_limit + len(_MARK)
    return any(os.fstat(fd).st_size > limit for fd in (child.stdout, child.stderr))


def _output(child: _Child, fd: int) -> bytes:
    limit = child.command.output_limit
    content = os.pread(fd, min(os.fstat(fd).st_size, limit + len(_MARK)), 0)
    if fd == child.stdout and child.command.output_path:
        content = content.removeprefix(_MARK)  # a program that opens its output anew has removed it
    return content[:limit]


def _reap(child: _Child) -> Outcome:
    # While the leader is a zombie its process group id cannot be reused: children left behind die first.
    os.waitid(os.P_PIDFD, child.pidfd, os.WEXITED | os.WNOWAIT)
    _signal_group(child.pid, signal.SIGKILL)
    _, status = os.waitpid(child.pid, 0)
    if child.ended is None and _too_much(child):
        child.ended = Ended.OUTPUT_LIMIT
    returncode = os.waitstatus_to_exitcode(status)
    ended = child.ended or (Ended.EXITED if returncode >= 0 else Ended.SIGNALLED)
    duration = time.monotonic() - child.started
    outputs = [_output(child, fd) for fd in (child.stdout, child.stderr)]
    for fd in (child.pidfd, child.stdout, child.stderr):
        os.close(fd)
    return Outcome(ended, returncode, outputs[0], outputs[1], duration)


def _ask_to_end(child: _Child, why: Ended, now: float) -> None:
    child.ended = why
    child.kill_at = now + child.command.grace_s
    _signal_group(child.pid, child.command.stop_signal)


def _signal_group(pgid: int, signum: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pgid, signum)
