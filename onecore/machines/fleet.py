"""The loop that drives the resources of many owners to what is wanted of them.

One thread: drivers run side by side as processes; results, what follows from them, and new intents are
committed together. It takes no input but the records and what is seen of them: a first run, a resume after a
crash and a retry are the same.

Between two turns the records are what is on disk. Whatever a turn raises, the fleet is not to be used again:
make a new one from the store, as after a crash, with the same tools, which see what runs to its end.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from types import MappingProxyType

from onecore.errors import DriverFailed, OneError
from onecore.machines.answer import Reader
from onecore.machines.charge import Charge, Held, Reconcile, nothing
from onecore.machines.decide import Step
from onecore.machines.deciding import Deciding
from onecore.machines.desk import Desk
from onecore.machines.ledger import Call, Intent
from onecore.machines.looks import Look
from onecore.machines.model import Resource
from onecore.machines.starts import Start, Starts
from onecore.machines.tools import Group, Tools, group_of
from onecore.process import GATHER_S, Command, Ended, Outcome
from onecore.store import lease
from onecore.store.engine import Transaction

RENEW_EVERY_S = lease.TTL_S / 4
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
        self._deciding = Deciding(self._desk, lambda held, resource_id: resource_id in held.calls)
        self._calls: dict[int, tuple[Call, Held]] = {}
        self._busy: Counter[Group] = Counter()
        self._arrived: list[tuple[object, Outcome]] = []
        self._renewed = tools.clock.now()
        self._is_spent = False
        self.lost: set[str] = set()
        self.stopping = ""
        self._waker = tools.runner.listen()
        tools.runner.started = self._at_work

    # -- the owners ----------------------------------------------------------------------------------------

    def take(self, charge: Charge, resources: Iterable[Resource]) -> None:
        """Drive this owner from now on. `resources`: its records as just loaded under the lease; they are
        decided about in the next turn."""
        if charge.owner in self._desk.owners:
            raise AssertionError(f"{charge.owner} is driven already")
        self._desk.owners[charge.owner] = Held(charge)
        self.put(resources)

    def drop(self, owner: str) -> None:
        """Drive it no longer: it is settled, or its lease is lost."""
        held = self._desk.owners[owner]
        if held.calls and not held.lost:
            raise AssertionError(f"driver calls of {owner} are at work")
        self._desk.clear(held)
        del self._desk.owners[owner]
        self.lost.discard(owner)

    def put(self, resources: Iterable[Resource]) -> None:
        """Records that this process added or changed in a transaction of its own, which is committed: take
        them over and decide about them."""
        for resource in resources:
            if not self._desk.owners[resource.owner].lost:
                self._desk.lay(resource)

    def touch(self, owners: Iterable[str]) -> None:
        """Have these reconciled in the next turn, though no record of theirs changed."""
        self._desk.touched |= {owner for owner in owners if not self._desk.owners[owner].lost}

    def owners(self) -> Set[str]:
        return self._desk.owners.keys()

    def records(self, owner: str) -> Mapping[int, Resource]:
        return MappingProxyType(self._desk.owners[owner].records)

    def problems(self, owner: str) -> Mapping[int, str]:
        """Why some of its records cannot become as wanted."""
        return MappingProxyType(self._desk.owners[owner].problems)

    def is_busy(self, owner: str) -> bool:
        """Whether calls are at work, or something is pending that will lead to more."""
        held = self._desk.owners[owner]
        return bool(held.moving or held.calls)

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
        self._desk.timers.run(self._tools.clock.now())
        self._renew()
        self._deciding.all_due()
        if not self.stopping:
            # Looking changes nothing: it need not wait for the disk.
            self._arrived += self._desk.looks.start(lambda group: self._busy[group] > 0)
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
        times = [desk.timers.wake_at(), self._renewed + RENEW_EVERY_S if desk.owners else None]
        if not self.stopping:
            times += [desk.looks.wake_at, desk.starts.wake_at(now)]
        pauses = [max(at - now, 0.0) for at in times if at is not None]
        return self._tools.runner.gather(min([pause_s, *pauses]), GATHER_S)

    def _has_to_commit(self) -> bool:
        if self._desk.ledger.pending or self._desk.touched:
            return True
        return not self.stopping and self._desk.starts.can_start(self._tools.clock.now())

    def _renew(self) -> None:
        now = self._tools.clock.now()
        if now < self._renewed + RENEW_EVERY_S:
            return
        self._renewed = now
        leases = [held.charge.lease for held in self._desk.owners.values() if not held.lost]
        with self._tools.database.begin() as tx:
            kept = lease.renew_all(tx, leases, now)
        self._lose(owner for owner, held in self._desk.owners.items() if held.charge.lease.key not in kept)

    def _lose(self, owners: Iterable[str]) -> None:
        for owner in owners:
            held = self._desk.owners[owner]
            if not held.lost:
                held.lost = True
                self.lost.add(owner)
                self._desk.clear(held)

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
            self._launch(call)
        return changed | {call.resource.owner for call in begun}

    def _write(self, tx: Transaction) -> set[str]:
        """Returns the owners of whom something was written, or has to be told."""
        desk = self._desk
        self._lose(self._not_ours(tx, desk.ledger.owners | desk.touched))
        owners = desk.ledger.owners | desk.touched
        desk.touched = set()
        desk.ledger.write(tx)
        return owners

    def _not_ours(self, tx: Transaction, owners: Iterable[str]) -> list[str]:
        leases = {owner: self._desk.owners[owner].charge.lease for owner in owners}
        kept = lease.ours(tx, leases.values()) if leases else set()
        return [owner for owner, held in leases.items() if held.key not in kept]

    def _intents(self, tx: Transaction) -> Iterable[Intent]:
        """What starts now, unless another process has asked to stop."""
        now, starts = self._tools.clock.now(), self._desk.starts
        if self.stopping or not starts.can_start(now):
            return []
        self.stopping = self._tools.stop_requested(tx)
        chosen = [] if self.stopping else list(starts.take(now))
        not_ours = set(self._not_ours(tx, {start.owner for start in chosen}))
        for start in chosen:
            if start.owner in not_ours:
                starts.ended(start.driver)
        self._lose(not_ours)
        return [self._intent(start) for start in chosen if start.owner not in not_ours]

    def _intent(self, start: Start) -> Intent:
        held = self._desk.owners[start.owner]
        resource = held.records[start.resource_id]
        limits = self._desk.starts.limits(start.driver)
        timeout_s = limits.timeout_for(start.verb)
        return Intent(resource, held.charge.lease, start.step, start.verb, start.reason, timeout_s)

    # -- the calls -----------------------------------------------------------------------------------------

    def _launch(self, call: Call) -> None:
        held = self._desk.of[call.resource.id]
        held.records[call.resource.id] = call.resource
        held.calls[call.resource.id] = call
        self._calls[call.id] = call, held
        self._busy[group_of(call.resource)] += 1
        try:
            self._refuse_if_late(call)
            command = self._command(call)
        except (OneError, OSError) as exc:
            # Nothing was started, so the answer is known.
            problem = exc.message if isinstance(exc, OneError) else f"{exc.strerror}: {exc.filename}"
            self._arrived.append((call, Outcome(Ended.NOT_STARTED, None, b"", b"", 0.0, problem)))
            return
        self._tools.runner.start(call, command)

    def _at_work(self, key: object) -> None:
        if isinstance(key, Call):
            self._tools.boundary("driver started")

    def _command(self, call: Call) -> Command:
        binding = self._tools.bind(call.resource)
        make = binding.create if call.step is Step.CREATE else binding.destroy
        return make(call.resource, self._tools.run_file(call.id))

    def _refuse_if_late(self, call: Call) -> None:
        """A process that was suspended after its intent may have lost its lease since: it starts nothing."""
        late = self._tools.clock.now() - call.begun_at
        if late > lease.TTL_S / 2:
            raise DriverFailed(f"not started: this process stood still for {late:.0f} s", retryable=True)

    def _ended(self, key: object, outcome: Outcome) -> None:
        """Take note of what ended; what a fleet before us started is none of ours."""
        if isinstance(key, Look) and key in self._desk.looks.running:
            again, problems = self._desk.looks.finished(key, outcome)
            for resource_id in again:
                self._desk.decide_about(resource_id)
            for resource_id, problem in problems.items():
                self._desk.trouble(resource_id, problem)
        elif isinstance(key, Call) and self._calls.get(key.id, (None,))[0] is key:
            self._tools.boundary("driver ended")
            self._answered(key, self._calls.pop(key.id)[1], outcome)

    def _answered(self, call: Call, held: Held, outcome: Outcome) -> None:
        desk, tools = self._desk, self._tools
        desk.starts.ended(call.resource.driver)
        self._busy[group_of(call.resource)] -= 1
        del held.calls[call.resource.id]
        if held.lost:
            return  # whoever has the lease finds out what came of it
        resource = held.records[call.resource.id]
        binding = tools.bind(resource)
        reader = Reader(binding, held.charge.policy, tools.clock.now(), tools.jitter())
        answer = reader.read(call, resource, outcome)
        desk.ledger.end(call, answer.outcome, answer.detail)
        desk.change(answer.record, answer.why, answer.level, answer.action)
        desk.decide_about(resource.id)
