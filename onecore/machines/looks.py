"""What exists at the providers: one list per provider, or a poll per machine where the driver cannot list.

Looking changes nothing, so it needs no journal; a look that fails is repeated, and never taken for absence.
"""

import heapq
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from onecore.errors import OneError
from onecore.machines.calls import VERBS, Seen
from onecore.machines.decide import Sight
from onecore.machines.model import Resource, RetryPolicy
from onecore.machines.tools import Group, Tools, group_of
from onecore.process import Ended, Outcome, Runner

# While drivers of a group are at work, their lists may take a fortieth of the time.
SHARE = 40
SHORTEST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 2.0
PARALLEL_POLLS = 8


@dataclass(frozen=True)
class Answers:
    """`again`: who can decide again; `problems`: who cannot be answered, and why; `listed`: everything of the
    group by name, where all of it was asked for."""

    again: set[int]
    problems: dict[int, str]
    listed: Mapping[str, Seen] | None = None


@dataclass(eq=False)
class Look:
    """One question: a whole group, or one machine of it (`poll_of`). It is the key of its call. `some`: one
    of the group, when all of it is asked for."""

    group: Group
    poll_of: int | None = None
    waiting: dict[int, tuple[Resource, RetryPolicy]] = field(default_factory=dict)
    some: Resource | None = None
    running: bool = False
    queued: bool = False
    failures: int = 0
    started_at: float = 0.0
    took_s: float = 0.0
    next_at: float = 0.0

    @property
    def is_poll(self) -> bool:
        return self.poll_of is not None

    @property
    def pause_s(self) -> float:
        return min(max(SHARE * self.took_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)


@dataclass
class Looks:
    """Collects who wants to know, asks once for all of them, and remembers the newest sight of each."""

    tools: Tools
    runner: Runner[object]
    running: set[Look] = field(default_factory=set)
    _lists: dict[Group, Look] = field(default_factory=dict)
    _polls: dict[int, Look] = field(default_factory=dict)
    _ready_lists: list[Look] = field(default_factory=list)
    _ready_polls: deque[Look] = field(default_factory=deque)
    _later: list[tuple[float, int, Look]] = field(default_factory=list)
    _polls_running: int = 0
    _number: int = 0
    _wake_at: float | None = None
    _sights: dict[int, tuple[Sight, Seen | None]] = field(default_factory=dict)

    def sight(self, resource_id: int) -> tuple[Sight, Seen | None]:
        return self._sights.get(resource_id, (Sight(), None))

    def want(self, resource: Resource, policy: RetryPolicy, can_list: bool) -> None:
        """Look at it soon; `policy` says how often a look that fails is repeated for it."""
        if can_list:
            group = group_of(resource)
            look = self._lists.setdefault(group, Look(group))
        else:
            look = self._polls.setdefault(resource.id, Look(group_of(resource), resource.id))
        look.waiting[resource.id] = resource, policy
        self._queue(look)

    def want_all(self, some: Resource) -> None:
        """List everything of the group of `some`, whose driver can list; once, whether it fails or not."""
        group = group_of(some)
        look = self._lists.setdefault(group, Look(group))
        look.some = some
        self._queue(look)

    def forget_sight(self, resource_id: int) -> None:
        """What was seen of it is of no use any more."""
        self._sights.pop(resource_id, None)

    def forget(self, resource_ids: Collection[int]) -> None:
        """Nobody wants to know of these any more."""
        for look in self._lists.values():
            if look.waiting:
                for resource_id in look.waiting.keys() & resource_ids:
                    del look.waiting[resource_id]
        for resource_id in resource_ids:
            self._sights.pop(resource_id, None)
            poll = self._polls.pop(resource_id, None)
            if poll is not None:
                poll.waiting.clear()

    @property
    def pending(self) -> bool:
        return bool(self.running or self._ready_lists or self._ready_polls or self._later)

    @property
    def wake_at(self) -> float | None:
        """When one may start that could not at the last `start`; 0 when one has been asked for since."""
        later = [self._later[0][0]] if self._later else []
        return min([*later, *([self._wake_at] if self._wake_at is not None else [])], default=None)

    def start(self, busy: Callable[[Group], bool]) -> list[tuple[Look, Outcome]]:
        """Start what is wanted; while drivers of the group are at work, with a pause between its lists.
        Returns those that could not be started, for `finished`."""
        now = self.tools.clock.now()
        while self._later and self._later[0][0] <= now:
            self._ready(heapq.heappop(self._later)[2])
        unstarted = []
        waiting, self._ready_lists, self._wake_at = self._ready_lists, [], None
        for look in waiting:
            not_before = look.started_at + look.pause_s if busy(look.group) else 0.0
            if not_before > now:
                self._ready_lists.append(look)
                self._wake_at = min(self._wake_at or not_before, not_before)
            else:
                unstarted += self._start(look, now)
        while self._ready_polls and self._polls_running < PARALLEL_POLLS:
            unstarted += self._start(self._ready_polls.popleft(), now)
        return unstarted

    def stop(self) -> None:
        """Nobody waits for the answers any more."""
        for look in self.running:
            self.runner.stop(look)

    def finished(self, look: Look, outcome: Outcome) -> Answers:
        """Note the answer; one that was stopped has none."""
        look.running = False
        look.took_s = outcome.duration_s
        self.running.discard(look)
        self._polls_running -= look.is_poll
        asked, look.waiting = look.waiting, {}
        whole, look.some = look.some, None
        some = whole or next((r for r, _ in asked.values()), None)
        if some is None or outcome.ended is Ended.STOPPED:
            return Answers(set(), {})
        try:
            seen = self._read(look, some, outcome)
        except OneError as exc:
            return self._failed(look, asked, exc)
        self._answered(look)
        for resource, _ in asked.values():
            self._sights[resource.id] = _sight(seen.get(resource.name), look.started_at)
        return Answers(set(asked), {}, seen if whole else None)

    def _queue(self, look: Look) -> None:
        if look.queued or look.running:
            return
        look.queued = True
        self._ready(look)

    def _ready(self, look: Look) -> None:
        self._wake_at = 0.0
        if look.is_poll:
            self._ready_polls.append(look)
        else:
            self._ready_lists.append(look)

    def _start(self, look: Look, now: float) -> list[tuple[Look, Outcome]]:
        look.queued = False
        some = look.some or next((r for r, _ in look.waiting.values()), None)
        if some is None:
            return []
        look.running, look.started_at = True, now
        self.running.add(look)
        self._polls_running += look.is_poll
        try:
            binding = self.tools.bind(some)
            command = binding.poll(some) if look.is_poll else binding.list(some.kind)
        except OneError as exc:
            return [(look, Outcome(Ended.NOT_STARTED, None, b"", b"", 0.0, exc.message))]
        self.runner.start(look, command)
        return []

    def _answered(self, look: Look) -> None:
        look.failures = 0
        if look.poll_of is not None:
            self._polls.pop(look.poll_of, None)

    def _read(self, look: Look, resource: Resource, outcome: Outcome) -> dict[str, Seen]:
        binding = self.tools.bind(resource)
        if not outcome.ok:
            verb = "poll" if look.is_poll else VERBS[resource.kind].list
            raise binding.failure(verb, resource.label if look.is_poll else "", outcome)
        if look.is_poll:
            return {resource.name: binding.polled(resource, outcome)}
        return binding.listed(resource.kind, outcome)

    def _failed(self, look: Look, asked: dict[int, tuple[Resource, RetryPolicy]], error: OneError) -> Answers:
        look.failures += 1
        patient = {i: (r, policy) for i, (r, policy) in asked.items() if look.failures <= policy.retries}
        tired = asked.keys() - patient.keys()
        if patient:
            look.waiting = patient
            pause = min(p.pause(look.failures, self.tools.jitter()) for _, p in patient.values())
            self._number += 1
            look.queued = True
            heapq.heappush(self._later, (self.tools.clock.now() + pause, self._number, look))
        else:
            self._answered(look)
        if not look.is_poll:
            return Answers(set(), dict.fromkeys(tired, error.message))
        # A driver that cannot list says by a failing poll that it does not know the machine.
        for resource_id in tired:
            self._sights[resource_id] = _sight(None, look.started_at)
        return Answers(set(tired), {})


def _sight(seen: Seen | None, at: float) -> tuple[Sight, Seen | None]:
    if seen is None:
        return Sight(at), None
    return Sight(at, seen.health, seen.deploy_id), seen
