"""A worker that is killed at a boundary: python -m tests.onecore.machines.dying_worker HOME NAME COUNT."""

import os
import signal
import sys
from pathlib import Path

from tests.onecore.machines.bench import Bench


def main(home: Path, boundary: str, count: int) -> None:
    left = [count]

    def heard(name: str) -> None:
        left[0] -= name == boundary
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    bench = Bench.at(home)
    bench.database._boundary = heard
    worker = bench.worker(boundary=heard)
    worker.recover()
    worker.settle()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
