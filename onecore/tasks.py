"""Runs functions in a few threads of their own, for one thread that waits for them like for programs."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from time import monotonic
from typing import Generic, TypeVar

from onecore.errors import OneError
from onecore.waker import Waker

THREADS = 8
LINGER_S = 30.0

Key = TypeVar("Key")


class Unknown(OneError):
    """What the task did is not known."""


@dataclass(frozen=True)
class Task:
    """Something to do that is no program. `work` returns its answer; it raises Unknown where nobody can tell
    what was done, another OneError where nothing was. It ends soon after `stopping` is set."""

    work: Callable[[Event], object]
    stopping: Event = field(default_factory=Event, compare=False)


@dataclass(frozen=True)
class Done:
    """`error` None: `answer` is what the task returned."""

    answer: object
    error: Exception | None
    duration_s: float


class Tasks(Generic[Key]):
    """At most THREADS at a time; the others wait for their turn."""

    def __init__(self) -> None:
        self.bell = Waker()
        self._orders: SimpleQueue[tuple[Key, Task]] = SimpleQueue()
        self._done: deque[tuple[Key, Done]] = deque()
        self._lock = Lock()
        self._threads = 0

    def order(self, key: Key, task: Task) -> None:
        self._orders.put((key, task))
        with self._lock:
            if self._threads < THREADS:
                self._threads += 1
                Thread(target=self._work, name="task", daemon=True).start()

    def collect(self) -> list[tuple[Key, Done]]:
        """What ended since the last time."""
        self.bell.hear()
        return [self._done.popleft() for _ in range(len(self._done))]

    def _work(self) -> None:
        while True:
            try:
                key, task = self._orders.get(timeout=LINGER_S)
            except Empty:
                with self._lock:
                    if self._orders.empty():
                        self._threads -= 1
                        return
                continue
            self._done.append((key, _done(task)))
            self.bell.ring()


def _done(task: Task) -> Done:
    begun = monotonic()
    try:
        answer = task.work(task.stopping)
    except Exception as exc:  # noqa: BLE001 whoever collects it decides what it means
        return Done(None, exc, monotonic() - begun)
    return Done(answer, None, monotonic() - begun)
