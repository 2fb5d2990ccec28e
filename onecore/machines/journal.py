"""Writes of the machine loop, gathered so that one durable commit serves many of them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from onecore.machines import record
from onecore.machines.decide import Step
from onecore.machines.model import Resource, State
from onecore.machines.tools import Tools
from onecore.store import events, lease, resources
from onecore.store.engine import Transaction
from onecore.store.lease import Lease

RENEW_EVERY_S = lease.TTL_S / 4
ATTEND_EVERY_S = 1.0


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
    _writes: list[Callable[[Transaction], None]] = field(default_factory=list)
    _notices: list[tuple[Resource, str, str]] = field(default_factory=list)
    _spent: list[int] = field(default_factory=list)
    _attended: float = 0.0
    _renewed: float = 0.0
    _stop: str = ""

    @property
    def pending(self) -> bool:
        return bool(self._writes)

    def change(self, resource: Resource, text: str, level: str = "I", action: str = "") -> None:
        """The record is now this; `text` says why, `action` names what happened for the history."""
        now = self.tools.clock.now()
        name = action or "Resource"
        line = f"{resource.label}: {resource.state.value}: {text}"
        self._writes.append(lambda tx: resources.update(tx, [resource]))
        self._writes.append(lambda tx: events.add(tx, self.owner, now, name, line, level))
        self._notices.append((resource, text, level))

    def remove(self, resource: Resource, reason: str) -> None:
        now = self.tools.clock.now()
        line = f"{resource.label}: gone: {reason}"
        self._writes.append(lambda tx: resources.remove(tx, resource.id))
        self._writes.append(lambda tx: events.add(tx, self.owner, now, "Resource deprovisioned", line))
        self._notices.append((replace(resource, state=State.GONE), reason, "I"))

    def end(self, operation_id: int, outcome: str, answer: str) -> None:
        now = self.tools.clock.now()
        self._writes.append(lambda tx: resources.end_operation(tx, operation_id, now, outcome, answer))
        self._spent.append(operation_id)

    def commit(self, starts: list[tuple[Resource, Step, str, str, float]]) -> list[Begun]:
        """Write all that is pending and the intents of `starts` (record, step, verb, reason, timeout in
        seconds) in one transaction. Returns what may now start: nothing, once another process has asked to
        stop."""
        begun = []
        with self.tools.database.begin() as tx:
            lease.check(tx, self.lease)
            for write in self._writes:
                write(tx)
            self._stop = self._stop or (self.tools.stop_requested(tx) if starts else "")
            for resource, step, verb, reason, timeout_s in [] if self._stop else starts:
                begun.append(self._begin(tx, resource, step, verb, timeout_s))
                self._notices.append((begun[-1].resource, f"{verb}: {reason}", "I"))
        self._after_commit([each.id for each in begun])
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
        resources.update(tx, [changed])
        return Begun(operation_id, changed, step, doubtful=resource.state is State.UNKNOWN)

    def _after_commit(self, begun: list[int]) -> None:
        self._writes = []
        for finished, operation_id in zip(self._spent, begun, strict=False):
            self.tools.inherit_run_files(finished, operation_id)
        for finished in self._spent[len(begun) :]:
            self.tools.forget_run_files(finished)
        self._spent = []
        notices, self._notices = self._notices, []
        for resource, text, level in notices:
            self.tools.report(resource, text, level)
        self.tools.told()
