"""The records of a fleet in memory, together with what is pending of them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from onecore.machines.charge import Held
from onecore.machines.ledger import Ledger
from onecore.machines.looks import Looks
from onecore.machines.model import SETTLED, Resource
from onecore.machines.starts import Starts
from onecore.machines.timers import Timers
from onecore.machines.tools import Group, Tools, group_of


@dataclass
class Desk:
    """What the parts of a fleet share. `due`: the records to decide about now; `touched`: owners of whom
    something changed that no record tells; `settled`: the records at rest, by name, of each provider."""

    tools: Tools
    starts: Starts
    ledger: Ledger = field(init=False)
    looks: Looks = field(init=False)
    timers: Timers = field(default_factory=Timers)
    owners: dict[str, Held] = field(default_factory=dict)
    of: dict[int, Held] = field(default_factory=dict)
    due: set[int] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    settled: dict[Group, dict[str, int]] = field(default_factory=dict)
    first_settled: Callable[[Group], None] = lambda group: None

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.tools)
        self.looks = Looks(self.tools, self.tools.runner)

    def keep(self, resource: Resource) -> None:
        """The record is this from now on, in memory."""
        held = self.owners[resource.owner]
        held.records[resource.id] = resource
        self.of[resource.id] = held
        group = group_of(resource)
        if resource.state in SETTLED:
            if group not in self.settled:
                self.settled[group] = {}
                self.first_settled(group)
            self.settled[group][resource.name] = resource.id
        elif group in self.settled:
            self.settled[group].pop(resource.name, None)

    def attend_to(self, resource_id: int) -> None:
        """Something happened to it; what follows is seen to in the next round of decisions."""
        if resource_id in self.of:
            self.due.add(resource_id)

    def decide_about(self, resource_id: int) -> None:
        """Bring it to what is wanted of it, from now on until it is or cannot become so."""
        held = self.of.get(resource_id)
        if held is not None:
            held.moving.add(resource_id)
            self.due.add(resource_id)

    def change(self, resource: Resource, text: str, level: str = "I", action: str = "Resource") -> None:
        self.keep(resource)
        self.ledger.change(resource, text, level, action)

    def note(self, resource: Resource) -> None:
        """As `change`, but nothing that people need to be told."""
        self.keep(resource)
        self.ledger.note(resource)

    def remove(self, resource: Resource, reason: str) -> None:
        held = self.of[resource.id]
        self._forget(held, {resource.id})
        del held.records[resource.id]
        self.ledger.remove(resource, reason)

    def trouble(self, resource_id: int, text: str) -> None:
        """The record cannot become as wanted, and why."""
        held = self.of[resource_id]
        held.moving.discard(resource_id)
        if held.problems.get(resource_id) != text:
            held.problems[resource_id] = text
            self.touched.add(held.charge.owner)

    def clear(self, held: Held) -> None:
        """Nothing of this owner is pending any more."""
        self._forget(held, set(held.records))
        self.ledger.forget({held.charge.owner})
        self.touched.discard(held.charge.owner)
        held.awaited.clear()

    def _forget(self, held: Held, resource_ids: set[int]) -> None:
        self.due -= resource_ids
        held.moving -= resource_ids
        held.asked -= resource_ids
        held.polled -= resource_ids
        self.looks.forget(resource_ids)
        for resource_id in resource_ids:
            self.starts.withdraw(resource_id)
            held.problems.pop(resource_id, None)
            held.orders.pop(resource_id, None)
            self.of.pop(resource_id, None)
            resource = held.records[resource_id]
            self.settled.get(group_of(resource), {}).pop(resource.name, None)
