"""Which owners a fleet may still work for: those whose lease it holds."""

from collections.abc import Iterable

from onecore.machines.desk import Desk
from onecore.store import lease
from onecore.store.engine import Transaction

RENEW_EVERY_S = lease.TTL_S / 4


class Tenure:
    """Keeps the leases, and clears the desk of those that another process took over: they are `lost` until
    they are dropped."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._renewed = desk.tools.clock.now()
        self.lost: set[str] = set()

    @property
    def renew_at(self) -> float | None:
        """When the leases are renewed next; None where there are none."""
        return self._renewed + RENEW_EVERY_S if self._desk.owners else None

    def renew(self) -> None:
        """When it is time."""
        owners, now = self._desk.owners, self._desk.tools.clock.now()
        if now < self._renewed + RENEW_EVERY_S:
            return
        self._renewed = now
        leases = [held.charge.lease for held in owners.values() if not held.lost]
        with self._desk.tools.database.begin() as tx:
            kept = lease.renew_all(tx, leases, now)
        self.lose(owner for owner, held in owners.items() if held.charge.lease.key not in kept)

    def lose(self, owners: Iterable[str]) -> None:
        for owner in owners:
            held = self._desk.owners[owner]
            if not held.lost:
                held.lost = True
                self.lost.add(owner)
                self._desk.clear(held)

    def not_ours(self, tx: Transaction, owners: Iterable[str]) -> list[str]:
        """Those of these owners whose lease another process has."""
        leases = {owner: self._desk.owners[owner].charge.lease for owner in owners}
        kept = lease.ours(tx, leases.values()) if leases else set()
        return [owner for owner, held in leases.items() if held.key not in kept]
