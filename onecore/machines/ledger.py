"""Writes of a fleet, gathered so that one durable commit serves many of them and many owners."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from onecore.machines import record
from onecore.machines.decide import Step
from onecore.machines.model import Resource, State
from onecore.machines.tools import Tools
from onecore.store import events, resources
from onecore.store.engine import Transaction
from onecore.store.events import Line
from onecore.store.lease import Lease
from onecore.store.resources import End


@dataclass(frozen=True, eq=False)
class Call:
    """A driver call whose intent is on disk. `step` None: a power action. `doubtful`: an earlier try, whose
    end is unknown, may have made it, so that a refusal of this one does not say that it is not there."""

    id: int
    resource: Resource
    step: Step | None
    verb: str
    begun_at: float
    doubtful: bool = False


@dataclass(frozen=True)
class Intent:
    """A driver call that is to start. `step` None: a power action."""

    resource: Resource
    lease: Lease
    step: Step | None
    verb: str
    reason: str
    timeout_s: float


@dataclass
class Ledger:
    """What is pending, of every owner. Nothing is told to anybody before it is on disk."""

    tools: Tools
    _changed: dict[int, Resource] = field(default_factory=dict)
    _removed: dict[int, str] = field(default_factory=dict)
    _lines: list[Line] = field(default_factory=list)
    _ends: list[tuple[str, End]] = field(default_factory=list)
    _spent: list[int] = field(default_factory=list)
    _notices: list[tuple[Resource, str, str]] = field(default_factory=list)

    @property
    def pending(self) -> bool:
        return bool(self._changed or self._removed or self._lines or self._ends)

    @property
    def owners(self) -> set[str]:
        """Those of whom something is pending."""
        changed = {resource.owner for resource in self._changed.values()}
        return changed | {*self._removed.values()} | {owner for owner, _ in self._ends}

    def change(self, resource: Resource, text: str, level: str = "I", action: str = "Resource") -> None:
        """The record is now this; `text` says why, `action` names what happened for the history."""
        self._changed[resource.id] = resource
        line = f"{resource.label}: {resource.state.value}: {text}"
        self._lines.append((resource.owner, self.tools.clock.now(), action, line, level))
        self._notices.append((resource, text, level))

    def line(self, owner: str, action: str, text: str, level: str = "I") -> None:
        """Something for the history that is of no single resource."""
        self._lines.append((owner, self.tools.clock.now(), action, text, level))

    def note(self, resource: Resource) -> None:
        """The record is now this, and that is nothing that people need to be told."""
        self._changed[resource.id] = resource

    def remove(self, resource: Resource, reason: str) -> None:
        self._changed.pop(resource.id, None)
        self._removed[resource.id] = resource.owner
        line, now = f"{resource.label}: gone: {reason}", self.tools.clock.now()
        self._lines.append((resource.owner, now, "Resource deprovisioned", line, "I"))
        self._notices.append((replace(resource, state=State.GONE), reason, "I"))

    def end(self, owner: str, operation_id: int, outcome: str, answer: str) -> None:
        self._ends.append((owner, (operation_id, self.tools.clock.now(), outcome, answer)))

    def forget(self, owners: Collection[str]) -> None:
        """Drop what is pending of these owners: another process has their leases."""
        self._changed = {i: r for i, r in self._changed.items() if r.owner not in owners}
        self._removed = {i: owner for i, owner in self._removed.items() if owner not in owners}
        self._lines = [line for line in self._lines if line[0] not in owners]
        self._ends = [end for end in self._ends if end[0] not in owners]
        self._notices = [notice for notice in self._notices if notice[0].owner not in owners]

    def write(self, tx: Transaction) -> None:
        """Write all that is pending."""
        ends = [end for _, end in self._ends]
        resources.end_operations(tx, ends)
        resources.update(tx, self._changed.values())
        events.add_many(tx, self._lines)
        for resource_id in self._removed:
            resources.remove(tx, resource_id)
        self._spent += [operation_id for operation_id, *_ in ends]
        self._changed, self._removed, self._lines, self._ends = {}, {}, [], []

    def begin(self, tx: Transaction, intents: Iterable[Intent]) -> list[Call]:
        """Write that these calls are about to start."""
        begun = []
        for each in intents:
            now = self.tools.clock.now()
            changed = record.started(each.resource, each.step, now) if each.step else each.resource
            until = now + each.timeout_s
            number = resources.begin_operation(tx, changed, each.verb, each.lease.token, now, until)
            doubtful = each.step is not None and each.resource.state is State.UNKNOWN
            begun.append(Call(number, changed, each.step, each.verb, now, doubtful))
            self._notices.append((changed, f"{each.verb}: {each.reason}", "I"))
        resources.update(tx, [call.resource for call in begun if call.step])
        return begun

    def committed(self, begun: list[Call]) -> None:
        """All that was written is on disk: hand the run files on, and tell people."""
        spent, self._spent = self._spent, []
        for finished, call in zip(spent, begun, strict=False):
            self.tools.inherit_run_files(finished, call.id)
        for finished in spent[len(begun) :]:
            self.tools.forget_run_files(finished)
        notices, self._notices = self._notices, []
        for resource, text, level in notices:
            self.tools.report(resource, text, level)
        if notices:
            self.tools.told()
