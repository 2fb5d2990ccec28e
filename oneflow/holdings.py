"""The VMs of one service and the machines behind them, within a look: what is seen of them, and what becomes
of them. Whatever is changed is written at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from onecore.machines import record
from onecore.machines.model import Resource, State, Wanted
from onecore.store import resources
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.cloud import clouds
from oneflow.model.document import Body
from oneflow.model.service import Node, NodeStatus
from oneflow.model.vm import Vm
from oneflow.nebula.records import is_network


@dataclass
class Holdings:
    """`machines` by their id, `vms` by theirs; `problems`: machines that nothing more is tried for;
    `changed`: the machines of which something was written."""

    tx: Transaction
    now: float
    machines: dict[int, Resource]
    problems: dict[int, str]
    vms: dict[int, Vm] = field(default_factory=dict)
    changed: dict[int, Resource] = field(default_factory=dict)

    def machine_of(self, vm_id: int) -> Resource | None:
        vm = self.vms.get(vm_id)
        return self.machine(vm) if vm is not None else None

    def observed(self, gated: bool) -> dict[int, NodeStatus]:
        """The status of each VM; `gated`: it has to say that it is ready."""
        seen = {}
        for vm in self.vms.values():
            machine = self.machine(vm)
            held = machine is not None and machine.id in self.problems
            seen[vm.id] = clouds.status(vm, machine, gated, held)
        return seen

    def machine(self, vm: Vm) -> Resource | None:
        return self.machines.get(vm.machine) if vm.machine is not None else None

    def unready(self) -> None:
        """A VM that was powered off or made anew has to say READY=YES again (reference: Readiness). One that
        boots may be faster than our look at it."""
        for vm in list(self.vms.values()):
            machine = self.machine(vm)
            stopped = machine is None or machine.state in (State.OFF, State.NEW)
            if vm.ready_at and stopped:
                reported = {key: value for key, value in vm.user_template.items() if key != "READY"}
                self.vms[vm.id] = replace(vm, ready_at=0.0, user_template=reported)
                store.save_vm(self.tx, self.vms[vm.id])

    def add(self, machine: Resource, vm: Vm | None = None) -> None:
        """It was recorded just now; the machine loop makes it."""
        self.machines[machine.id] = self.changed[machine.id] = machine
        if vm is not None:
            self.vms[vm.id] = vm

    def want_only(self, nodes: Collection[Node], observed: Mapping[int, NodeStatus]) -> float:
        """A machine is wanted while its VM is a node that is not leaving, or that still drains. Returns when
        the first of these has to be done with it (0: none drains)."""
        draining = [n for n in nodes if n.leaving and self._drains(n.vm_id, n.drain_until, observed)]
        wanted = {node.vm_id for node in nodes if not node.leaving} | {node.vm_id for node in draining}
        for machine in list(self.machines.values()):
            if machine.number not in wanted and machine.wanted is Wanted.PRESENT and not is_network(machine):
                self.change(record.unwanted(machine))
        return min((node.drain_until for node in draining), default=0.0)

    def encourage(self) -> None:
        """Somebody asked for it: what was given up is tried again."""
        for machine in list(self.machines.values()):
            if machine.failures or machine.id in self.problems:
                self.change(record.encouraged(machine))
        self.problems = {}

    def change(self, machine: Resource) -> None:
        self.machines[machine.id] = self.changed[machine.id] = machine
        resources.update(self.tx, [machine])

    def forget_vms(self, body: Body) -> None:
        """VMs whose machine is confirmed gone and that are no node any more."""
        nodes = {node["deploy_id"] for role in body["roles"] for node in role["nodes"]}
        store.remove_vms(
            self.tx,
            [vm.id for vm in self.vms.values() if vm.id not in nodes and self.machine(vm) is None],
        )

    def _drains(self, vm_id: int, until: float, observed: Mapping[int, NodeStatus]) -> bool:
        """Whether it may go on for now: it runs, its time is not over, and it has not said DRAINED=YES."""
        if self.now >= until or observed.get(vm_id) is not NodeStatus.RUNNING:
            return False
        vm = self.vms[vm_id]
        if vm.user_template.get("DRAIN") != "YES":
            self.vms[vm_id] = replace(vm, user_template={**vm.user_template, "DRAIN": "YES"})
            store.save_vm(self.tx, self.vms[vm_id])
        return str(vm.user_template.get("DRAINED", "")).upper() != "YES"
