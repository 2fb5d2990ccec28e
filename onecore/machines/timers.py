"""What is to be done at a later time: a heap, so that waiting costs nothing."""

import heapq
from collections.abc import Callable


class Timers:
    """Callbacks by the time (seconds since the epoch) at which they are due. None is ever cancelled: a
    callback has to see for itself whether it is still wanted."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    def at(self, when: float, do: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._heap, (when, self._number, do))

    def run(self, now: float) -> None:
        """Do what is due; what it asks for meanwhile has its turn at the next run."""
        due = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[2])
        for do in due:
            do()

    def wake_at(self) -> float | None:
        return self._heap[0][0] if self._heap else None
