"""A fleet over several owners of one bench."""

import time
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field

from onecore.machines.charge import Charge, Reconcile, nothing
from onecore.machines.fleet import Fleet
from onecore.machines.model import Resource, RetryPolicy
from onecore.store import lease, resources
from onecore.store.engine import Transaction
from tests.onecore.machines.bench import POLICY, Bench

PATIENCE_S = 60.0


@dataclass
class Owners:
    """`told`: for each reconcile, the owners that it was called for."""

    bench: Bench
    told: list[set[str]] = field(default_factory=list)

    def fleet(self, *names: str, reconcile: Reconcile = nothing, threads: int = 16, **tools) -> Fleet:
        """A fleet that drives these owners, as they are in the store."""

        def noted(tx: Transaction, owners: Set[str]) -> Iterable[Resource]:
            self.told.append(set(owners))
            return reconcile(tx, owners)

        fleet = Fleet(self.bench.tools(**tools), threads, noted)
        for name in names:
            fleet.take(self.charge(name), self.stored(name))
        return fleet

    def charge(self, name: str, policy: RetryPolicy = POLICY) -> Charge:
        return Charge(name, self.claim(name), policy)

    def claim(self, name: str) -> lease.Lease:
        """The lease, taken from whoever has it."""
        with self.bench.database.begin() as tx:
            tx.run("UPDATE lease SET owner = NULL WHERE key = ?", (name,))
            return lease.claim(tx, name, "test", time.time(), lease.this_process())

    def stored(self, name: str) -> list[Resource]:
        return self.bench.ask(lambda tx: resources.of_owner(tx, name))

    def states(self, name: str) -> list[str]:
        return [resource.state.value for resource in self.stored(name)]

    def change(self, fleet: Fleet, name: str, how: Callable[[Resource], Resource]) -> None:
        """In a transaction of its own, as a user's wish is."""
        with self.bench.database.begin() as tx:
            changed = [how(resource) for resource in resources.of_owner(tx, name)]
            resources.update(tx, changed)
        fleet.put(changed)


def settle(fleet: Fleet) -> set[str]:
    """Turns until nobody is busy; returns the owners that changed meanwhile."""
    return turned(fleet, lambda: not any(map(fleet.is_busy, fleet.owners())))


def turned(fleet: Fleet, until: Callable[[], bool]) -> set[str]:
    """Turns until something is so; returns the owners that changed meanwhile."""
    changed: set[str] = set()
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, "this goes on for ever"
        changed |= fleet.turn(1.0)
    return changed | fleet.turn(0)
