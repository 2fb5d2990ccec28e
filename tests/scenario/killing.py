"""Runs one command line in a forked process that may kill itself at a boundary, alone or with its drivers.

A fork of a process that has imported everything starts in milliseconds, so that thousands of runs are cheap.
"""

import importlib
import os
import pkgutil
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

STUCK_AFTER_S = 60.0


class Mode(StrEnum):
    """PROCESS: only the process dies, its drivers go on as orphans. POWER: it dies with all its drivers.
    LATE: so too, but when the newest driver is past its effect and has not answered. TOOL: its drivers die
    alone."""

    PROCESS = "process"
    POWER = "power"
    LATE = "late"
    TOOL = "tool"


@dataclass(frozen=True)
class Kill:
    """Die at the n-th boundary, counted from 1. `late_s`: how long LATE lets the drivers go on."""

    at: int
    mode: Mode = Mode.PROCESS
    late_s: float = 0.0


@dataclass(frozen=True)
class Run:
    """What became of a run: the boundaries it passed, and its exit code unless it was killed or stuck."""

    boundaries: tuple[str, ...]
    exit_code: int | None
    killed: bool
    stuck: bool


@dataclass(frozen=True)
class Place:
    """Where a run happens: `home` is its ONE_HOME; what it prints is appended to `folder`/output.txt."""

    folder: Path
    environ: Mapping[str, str]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def output(self) -> Path:
        return self.folder / "output.txt"


Boundary = Callable[[str], None]
Program = Callable[[Sequence[str], Boundary], int]
"""Runs one command line, telling of each boundary; returns its exit code."""


def oneprovision(argv: Sequence[str], boundary: Boundary) -> int:
    from oneprovision.__main__ import main

    return main(argv, boundary=boundary)


def warm(product: str = "oneprovision") -> None:
    """Import what the commands import, once for all forks."""
    package = importlib.import_module(product)
    for module in pkgutil.walk_packages(package.__path__, f"{product}."):
        with suppress(ImportError):
            importlib.import_module(module.name)
    for name in ("yaml", "jsonschema", "onecore.schema.validate", "onecore.cli.progress"):
        importlib.import_module(name)


def run(place: Place, argv: Sequence[str], kill: Kill | None = None, program: Program = oneprovision) -> Run:
    """Run `program` with `argv` to its end."""
    return ended(place, begun(place, argv, kill, program))


def begun(place: Place, argv: Sequence[str], kill: Kill | None, program: Program) -> int:
    """The process that runs it."""
    trace = place.folder / "trace.txt"
    trace.write_text("")
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _be_the_command(place, argv, _Boundary(trace, kill), program)
    return pid


def ended(place: Place, pid: int) -> Run:
    """What became of it; one that does not end is killed and called stuck."""
    stuck = not ends_in(pid, STUCK_AFTER_S)
    if stuck:
        _kill_drivers_of(pid)
        os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    killed = code == -signal.SIGKILL and not stuck
    passed = tuple((place.folder / "trace.txt").read_text().splitlines())
    return Run(passed, code if code >= 0 else None, killed, stuck)


def ends_in(pid: int, seconds: float) -> bool:
    """Whether it has ended by then."""
    fd = os.pidfd_open(pid)
    try:
        return bool(select.select([fd], [], [], seconds)[0])
    finally:
        os.close(fd)


def end(pid: int, mode: Mode) -> None:
    """Kill a command from outside, with its drivers or without; raises ProcessLookupError when it is over."""
    if mode is not Mode.PROCESS:
        os.kill(pid, signal.SIGSTOP)  # so that it does not see them die
        _kill_drivers_of(pid)
    os.kill(pid, signal.SIGKILL)


def _be_the_command(place: Place, argv: Sequence[str], boundary: "_Boundary", program: Program) -> None:
    """The child: never returns."""
    code = 70
    try:
        _take_over_streams(place.output, argv, boundary.kill)
        os.environ.update({"ONE_HOME": str(place.home), **place.environ})
        code = program(argv, boundary)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # nobody above may hear of it: this is a copy of who made it
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _take_over_streams(output: Path, argv: Sequence[str], kill: Kill | None) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(log, f"\n$ {' '.join(argv)}   # {kill or 'to its end'}\n".encode())
    for fd, number in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(fd, number)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")


class _Boundary:
    """Writes down each boundary, and dies at the chosen one."""

    def __init__(self, trace: Path, kill: Kill | None) -> None:
        self._trace = os.open(trace, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self.kill = kill
        self._passed = 0

    def __call__(self, name: str) -> None:
        os.write(self._trace, f"{name}\n".encode())
        self._passed += 1
        kill = self.kill
        if kill is None or self._passed != kill.at:
            return
        if kill.mode is Mode.LATE:
            time.sleep(kill.late_s)
        if kill.mode is not Mode.PROCESS:
            _kill_drivers_of(os.getpid())
        if kill.mode is not Mode.TOOL:
            os.kill(os.getpid(), signal.SIGKILL)


def _kill_drivers_of(parent: int) -> None:
    """Each driver leads a process group of its own."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                os.killpg(int(entry.name), signal.SIGKILL)
