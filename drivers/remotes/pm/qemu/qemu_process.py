"""Starts, watches and ends the process of a machine.

Whether it runs is told by a lock on a file of the machine's folder: the process holds it from before it is
QEMU until it is dead. No other process that was given the same number later can pretend to be it.
"""

import fcntl
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from onecore.drivers.kit import Failed

PROGRAM = "qemu-system-x86_64"
LOCK = "alive"
LOG = "qemu.log"
PID = "pid"
START_S = 60.0
KILL_S = 30.0


def program(name: str = PROGRAM, package: str = "qemu-system-x86") -> str:
    """The path of the program; raises Failed when it is not installed."""
    found = shutil.which(name)
    if found is None:
        raise Failed(f"there is no program {name}; install the package {package}")
    return found


def alive(folder: Path) -> bool:
    """Whether the machine's process lives."""
    with _lock_file(folder) as fd:
        return not _locked(fd, fcntl.LOCK_SH)


def start(folder: Path, arguments: Sequence[str], answers: Callable[[], bool]) -> None:
    """Start QEMU in the folder; returns when it answers, or raises Failed with its own words."""
    argv = [program(), *arguments, "-pidfile", PID]
    with _lock_file(folder) as lock, (folder / LOG).open("wb") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # QEMU goes on with the lock, in a session of its own, and with nothing of ours: who waits for the end
        # of our output must not wait for the machine's. It does not make itself a daemon, which its sandbox
        # forbids; the kernel finds it another parent when we end.
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env={"PATH": os.environ.get("PATH", os.defpath)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,
        )
    until = time.monotonic() + START_S
    while not answers():
        if process.poll() is not None:
            raise Failed(f"qemu did not start: {_last_words(folder)}")
        if time.monotonic() > until:
            process.kill()
            process.wait()
            raise Failed(f"qemu did not answer within {START_S:.0f} s: {_last_words(folder)}")
        time.sleep(0.02)


def kill(folder: Path) -> None:
    """End the process at once, if there is one; returns when it is dead."""
    until = time.monotonic() + KILL_S
    while alive(folder):
        for pidfd in _processes(folder):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            _dead(pidfd, 1.0)
            os.close(pidfd)
        if time.monotonic() > until:
            raise Failed(f"the process of the machine cannot be ended; see {folder}")
        time.sleep(0.01)


def wait_for_end(folder: Path, seconds: float) -> bool:
    """Whether the process is dead, at the latest after so many seconds."""
    until = time.monotonic() + seconds
    for pidfd in _processes(folder):
        _dead(pidfd, max(until - time.monotonic(), 0.0))
        os.close(pidfd)
    return not alive(folder)


def pid(folder: Path) -> int:
    """The process, or 0 when it does not run."""
    for number in _candidates(folder):
        if _is_the_process(number, folder):
            return number
    return 0


def _processes(folder: Path) -> Iterator[int]:
    """A descriptor of the process: it cannot come to mean another one."""
    number = pid(folder)
    if not number:
        return
    try:
        pidfd = os.pidfd_open(number)
    except ProcessLookupError:
        return
    if _is_the_process(number, folder):
        yield pidfd
    else:
        os.close(pidfd)


def _candidates(folder: Path) -> Iterator[int]:
    """First who wrote down that it is the process, then everybody: perhaps it has not written yet."""
    with suppress(OSError, ValueError):
        yield int((folder / PID).read_text())
    yield from (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _is_the_process(number: int, folder: Path) -> bool:
    process, lock = Path("/proc", str(number)), folder / LOCK
    with suppress(OSError):
        if not process.joinpath("exe").readlink().name.startswith("qemu-system-"):
            return False
        wanted = lock.stat()
        return any(os.path.samestat(_status(fd), wanted) for fd in (process / "fd").iterdir())
    return False


def _status(fd: Path) -> os.stat_result:
    try:
        return fd.stat()
    except OSError:  # closed meanwhile
        return os.stat_result((0,) * 10)


def _dead(pidfd: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(int(seconds * 1000)))


@contextmanager
def _lock_file(folder: Path) -> Iterator[int]:
    fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


def _locked(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _last_words(folder: Path) -> str:
    lines = (folder / LOG).read_text("utf-8", "replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return "; ".join(said[-3:]).replace(f"{PROGRAM}: ", "") or "it gave no reason"
