"""Programs that are still alive after whoever started them died: found by the file that they write to, or by
a mark in their environment, and ended."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from onecore import standard_files

KILL_ROUNDS = 500


def is_held(path: Path) -> bool:
    """Whether a program that was started with this `output_path` is still alive."""
    try:
        standard_files.unlock(standard_files.locked(path))
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def kill_holders(path: Path) -> int:
    """Kill the program that has this as its output, and whoever it handed that on to, with their process
    groups; returns how many there were. Whoever started it has the file open, too, and is spared."""
    killed = 0
    for pid in _holders(path):
        signal_group(os.getpgid(pid), signal.SIGKILL)
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
            if any(link.readlink() == wanted and _is_inherited(link) for link in _open_files(pid)):
                yield pid


def _open_files(pid: int) -> Iterator[Path]:
    return Path(f"/proc/{pid}/fd").iterdir()


def _is_inherited(link: Path) -> bool:
    """Whether a program was handed it: what we open ourselves is closed where a program is loaded."""
    info = (link.parent.with_name("fdinfo") / link.name).read_text()
    flags = next(line for line in info.splitlines() if line.startswith("flags:"))
    return not int(flags.split()[1], 8) & os.O_CLOEXEC


def signal_group(pgid: int, signum: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pgid, signum)
