"""The one way to the clouds: pm drivers by default (machines), or an OpenNebula (nebula)."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from onecore.errors import NotFound
from onecore.machines.model import Resource
from onecore.store import resources
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.cloud import machines, nebula
from oneflow.deps import FlowDeps
from oneflow.model.document import Body, Kind, Stored
from oneflow.model.service import NodeStatus, Observed
from oneflow.model.vm import Vm, vm_info
from oneflow.nebula import records

if TYPE_CHECKING:
    from onecore.machines.calls import Binding
    from onecore.machines.power import Action, Further


def binder(deps: FlowDeps) -> "Callable[[Resource], Binding]":
    """Who serves a machine's record."""
    from onecore.machines.binder import Binder  # lazy: who only looks starts no driver

    drivers = Binder(deps).bind
    return drivers if deps.nebula is None else deps.nebula.binder(deps, drivers)


def order(tx: Transaction, deps: FlowDeps, service: Stored, vm: Vm, role: Body) -> tuple[Vm, Resource]:
    """Record the VM and what is to stand behind it; the machine loop makes it."""
    if deps.nebula is None:
        return machines.order(tx, deps, service, vm, role)
    return nebula.order(tx, deps.random_bytes, service, vm, role)


def observed(tx: Transaction, service: Stored, problems: Mapping[int, str] | None = None) -> Observed:
    """The status of each VM of a service by VM id. `problems`: machines that nothing more is tried for."""
    by_id = {machine.id: machine for machine in resources.of_owner(tx, service.key)}
    gated = service.body.get("ready_status_gate") is True
    seen = {}
    for vm in store.vms_of(tx, service.id):
        machine = by_id.get(vm.machine) if vm.machine is not None else None
        held = machine is not None and machine.id in (problems or {})
        seen[vm.id] = status(vm, machine, gated, held)
    return seen


def status(vm: Vm, machine: Resource | None, gated: bool, held: bool) -> NodeStatus:
    """What the life cycle is told of a VM. `gated`: it has to say READY=YES; `held`: nothing more is tried
    for a reason other than too many failures."""
    return machines.status(machine, ready=is_ready(vm, machine, gated), held=held)


def is_ready(vm: Vm, machine: Resource | None, gated: bool) -> bool:
    """Whether it has said READY=YES, or need not: to us, or to the OpenNebula that it lives in."""
    return not gated or vm.ready_at > 0 or (machine is not None and records.is_ready(machine))


def document(vm: Vm, machine: Resource | None, owner: nebula.Owner) -> Body:
    """The VM document as it is served."""
    known = machines.sighting(machine)
    if machine is None or not records.is_nebula(machine):
        return vm_info(vm, known, owner)
    return nebula.document(vm, machine, known, owner)


def number(vm_id: int, machine: Resource | None) -> int:
    """The number that people know the VM by."""
    if machine is None or not records.is_nebula(machine):
        return vm_id
    return int(machine.deploy_id) if machine.deploy_id else nebula.NOT_MADE


def renumbered(text: str, machines: Iterable[Resource]) -> str:
    """What is said of VMs, by the numbers that people know."""
    numbers = {m.number: number(m.number, m) for m in machines if records.is_nebula(m)}
    if not numbers:
        return text
    return re.sub(r"\bVM (\d+)\b", lambda found: f"VM {numbers.get(int(found[1]), found[1])}", text)


def usual(deps: FlowDeps) -> str:
    """The driver of VMs that are not there yet."""
    return "dummy" if deps.nebula is None else records.NAME


def ours(tx: Transaction, service: Stored, numbers: Iterable[int]) -> tuple[int, ...]:
    """The VMs that people know by these numbers, by the numbers that we know them by."""
    by_id = {machine.id: machine for machine in resources.of_owner(tx, service.key)}
    known = {
        number(vm.id, by_id.get(vm.machine) if vm.machine is not None else None): vm.id
        for vm in store.vms_of(tx, service.id)
    }
    return tuple(known.get(asked, asked) for asked in numbers)


def power(machine: Resource, action: str, arguments: str) -> "Action | Further":
    """What an action of a batch is to the machine loop."""
    from oneflow.model.job import POWER  # lazy: who only looks orders nothing
    from oneflow.nebula import actions

    return actions.order(action, arguments) if records.is_nebula(machine) else POWER[action]


def templates(deps: FlowDeps) -> frozenset[int] | None:
    """The VM templates that OpenNebula has; None where they are documents of ours. Not to be asked inside a
    transaction."""
    return None if deps.nebula is None else deps.nebula.templates()


def price(tx: Transaction, vm: Vm) -> float | None:
    """What its VM template says that it costs; templates of an OpenNebula say nothing."""
    try:
        found = store.get(tx, Kind.VM_TEMPLATE, vm.vm_template).body.get("price")
    except NotFound:
        return None
    return None if found is None else float(found)
