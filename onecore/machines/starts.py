"""Driver calls that wait for their turn: fair between owners, within what each driver and we can bear."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from onecore.drivers.manifest import Limits
from onecore.machines.decide import Step


@dataclass(frozen=True)
class Start:
    """A call that may start as soon as there is room. `step` None: a power action, of which `verb` tells."""

    resource_id: int
    owner: str
    driver: str
    step: Step | None
    verb: str
    reason: str


@dataclass
class _Lane:
    """The calls of one driver. `turns`: the owners that have some waiting, the next one first."""

    limits: Limits
    busy: int = 0
    not_before: float = 0.0
    turns: deque[str] = field(default_factory=deque)
    waiting: dict[str, deque[Start]] = field(default_factory=dict)

    def has_room(self, now: float) -> bool:
        return bool(self.turns) and self.busy < self.limits.parallel and self.not_before <= now


class Starts:
    """Each start costs the same, however many wait: owners take turns within a driver, drivers within us."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._busy = 0
        self._lanes: dict[str, _Lane] = {}
        self._newest: dict[int, Start] = {}

    def offer(self, start: Start, limits: Limits) -> None:
        """It waits from now on, in place of what waited for that resource before."""
        before = self._newest.get(start.resource_id)
        self._newest[start.resource_id] = start
        lane = self._lanes.setdefault(start.driver, _Lane(limits))
        lane.limits = limits
        if before is not None and (before.owner, before.driver) == (start.owner, start.driver):
            return  # it keeps its place
        if start.owner not in lane.waiting:
            lane.waiting[start.owner] = deque()
            lane.turns.append(start.owner)
        lane.waiting[start.owner].append(start)

    def withdraw(self, resource_id: int) -> Start | None:
        """It shall not start any more; returns what waited."""
        return self._newest.pop(resource_id, None)

    def waiting(self, resource_id: int) -> Start | None:
        return self._newest.get(resource_id)

    def can_start(self, now: float) -> bool:
        return bool(self._newest) and self._next_lane(now) is not None

    def take(self, now: float) -> Iterator[Start]:
        """Those that start now; each counts as at work until `ended`."""
        while self._newest and (driver := self._next_lane(now)) is not None:
            lane = self._lanes[driver] = self._lanes.pop(driver)  # to the end of the row
            start = self._next(lane)
            if start is None:
                continue
            lane.busy += 1
            self._busy += 1
            if lane.limits.calls_per_second > 0:
                lane.not_before = now + 1.0 / lane.limits.calls_per_second
            yield start

    def limits(self, driver: str) -> Limits:
        """Those that were told with its newest offer."""
        return self._lanes[driver].limits

    def ended(self, driver: str) -> None:
        self._lanes[driver].busy -= 1
        self._busy -= 1

    def wake_at(self, now: float) -> float | None:
        """When a driver may be called again that may not be now."""
        if not self._newest:
            return None
        waiting = [lane.not_before for lane in self._lanes.values() if lane.turns]
        return min((at for at in waiting if at > now), default=None)

    def _next_lane(self, now: float) -> str | None:
        """The driver whose turn it is."""
        if self._busy >= self._threads:
            return None
        return next((driver for driver, lane in self._lanes.items() if lane.has_room(now)), None)

    def _next(self, lane: _Lane) -> Start | None:
        """The next call of the owner whose turn it is; None where the first one was withdrawn."""
        owner = lane.turns.popleft()
        queue = lane.waiting[owner]
        first = queue.popleft()
        if queue:
            lane.turns.append(owner)
        else:
            del lane.waiting[owner]
        newest = self._newest.get(first.resource_id)
        if newest is None or (newest.owner, newest.driver) != (first.owner, first.driver):
            return None
        return self._newest.pop(first.resource_id)
