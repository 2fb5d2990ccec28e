"""Threads that do what one other thread orders, which hears of it as it hears of programs that ended."""

from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeVar

from onecore.waker import Waker

Key = TypeVar("Key")
Job = TypeVar("Job")
Result = TypeVar("Result")


class Crew(Generic[Key, Job, Result]):
    """Does what is ordered, in order, at most `size` jobs at a time; a thread that had nothing to do for
    `linger_s` seconds ends. `do` must not raise. `bell` rings when there is something to `collect`."""

    def __init__(self, name: str, size: int, linger_s: float, do: Callable[[Job], Result]) -> None:
        self.bell = Waker()
        self._name = name
        self._size = size
        self._linger_s = linger_s
        self._do = do
        self._orders: SimpleQueue[tuple[Key, Job]] = SimpleQueue()
        self._done: deque[tuple[Key, Result]] = deque()
        self._lock = Lock()
        self._threads = 0

    def order(self, key: Key, job: Job) -> None:
        self._orders.put((key, job))
        with self._lock:
            if self._threads < self._size:
                self._threads += 1
                Thread(target=self._work, name=self._name, daemon=True).start()

    def collect(self) -> list[tuple[Key, Result]]:
        """What was done since the last time."""
        self.bell.hear()
        return [self._done.popleft() for _ in range(len(self._done))]

    def _work(self) -> None:
        while True:
            try:
                key, job = self._orders.get(timeout=self._linger_s)
            except Empty:
                with self._lock:
                    if self._orders.empty():
                        self._threads -= 1
                        return
                continue
            self._done.append((key, self._do(job)))
            self.bell.ring()
