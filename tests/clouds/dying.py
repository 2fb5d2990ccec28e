"""`python -m tests.clouds.dying N ARGV…`: oneprovision, killed at its N-th boundary (0: never)."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path


def boundary(at: int, trace: Path | None) -> Callable[[str], None]:
    """Counts the boundaries, writes them down where it is told to, and kills at the chosen one."""
    passed = 0

    def pass_it(name: str) -> None:
        nonlocal passed
        passed += 1
        if trace is not None:
            with trace.open("a") as file:
                file.write(f"{name}\n")
        if passed == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return pass_it


def main() -> int:
    from oneprovision.__main__ import main as command

    told = os.environ.get("CLOUDS_TRACE")
    return command(sys.argv[2:], boundary=boundary(int(sys.argv[1]), Path(told) if told else None))


if __name__ == "__main__":
    sys.exit(main())
