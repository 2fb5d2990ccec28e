"""Drives the resources of one owner to what is wanted of them, and waits for it: a fleet of one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from onecore.errors import Interrupted
from onecore.machines import recovery
from onecore.machines.charge import Charge
from onecore.machines.fleet import Fleet
from onecore.machines.model import SETTLED, Resource, RetryPolicy
from onecore.machines.power import Action
from onecore.machines.tools import Tools
from onecore.store import lease, resources
from onecore.store.lease import Lease

# How soon a wish to stop is heard.
TICK_S = 1.0


@dataclass
class Result:
    """The records that remain, and why some are not as wanted, by id."""

    resources: dict[int, Resource]
    problems: dict[int, str]


class Worker:
    """Drives the resources of `owner` under `held`, at most `threads` driver calls at a time.

    Raises WrongState when another process took the lease over, and Interrupted when asked to stop, after the
    driver calls that run have been recorded.
    """

    def __init__(self, tools: Tools, held: Lease, owner: str, policy: RetryPolicy, threads: int) -> None:
        self._tools = tools
        self._charge = Charge(owner, held, policy)
        self._threads = threads
        self._attended = 0.0

    def recover(self) -> None:
        """Resolve what a crashed process left in flight. Every command on an owner begins with it."""
        owner = self._charge.owner
        with self._tools.database.read() as tx:
            open_operations = resources.open_operations(tx, owner)
            known = resources.of_owner(tx, owner) if open_operations else []
        if open_operations:
            fleet = self._fleet(known, at_rest=True)
            fleet.recover(owner, open_operations)
            self._drive(fleet)
        recovery.sweep(self._tools)

    def settle(self, only: Callable[[Resource], bool] = lambda resource: True) -> Result:
        """Work until every resource (of those that `only` lets through) is as wanted or cannot become so."""
        fleet = self._fleet(filter(only, self._stored()))
        self._drive(fleet)
        return self._result(fleet)

    def refresh(self, only: Callable[[Resource], bool] = lambda resource: True) -> Result:
        """Look at every resource that exists and record what is seen; one that vanished becomes new again."""
        fleet = self._fleet((r for r in self._stored() if only(r) and r.state in SETTLED), at_rest=True)
        fleet.look(fleet.records(self._charge.owner))
        self._drive(fleet)
        return self._result(fleet)

    def act(self, machines: Iterable[Resource], action: Action, within_s: float | None = None) -> Result:
        """Do this to machines at rest. Returns them as they are seen afterwards, and why some are not as
        asked."""
        fleet = self._fleet(machines, at_rest=True)
        owner = self._charge.owner
        for resource_id in fleet.records(owner):
            fleet.order(resource_id, action, within_s)
        self._drive(fleet)
        problems = {i: order.problem for i, order in fleet.orders(owner).items() if order.problem}
        return Result(dict(fleet.records(owner)), problems)

    def _fleet(self, known: Iterable[Resource], at_rest: bool = False) -> Fleet:
        fleet = Fleet(self._tools, self._threads)
        fleet.take(self._charge, known, at_rest)
        return fleet

    def _stored(self) -> list[Resource]:
        with self._tools.database.read() as tx:
            return resources.of_owner(tx, self._charge.owner)

    def _drive(self, fleet: Fleet) -> None:
        while fleet.is_at_work or (fleet.is_busy(self._charge.owner) and not fleet.stopping):
            fleet.turn(TICK_S)
            if fleet.lost:
                raise lease.taken_over(self._charge.lease)
            fleet.stopping = fleet.stopping or self._reason_to_stop()
        if fleet.stopping:
            raise Interrupted(fleet.stopping)

    def _reason_to_stop(self) -> str:
        """That of another process, which is asked for once in a while."""
        now = self._tools.clock.now()
        if now < self._attended + TICK_S:
            return ""
        self._attended = now
        with self._tools.database.read() as tx:
            return self._tools.stop_requested(tx)

    def _result(self, fleet: Fleet) -> Result:
        owner = self._charge.owner
        return Result(dict(fleet.records(owner)), dict(fleet.problems(owner)))
