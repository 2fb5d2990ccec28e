"""What the benchmarks share: where the installed commands are, a fair environment, and timed runs."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Cost:
    """Seconds that one command took, and how many of them on a CPU."""

    wall: float
    cpu: float


def installed(name: str) -> str:
    """The command of the project's environment, else the one on the PATH."""
    beside = ROOT / ".venv" / "bin" / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        sys.exit(f"there is no {name}: run `make demo` first")
    return found


def environment(home: Path) -> dict[str, str]:
    """As a user has it. Compiled modules may be written, as they are for every user."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "ONE_HOME": str(home)}


def timed(command: Sequence[str], env: dict[str, str], stdin: str = "") -> Cost:
    """Run a command that has to succeed; its output is not printed."""
    before, began = _cpu(), perf_counter()
    done = subprocess.run(command, env=env, input=stdin, capture_output=True, text=True, check=False)
    wall, cpu = perf_counter() - began, _cpu() - before
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return Cost(wall, cpu)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
