"""Drivers in Python as forks of one warm process: a call costs milliseconds instead of all its imports.

What a driver is given and what it answers are the same as for a process of its own: arguments, environment,
standard files, exit code. That it can be executed at all is shown where the command line starts it.
"""

import array
import atexit
import os
import pickle
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from onecore.process import Command, Ended, Outcome

ROOT = Path(__file__).parents[2]
# What drivers import; nothing of theirs, which is found in the folder of each.
WARM: tuple[str, ...] = (
    "requests",
    "paramiko",
    "boto3",
    "botocore.session",
    "xml.etree.ElementTree",
    "onecore.config",
)
WARM += tuple(f"onecore.drivers.kit.{part.stem}" for part in (ROOT / "onecore/drivers/kit").glob("[a-z]*.py"))
CRASHED = 70


def run(command: Command) -> Outcome:
    """As onecore.process.run, for a driver in Python."""
    return _run(command, hurried=False)


def hurried(command: Command) -> Outcome:
    """The same for a driver that waits for nothing but answers: its time passes when it sleeps, and nobody
    waits for that."""
    return _run(command, hurried=True)


def _run(command: Command, hurried: bool) -> Outcome:
    begun = time.monotonic()
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        stdin.write(command.stdin)
        stdin.seek(0)
        code = _asked(command, (stdin, out, err), hurried)
        ended = Ended.EXITED if code >= 0 else Ended.SIGNALLED
        return Outcome(ended, code, _content(out), _content(err), time.monotonic() - begun)


def _asked(command: Command, files: tuple[BinaryIO, ...], hurried: bool) -> int:
    """The exit code; -9 when the driver is gone without one."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(command.timeout_s)
        line.connect(str(_warm()))
        numbers = array.array("i", [file.fileno() for file in files])
        line.sendmsg([b"+"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)])
        line.sendall(pickle.dumps((command.argv, dict(command.env), hurried)))
        line.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: line.recv(64), b""))
        return int(answer) if answer else -signal.SIGKILL


def _content(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


@cache
def _warm() -> Path:
    """The address of the warm process, which ends with this one."""
    folder = tempfile.TemporaryDirectory(prefix="warm-")
    address = Path(folder.name) / "line"
    reader, writer = os.pipe()
    argv = [sys.executable, "-W", "ignore", "-m", "tests.drivers.forked", str(address), str(writer)]
    process = subprocess.Popen(argv, cwd=ROOT, pass_fds=[writer], stdin=subprocess.PIPE)
    os.close(writer)
    with os.fdopen(reader, "rb") as ready:
        assert ready.read() == b"ready", "the warm process ended"

    @atexit.register
    def end() -> None:
        process.kill()
        process.wait()
        folder.cleanup()

    return address


# -- the warm process ----------------------------------------------------------------------------------------


def serve(address: str, ready: int) -> None:
    """One fork for each who calls, until the end of who started us: its side of our standard input."""
    with _listening(address) as listener:
        for name in WARM:
            with suppress(ImportError):
                __import__(name)
        os.write(ready, b"ready")
        os.close(ready)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the children are nobody's to wait for
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            line, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                os._exit(_driver(line))
            line.close()


@contextmanager
def _listening(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        yield listener


def _driver(line: socket.socket) -> int:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, messages, _, _ = line.recvmsg(1, socket.CMSG_SPACE(3 * array.array("i").itemsize))
    numbers = array.array("i", messages[0][2])
    argv, env, hurried = pickle.loads(b"".join(iter(lambda: line.recv(65536), b"")))
    for target, number in enumerate(numbers):
        os.dup2(number, target)
        os.close(number)
    os.environ.clear()
    os.environ.update(env)
    os.set_inheritable(line.fileno(), False)
    if hurried:
        _let_time_fly()
    code = _became(argv)
    line.sendall(str(code).encode())
    return code


def _let_time_fly() -> None:
    """From now on a sleep takes no time, and the clocks of this process are that much further after it."""
    slept, clocks = 0.0, (time.time, time.monotonic)

    def sleep(seconds: float) -> None:
        nonlocal slept
        slept += seconds

    time.sleep = sleep  # type: ignore[assignment]  # nobody sleeps for an index
    time.time, time.monotonic = (lambda: clocks[0]() + slept), (lambda: clocks[1]() + slept)


def _became(argv: tuple[str, ...]) -> int:
    """The program, from its first line to its exit code."""
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")
    sys.argv = list(argv)
    sys.path.insert(0, str(Path(argv[0]).resolve().parent))
    try:
        runpy.run_path(argv[0], run_name="__main__")
    except SystemExit as exc:
        code = exc.code
    except BaseException as exc:
        sys.stderr.write(f"{type(exc).__name__}: {exc}\n")
        code = CRASHED
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
