"""What is going on, shown on stderr while a command waits: plain lines, or a live table on a terminal."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from onecore.cli.text import printable
from onecore.notice import LEVELS, Notice

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

_REFRESH_S = 0.1


class Progress(Protocol):
    """Where progress goes; a context manager, so that the terminal is always left in order.

    After notices that say `more` comes a `flush`: until then they may be held back.
    """

    def show(self, notice: Notice) -> None: ...

    def flush(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def progress_for(stream: TextIO) -> Progress:
    """The live table when `stream` is a terminal, else plain lines."""
    return LiveProgress(stream) if stream.isatty() else PlainProgress(stream)


class PlainProgress:
    """One line a notice: `12:30:01 provision 0: APPLYING` (UTC)."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._reader_gone = False
        self._held: list[str] = []

    def show(self, notice: Notice) -> None:
        self._held.append(plain_line(notice) + "\n")
        if not notice.more:
            self.flush()

    def flush(self) -> None:
        """One write for many lines: a write each would wake the reader hundreds of times a second."""
        lines, self._held = self._held, []
        if self._reader_gone or not lines:
            return
        try:
            self._stream.write("".join(lines))
            self._stream.flush()
        except OSError:
            # Who stops reading the progress has not asked for the work to stop.
            self._reader_gone = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()


def plain_line(notice: Notice) -> str:
    """The notice as one line of text."""
    subject = " ".join(part for part in (notice.subject, notice.label) if part)
    level = LEVELS[notice.level].upper() if notice.is_loud else ""
    parts = (part for part in (subject, notice.step, level, notice.text) if part)
    return printable(f"{_time(int(notice.at))} {': '.join(parts)}")


@lru_cache(maxsize=1)
def _time(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%H:%M:%S}"


@dataclass
class Line:
    """A row of the live table: one host, say."""

    name: str
    since: float
    step: str = ""
    text: str = ""
    until: float = 0.0
    done: bool = False
    loud: bool = False


@dataclass
class Board:
    """What the live table shows, folded from the notices."""

    subject: str = ""
    text: str = ""
    lines: dict[str, Line] = field(default_factory=dict)

    def add(self, notice: Notice) -> None:
        self.subject = notice.subject
        if not notice.label:
            self.text = notice.text
            return
        line = self.lines.setdefault(notice.label, Line(notice.label, since=notice.at))
        if not line.done:
            line.until = notice.at
        line.step = notice.step or line.step
        line.text, line.done, line.loud = notice.text, notice.done, notice.is_loud

    def header(self) -> str:
        done = sum(line.done for line in self.lines.values())
        counted = f"  {done}/{len(self.lines)}" if self.lines else ""
        return printable(f"{self.subject}: {self.text}{counted}")

    def shown(self, room: int) -> tuple[list[Line], int]:
        """The lines that fit, in order of appearance, and how many do not; finished ones give way first."""
        lines = list(self.lines.values())
        if len(lines) <= room:
            return lines, 0
        kept = sorted(lines, key=lambda line: line.done and not line.loud)[: max(room - 1, 1)]
        names = {line.name for line in kept}
        return [line for line in lines if line.name in names], len(lines) - len(kept)


class LiveProgress:
    """A row per label under a header, redrawn in place; what lasts, warnings and errors stay above it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._board = Board()
        self._live: Live | None = None
        self._drawn_at = float("-inf")

    def show(self, notice: Notice) -> None:
        if not notice.lasting:
            self._board.add(notice)
        if self._live is None:
            return
        try:
            if notice.lasting or notice.is_loud:
                self._live.console.print(plain_line(notice), markup=False, highlight=False, soft_wrap=True)
            # A burst is drawn once: the redraw costs more than the notice. Leaving draws the rest.
            if notice.at - self._drawn_at >= _REFRESH_S or notice.done:
                self._drawn_at = notice.at
                self._live.update(_drawing(self._board, self._live.console), refresh=True)
        except OSError:
            self._live = None  # the terminal is gone; the work goes on

    def flush(self) -> None:
        """Nothing is held back: what is drawn is drawn at most ten times a second anyway."""

    def __enter__(self) -> Self:
        from rich.console import Console  # lazy: only a command that waits at a terminal draws
        from rich.live import Live

        console = Console(file=self._stream)
        # Redrawn on notices alone: no thread, no clock of its own.
        self._live = Live(
            "", console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        live, self._live = self._live, None
        if live is None:
            return
        try:
            live.update(_drawing(self._board, live.console))
            live.stop()
        except OSError:
            return


def _drawing(board: Board, console: "Console") -> "RenderableType":
    from rich.console import Group  # lazy: see LiveProgress.__enter__
    from rich.table import Table
    from rich.text import Text

    if not board.subject:
        return Text("")
    lines, left_out = board.shown(console.height - 4)
    grid = Table(box=None, pad_edge=False, show_edge=False, expand=True)
    for title, ratio in (("NAME", None), ("STEP", None), ("STATE", 1)):
        grid.add_column(title, no_wrap=True, overflow="ellipsis", ratio=ratio)
    grid.add_column("SECONDS", justify="right", min_width=7)
    for line in lines:
        style = "red" if line.loud else "green" if line.done else ""
        grid.add_row(*(Text(cell) for cell in _cells(line)), style=style)
    rest = [Text(f"... and {left_out} more")] if left_out else []
    return Group(Text(board.header(), style="bold"), *([grid] if lines else []), *rest)


def _cells(line: Line) -> Iterator[str]:
    yield from (printable(line.name), printable(line.step), printable(line.text))
    yield f"{line.until - line.since:.0f}"
