"""Carries out what is wanted of services: claims them, looks, decides, acts, records, and comes back when
something happens or is due. A first look, a look after a crash and a look after an event are the same.

One thread: drivers run side by side as processes, and a wait is a time in a heap.
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Set

from onecore.errors import WrongState
from onecore.machines import recovery
from onecore.machines.charge import Charge
from onecore.machines.fleet import Fleet
from onecore.machines.model import SETTLED, Resource, State
from onecore.machines.tools import Tools
from onecore.notice import Notice
from onecore.store import lease, resources
from onecore.store.engine import Transaction
from onecore.store.lease import Lease
from onecore.store.resources import Operation
from oneflow import store
from oneflow.batches import OrderBook
from oneflow.cloud import clouds, machines
from oneflow.deps import FlowDeps
from oneflow.model.document import service_key
from oneflow.reconcile import Reconciler

# How often another process may change something without our noticing.
NOTICE_S = 0.25
# How soon to try again to take a service that somebody else has.
TAKEN_S = 1.0
THREADS = 64


class Controller:
    """Drives the services `only`, or all of them, on the state of `deps`."""

    def __init__(self, deps: FlowDeps, only: frozenset[int] | None = None) -> None:
        self._deps = deps
        self._only = only
        self._tools = Tools(
            database=deps.database,
            clock=deps.clock,
            jitter=deps.jitter,
            bind=clouds.binder(deps),
            run_directory=deps.settings.run_directory,
            report=self._report,
            told=deps.told,
            boundary=deps.boundary,
        )
        self._leases: dict[str, Lease] = {}
        self._timers: list[tuple[float, str]] = []
        self._elsewhere: dict[str, float] = {}
        self._newest = -1
        self._changes = -1
        self._fleet = Fleet(self._tools, THREADS, self._reconcile)
        recovery.sweep(self._tools)
        self._fleet.watch(deps.flow.watch_s)
        fleet = self._fleet
        self._reconciler = Reconciler(deps, fleet.records, fleet.problems, OrderBook(fleet.orders))

    def run(self, until: Callable[[], bool]) -> None:
        """Work until `until()` says that it is enough, which is asked before each round. The driver
        calls that run then are awaited and recorded; nothing new is begun."""
        try:
            while not until():
                self.turn()
            self._finish()
        finally:
            self._tools.runner.leave()
            self._give_back()

    def look(self) -> None:
        """Look once at every machine at rest, and record what is seen of it: that it vanished, say."""
        try:
            self.turn(0.0)
            resting = [
                number
                for key in self._fleet.owners()
                for number, machine in self._fleet.records(key).items()
                if machine.state in SETTLED
            ]
            self._fleet.look(resting)
            self.turn(0.0)
            while self._fleet.is_at_work:
                self.turn()
            self._finish()
        finally:
            self._tools.runner.leave()
            self._give_back()

    def turn(self, pause_s: float = NOTICE_S) -> None:
        """One round, of at most `pause_s` seconds when there is nothing to do."""
        self._notice()
        now = self._deps.clock.now()
        due = set()
        while self._timers and self._timers[0][0] <= now:
            due.add(heapq.heappop(self._timers)[1])
        self._fleet.touch(due & self._fleet.owners())
        self._take([key for key, at in self._elsewhere.items() if at <= now], now)
        until = self._timers[0][0] - now if self._timers else pause_s
        self._fleet.turn(min(pause_s, max(until, 0.0)))
        self._after()

    def wake(self) -> None:
        """Something changed: look now. For any thread."""
        self._fleet.wake()

    # -- which services are ours ---------------------------------------------------------------------------

    def _notice(self) -> None:
        """Take the services that appeared, and look at those that somebody changed."""
        changes = self._deps.database.changes()
        now = self._deps.clock.now()
        if changes == self._changes:
            return
        self._changes = changes
        with self._deps.database.read() as tx:
            changed = store.changed_services(tx, self._newest)
        new = []
        for number, version, is_over in changed:
            self._newest = max(self._newest, version)
            key = service_key(number)
            if self._only is not None and number not in self._only:
                continue
            if key in self._fleet.owners():
                if self._reconciler.versions.get(key) != version:
                    self._fleet.touch([key])
            elif not is_over:
                new.append(key)
        self._take(new, now)

    def _take(self, keys: Collection[str], now: float) -> None:
        """Drive these from now on; what somebody else drives is asked for again later."""
        if not keys:
            return
        taken: list[tuple[Lease, list[Resource], list[Operation]]] = []
        with self._deps.database.begin() as tx:
            for key in keys:
                try:
                    held = lease.claim(tx, key, "driving", now, self._deps.process)
                except WrongState:
                    self._elsewhere[key] = now + TAKEN_S
                    continue
                self._elsewhere.pop(key, None)
                # Known before it is on disk: whatever fails from here on, it is given back.
                self._leases[key] = held
                taken.append((held, resources.of_owner(tx, key), resources.open_operations(tx, key)))
        for held, records, cut_short in taken:
            self._fleet.take(Charge(held.key, held, machines.POLICY), records)
            self._fleet.recover(held.key, cut_short)
        self._fleet.touch(held.key for held, _, _ in taken)

    def _after(self) -> None:
        """What the round leaves to be done outside of its transaction."""
        reconciler = self._reconciler
        for key, at in reconciler.wakes.items():
            heapq.heappush(self._timers, (at, key))
        reconciler.wakes.clear()
        self._tell()
        for order in reconciler.book.orders:
            known = self._fleet.records(order.owner) if order.owner in self._fleet.owners() else {}
            if order.machine_id in known:
                action = clouds.power(known[order.machine_id], order.action, order.arguments)
                self._fleet.order(order.machine_id, action)
        reconciler.book.orders.clear()
        for key in [*self._fleet.lost, *reconciler.over]:
            if key in self._fleet.lost or not self._fleet.is_busy(key):
                self._let_go(key)

    def _let_go(self, key: str) -> None:
        was_lost = key in self._fleet.lost
        self._fleet.drop(key)
        self._reconciler.over.discard(key)
        held = self._leases.pop(key)
        if was_lost:
            self._elsewhere[key] = self._deps.clock.now() + TAKEN_S
            return
        with self._deps.database.begin() as tx:
            lease.release(tx, held)

    def _finish(self) -> None:
        self._fleet.stopping = "the controller ends"
        self._tools.runner.hurry()
        while self._fleet.is_at_work:
            self._fleet.turn(NOTICE_S)
            self._after()

    def _give_back(self) -> None:
        leases, self._leases = self._leases, {}
        with self._deps.database.begin() as tx:
            for held in leases.values():
                lease.release(tx, held)

    def _tell(self) -> None:
        """Tell people what was decided since they were last told."""
        for key, text, level in self._reconciler.lines:
            self._deps.notify(Notice(self._deps.clock.now(), key.replace("/", " "), text, level))
        self._reconciler.lines.clear()
        while self._deps.nebula and self._deps.nebula.patience.said:
            text = self._deps.nebula.patience.said.popleft()
            self._deps.notify(Notice(self._deps.clock.now(), "OpenNebula", text, "W", lasting=True))

    def _report(self, machine: Resource, text: str, level: str) -> None:
        if machine.state in (State.CREATING, State.DESTROYING):
            self._tell()  # first why, then what begins because of it
        subject = machine.owner.replace("/", " ")
        notice = Notice(
            self._deps.clock.now(), subject, text, level, label=machine.label, step=machine.state.value
        )
        self._deps.notify(notice)

    def _reconcile(self, tx: Transaction, owners: Set[str]) -> Iterable[Resource]:
        return self._reconciler(tx, owners)
