"""Actions on the VMs of a role or a service (spec/003, Perform an Action on All the VMs of a Given Role).

They are stored, so that they can be listed and cancelled, and the controller carries them out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from onecore.access import Right
from onecore.errors import InvalidInput, OneError
from onecore.machines.power import Action
from onecore.store import events, resources
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.cloud import clouds
from oneflow.deps import FlowDeps
from oneflow.model import routers
from oneflow.model.document import Kind, Stored
from oneflow.model.job import ACTIONS, ENDING, POWER, Job
from oneflow.nebula import actions, records
from oneflow.usecases.documents import authorized
from oneflow.usecases.services import role_of

NOT_IMPLEMENTED = 501


@dataclass(frozen=True)
class Batch:
    """An action on `number` VMs every `period` seconds; on all at once where neither is given."""

    action: str
    period: int | None = None
    number: int | None = None
    args: str = ""


def act(deps: FlowDeps, service_id: int, role: str | None, batch: Batch, only: int | None = None) -> str:
    """Have an action carried out on every VM of the role (None: of all roles), or on `only` one of them.
    Returns what is said of it: `Action:stop scheduled on Role:frontend VMs:12,15`."""
    _check(batch)
    now = deps.clock.now()
    with deps.database.begin() as tx:
        document = authorized(tx, deps, Kind.SERVICE, service_id, Right.MANAGE)
        chosen = [each for each in document.body["roles"] if not routers.is_router(each)]
        if role is not None:
            chosen = [role_of(document.body, role)]
            routers.refuse(chosen[0], "schedule actions")
        said = []
        for each in chosen:
            living = [node["deploy_id"] for node in each["nodes"] if node.get("disposed") != "1"]
            vms = [vm for vm in living if only in (None, vm)]
            numbers = _refuse_unsupported(tx, deps, document, batch, vms)
            if vms:
                store.insert_job(tx, _job(deps, (service_id, each["name"]), batch, vms, now))
            listed = ",".join(map(str, numbers))
            said.append(f"Action:{batch.action} scheduled on Role:{each['name']} VMs:{listed}")
        for line in said:
            events.add(tx, document.key, now, line, f"by {deps.principal.user_name}")
        store.save(tx, document)  # whoever drives the service looks at it
    return "\n".join(said)


def cancel(deps: FlowDeps, service_id: int, job_id: int, role: str | None = None) -> None:
    """The rest of a batch is not carried out; one that is over, or never was, is cancelled already."""
    with deps.database.begin() as tx:
        document = authorized(tx, deps, Kind.SERVICE, service_id, Right.MANAGE)
        if role is not None:
            role_of(document.body, role)
        found = [j for j in store.jobs_of(tx, service_id) if j.id == job_id and role in (None, j.role)]
        store.remove_jobs(tx, [job.id for job in found])
        if found:
            now = deps.clock.now()
            events.add(tx, document.key, now, f"Action {job_id} cancelled", f"by {deps.principal.user_name}")


def _job(deps: FlowDeps, whose: tuple[int, str], batch: Batch, vms: Sequence[int], now: float) -> Job:
    period, number = batch.period, batch.number
    if (period is None) != (number is None):  # one alone takes the other's default
        period = deps.flow.action_period if period is None else period
        number = deps.flow.action_number if number is None else number
    return Job(
        service_id=whose[0],
        role=whose[1],
        action=batch.action,
        left_vms=tuple(vms),
        next_at=now,
        period_s=float(period or 0),
        number=number or 0,
        args=batch.args,
        created_at=now,
    )


def _check(batch: Batch) -> None:
    if batch.action not in ACTIONS:
        raise InvalidInput(f"Action {batch.action} not supported", hint=f"one of: {', '.join(ACTIONS)}")
    for key, value in (("period", batch.period), ("number", batch.number)):
        if value is not None and value < 0:
            raise InvalidInput(f"KEY: '{key}' must be greater than or equal to 0")


def _refuse_unsupported(
    tx: Transaction, deps: FlowDeps, document: Stored, batch: Batch, vms: Sequence[int]
) -> list[int]:
    """What the driver of a machine cannot do is refused before anything is done. Returns the numbers that
    people know the VMs by."""
    action = batch.action
    by_vm = {machine.number: machine for machine in resources.of_owner(tx, document.key)}
    numbers = [clouds.number(vm, by_vm.get(vm)) for vm in vms]
    if action in ENDING:
        return numbers
    drivers = sorted({by_vm[vm].driver for vm in vms if vm in by_vm}) or [clouds.usual(deps)]
    for name in drivers:
        if name == records.NAME:
            actions.check(action, batch.args)
        elif not _can(deps, name, action):
            raise OneError(
                f"driver '{name}' has no action {action}",
                hint=f"it has: {', '.join(a for a in ACTIONS if a in ENDING or _can(deps, name, a))}",
                http_status=NOT_IMPLEMENTED,
            )
    return numbers


def _can(deps: FlowDeps, driver: str, action: str) -> bool:
    verb = POWER.get(action)
    if verb is None:
        return False
    return verb is not Action.SUSPEND or "suspend" in deps.catalog.get(driver).manifest.extensions
