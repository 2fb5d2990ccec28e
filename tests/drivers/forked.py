"""Drivers in Python as forks of the warm process: a call costs milliseconds instead of all its imports.

What a driver is given and what it answers are the same as for a process started anew. That it can be executed
at all is shown where the command line starts it.
"""

import runpy
import sys
import time
from pathlib import Path

from onecore.process import Command, Ended, Outcome
from tests import warm

AS_IT_IS, HURRIED = "as it is", "hurried"


def run(command: Command) -> Outcome:
    """As onecore.process.run, for a driver in Python."""
    return _run(command, AS_IT_IS)


def hurried(command: Command) -> Outcome:
    """The same for a driver that waits for nothing but answers: its time passes when it sleeps, and nobody
    waits for that."""
    return _run(command, HURRIED)


def _run(command: Command, how: str) -> Outcome:
    begun = time.monotonic()
    start = warm.Start("tests.drivers.forked", (how, *command.argv), command.env)
    code, out, err = warm.run(start, command.stdin, command.timeout_s)
    ended = Ended.EXITED if code >= 0 else Ended.SIGNALLED
    return Outcome(ended, code, out, err, time.monotonic() - begun)


# -- in the fork ---------------------------------------------------------------------------------------------


def main() -> None:
    how, program = sys.argv[1:3]
    if how == HURRIED:
        _let_time_fly()
    sys.argv = sys.argv[2:]
    sys.path.insert(0, str(Path(program).resolve().parent))
    runpy.run_path(program, run_name="__main__")


def _let_time_fly() -> None:
    """From now on a sleep takes no time, and the clocks of this process are that much further after it."""
    slept, clocks = 0.0, (time.time, time.monotonic)

    def sleep(seconds: float) -> None:
        nonlocal slept
        slept += seconds

    time.sleep = sleep  # type: ignore[assignment]  # nobody sleeps for an index
    time.time, time.monotonic = (lambda: clocks[0]() + slept), (lambda: clocks[1]() + slept)


if __name__ == "__main__":
    main()
