"""What every command shares: settings, signals, progress, and the use cases' tools, opened when needed."""

import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from onecore import config
from onecore.clock import Clock
from onecore.config import Settings
from onecore.errors import TIMED_OUT, NotAuthorized
from onecore.log import Redactor

if TYPE_CHECKING:
    from onecore.cli.command_log import CommandLog
    from onecore.deps import Deps
    from onecore.drivers.catalog import Catalog
    from onecore.notice import Notice
    from onecore.store.engine import Schema


# Commands of these names change nothing: they leave no line in the log, and work on a read-only disk.
READING = frozenset({"list", "show", "top", "logs", "validate"})


@dataclass
class Session:
    """One run of the program `product`. `schemas` are the tables that it keeps; the log and everything on
    stderr share the redactor."""

    product: str
    schemas: Callable[[], Sequence["Schema"]]
    boundary: Callable[[str], None]
    argv: Sequence[str] = ()
    remotes: str = ""
    wait_timeout_s: float | None = None
    find_drivers: "Callable[[Settings], Catalog] | None" = None
    redactor: Redactor = field(default_factory=lambda: Redactor(()), repr=False)
    _log: "CommandLog | None" = field(default=None, repr=False)
    _signal: str = ""
    _acting: bool = False
    _deps: "Deps | None" = field(default=None, repr=False)

    @property
    def settings(self) -> Settings:
        return config.read(remotes=self.remotes)

    @property
    def debug(self) -> bool:
        return config.wants_debug()

    def deps(self) -> "Deps":
        """The tools of the use cases; opens the state file at the first call."""
        from onecore.bootstrap import open_deps  # lazy: --help needs no database

        if self._deps is None:
            try:
                self._deps = open_deps(
                    self.settings, self.schemas(), boundary=self.boundary, conceal=self.conceal
                )
            except NotAuthorized:
                self._begin_log("")
                raise
            if self.find_drivers is not None:
                self._deps = replace(self._deps, find_drivers=partial(self.find_drivers, self.settings))
            self._begin_log(self._deps.principal.user_name)
        return self._deps

    def conceal(self, secrets: Iterable[str]) -> None:
        """From now on these are shown neither on stderr nor in the log."""
        self.redactor.add(*secrets)

    def finish(self, exit_code: int) -> None:
        if self._log is not None:
            self._log.end(exit_code)

    @contextmanager
    def working(self) -> "Iterator[Deps]":
        """The tools for a command that acts: progress on stderr, the first Ctrl-C stops waiting in order."""
        from onecore.cli.progress import progress_for

        with progress_for(sys.stderr) as progress:

            def notify(notice: "Notice") -> None:
                text = self.redactor.text(notice.text)
                clean = notice if text == notice.text else replace(notice, text=text)
                progress.show(clean)
                if self._log is not None:
                    self._log.notice(clean)

            opened = self.deps()

            def told() -> None:
                progress.flush()
                if self._log is not None:
                    self._log.flush()

            deps = replace(opened, notify=notify, told=told, interrupted=self._reason_to_stop(opened.clock))
            self._acting = True
            try:
                yield deps
            finally:
                self._acting = False

    def _reason_to_stop(self, clock: Clock) -> Callable[[], str]:
        """A signal, or the end of the time that the user wants to wait."""
        limit = self.wait_timeout_s
        until = float("inf") if limit is None else clock.monotonic() + limit
        return lambda: self._signal or (TIMED_OUT if clock.monotonic() >= until else "")

    @contextmanager
    def handling_signals(self) -> Iterator[None]:
        """The first SIGINT or SIGTERM asks a command that acts to stop; the second, or any other command,
        stops at once."""

        def ask(number: int, frame: FrameType | None) -> None:
            if self._signal or not self._acting:
                raise KeyboardInterrupt
            self._signal = signal.Signals(number).name
            click.echo(
                "stopping: the driver calls that run are recorded first; again to stop at once", err=True
            )

        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @property
    def _log_file(self) -> Path:
        return self.settings.log_directory / f"{self.product}.log"

    def crash_file(self) -> Path:
        from time import time_ns  # lazy: only a bug needs it

        return self.settings.log_directory / f"crash-{time_ns()}.txt"

    def _begin_log(self, user: str) -> None:
        context = click.get_current_context(silent=True)
        if context is None or context.info_name in READING:
            return
        from onecore.cli.command_log import CommandLog  # lazy: only commands that act come here

        self._log = CommandLog.begin(self._log_file, self.redactor, user, self.argv)


pass_session = click.make_pass_decorator(Session)
