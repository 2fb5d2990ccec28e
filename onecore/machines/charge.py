"""The owners that a fleet drives, and what it knows of each."""

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field

from onecore.machines.ledger import Call
from onecore.machines.model import Resource, RetryPolicy
from onecore.machines.power import Order
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
    """By record: `moving`, about which more is to be decided; `calls`, the driver call at work; `orders`;
    `asked`, whose sight is wanted though they are at rest, and `polled`, as from time to time. `awaited`: the
    record of each operation whose driver may have outlived a crash. `lost`: another process has the lease,
    nothing is written any more."""

    charge: Charge
    records: dict[int, Resource] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)
    moving: set[int] = field(default_factory=set)
    calls: dict[int, Call] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)
    polled: set[int] = field(default_factory=set)
    awaited: dict[int, int] = field(default_factory=dict)
    lost: bool = False

    def is_blocked(self, resource_id: int) -> bool:
        """Whether something is at work on the record, whose end has to be awaited first."""
        return resource_id in self.calls or resource_id in self.awaited.values()

    def has_order(self, resource_id: int) -> bool:
        return resource_id in self.orders and not self.orders[resource_id].is_over

    @property
    def is_busy(self) -> bool:
        ordered = any(not order.is_over for order in self.orders.values())
        return bool(self.moving or self.calls or self.asked or self.awaited or ordered)
