"""Limits of a provider, shared by every process of this machine: calls per second, calls at a time, and the
pauses that the provider asked for. Plain files under ONE_HOME/limits; their locks die with their holder.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onecore.clock import Clock

LONGEST_WAIT_S = 120.0
# Names this run of the machine: what was noted before a restart is of another clock.
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Pace:
    """At most `calls` at once, and on the average so many in `per_s` seconds."""

    calls: int
    per_s: float

    @property
    def interval_s(self) -> float:
        return self.per_s / self.calls


@dataclass(frozen=True)
class Limits:
    """`parallel` calls at a time; a pace for every kind of call. The kind "" counts every call."""

    parallel: int = 8
    paces: Mapping[str, Pace] | None = None


def reserve(busy_until: float, pace: Pace, now: float) -> tuple[float, float]:
    """When a call may start, and what is to be noted for the next one (the generic cell rate algorithm)."""
    start = max(now, busy_until - pace.interval_s * (pace.calls - 1))
    return start, max(busy_until, start) + pace.interval_s


class Limiter:
    """The limits of one account at one provider; `folder` is its own."""

    def __init__(self, folder: Path, limits: Limits, clock: Clock) -> None:
        self._folder = folder
        self._limits = limits
        self._clock = clock
        self._boot = _boot_id()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def call(self, kind: str = "") -> Iterator[None]:
        """Waits for its turn; one of the parallel places is held for as long as the call lasts."""
        self._await_turn(kind)
        place = self._take_place()
        try:
            yield
        finally:
            os.close(place)

    def back_off(self, seconds: float) -> None:
        """No process starts a call before so many seconds are over."""
        with self._noted("pause") as note:
            note.value = max(note.value, self._clock.monotonic() + min(seconds, LONGEST_WAIT_S))

    def _await_turn(self, kind: str) -> None:
        starts = [self._reserve(name, pace) for name, pace in self._paces(kind)]
        self._sleep_until(max(starts, default=0.0))
        # Whoever was told to slow down while we waited has told us, too.
        while (pause := self._pause()) > self._clock.monotonic():
            self._sleep_until(pause)

    def _paces(self, kind: str) -> list[tuple[str, Pace]]:
        paces = self._limits.paces or {}
        return [(name, paces[name]) for name in dict.fromkeys(("", kind)) if name in paces]

    def _reserve(self, name: str, pace: Pace) -> float:
        with self._noted(f"pace-{name or 'all'}") as note:
            start, note.value = reserve(note.value, pace, self._clock.monotonic())
        return start

    def _pause(self) -> float:
        with self._noted("pause") as note:
            return note.value

    def _sleep_until(self, moment: float) -> None:
        self._clock.sleep(max(moment - self._clock.monotonic(), 0.0))

    def _take_place(self) -> int:
        """The first free place; if there is none, the next of one that all wait for in turn."""
        places = [self._open(f"place-{number}") for number in range(self._limits.parallel)]
        mine = next((fd for fd in places if _locked(fd)), None)
        if mine is None:
            mine = places[os.getpid() % len(places)]
            fcntl.flock(mine, fcntl.LOCK_EX)
        for fd in places:
            if fd != mine:
                os.close(fd)
        return mine

    @contextmanager
    def _noted(self, name: str) -> "Iterator[_Note]":
        """A number that all processes share, read and written under its lock."""
        fd = self._open(name)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            before = self._sane(os.pread(fd, 128, 0))
            note = _Note(before)
            yield note
            if note.value != before:
                os.pwrite(fd, f"{note.value:032.6f} {self._boot}".encode(), 0)
        finally:
            os.close(fd)

    def _sane(self, raw: bytes) -> float:
        """What is damaged, or of before a restart, was never noted."""
        number, _, boot = raw.partition(b" ")
        try:
            value = float(number or b"0")
        except ValueError:
            return 0.0
        known = boot.decode("ascii", "replace") == self._boot
        return value if known and value <= self._clock.monotonic() + self._longest() else 0.0

    def _longest(self) -> float:
        """Beyond what a full queue in front of the slowest pace could have noted."""
        paces = (self._limits.paces or {}).values()
        return max([LONGEST_WAIT_S, *(pace.per_s * 100 for pace in paces)])

    def _open(self, name: str) -> int:
        return os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@dataclass
class _Note:
    value: float


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:  # not Linux, or a sandbox without /proc
        return "-"


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
