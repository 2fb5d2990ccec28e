"""The embedded cloud: a VM is a machine of a pm driver. Records and what they mean; the machine loop acts."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from onecore.deps import Deps
from onecore.drivers.deployment import Deployment
from onecore.errors import InvalidInput
from onecore.machines.model import Kind as ResourceKind
from onecore.machines.model import Resource, RetryPolicy, State, Wanted
from onecore.store import providers, resources
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.cloud.tokens import NONCE_BYTES, token_of
from oneflow.deps import FlowDeps
from oneflow.model.contents import merged, parsed
from oneflow.model.document import Body, Kind, Stored
from oneflow.model.service import NodeStatus
from oneflow.model.vm import DONE, Sighting, Vm

POLICY = RetryPolicy(retries=3, sleep_s=1.0)

# Which states of OpenNebula a machine is in (reference: STATE and LCM_STATE).
_STATES: Mapping[State, tuple[int, int]] = {
    State.NEW: (1, 0),
    State.CREATING: (3, 1),
    State.FAILED: (3, 1),
    State.UNKNOWN: (3, 1),
    State.BOOTING: (3, 2),
    State.READY: (3, 3),
    State.OFF: (8, 0),
    State.BROKEN: (3, 16),
    State.DESTROYING: (3, 12),
    State.DESTROY_FAILED: (3, 12),
    State.DESTROY_UNKNOWN: (3, 12),
    State.DESTROYED: (3, 11),
    State.GONE: (6, 0),
}
_BOOT_FAILURE = (3, 36)
_EPILOG_FAILURE = (3, 40)
_STARTING = (State.NEW, State.CREATING, State.UNKNOWN, State.FAILED, State.BOOTING)


def sighting(machine: Resource | None) -> Sighting:
    """What is known of a machine; without a record it is gone, as the provider confirmed."""
    if machine is None:
        return DONE
    state, lcm = _STATES[machine.state]
    if is_given_up(machine):
        state, lcm = _BOOT_FAILURE if machine.wanted is Wanted.PRESENT else _EPILOG_FAILURE
    return Sighting(
        state,
        lcm,
        machine.deploy_id,
        machine.driver,
        machine.addresses,
        machine.metrics,
        machine.since,
        machine.error,
    )


def is_given_up(machine: Resource) -> bool:
    """Whether nothing more is tried until somebody asks for it."""
    return machine.failures > POLICY.retries


def is_vanished(machine: Resource) -> bool:
    """Whether it was there and went away without our doing."""
    return machine.state is State.NEW and machine.since > 0 and machine.wanted is Wanted.PRESENT


def status(machine: Resource | None, ready: bool, held: bool = False) -> NodeStatus:
    """What the life cycle is told of it. `ready`: the VM has said so, or need not; `held`: nothing more is
    tried for a reason other than too many failures."""
    if machine is None or is_vanished(machine):
        return NodeStatus.GONE
    stopped = held or is_given_up(machine)
    if machine.wanted is Wanted.ABSENT:
        return NodeStatus.STUCK if stopped else NodeStatus.LEAVING
    if machine.state is State.READY:
        return NodeStatus.RUNNING if ready else NodeStatus.WAITING
    if machine.state is State.OFF:
        return NodeStatus.OFF
    if machine.state in _STARTING:
        return NodeStatus.FAILED if stopped else NodeStatus.STARTING
    return NodeStatus.FAILED


def order(tx: Transaction, deps: FlowDeps, service: Stored, vm: Vm, role: Body) -> tuple[Vm, Resource]:
    """Record the VM and the machine that it is to be; the machine loop makes it."""
    template = store.get(tx, Kind.VM_TEMPLATE, vm.vm_template)
    contents = parsed(role.get("vm_template_contents"))
    overlay = contents.pop("PROVISION", {})
    if not isinstance(overlay, Mapping):
        raise InvalidInput(f"role {vm.role}: PROVISION of its VM template contents has to be a vector")
    asked = merged(template.body.get("template", {}), contents)
    provider_id = template.body.get("provider")
    below = providers.get(tx, provider_id).parameters if provider_id is not None else {}
    provision = {
        **below,
        **template.body.get("provision", {}),
        **{key.lower(): value for key, value in overlay.items()},
    }
    nonce = deps.random_bytes(NONCE_BYTES).hex()
    provision |= _gate(deps, vm.id, nonce)
    driver = str(template.body["driver"])
    deployment = _deployment(driver, vm, provision, template.body.get("connection", {}), asked, deps)
    machine = Resource(
        id=tx.next_id("resource"),
        kind=ResourceKind.MACHINE,
        name=deployment.name,
        owner=service.key,
        driver=driver,
        provider_id=provider_id,
        number=vm.id,
        label=vm.name,
        deployment=asdict(deployment),
        lag_s=deps.catalog.get(driver).manifest.limits.list_lag_s,
    )
    user_template = {
        **{key: value for key, value in contents.items() if isinstance(value, str)},
        "SERVICE_ID": str(service.id),
        "ROLE_NAME": vm.role,
    }
    made = Vm(
        **{
            **vm.__dict__,
            "machine": machine.id,
            "template": asked,
            "user_template": user_template,
            "token": nonce,
        }
    )
    resources.insert(tx, machine)
    store.insert_vm(tx, made)
    return made, machine


def _gate(deps: FlowDeps, vm_id: int, nonce: str) -> Body:
    """What the machine needs to report at OneGate (reference 10)."""
    return {
        "onegate_endpoint": deps.flow.gate_url,
        "onegate_vmid": str(vm_id),
        "onegate_token": token_of(deps.settings, vm_id, nonce),
    }


def _deployment(
    driver: str,
    vm: Vm,
    provision: Mapping[str, Any],
    connection: Mapping[str, Any],
    template: Mapping[str, Any],
    deps: Deps,
) -> Deployment:
    """The deployment file's values (spec/001, Deployment File): a VM is a host to the driver."""
    extra = {key: value for key, value in template.items() if key not in _OWN_TAGS}
    return Deployment(
        name=f"service-{deps.random_bytes(24).hex()}",
        im_mad="kvm",
        vm_mad="kvm",
        pm_mad=driver,
        provision={
            **{key: str(value) for key, value in provision.items()},
            "hostname": _hostname(vm.name),
            "service_id": str(vm.service_id),
        },
        connection={"remote_user": "root", "remote_port": "22", **{k: str(v) for k, v in connection.items()}},
        extra=extra,
    )


# What the deployment file has of its own.
_OWN_TAGS = frozenset({"IM_MAD", "VM_MAD", "PM_MAD", "PROVISION", "PROVISION_CONNECTION", "CONTEXT", "NAME"})


def _hostname(name: str) -> str:
    """A name that a machine may have: `frontend-0-service-5`."""
    return re.sub(r"-+", "-", re.sub(r"[^A-Za-z0-9-]", "-", name)).strip("-")[:63] or "vm"
