"""The ledger of one owner under one lease: what is pending, and what else belongs to it, in one commit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from onecore.machines.decide import Step
from onecore.machines.ledger import Call, Intent, Ledger
from onecore.machines.model import Resource
from onecore.machines.tools import Tools
from onecore.store import lease
from onecore.store.engine import Transaction
from onecore.store.lease import Lease

RENEW_EVERY_S = lease.TTL_S / 4
ATTEND_EVERY_S = 1.0


@dataclass
class Journal:
    """Pending writes under a lease. Nothing is told to anybody before it is on disk."""

    tools: Tools
    lease: Lease
    owner: str
    _ledger: Ledger = field(init=False)
    _further: list[Callable[[Transaction], None]] = field(default_factory=list)
    _attended: float = 0.0
    _renewed: float = 0.0
    _stop: str = ""

    def __post_init__(self) -> None:
        self._ledger = Ledger(self.tools)

    @property
    def pending(self) -> bool:
        return self._ledger.pending or bool(self._further)

    def change(self, resource: Resource, text: str, level: str = "I", action: str = "Resource") -> None:
        """See Ledger."""
        self._ledger.change(resource, text, level, action)

    def remove(self, resource: Resource, reason: str) -> None:
        self._ledger.remove(resource, reason)

    def note(self, action: str, text: str, level: str = "I") -> None:
        """A line of the history that is of no single resource."""
        self._ledger.line(self.owner, action, text, level)

    def also(self, write: Callable[[Transaction], None]) -> None:
        """Something else that belongs into the same transaction."""
        self._further.append(write)

    def end(self, operation_id: int, outcome: str, answer: str) -> None:
        self._ledger.end(self.owner, operation_id, outcome, answer)

    def begin(
        self, chosen: Sequence[tuple[Resource, str]], step: Step, verb: str, timeout_s: float
    ) -> list[Call]:
        """Commit what is pending and the intents to do this with all the chosen (with the reason of each), in
        one transaction. Returns what may now start: nothing, once another process has asked to stop."""
        intents = [Intent(each, self.lease, step, verb, reason, timeout_s) for each, reason in chosen]
        with self.tools.database.begin() as tx:
            self._write(tx)
            self._stop = self._stop or self.tools.stop_requested(tx)
            begun = [] if self._stop else self._ledger.begin(tx, intents)
        self._ledger.committed(begun)
        return begun

    def commit(self) -> None:
        """Write all that is pending in one transaction."""
        with self.tools.database.begin() as tx:
            self._write(tx)
        self._ledger.committed([])

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

    def _write(self, tx: Transaction) -> None:
        lease.check(tx, self.lease)
        self._ledger.write(tx)
        for write in self._further:
            write(tx)
        self._further = []
