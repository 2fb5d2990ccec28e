"""The log of a server: one line a request, and everything about a bug that no client is told."""

import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol

from onecore.log import LogWriter, Redactor
from onecore.notice import LEVELS, Notice

MOST_HELD = 20_000


@dataclass(frozen=True, slots=True)
class Line:
    """One request. `user` is empty for whoever was not let in."""

    at: float
    peer: str
    user: str
    method: str
    path: str
    status: int
    took_ms: float
    sent: int


class Log(Protocol):
    def asked(self, line: Line) -> None: ...

    def bug(self, reference: str, where: str, exc: BaseException) -> None: ...


class ServerLog:
    """Requests are gathered, and written by `flush`, which belongs beside the event loop."""

    def __init__(self, folder: Path, product: str, redactor: Redactor, now: Callable[[], float]) -> None:
        self._access = LogWriter(folder / f"{product}-access.log", redactor)
        self._errors = LogWriter(folder / f"{product}-server.log", redactor)
        self._work = LogWriter(folder / f"{product}.log", redactor)
        self._now = now
        self._lines: list[Line] = []
        self._lock = Lock()

    @property
    def errors(self) -> Path:
        """The file that tells of bugs."""
        return self._errors.path

    def asked(self, line: Line) -> None:
        if len(self._lines) < MOST_HELD:
            self._lines.append(line)

    def flush(self) -> None:
        lines, self._lines = self._lines, []
        for line in lines:
            fields = asdict(line)
            at, method, path = fields.pop("at"), fields.pop("method"), fields.pop("path")
            self._access.hold(at, "info", method, path, **fields)
        self._access.flush()

    def noticed(self, notice: Notice) -> None:
        """What those who drive have to say; they call `told` at the end of a row."""
        with self._lock:
            self._work.hold(notice.at, LEVELS[notice.level], notice.subject, notice.text)
            if not notice.more:
                self._work.flush()

    def told(self) -> None:
        with self._lock:
            self._work.flush()

    def bug(self, reference: str, where: str, exc: BaseException) -> None:
        text = "".join(traceback.format_exception(exc))
        with self._lock:
            self._errors.write(self._now(), "error", where, text, reference=reference)
