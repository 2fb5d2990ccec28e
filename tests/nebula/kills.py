"""Kills of a command that works with an OpenNebula: at its boundaries, and at the calls that it makes."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from tests.nebula.server import Nebula
from tests.scenario import killing
from tests.scenario.killing import Mode, Place, Program

LATE_S = 0.25
_READING = ("info", "infoextended", "monitoring", "version", "login")


class When(StrEnum):
    """At a boundary of the command; when OpenNebula has carried out a call and not answered it; when it has
    received one, which it carries out once the next command is at work."""

    BOUNDARY = "boundary"
    DONE = "done"
    LATE = "late"


@dataclass(frozen=True)
class Kill:
    """At the n-th of these, counted from 1."""

    when: When
    at: int


@dataclass
class Killed:
    """Commands of one place. Of the last one: `passed`, its boundaries; `effects`, its calls that change
    something; whether it was `killed`."""

    nebula: Nebula
    place: Place
    program: Program
    passed: int = field(default=0, init=False)
    effects: int = field(default=0, init=False)
    killed: bool = field(default=False, init=False)

    def run(self, command: Sequence[str], kill: Kill | None = None) -> int | None:
        """The exit code of the command, None of one that was killed, -1 of one that did not end."""
        at_boundary = kill is not None and kill.when is When.BOUNDARY
        dying = killing.Kill(kill.at, Mode.PROCESS) if kill and at_boundary else None
        pid = killing.begun(self.place, command, dying, self.program)
        self._listen(pid, None if at_boundary else kill)
        ended = killing.ended(self.place, pid)
        self.nebula.on_receipt = self.nebula.on_effect = lambda method: None
        self.passed, self.killed = len(ended.boundaries), ended.killed
        return -1 if ended.stuck else ended.exit_code

    def require(self, command: Sequence[str]) -> None:
        code = self.run(command)
        if code != 0:
            raise AssertionError(f"{command}: {code}: {self.place.output.read_text()}")

    def kills(self) -> list[Kill]:
        """All those of the last command, which nobody killed."""
        numbers = {When.BOUNDARY: self.passed, When.DONE: self.effects, When.LATE: self.effects}
        return [Kill(when, at) for when, last in numbers.items() for at in range(1, last + 1)]

    def _listen(self, pid: int, kill: Kill | None) -> None:
        self.effects = 0

        def received(method: str) -> None:
            if not method.endswith(_READING):
                self.effects += 1
                if kill == Kill(When.LATE, self.effects):
                    _end(pid)
                    time.sleep(LATE_S)  # the time in which it is on its way

        def done(method: str) -> None:
            if kill == Kill(When.DONE, self.effects) and not method.endswith(_READING):
                _end(pid)

        self.nebula.on_receipt, self.nebula.on_effect = received, done


def _end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
