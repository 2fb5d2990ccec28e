"""Writes of the machine loop, gathered so that one durable commit serves many of them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from onecore.machines import record
from onecore.machines.decide import Step
from onecore.machines.model import Resource, State
from onecore.machines.tools import Tools
from onecore.store import events, lease, resources
from onecore.store.engine import Transaction
from onecore.store.events import Line
from onecore.store.lease import Lease
from onecore.store.resources import End

RENEW_EVERY_S = lease.TTL_S / 4
ATTEND_EVERY_S = 1.0

# A record as it is now, why, and the level of that.
Told = tuple[Resource, str, str]


@dataclass(frozen=True)
class Begun:
    """An operation whose intent is on disk. `doubtful`: an earlier try, whose end is unknown, may have made
    it, so that a refusal of this one does not say that it is not there."""

    id: int
    resource: Resource
    step: Step
    doubtful: bool = False


@dataclass
class Journal:
    """Pending writes under a lease. Nothing is told to anybody before it is on disk."""

    tools: Tools
    lease: Lease
    owner: str
    _changed: dict[int, Resource] = field(default_factory=dict)
    _removed: list[int] = field(default_factory=list)
    _ended: list[End] = field(default_factory=list)
    _lines: list[Line] = field(default_factory=list)
    _notices: list[Told] = field(default_factory=list)
    _further: list[Callable[[Transaction], None]] = field(default_factory=list)
    _attended: float = 0.0
    _renewed: float = 0.0
    _stop: str = ""

    @property
    def pending(self) -> bool:
        return bool(self._changed or self._removed or self._ended or self._lines or self._further)

    def change(self, resource: Resource, text: str, level: str = "I", action: str = "") -> None:
        """The record is now this; `text` says why, `action` names what happened for the history."""
        line = f"{resource.label}: {resource.state.value}: {text}"
        self._changed[resource.id] = resource
        self._lines.append((self.owner, self.tools.clock.now(), action or "Resource", line, level))
        self._notices.append((resource, text, level))

    def remove(self, resource: Resource, reason: str) -> None:
        line = f"{resource.label}: gone: {reason}"
        self._removed.append(resource.id)
        self._lines.append((self.owner, self.tools.clock.now(), "Resource deprovisioned", line, "I"))
        self._notices.append((replace(resource, state=State.GONE), reason, "I"))

    def note(self, action: str, text: str, level: str = "I") -> None:
        """A line of the history that is of no single resource."""
        self._lines.append((self.owner, self.tools.clock.now(), action, text, level))

    def also(self, write: Callable[[Transaction], None]) -> None:
        """Something else that belongs into the same transaction."""
        self._further.append(write)

    def end(self, operation_id: int, outcome: str, answer: str) -> None:
        self._ended.append((operation_id, self.tools.clock.now(), outcome, answer))

    def commit(self, starts: list[tuple[Resource, Step, str, str, float]]) -> list[Begun]:
        """Write all that is pending and the intents of `starts` (record, step, verb, reason, timeout in
        seconds) in one transaction. Returns what may now start: nothing, once another process has asked to
        stop."""
        begun, told = [], []
        with self.tools.database.begin() as tx:
            lease.check(tx, self.lease)
            self._stop = self._stop or (self.tools.stop_requested(tx) if starts else "")
            for resource, step, verb, reason, timeout_s in [] if self._stop else starts:
                begun.append(self._begin(tx, resource, step, verb, timeout_s))
                told.append((begun[-1].resource, f"{verb}: {reason}", "I"))
            resources.end_operations(tx, self._ended)
            started = {each.resource.id: each.resource for each in begun}
            resources.update(tx, {**self._changed, **started}.values())
            events.add_many(tx, self._lines)
            for resource_id in self._removed:
                resources.remove(tx, resource_id)
            for write in self._further:
                write(tx)
        self._after_commit([each.id for each in begun], told)
        return begun

    def attend(self) -> str:
        """Keep the lease, and hear whether another process asked to stop; returns its reason."""
        now = self.tools.clock.now()
        if self._stop or now < self._attended + ATTEND_EVERY_S:
            return self._stop
        self._attended = now
        if now >= self._renewed + RENEW_EVERY_S:
            with self.tools.database.begin() as tx:
                lease.renew(tx, self.lease, now)
            self._renewed = now
        with self.tools.database.read() as tx:
            return self.tools.stop_requested(tx)

    def _begin(self, tx: Transaction, resource: Resource, step: Step, verb: str, timeout_s: float) -> Begun:
        now = self.tools.clock.now()
        changed = record.started(resource, step, now)
        operation_id = resources.begin_operation(tx, changed, verb, self.lease.token, now, now + timeout_s)
        return Begun(operation_id, changed, step, doubtful=resource.state is State.UNKNOWN)

    def _after_commit(self, begun: list[int], told: list[Told]) -> None:
        for (finished, *_), operation_id in zip(self._ended, begun, strict=False):
            self.tools.inherit_run_files(finished, operation_id)
        for finished, *_ in self._ended[len(begun) :]:
            self.tools.forget_run_files(finished)
        self._changed, self._removed, self._ended, self._lines, self._further = {}, [], [], [], []
        notices, self._notices = self._notices + told, []
        for resource, text, level in notices:
            self.tools.report(resource, text, level)
        self.tools.told()
