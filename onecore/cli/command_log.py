"""What a command that acts leaves in the log of the installation: who began what, and how it ended.

The log is for people who look back; what the program itself needs to know is in the state file.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from onecore.clock import Clock, SystemClock
from onecore.log import LogWriter, Redactor
from onecore.notice import LEVELS, Notice


@dataclass
class CommandLog:
    """The lines of one command; `user` is empty where the asker could not prove who he is."""

    writer: LogWriter
    clock: Clock
    user: str
    argv: Sequence[str]
    started: float

    @classmethod
    def begin(cls, file: Path, redactor: Redactor, user: str, argv: Sequence[str]) -> "CommandLog":
        clock = SystemClock()
        log = cls(LogWriter(file, redactor), clock, user, argv, clock.monotonic())
        log._command("info", "began")
        return log

    def notice(self, notice: Notice) -> None:
        details = {"label": notice.label, "step": notice.step} if notice.label else {}
        level = LEVELS[notice.level]
        take = self.writer.hold if notice.more else self.writer.write
        take(notice.at, level, notice.subject, notice.text, pid=os.getpid(), **details)

    def flush(self) -> None:
        self.writer.flush()

    def end(self, exit_code: int) -> None:
        duration = round(self.clock.monotonic() - self.started, 3)
        self._command("error" if exit_code else "info", "ended", exit_code=exit_code, duration_s=duration)

    def _command(self, level: str, what: str, **fields: object) -> None:
        # The arguments again at the end: the beginning may be in an older file by then.
        known = {"user": self.user, "pid": os.getpid(), "argv": list(self.argv)}
        self.writer.write(self.clock.now(), level, "command", what, **known, **fields)
