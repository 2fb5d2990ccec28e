"""The loop that drives the resources of many owners to what is wanted of them.

One thread: drivers run side by side as processes; results, what follows from them, and new intents are
committed together. It takes no input but the records and what is seen of them: a first run, a resume after a
crash and a retry are the same.

Between two turns the records are what is on disk. Whatever a turn raises, the fleet is not to be used again:
make a new one from the store, as after a crash, with the same tools, which see what runs to its end.
"""

from collections.abc import Iterable, Mapping, Set
from types import MappingProxyType

from onecore.machines.charge import Charge, Held, Reconcile, nothing
from onecore.machines.deciding import Deciding
from onecore.machines.desk import Desk
from onecore.machines.ledger import Call, Intent
from onecore.machines.looks import Look
from onecore.machines.model import Resource
from onecore.machines.orders import Orders
from onecore.machines.power import Action, Further, Order
from onecore.machines.recovery import Recovery
from onecore.machines.running import Running
from onecore.machines.starts import Start, Starts
from onecore.machines.tenure import Tenure
from onecore.machines.tools import Tools
from onecore.machines.watching import Watching
from onecore.process import GATHER_S, Outcome
from onecore.store.engine import Transaction
from onecore.store.resources import Operation

# How often the decisions of one commit may lead to further ones in it.
ROUNDS = 4


class Fleet:
    """Drives owners, at most `threads` driver calls at a time.

    `reconcile` is called inside each commit with the owners whose records changed, who have a new problem or
    were touched: it may change rows of its own, and write resource rows of theirs, which it returns.
    """

    def __init__(self, tools: Tools, threads: int, reconcile: Reconcile = nothing) -> None:
        self._tools = tools
        self._reconcile = reconcile
        self._desk = Desk(tools, Starts(threads))
        self._orders = Orders(self._desk)
        self._watching = Watching(self._desk)
        self._recovery = Recovery(self._desk)
        self._deciding = Deciding(self._desk, self._orders)
        self._running = Running(self._desk, self._orders)
        self._arrived: list[tuple[object, Outcome]] = []
        self._tenure = Tenure(self._desk)
        self._is_spent = False
        self.stopping = ""
        self._waker = tools.runner.listen()
        tools.runner.started = self._running.is_at_work

    # -- the owners ----------------------------------------------------------------------------------------

    def take(self, charge: Charge, resources: Iterable[Resource], at_rest: bool = False) -> None:
        """Drive this owner from now on. `resources`: its records as just loaded under the lease; they are
        decided about in the next turn, or (`at_rest`) not before they are put again."""
        if charge.owner in self._desk.owners:
            raise AssertionError(f"{charge.owner} is driven already")
        self._desk.owners[charge.owner] = Held(charge)
        for resource in resources:
            self._desk.keep(resource)
            if not at_rest:
                self._desk.decide_about(resource.id)

    def recover(self, owner: str, operations: Iterable[Operation]) -> None:
        """The operations that were open when this owner was just taken: each is waited for, until its driver
        is not at work any more, and then its end is unknown. Only its own record waits for it."""
        self._recovery.begin(owner, operations)

    def drop(self, owner: str) -> None:
        """Drive it no longer: it is settled, or its lease is lost."""
        held = self._desk.owners[owner]
        if held.calls and not held.lost:
            raise AssertionError(f"driver calls of {owner} are at work")
        self._desk.clear(held)
        del self._desk.owners[owner]
        self._tenure.lost.discard(owner)

    def put(self, resources: Iterable[Resource]) -> None:
        """Records that this process added or changed in a transaction of its own, which is committed: take
        them over and decide about them."""
        for resource in resources:
            if not self._desk.owners[resource.owner].lost:
                self._desk.keep(resource)
                self._desk.decide_about(resource.id)

    def touch(self, owners: Iterable[str]) -> None:
        """Have these reconciled in the next turn, though no record of theirs changed."""
        self._desk.touched |= {owner for owner in owners if not self._desk.owners[owner].lost}

    @property
    def lost(self) -> Set[str]:
        """The owners whose lease another process took over, until they are dropped."""
        return self._tenure.lost

    def owners(self) -> Set[str]:
        return self._desk.owners.keys()

    def records(self, owner: str) -> Mapping[int, Resource]:
        return MappingProxyType(self._desk.owners[owner].records)

    def problems(self, owner: str) -> Mapping[int, str]:
        """Why some of its records cannot become as wanted."""
        return MappingProxyType(self._desk.owners[owner].problems)

    def is_busy(self, owner: str) -> bool:
        """Whether calls are at work, or something is pending that will lead to more."""
        return self._desk.owners[owner].is_busy

    def order(self, resource_id: int, action: Action | Further, within_s: float | None = None) -> None:
        """Do this to a machine; see `orders` for what came of it. A newer order replaces an older one."""
        self._orders.give(resource_id, Order(action, within_s))

    def orders(self, owner: str) -> Mapping[int, Order]:
        """The newest order of each of its machines that had one."""
        return MappingProxyType(self._desk.owners[owner].orders)

    def look(self, resource_ids: Iterable[int]) -> None:
        """Look at these machines at rest, once, and record what is seen."""
        self._watching.ask(resource_ids)

    def watch(self, every_s: float) -> None:
        """Look at all machines at rest at this interval (0: never). What changed is recorded, also that one
        vanished, and never acted upon before its record is put again."""
        self._watching.every(every_s)

    @property
    def is_at_work(self) -> bool:
        """Whether calls run, or something is not on disk yet."""
        return bool(self._running or self._arrived or self._desk.looks.running or self._desk.ledger.pending)

    # -- the loop ------------------------------------------------------------------------------------------

    def turn(self, pause_s: float) -> set[str]:
        """Wait (at most `pause_s`) until something ended or is due; then decide, commit, and start what may
        start. Returns the owners whose records changed. Those whose lease another process took over are in
        `lost`, until they are dropped: nothing of theirs is written or started any more."""
        if self._is_spent:
            raise AssertionError("a fleet whose turn failed is not to be used again")
        self._is_spent = True
        for key, outcome in self._wait(pause_s):
            self._ended(key, outcome)
        self.stopping = self.stopping or self._tools.interrupted()
        self._desk.timers.run(self._tools.clock.now())
        self._tenure.renew()
        self._deciding.all_due()
        if not self.stopping:
            # Looking changes nothing: it need not wait for the disk.
            self._arrived += self._desk.looks.start(self._running.is_busy)
        else:
            self._desk.looks.stop()
        changed = self._commit() if self._has_to_commit() else set()
        self._is_spent = False
        return changed

    def wake(self) -> None:
        """End the wait of `turn` now; for any thread."""
        self._waker.ring()

    def _wait(self, pause_s: float) -> list[tuple[object, Outcome]]:
        desk, now = self._desk, self._tools.clock.now()
        arrived, self._arrived = self._arrived, []
        if arrived or desk.due or self._deciding.postponed or self._has_to_commit():
            return [*arrived, *self._tools.runner.wait(0)]
        times = [desk.timers.wake_at(), self._tenure.renew_at]
        if not self.stopping:
            times += [desk.looks.wake_at, desk.starts.wake_at(now)]
        pauses = [max(at - now, 0.0) for at in times if at is not None]
        return self._tools.runner.gather(min([pause_s, *pauses]), GATHER_S)

    def _has_to_commit(self) -> bool:
        if self._desk.ledger.pending or self._desk.touched:
            return True
        return not self.stopping and self._desk.starts.can_start(self._tools.clock.now())

    # -- the commit ----------------------------------------------------------------------------------------

    def _commit(self) -> set[str]:
        """Write all that is pending, let the product reconcile, and begin what may start: intents reach the
        disk first, then the drivers start."""
        desk = self._desk
        changed: set[str] = set()
        with self._tools.database.begin() as tx:
            for _ in range(ROUNDS):
                owners = self._write(tx)
                if not owners:
                    break
                changed |= owners
                self.put(self._reconcile(tx, owners))
                self._deciding.all_due_in_transaction()
            else:
                # The rest is written, so that memory is as the disk, and reconciled in the next turn.
                desk.touched = self._write(tx)
                changed |= desk.touched
            begun = desk.ledger.begin(tx, self._intents(tx))
        desk.ledger.committed(begun)
        for call in begun:
            failed = self._running.launch(call)
            if failed is not None:
                self._arrived.append((call, failed))
        return changed | {call.resource.owner for call in begun}

    def _write(self, tx: Transaction) -> set[str]:
        """Returns the owners of whom something was written, or has to be told."""
        desk = self._desk
        self._tenure.lose(self._tenure.not_ours(tx, desk.ledger.owners | desk.touched))
        owners = desk.ledger.owners | desk.touched
        desk.touched = set()
        desk.ledger.write(tx)
        return owners

    def _intents(self, tx: Transaction) -> Iterable[Intent]:
        """What starts now, unless another process has asked to stop."""
        now, starts = self._tools.clock.now(), self._desk.starts
        if self.stopping or not starts.can_start(now):
            return []
        self.stopping = self._tools.stop_requested(tx)
        chosen = [] if self.stopping else list(starts.take(now))
        not_ours = set(self._tenure.not_ours(tx, {start.owner for start in chosen}))
        for start in chosen:
            if start.owner in not_ours:
                starts.ended(start.driver)
        self._tenure.lose(not_ours)
        return [self._intent(start) for start in chosen if start.owner not in not_ours]

    def _intent(self, start: Start) -> Intent:
        held = self._desk.owners[start.owner]
        resource = held.records[start.resource_id]
        limits = self._desk.starts.limits(start.driver)
        timeout_s = limits.timeout_for(start.verb)
        return Intent(resource, held.charge.lease, start.step, start.verb, start.reason, timeout_s)

    # -- what ended ----------------------------------------------------------------------------------------

    def _ended(self, key: object, outcome: Outcome) -> None:
        """Take note of what ended; what a fleet before us started is none of ours."""
        if isinstance(key, Look) and key in self._desk.looks.running:
            self._looked(key, outcome)
        elif isinstance(key, Call):
            self._running.ended(key, outcome)

    def _looked(self, look: Look, outcome: Outcome) -> None:
        answers = self._desk.looks.finished(look, outcome)
        self._orders.unseen(answers.problems)
        self._watching.answered(look, answers)
        for resource_id in answers.again | answers.problems.keys():
            self._desk.attend_to(resource_id)
