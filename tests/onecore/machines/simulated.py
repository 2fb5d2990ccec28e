"""A small pure model of a cloud with everything that can go wrong, and of a worker that decides and records.

The cloud counts what it was asked for; nothing here reads a clock or starts a program.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random

from onecore.machines import record
from onecore.machines.calls import Seen
from onecore.machines.decide import Decision, Facts, Health, Sight, Step, decide
from onecore.machines.model import Resource, RetryPolicy, State

ENDS = (Step.DONE, Step.GIVE_UP, Step.HOLD, Step.GONE)
CONCLUSIONS = (Step.ADOPT, Step.ABSENT, Step.READY, Step.STOPPED, Step.BROKEN, Step.AGAIN)
MOST_STEPS = 500
NEVER = float("inf")


class Fault(StrEnum):
    """What becomes of one driver call. AFTER: it took effect all the same; LATE: it will, soon."""

    NONE = "none"
    REFUSED = "refused"
    REFUSED_AFTER = "refused after"
    REFUSED_LATE = "refused, late effect"
    LOST = "lost"
    LOST_AFTER = "lost after"
    LOST_LATE = "lost, late effect"
    LIE = "lie"
    CRASH = "crash before the driver starts"
    CRASH_AFTER = "crash after the effect"
    CRASH_SALVAGED = "crash after the answer was written"

    @property
    def takes_effect(self) -> bool:
        return self not in (Fault.REFUSED, Fault.LOST, Fault.LIE, Fault.CRASH)

    @property
    def is_late(self) -> bool:
        return self in (Fault.REFUSED_LATE, Fault.LOST_LATE)


HONEST = (Fault.REFUSED, Fault.LOST, Fault.LOST_AFTER, Fault.CRASH, Fault.CRASH_AFTER, Fault.CRASH_SALVAGED)


@dataclass
class Machine:
    """Exists from `born` to `died`; the list knows of both only `hidden` seconds later."""

    id: str
    born: float
    hidden: float
    boots: float
    ill: bool
    died: float = NEVER

    def exists(self, at: float) -> bool:
        return self.born <= at < self.died

    def is_listed(self, at: float) -> bool:
        return self.born + self.hidden <= at < self.died + self.hidden

    def health(self, at: float) -> Health:
        if self.ill:
            return Health.ERROR
        return Health.RUNNING if at >= self.born + self.boots else Health.PENDING


@dataclass
class Cloud:
    """All machines of one name. `lag_s`: how long after a change at most the list shows the old picture."""

    chance: Random
    facts: Facts
    lag_s: float
    machines: list[Machine] = field(default_factory=list)
    doubled: int = 0

    def existing(self, at: float) -> list[Machine]:
        return [m for m in self.machines if m.exists(at)]

    def create(self, at: float, late: bool, ill: bool) -> str:
        known = [m for m in self.machines if m.died == NEVER]
        if known and self.facts.idempotent:
            known[0].born = min(known[0].born, at)
            return known[0].id
        # Whatever is still to be is counted too: it will stand beside the new one.
        self.doubled += len(known)
        delay = self.chance.uniform(0, self.lag_s) if late else 0.0
        hidden = self.chance.uniform(0, self.lag_s - delay)
        boots = self.chance.choice([0.0, 3.0])
        self.machines.append(Machine(f"id-{len(self.machines)}", at + delay, hidden, boots, ill))
        return self.machines[-1].id

    def known_id(self) -> str:
        """What a driver that makes nothing could answer all the same."""
        return next((m.id for m in self.machines if m.died == NEVER), "")

    def destroy(self, deploy_id: str, at: float) -> None:
        for machine in self.existing(at):
            if machine.id == deploy_id:
                machine.died = at

    def look(self, resource: Resource, at: float) -> Seen | None:
        for machine in self.machines:
            known = machine.is_listed(at) if self.facts.can_list else machine.exists(at)
            if known and (self.facts.can_list or machine.id == resource.deploy_id):
                return Seen(resource.name, machine.id, machine.health(at))
        return None


@dataclass
class Worker:
    """Decides and records as the real one does, one step at a time; `faults` is how many may still happen."""

    chance: Random
    cloud: Cloud
    resource: Resource
    now: float = 1000.0
    faults: int = 0
    sight: Sight = field(default_factory=Sight)
    seen: Seen | None = None
    story: list[str] = field(default_factory=list)

    def settle(
        self, policy: RetryPolicy, meanwhile: Callable[["Worker"], None] = lambda worker: None
    ) -> Step:
        """Work until there is nothing to do, or nothing that can be done; returns which."""
        self._forget()
        for _ in range(MOST_STEPS):
            meanwhile(self)
            decision = self._decision(policy)
            self.story.append(f"{self.now:.1f} {self.resource.state}: {decision.step}: {decision.reason}")
            if decision.step in ENDS:
                return decision.step
            self._perform(decision, policy)
        raise AssertionError("stuck:\n" + "\n".join(self.story[-40:]))

    def refresh(self) -> None:
        """Look at what is settled, as before a repair."""
        self.resource = record.observed(self.resource, self.cloud.look(self.resource, self.now), self.now)

    def _decision(self, policy: RetryPolicy) -> Decision:
        sight = self.sight
        if self.resource.state is State.UNKNOWN:
            sight = replace(sight, salvaged_id=self.resource.deploy_id)
        return decide(self.resource, self.cloud.facts, sight, policy, self.now)

    def _perform(self, decision: Decision, policy: RetryPolicy) -> None:
        match decision.step:
            case Step.CREATE | Step.DESTROY:
                self._call(decision.step, policy)
            case Step.LOOK | Step.POLL:
                began = self.now
                self._pass(1.0)
                self.seen = self.cloud.look(self.resource, began)
                self.sight = Sight(began)
                if self.seen:
                    self.sight = Sight(began, self.seen.health, self.seen.deploy_id)
            case Step.WAIT:
                assert decision.at > self.now
                self.now = decision.at
            case Step.STILL_THERE:
                self.resource = record.refused(self.resource, decision.reason, policy, self.now, 1.0)
            case step:
                assert step in CONCLUSIONS
                self.resource = record.concluded(self.resource, step, decision.reason, self.sight, self.seen)

    def _call(self, step: Step, policy: RetryPolicy) -> None:
        doubtful = self.resource.state is State.UNKNOWN
        self.resource = record.started(self.resource, step, self.now)
        self._pass(2.0)
        fault = self._fault(step)
        self.story.append(f"{self.now:.1f} {step}: {fault}")
        answer = self._effect(step, fault)
        self._pass(1.0)
        if fault in (Fault.CRASH, Fault.CRASH_AFTER, Fault.CRASH_SALVAGED):
            salvaged = answer if fault is Fault.CRASH_SALVAGED else ""
            self._forget()
            self.resource = record.orphaned(self.resource, salvaged, self.now)
        elif fault in (Fault.REFUSED, Fault.REFUSED_AFTER, Fault.REFUSED_LATE) and not doubtful:
            self.resource = record.refused(self.resource, fault, policy, self.now, 1.0)
        elif fault is not Fault.NONE and fault is not Fault.LIE:
            self.resource = record.lost(self.resource, fault, policy, self.now, 1.0)
        elif step is Step.CREATE:
            self.resource = record.created(self.resource, answer or "id-of-nothing", (), self.now)
        else:
            self.resource = record.destroyed(self.resource, self.now)

    def _effect(self, step: Step, fault: Fault) -> str:
        if not fault.takes_effect:
            return self.cloud.known_id()
        if step is Step.CREATE:
            mendable = self.cloud.facts.can_list or self.cloud.facts.idempotent
            ill = mendable and self.faults > 0 and self.chance.random() < 0.1
            return self.cloud.create(self.now, fault.is_late, ill)
        self.cloud.destroy(self.resource.deploy_id, self.now)
        return ""

    def _fault(self, step: Step) -> Fault:
        if self.faults <= 0 or self.chance.random() < 0.3:
            return Fault.NONE
        self.faults -= 1
        # Without a list, nobody could tell that a driver lied.
        return self.chance.choice(list(Fault) if self.cloud.facts.can_list else HONEST)

    def _pass(self, most: float) -> None:
        self.now += self.chance.uniform(0.001, most)

    def _forget(self) -> None:
        self.sight, self.seen = Sight(), None
