"""VMs of an OpenNebula as they are kept: what is ordered, and what is known of one. Nothing is asked here."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from onecore.machines.model import Kind, Resource, State
from onecore.store import resources
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.model import inputs, networks
from oneflow.model.contents import merged, parsed, substituted
from oneflow.model.document import Body, Stored
from oneflow.model.routers import VROUTER
from oneflow.model.vm import Sighting, Vm, vm_info
from oneflow.nebula.records import HOST, NAME, is_nebula, is_ready, owner, reported, states, template

NOT_MADE = -1
"""The number of a VM that OpenNebula has not given one yet."""

HARD = frozenset({"shutdown-hard", "terminate-hard"})
Owner = tuple[int, str, int, str]


def order(
    tx: Transaction, random_bytes: Callable[[int], bytes], service: Stored, vm: Vm, role: Body
) -> tuple[Vm, Resource]:
    """Record the VM and what is to be instantiated; the machine loop does it."""
    contents = substituted(parsed(role.get("vm_template_contents")), networks.ids(service.body))
    marks = {"SERVICE_ID": str(service.id), "ROLE_NAME": vm.role, "VM_NUMBER": str(vm.number)}
    machine = Resource(
        id=tx.next_id("resource"),
        kind=Kind.MACHINE,
        name=f"service-{random_bytes(24).hex()}",
        owner=service.key,
        driver=NAME,
        provider_id=None,
        number=vm.id,
        label=vm.name,
        deployment={
            "template": vm.vm_template,
            "owner": store.owners(tx).users.get(service.uid, ""),
            "name": vm.name,
            "contents": merged(_inputs(service.body, role), contents),
            "marks": marks,
            "router": role.get(VROUTER),
            "hard": _shutdown_action(service.body, role) in HARD,
        },
    )
    made = replace(vm, machine=machine.id, user_template=marks)
    resources.insert(tx, machine)
    store.insert_vm(tx, made)
    return made, machine


def _inputs(service: Body, role: Body) -> dict[str, Any]:
    """The values of user inputs: attributes of the VM, and in its context (reference: Template merging)."""
    values = {**inputs.values(service), **inputs.values(role)}
    named = {key.upper(): inputs.as_text(value) for key, value in values.items()}
    return {**named, "CONTEXT": {key: f"${key}" for key in named}} if named else {}


def _shutdown_action(service: Body, role: Body) -> str:
    return str(role.get("shutdown_action") or service.get("shutdown_action") or "")


# -- what is known of one ----------------------------------------------------------------------------------


def sighting(machine: Resource, known: Sighting) -> Sighting:
    """`known` with the states and the host that OpenNebula told."""
    told = states(machine)
    own = {key: value for key, value in machine.metrics.items() if "/" not in key}
    host = machine.metrics.get(HOST, "")
    seen = replace(known, metrics=own, driver=host)
    return seen if told is None else replace(seen, state=told[0], lcm_state=told[1])


def document(vm: Vm, machine: Resource, known: Sighting, owner: Owner) -> Body:
    """The VM document, under the number that OpenNebula gave it."""
    number = int(machine.deploy_id) if machine.deploy_id else NOT_MADE
    told = replace(vm, id=number, user_template={**vm.user_template, **reported(machine)})
    info = vm_info(told, sighting(machine, known), owner)
    info["VM"]["TEMPLATE"] |= template(machine)
    return info


def stale(machines: Iterable[Resource]) -> list[Resource]:
    """VMs that are off and still say READY=YES of the time before (reference: Readiness)."""
    return [m for m in machines if is_nebula(m) and m.state is State.OFF and is_ready(m)]


def chowns(machines: Iterable[Resource], uid: int, gid: int) -> list[tuple[Resource, str]]:
    """The VMs that belong to somebody else than their service, and what makes `chown` give them to him."""
    return [
        (machine, f"{uid} {gid}")
        for machine in machines
        if is_nebula(machine) and owner(machine) not in (None, (uid, gid))
    ]
