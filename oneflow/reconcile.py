"""Looks at services inside the transaction that records what their machines did, and writes what follows: the
service, its VMs, and which machines are wanted. Nothing is started here."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace

from onecore.errors import NotFound
from onecore.machines import record
from onecore.machines.model import SETTLED, Resource, State, Wanted
from onecore.store import events, resources
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.batches import Batches, Order, OrderBook
from oneflow.cloud import clouds, nebula, networks
from oneflow.deps import FlowDeps
from oneflow.model import body as bodies
from oneflow.model.document import Body, Kind, Names, Stored
from oneflow.model.networks import NetStatus, with_ids
from oneflow.model.service import NodeStatus, Role
from oneflow.model.states import ServiceState
from oneflow.model.vm import Vm, vm_name
from oneflow.nebula.records import is_network
from oneflow.settle import Settling

# When to look again at a service that could not be looked at.
AGAIN_S = 60.0
OF_NO_JOB = -1
CHOWN = "chown"

Records = Callable[[str], Mapping[int, Resource]]
Problems = Callable[[str], Mapping[int, str]]


@dataclass
class Reconciler:
    """`records`, `problems` and `book` (power actions) are what is known of an owner's machines.

    `wakes`: when to look at a service again; `over`: those that need nobody any more; `lines`: what happened,
    for people who watch.
    """

    deps: FlowDeps
    records: Records
    problems: Problems
    book: OrderBook = field(default_factory=OrderBook)
    wakes: dict[str, float] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    lines: list[tuple[str, str, str]] = field(default_factory=list)

    def __call__(self, tx: Transaction, owners: Set[str]) -> list[Resource]:
        """The machine records that were written."""
        names = store.owners(tx)
        return [changed for owner in sorted(owners) for changed in self._one(tx, owner, names)]

    def _one(self, tx: Transaction, owner: str, names: Names) -> list[Resource]:
        """A service that cannot be looked at must not hinder the others: its changes are undone, alone."""
        tx.run("SAVEPOINT service")
        try:
            return _Look(self, tx, owner, names).run()
        except Exception as exc:  # noqa: BLE001  # a bug or damage in one service; the edge of the loop
            tx.run("ROLLBACK TO service")
            now = self.deps.clock.now()
            text = f"{type(exc).__name__}: {exc}"[:500]
            events.add(tx, owner, now, "Service cannot be looked at", text, "E")
            self.lines.append((owner, f"cannot be looked at: {text}", "E"))
            self.wakes[owner] = now + AGAIN_S
            return []
        finally:
            tx.run("RELEASE service")


class _Look:
    """One service, once."""

    def __init__(self, all_: Reconciler, tx: Transaction, owner: str, names: Names) -> None:
        self.all = all_
        self.deps = all_.deps
        self.tx = tx
        self.owner = owner
        self.names = names
        self.now = all_.deps.clock.now()
        self.machines = dict(all_.records(owner))
        self.changed: dict[int, Resource] = {}
        self.vms: dict[int, Vm] = {}
        self.problems = dict(all_.problems(owner))

    def run(self) -> list[Resource]:
        try:
            document = store.get(self.tx, Kind.SERVICE, int(self.owner.partition("/")[2]))
        except NotFound:
            self.all.over.add(self.owner)
            return []
        self.vms = {vm.id: vm for vm in store.vms_of(self.tx, document.id)}
        self._unready()
        self._give(document)
        body = self._after_batches(document)
        if body.pop(bodies.RETRY, False):
            self._encourage()
        body = with_ids(body, networks.ids(self.machines.values()))
        shown = replace(document, body=body)
        settling = Settling(
            number=document.id,
            body=body,
            observed=self._observed(document),
            now=self.now,
            settings=self.deps.flow,
            make=lambda role, number: self._make(shown, role, number),
            infos=lambda: self._infos(document),
            prices=self._price,
            networks=self._networks(body),
        )
        settling.run()
        self._want(settling)
        self._want_networks(shown, settling)
        self._forget_vms(settling.body)
        self._save(document, settling)
        return list(self.changed.values())

    # -- what is seen --------------------------------------------------------------------------------------

    def _observed(self, document: Stored) -> dict[int, NodeStatus]:
        gated = document.body.get("ready_status_gate") is True
        seen = {}
        for vm in self.vms.values():
            machine = self._machine(vm)
            held = machine is not None and machine.id in self.problems
            seen[vm.id] = clouds.status(vm, machine, gated, held)
        return seen

    def _machine(self, vm: Vm) -> Resource | None:
        return self.machines.get(vm.machine) if vm.machine is not None else None

    def _unready(self) -> None:
        """A VM that was powered off or made anew has to say READY=YES again (reference: Readiness). One that
        boots may be faster than our look at it."""
        for vm in list(self.vms.values()):
            machine = self._machine(vm)
            stopped = machine is None or machine.state in (State.OFF, State.NEW)
            if vm.ready_at and stopped:
                reported = {key: value for key, value in vm.user_template.items() if key != "READY"}
                self.vms[vm.id] = replace(vm, ready_at=0.0, user_template=reported)
                store.save_vm(self.tx, self.vms[vm.id])

    def _networks(self, body: Body) -> NetStatus:
        if self.deps.nebula is None:
            return NetStatus.NONE
        return networks.status(body, self.machines.values(), self.problems)

    def _infos(self, document: Stored) -> dict[int, Body]:
        users, groups = self.names.users, self.names.groups
        owner = (document.uid, users.get(document.uid, ""), document.gid, groups.get(document.gid, ""))
        return {vm.id: clouds.document(vm, self._machine(vm), owner) for vm in self.vms.values()}

    def _price(self, vm_id: int) -> float | None:
        vm = self.vms.get(vm_id)
        return None if vm is None else clouds.price(self.tx, vm)

    # -- what follows --------------------------------------------------------------------------------------

    def _make(self, document: Stored, role: Role, number: int) -> int:
        body = next(each for each in document.body["roles"] if each["name"] == role.name)
        vm_id = self.tx.next_id("vm")
        naming = self.deps.flow.vm_name_template
        vm = Vm(
            id=vm_id,
            service_id=document.id,
            role=role.name,
            number=number,
            name=vm_name(naming, (document.id, document.name), role.name, number),
            vm_template=int(body["vm_template"]),
            created_at=self.now,
        )
        made, machine = clouds.order(self.tx, self.deps, document, vm, body)
        self.vms[vm_id] = made
        self.machines[machine.id] = machine
        self.changed[machine.id] = machine
        return vm_id

    def _want(self, settling: Settling) -> None:
        """A machine is wanted while its VM is a node that is not leaving, or that still drains."""
        nodes = [
            node for role in bodies.to_service(settling.number, settling.body).roles for node in role.nodes
        ]
        wanted = {node.vm_id for node in nodes if not node.leaving}
        for node in nodes:
            if node.leaving and self._drains(node.vm_id, node.drain_until, settling.observed):
                wanted.add(node.vm_id)
                settling.wake_at = min(settling.wake_at or node.drain_until, node.drain_until)
        for machine in list(self.machines.values()):
            if machine.number not in wanted and machine.wanted is Wanted.PRESENT and not is_network(machine):
                self._change(record.unwanted(machine))

    def _want_networks(self, document: Stored, settling: Settling) -> None:
        """They are there from before the first VM until after the last one."""
        if settling.state is ServiceState.DEPLOYING_NETS and settling.networks is NetStatus.MISSING:
            for network in networks.order(self.tx, self.deps.random_bytes, document):
                self.machines[network.id] = self.changed[network.id] = network
        elif settling.state is ServiceState.UNDEPLOYING_NETS:
            for network in networks.of(self.machines.values()):
                if network.wanted is Wanted.PRESENT:
                    self._change(record.unwanted(network))

    def _drains(self, vm_id: int, until: float, observed: Mapping[int, NodeStatus]) -> bool:
        """Whether it may go on for now: it runs, its time is not over, and it has not said DRAINED=YES."""
        if self.now >= until or observed.get(vm_id) is not NodeStatus.RUNNING:
            return False
        vm = self.vms[vm_id]
        if vm.user_template.get("DRAIN") != "YES":
            self.vms[vm_id] = replace(vm, user_template={**vm.user_template, "DRAIN": "YES"})
            store.save_vm(self.tx, self.vms[vm_id])
        return str(vm.user_template.get("DRAINED", "")).upper() != "YES"

    def _encourage(self) -> None:
        """Somebody asked for it: what was given up is tried again."""
        for machine in list(self.machines.values()):
            if machine.failures or machine.id in self.problems:
                self._change(record.encouraged(machine))
        self.problems = {}

    def _change(self, machine: Resource) -> None:
        self.machines[machine.id] = machine
        self.changed[machine.id] = machine
        resources.update(self.tx, [machine])

    def _forget_vms(self, body: Body) -> None:
        """VMs whose machine is confirmed gone and that are no node any more."""
        nodes = {node["deploy_id"] for role in body["roles"] for node in role["nodes"]}
        store.remove_vms(
            self.tx,
            [vm.id for vm in self.vms.values() if vm.id not in nodes and self._machine(vm) is None],
        )

    def _give(self, document: Stored) -> None:
        """VMs of an OpenNebula belong to the owner of their service, whoever made them."""
        for machine, whom in nebula.chowns(self.machines.values(), document.uid, document.gid):
            order = Order(self.owner, OF_NO_JOB, machine.number, machine.id, CHOWN, whom)
            if order not in self.all.book.given and machine.state in SETTLED:
                self.all.book.given.add(order)
                self.all.book.orders.append(order)

    def _after_batches(self, document: Stored) -> Body:
        batches = Batches(self.tx, self.owner, self.now, self._machine_of, self.all.book)
        body = batches.run(document.id, document.body)
        self._wake(batches.wake_at)
        return body

    def _machine_of(self, vm_id: int) -> Resource | None:
        vm = self.vms.get(vm_id)
        return self._machine(vm) if vm is not None else None

    # -- recording -----------------------------------------------------------------------------------------

    def _save(self, document: Stored, settling: Settling) -> None:
        for what, reason in settling.lines:
            why = clouds.renumbered(reason, self.machines.values())
            level = "E" if "FAILED" in what else "I"
            events.add(self.tx, self.owner, self.now, what, why, level)
            self.all.lines.append((self.owner, f"{what}: {why}" if why else what, level))
        self._wake(settling.wake_at)
        if settling.body != document.body:
            document = store.save(self.tx, replace(document, body=settling.body, state=settling.state.value))
        self.all.versions[self.owner] = document.version
        if settling.state is ServiceState.DONE:
            self.all.over.add(self.owner)
            if document.body.get(bodies.FORGET):
                store.remove(self.tx, document)

    def _wake(self, at: float) -> None:
        if at:
            known = self.all.wakes.get(self.owner, at)
            self.all.wakes[self.owner] = min(known, at)
