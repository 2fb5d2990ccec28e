"""The records of a fleet in memory, together with what is pending of them."""

from dataclasses import dataclass, field

from onecore.machines.charge import Held
from onecore.machines.ledger import Ledger
from onecore.machines.looks import Looks
from onecore.machines.model import Resource
from onecore.machines.starts import Starts
from onecore.machines.timers import Timers
from onecore.machines.tools import Tools


@dataclass
class Desk:
    """What the parts of a fleet share. `due`: the records to decide about now; `touched`: owners of whom
    something changed that no record tells."""

    tools: Tools
    starts: Starts
    ledger: Ledger = field(init=False)
    looks: Looks = field(init=False)
    timers: Timers = field(default_factory=Timers)
    owners: dict[str, Held] = field(default_factory=dict)
    of: dict[int, Held] = field(default_factory=dict)
    due: set[int] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.tools)
        self.looks = Looks(self.tools, self.tools.runner)

    def lay(self, resource: Resource) -> None:
        """A record as it is in the store; it is to be decided about."""
        held = self.owners[resource.owner]
        held.records[resource.id] = resource
        self.of[resource.id] = held
        self.decide_about(resource.id)

    def decide_about(self, resource_id: int) -> None:
        held = self.of.get(resource_id)
        if held is not None and not held.lost:
            held.moving.add(resource_id)
            self.due.add(resource_id)

    def change(self, resource: Resource, text: str, level: str = "I", action: str = "Resource") -> None:
        self.of[resource.id].records[resource.id] = resource
        self.ledger.change(resource, text, level, action)

    def remove(self, resource: Resource, reason: str) -> None:
        held = self.of[resource.id]
        del held.records[resource.id]
        self._forget(held, {resource.id})
        self.ledger.remove(resource, reason)

    def trouble(self, resource_id: int, text: str) -> None:
        """The record cannot become as wanted, and why."""
        held = self.of[resource_id]
        held.problems[resource_id] = text
        held.moving.discard(resource_id)
        self.touched.add(held.charge.owner)

    def clear(self, held: Held) -> None:
        """Nothing of this owner is pending any more."""
        self._forget(held, held.records.keys() | held.moving)
        self.ledger.forget({held.charge.owner})
        self.touched.discard(held.charge.owner)

    def _forget(self, held: Held, resource_ids: set[int]) -> None:
        self.due -= resource_ids
        held.moving -= resource_ids
        self.looks.forget(resource_ids)
        for resource_id in resource_ids:
            self.starts.withdraw(resource_id)
            held.problems.pop(resource_id, None)
            self.of.pop(resource_id, None)
