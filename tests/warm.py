"""Commands as forks of one warm process: each has a process of its own, without paying for its imports.

Process id, signals, exit code, environment and standard files are those of a process that was started anew;
what is not: the environment that /proc shows, and what the interpreter reads of it as it starts
(PYTHON*, LC_*, LANG). That the programs can be started at all, and what they load, is for other tests.
"""

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from tempfile import TemporaryFile
from typing import BinaryIO

ROOT = Path(__file__).parents[1]
PACKAGES = ("onecore", "oneprovision", "oneflow")
LIBRARIES = (
    "click",
    "jsonschema",
    "yaml",
    "requests",
    "paramiko",
    "tests.drivers.aws_models",
    "rich.progress",
    "rich.live",
)
STATUS_BYTES = 8
LARGEST = 1 << 20


@dataclass(frozen=True)
class Start:
    """What to run: `python -m module words…`."""

    module: str
    words: Sequence[str]
    env: Mapping[str, str]
    cwd: str = str(ROOT)


@dataclass
class Process:
    """As much of subprocess.Popen as tests use."""

    pid: int
    status: int
    returncode: int | None = field(default=None, init=False)

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self.status], [], [], 0)[0]:
            self.returncode = os.waitstatus_to_exitcode(_number(self.status))
            os.close(self.status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None and not select.select([self.status], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(what: Start, stdin: int, stdout: int, stderr: int) -> Process:
    """Start it on these files."""
    reader, writer = os.pipe()
    line = _warm()
    request = json.dumps(asdict(what)).encode()
    assert len(request) < LARGEST
    socket.send_fds(line, [request], [stdin, stdout, stderr, writer])
    os.close(writer)
    return Process(_number(reader), reader)


@dataclass
class Begun:
    """One whose outputs go into files of their own."""

    process: Process
    out: BinaryIO
    err: BinaryIO

    def end(self, timeout_s: float) -> tuple[int, bytes, bytes]:
        """Exit code, output, error output. Raises TimeoutExpired, and has killed it then."""
        with self.out, self.err:
            try:
                code = self.process.wait(timeout_s)
            finally:
                self.process.kill()
            return code, _content(self.out), _content(self.err)


def begin(what: Start, stdin: bytes = b"") -> Begun:
    out, err = TemporaryFile(), TemporaryFile()
    with TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        return Begun(start(what, given.fileno(), out.fileno(), err.fileno()), out, err)


def run(what: Start, stdin: bytes, timeout_s: float) -> tuple[int, bytes, bytes]:
    """Run it to its end; see Begun.end."""
    return begin(what, stdin).end(timeout_s)


def _content(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _number(status: int) -> int:
    return int.from_bytes(os.read(status, STATUS_BYTES), "little")


@cache
def _warm() -> socket.socket:
    """The line to the warm process of this one, which ends when this one does."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        command = [sys.executable, "-m", "tests.warm", str(its.fileno())]
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[its.fileno()], stdin=subprocess.DEVNULL)

    @atexit.register
    def end() -> None:
        ours.close()
        process.wait()

    return ours


# -- the warm process ----------------------------------------------------------------------------------------


def serve(line: socket.socket) -> Start | None:
    """One fork for each request. Returns what to run in each fork, and None when nobody asks any more."""
    _load()
    children: dict[int, tuple[int, int]] = {}
    poll = select.poll()
    poll.register(line, select.POLLIN)
    while True:
        for ready, _ in poll.poll():
            if ready in children:
                poll.unregister(ready)
                _tell_end(ready, *children.pop(ready))
                continue
            request, files, _, _ = socket.recv_fds(line, LARGEST, 4)
            if not request:
                return None
            pid = os.fork()
            if pid == 0:
                line.close()
                for pidfd, (_, status) in children.items():
                    os.close(pidfd)
                    os.close(status)
                return _become(json.loads(request), files)
            for file in files[:3]:
                os.close(file)
            os.write(files[3], pid.to_bytes(STATUS_BYTES, "little"))
            pidfd = os.pidfd_open(pid)
            children[pidfd] = pid, files[3]
            poll.register(pidfd, select.POLLIN)


def _load() -> None:
    for name in PACKAGES:
        package = import_module(name)
        for part in walk_packages(package.__path__, f"{name}."):
            if not part.name.endswith("__main__"):
                _try(part.name)
    for name in LIBRARIES:
        _try(name)
    gc.collect()
    gc.freeze()  # what is shared stays shared


def _try(name: str) -> None:
    try:
        import_module(name)
    except ImportError:
        print(f"the warm process has no {name}", file=sys.stderr)


def _tell_end(pidfd: int, pid: int, status: int) -> None:
    _, ended = os.waitpid(pid, 0)
    os.close(pidfd)
    try:
        os.write(status, ended.to_bytes(STATUS_BYTES, "little"))
    except BrokenPipeError:
        pass  # nobody wants to know
    os.close(status)


def _become(request: dict[str, object], files: list[int]) -> Start:
    """This process gets what a new one would have."""
    what = Start(**request)  # type: ignore[arg-type]  # as it was sent
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    for file in files:
        os.close(file)
    os.chdir(what.cwd)
    os.environ.clear()
    os.environ.update(what.env)
    return what


def main() -> None:
    with socket.socket(fileno=int(sys.argv[1])) as line:
        what = serve(line)
    if what is not None:
        sys.argv = [what.module, *what.words]
        runpy.run_module(what.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
