"""Looks at services inside the transaction that records what their machines did, and writes what follows: the
service, its VMs, and which machines are wanted. Nothing is started here."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace

from onecore.errors import NotFound
from onecore.machines import record
from onecore.machines.model import SETTLED, Resource, Wanted
from onecore.store import events
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.batches import Batches, Order, OrderBook
from oneflow.cloud import clouds, nebula, networks
from oneflow.deps import FlowDeps
from oneflow.holdings import Holdings
from oneflow.model import body as bodies
from oneflow.model.document import Body, Kind, Names, Stored
from oneflow.model.networks import INCOMPLETE, NetStatus, with_ids
from oneflow.model.service import Role
from oneflow.model.states import ServiceState
from oneflow.model.vm import Vm, vm_name
from oneflow.settle import Settling

# When to look again at a service that could not be looked at.
AGAIN_S = 60.0
OF_NO_JOB = -1
CHOWN, UNREADY = "chown", "unready"

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
        self.held = Holdings(tx, self.now, dict(all_.records(owner)), dict(all_.problems(owner)))

    def run(self) -> list[Resource]:
        try:
            document = store.get(self.tx, Kind.SERVICE, int(self.owner.partition("/")[2]))
        except NotFound:
            self.all.over.add(self.owner)
            return []
        self.held.vms = {vm.id: vm for vm in store.vms_of(self.tx, document.id)}
        self.held.unready()
        self._put_right(document)
        body = self._after_batches(document)
        if body.pop(bodies.RETRY, False):
            self.held.encourage()
        body = with_ids(body, networks.ids(self.held.machines.values()))
        body = networks.with_routers(body, self.held.machines.values())
        shown = replace(document, body=body)
        settling = Settling(
            number=document.id,
            body=body,
            observed=self.held.observed(document.body.get("ready_status_gate") is True),
            now=self.now,
            settings=self.deps.flow,
            make=lambda role, number: self._make(shown, role, number),
            infos=lambda: self._infos(document),
            prices=self._price,
            networks=self._networks(body),
        )
        settling.run()
        nodes = [n for role in bodies.to_service(document.id, settling.body).roles for n in role.nodes]
        drained_at = self.held.want_only(nodes, settling.observed)
        self._wake(drained_at)
        self._want_networks(shown, settling)
        self.held.forget_vms(settling.body)
        self._save(document, settling)
        return list(self.held.changed.values())

    # -- what is seen --------------------------------------------------------------------------------------

    def _networks(self, body: Body) -> NetStatus:
        if self.deps.nebula is None:
            return NetStatus.NONE
        return networks.status(body, self.held.machines.values(), self.held.problems)

    def _infos(self, document: Stored) -> dict[int, Body]:
        users, groups = self.names.users, self.names.groups
        owner = (document.uid, users.get(document.uid, ""), document.gid, groups.get(document.gid, ""))
        return {vm.id: clouds.document(vm, self.held.machine(vm), owner) for vm in self.held.vms.values()}

    def _price(self, vm_id: int) -> float | None:
        vm = self.held.vms.get(vm_id)
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
        self.held.add(machine, made)
        return vm_id

    def _want_networks(self, document: Stored, settling: Settling) -> None:
        """They are there from before the first VM until after the last one; a router as long as its role."""
        if settling.state is ServiceState.DEPLOYING_NETS and settling.networks in INCOMPLETE:
            known = self.held.machines.values()
            for network in networks.missing(self.tx, self.deps.random_bytes, document, list(known)):
                self.held.add(network)
        ends = settling.state is ServiceState.UNDEPLOYING_NETS
        for network in networks.of(self.held.machines.values()):
            if network.wanted is Wanted.PRESENT and (ends or networks.has_no_role(network, settling.body)):
                self.held.change(record.unwanted(network))

    def _put_right(self, document: Stored) -> None:
        """VMs of an OpenNebula belong to the owner of their service, whoever made them, and one that was off
        has to say again that it is ready."""
        machines = list(self.held.machines.values())
        orders = [
            Order(self.owner, OF_NO_JOB, machine.number, machine.id, CHOWN, whom)
            for machine, whom in nebula.chowns(machines, document.uid, document.gid)
            if machine.state in SETTLED
        ]
        if document.body.get("ready_status_gate") is True:
            stale = nebula.stale(machines)
            orders += [Order(self.owner, OF_NO_JOB, m.number, m.id, UNREADY) for m in stale]
        self.all.book.want(self.owner, OF_NO_JOB, orders)

    def _after_batches(self, document: Stored) -> Body:
        batches = Batches(self.tx, self.owner, self.now, self.held.machine_of, self.all.book)
        body = batches.run(document.id, document.body)
        self._wake(batches.wake_at)
        return body

    # -- recording -----------------------------------------------------------------------------------------

    def _save(self, document: Stored, settling: Settling) -> None:
        for what, reason in settling.lines:
            why = clouds.renumbered(reason, self.held.machines.values())
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
