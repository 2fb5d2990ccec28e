"""What every command shares: settings, signals, progress, and the use cases' tools, opened when needed."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from onecore import config
from onecore.config import Settings
from onecore.errors import Interrupted

if TYPE_CHECKING:
    from onecore.cli.progress import ProgressEvent
    from oneprovision.deps import Deps, Notice


@dataclass
class Session:
    """One run of the program."""

    boundary: Callable[[str], None]
    remotes: str = ""
    _signal: str = ""
    _deps: "Deps | None" = field(default=None, repr=False)

    @property
    def settings(self) -> Settings:
        return config.read(remotes=self.remotes)

    @property
    def debug(self) -> bool:
        return self.settings.debug

    def deps(self) -> "Deps":
        """The tools of the use cases; opens the state file at the first call."""
        from oneprovision.bootstrap import open_deps  # lazy: --help needs no database

        if self._deps is None:
            self._deps = open_deps(self.settings, boundary=self.boundary)
        return self._deps

    @contextmanager
    def working(self) -> "Iterator[Deps]":
        """The tools for a command that acts: progress on stderr, the first Ctrl-C stops waiting in order."""
        from dataclasses import replace  # lazy: only commands that act come here

        from onecore.cli.progress import progress_for

        with progress_for(sys.stderr) as progress:

            def notify(notice: "Notice") -> None:
                progress.event(_event(notice))

            try:
                yield replace(self.deps(), notify=notify, interrupted=lambda: self._signal)
            except Interrupted as exc:
                raise _how_to_go_on(exc) from exc

    @contextmanager
    def handling_signals(self) -> Iterator[None]:
        """The first SIGINT or SIGTERM asks to stop, the second stops at once."""

        def ask(number: int, frame: FrameType | None) -> None:
            if self._signal or not self._deps:
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

    def crash_file(self) -> Path:
        from time import time_ns  # lazy: only a bug needs it

        return self.settings.log_directory / f"crash-{time_ns()}.txt"


pass_session = click.make_pass_decorator(Session)


def _event(notice: "Notice") -> "ProgressEvent":
    from onecore.cli.progress import ProgressEvent

    level = {"I": "info", "W": "warning", "E": "error"}[notice.level]
    return ProgressEvent(
        at=notice.at,
        subject=notice.subject,
        text=notice.text,
        level=level,
        key=notice.label,
        step=notice.step,
        done=notice.done,
        lasting=notice.lasting,
    )


def _how_to_go_on(exc: Interrupted) -> Interrupted:
    return Interrupted(
        f"stopped waiting ({exc.message}); what was begun is recorded",
        hint="carry on with: oneprovision retry ID; watch with: oneprovision logs ID --follow",
    )
