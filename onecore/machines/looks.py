"""What exists at the providers: one list per provider, or a poll per machine where the driver cannot list.

Looking changes nothing, so it needs no journal; a look that fails is repeated, and never taken for absence.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from onecore.errors import OneError
from onecore.machines.calls import VERBS, Seen
from onecore.machines.decide import Sight
from onecore.machines.model import Resource, RetryPolicy
from onecore.machines.tools import Group, Tools, group_of
from onecore.process import Outcome, Runner

BUSY_INTERVAL_S = 2.0
PARALLEL_POLLS = 8

# A whole group (poll 0) or one machine of it.
Target = tuple[Group, int]


@dataclass
class _Target:
    waiting: dict[int, Resource] = field(default_factory=dict)
    running: bool = False
    started_at: float = 0.0
    next_at: float = 0.0


@dataclass
class Looks:
    """Collects who wants to know, asks once for all of them, and remembers the newest sight of each."""

    tools: Tools
    runner: Runner[object]
    policy: RetryPolicy
    _targets: dict[Target, _Target] = field(default_factory=dict)
    _sights: dict[int, tuple[Sight, Seen | None]] = field(default_factory=dict)
    _failures: Counter[Target] = field(default_factory=Counter)

    def sight(self, resource_id: int) -> tuple[Sight, Seen | None]:
        return self._sights.get(resource_id, (Sight(), None))

    def want(self, resource: Resource) -> None:
        can_list = self.tools.bind(resource).facts(resource.kind).can_list
        target = (group_of(resource), 0 if can_list else resource.id + 1)
        self._targets.setdefault(target, _Target()).waiting[resource.id] = resource

    @property
    def pending(self) -> bool:
        return any(t.waiting for t in self._targets.values())

    def wake_at(self) -> float | None:
        times = [t.next_at for t in self._targets.values() if t.waiting and not t.running and t.next_at]
        return min(times, default=None)

    def start(self, busy: Callable[[Group], bool]) -> None:
        """Start what is wanted; while drivers of the group are at work, not more often than every 2 s."""
        now = self.tools.clock.now()
        polls = sum(t.running for (_, poll), t in self._targets.items() if poll)
        for (group, poll), target in self._targets.items():
            if not target.waiting or target.running or target.next_at > now:
                continue
            if poll == 0 and busy(group) and now < target.started_at + BUSY_INTERVAL_S:
                continue
            if poll:
                polls += 1
                if polls > PARALLEL_POLLS:
                    break
            self._start((group, poll), target, now)

    def finished(self, target: Target, outcome: Outcome) -> tuple[set[int], dict[int, str]]:
        """Note the answer. Returns who can decide again, and who cannot be answered with the reason."""
        state = self._targets[target]
        state.running = False
        asked, state.waiting = state.waiting, {}
        some = next(iter(asked.values()))
        try:
            seen = self._read(target, some, outcome)
        except OneError as exc:
            return self._failed(target, state, asked, exc)
        self._failures.pop(target, None)
        for resource in asked.values():
            self._sights[resource.id] = _sight(seen.get(resource.name), state.started_at)
        return set(asked), {}

    def _start(self, key: Target, target: _Target, now: float) -> None:
        some = next(iter(target.waiting.values()))
        binding = self.tools.bind(some)
        target.running, target.started_at, target.next_at = True, now, 0.0
        command = binding.poll(some) if key[1] else binding.list(some.kind)
        self.runner.start(key, command)

    def _read(self, target: Target, resource: Resource, outcome: Outcome) -> dict[str, Seen]:
        binding = self.tools.bind(resource)
        if not outcome.ok:
            verb = "poll" if target[1] else VERBS[resource.kind].list
            raise binding.failure(verb, resource.label if target[1] else "", outcome)
        if target[1]:
            return {resource.name: binding.polled(resource, outcome)}
        return binding.listed(resource.kind, outcome)

    def _failed(
        self, target: Target, state: _Target, asked: dict[int, Resource], error: OneError
    ) -> tuple[set[int], dict[int, str]]:
        self._failures[target] += 1
        if self._failures[target] <= self.policy.retries:
            state.waiting = {**asked, **state.waiting}
            pause = self.policy.pause(self._failures[target], self.tools.jitter())
            state.next_at = self.tools.clock.now() + pause
            return set(), {}
        self._failures.pop(target)
        if not target[1]:
            return set(), dict.fromkeys(asked, error.message)
        # A driver that cannot list says by a failing poll that it does not know the machine.
        for resource_id in asked:
            self._sights[resource_id] = _sight(None, state.started_at)
        return set(asked), {}


def _sight(seen: Seen | None, at: float) -> tuple[Sight, Seen | None]:
    if seen is None:
        return Sight(at), None
    return Sight(at, seen.health, seen.deploy_id), seen
