"""The owners that a fleet drives, and what it knows of each."""

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field

from onecore.machines.ledger import Call
from onecore.machines.model import Resource, RetryPolicy
from onecore.store.engine import Transaction
from onecore.store.lease import Lease

# Called inside a commit, after the record writes of these owners; returns the resource rows that it wrote.
Reconcile = Callable[[Transaction, Set[str]], Iterable[Resource]]


def nothing(tx: Transaction, owners: Set[str]) -> Iterable[Resource]:
    """A reconcile of nobody."""
    return ()


@dataclass(frozen=True)
class Charge:
    """An owner (`provision/3`, `service/7`) that is driven under its lease."""

    owner: str
    lease: Lease
    policy: RetryPolicy


@dataclass
class Held:
    """`moving`: the records about which more is to be decided; `calls`: the driver call at work on a record;
    `lost`: another process has the lease, so that nothing of it is written any more. All by record."""

    charge: Charge
    records: dict[int, Resource] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)
    moving: set[int] = field(default_factory=set)
    calls: dict[int, Call] = field(default_factory=dict)
    lost: bool = False
