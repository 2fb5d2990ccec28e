"""Batches of actions on the VMs of a service, within the look at it: which are due, and which are done.

VMs that a batch ends leave their role here; other actions become orders to the machine loop. Whoever is
switched off or suspended by one rests: that it is off is as it should be, until somebody wakes it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from onecore.machines import power
from onecore.machines.model import Resource, State, Wanted
from onecore.store import events
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.cloud import clouds
from oneflow.model.document import Body
from oneflow.model.job import ENDING, RESTING, WAKING, Job


@dataclass(frozen=True)
class Order:
    """An action of a batch that is to be carried out on a machine."""

    owner: str
    job_id: int
    vm_id: int
    machine_id: int
    action: str
    arguments: str = ""


@dataclass
class OrderBook:
    """`orders`: power actions that are to be given, `given` those that were; `known` (by owner, by machine):
    what became of them."""

    known: Callable[[str], Mapping[int, power.Order]] = lambda owner: {}
    given: set[Order] = field(default_factory=set)
    orders: list[Order] = field(default_factory=list)

    def want(self, owner: str, job_id: int, wanted: Collection[Order]) -> None:
        """Have these given, each once for as long as it goes on being wanted."""
        over = {o for o in self.given if (o.owner, o.job_id) == (owner, job_id)} - set(wanted)
        self.given -= over
        for order in wanted:
            if order not in self.given:
                self.given.add(order)
                self.orders.append(order)


@dataclass
class Batches:
    """Those of one service. `machine_of` knows the machine of a VM; `wake_at`: when the next is due (0: none
    is)."""

    tx: Transaction
    owner: str
    now: float
    machine_of: Callable[[int], Resource | None]
    book: OrderBook
    wake_at: float = 0.0

    def run(self, service_id: int, body: Body) -> Body:
        """The body as it is then."""
        result, acted_on = dict(body), set[int]()
        for before in store.jobs_of(self.tx, service_id):
            due = before.due(self.now)
            job = before.begun(due, self.now) if due else before
            if job.action in ENDING:
                result = _ended(result, job.role, job.acting_vms)
                job = job.ended(job.acting_vms)
            else:
                rests = job.action in RESTING
                result = _marked(result, due if rests else (), True)
                acted_on.update(job.acting_vms)
                done = {vm: why for vm in job.acting_vms if (why := self._problem(job, vm)) is not None}
                job = job.ended(list(done))
                awake = done if job.action in WAKING else [vm for vm, why in done.items() if why and rests]
                result = _marked(result, awake, False)
            self._keep(before, job)
        return _marked(result, self._awake(result, acted_on), False)

    def _keep(self, before: Job, job: Job) -> None:
        if job.is_over:
            store.remove_jobs(self.tx, [job.id])
        elif job != before:
            store.save_job(self.tx, job)
        if job.left_vms:
            self.wake_at = min(self.wake_at or job.next_at, job.next_at)

    def _problem(self, job: Job, vm_id: int) -> str | None:
        """What went wrong with it, empty when it is done, None while it is not. What has not been ordered yet
        is now."""
        machine = self.machine_of(vm_id)
        if machine is None or machine.wanted is Wanted.ABSENT:
            return ""
        order = Order(self.owner, job.id, vm_id, machine.id, job.action, job.args)
        if order not in self.book.given:
            self.book.given.add(order)
            self.book.orders.append(order)
            return None
        given = self.book.known(self.owner).get(machine.id)
        if given is not None and not given.is_over:
            return None
        self.book.given.discard(order)
        problem = given.problem if given else ""
        number = clouds.number(vm_id, machine)
        what = f"Action:{job.action} {'failed' if problem else 'done'} on Role:{job.role} VMs:{number}"
        events.add(self.tx, self.owner, self.now, what, problem, "E" if problem else "I")
        return problem

    def _awake(self, body: Body, acted_on: Collection[int]) -> list[int]:
        """Those that were to rest and run all the same: somebody woke them elsewhere."""
        resting = [n["deploy_id"] for r in body["roles"] for n in r["nodes"] if n.get("resting") == "1"]
        machines = {vm: self.machine_of(vm) for vm in resting if vm not in acted_on}
        return [vm for vm, machine in machines.items() if machine and machine.state is State.READY]


def _marked(body: Body, vm_ids: Collection[int], resting: bool) -> Body:
    """With these VMs said to rest, or not."""
    if not vm_ids:
        return body

    def changed(node: Body) -> Body:
        if node["deploy_id"] not in vm_ids:
            return node
        rest = {key: value for key, value in node.items() if key != "resting"}
        return {**rest, "resting": "1"} if resting else rest

    roles = [{**role, "nodes": [changed(node) for node in role["nodes"]]} for role in body["roles"]]
    return {**body, "roles": roles}


def _ended(body: Body, role: str, vm_ids: tuple[int, ...]) -> Body:
    """The VMs leave their role, which is as many smaller."""

    def changed(each: Body) -> Body:
        if each["name"] != role:
            return each
        leaving = [n for n in each["nodes"] if n["deploy_id"] in vm_ids and n.get("disposed") != "1"]
        nodes = [{**n, "disposed": "1"} if n in leaving else n for n in each["nodes"]]
        return {**each, "nodes": nodes, "cardinality": max(each["cardinality"] - len(leaving), 0)}

    return {**body, "roles": [changed(each) for each in body["roles"]]}
