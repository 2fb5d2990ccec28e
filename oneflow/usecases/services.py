"""Services (spec/003, Service): what can be asked of one.

Each request changes what is wanted, in one transaction; the controller carries it out.
"""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from onecore.access import Right
from onecore.errors import InvalidInput, NotFound, WrongState
from onecore.store import events
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.cloud import clouds
from oneflow.deps import FlowDeps
from oneflow.lifecycle import requests
from oneflow.model import body as bodies
from oneflow.model import routers
from oneflow.model.document import Body, Kind, Stored
from oneflow.model.job import Job
from oneflow.model.service import NodeStatus, Observed, Service
from oneflow.model.states import RoleState, ServiceState
from oneflow.usecases.documents import authorized

MOST_VMS: Final = 100_000
_UNDER_WAY: Final = frozenset(
    {
        *(ServiceState.PENDING, ServiceState.DEPLOYING, ServiceState.SCALING, ServiceState.UNDEPLOYING),
        *(ServiceState.DEPLOYING_NETS, ServiceState.UNDEPLOYING_NETS),
    }
)

Change = Callable[[Transaction, Stored], tuple[Body, str]]
"""From the document to its new body, and what to say of it in the log."""


@dataclass(frozen=True)
class Scale:
    """`force`: outside the limits of the role too; `victims`: the VMs that leave first when it shrinks."""

    role: str
    cardinality: int
    force: bool = False
    victims: tuple[int, ...] = ()


def scale(deps: FlowDeps, service_id: int, asked: Scale) -> None:
    """Another number of VMs in a role (spec/003, Update the Cardinality)."""
    role, cardinality = asked.role, asked.cardinality

    def changed(tx: Transaction, document: Stored) -> tuple[Body, str]:
        found = role_of(document.body, role)
        routers.refuse(found, "cardinality update")
        victims = clouds.ours(tx, document, asked.victims)
        _check_cardinality(found, replace(asked, victims=victims))
        service = bodies.to_service(document.id, document.body)
        before = int(found.get("cardinality", 1))
        if before == cardinality and service.state in (ServiceState.RUNNING, ServiceState.WARNING):
            return document.body, f"Role {role} has {before} nodes already"
        rest = float(found.get("cooldown", deps.flow.default_cooldown))
        with _told(f"Service cannot be scaled in state: {service.state.name}"):
            scaled = requests.scale(service, role, cardinality, rest, deps.clock.now())
        body = bodies.with_service(document.body, scaled)
        if victims:
            role_of(body, role)["leave_first"] = list(victims)
        return body, bodies.scaling_text(role, before, cardinality)

    change(deps, service_id, changed)


def shutdown(deps: FlowDeps, service_id: int) -> None:
    """Remove every VM, in order; the document stays, DONE, until it is deleted (spec/003, shutdown)."""
    change(deps, service_id, lambda tx, document: _undeployed(document, "shutdown asked for", deps))


def delete(deps: FlowDeps, service_id: int) -> None:
    """Remove every VM, in order, then the document: only when each machine is confirmed gone."""
    with deps.database.begin() as tx:
        document = authorized(tx, deps, Kind.SERVICE, service_id, Right.MANAGE)
        if document.state == ServiceState.DONE:
            store.remove(tx, document)
            return
        body, text = _undeployed(document, "delete asked for", deps)
        _save(tx, deps, document, {**body, bodies.FORGET: True}, text)


def recover(deps: FlowDeps, service_id: int, and_delete: bool = False) -> None:
    """Take up what failed (spec/003, recover); legal in every state that can be wrong. `and_delete`: give up
    on it instead, and remove it."""
    if and_delete:
        delete(deps, service_id)
        return

    def changed(tx: Transaction, document: Stored) -> tuple[Body, str]:
        service = bodies.to_service(document.id, document.body)
        observed = clouds.observed(tx, document)
        if service.state in _UNDER_WAY or _is_busy(tx, service):
            # It carries on as it is; what was given up is tried again.
            _power_on(tx, service, observed, deps.clock.now())
            return {**document.body, bodies.RETRY: True}, "recover asked for"
        with _told(f"Service cannot be recovered in state: {service.state.name}", "nothing of it failed"):
            recovered, _ = requests.recover(service, observed, deps.clock.now())
        _power_on(tx, recovered, observed, deps.clock.now())
        body = {**bodies.with_service(document.body, recovered), bodies.RETRY: True}
        return body, "recover asked for"

    change(deps, service_id, changed)


def _is_busy(tx: Transaction, service: Service) -> bool:
    """Whether a service at rest has something to do: a role that leaves, or actions on its VMs."""
    if service.state is not ServiceState.RUNNING:
        return False
    return any(role.leaving for role in service.roles) or bool(store.jobs_of(tx, service.id))


def _power_on(tx: Transaction, service: Service, observed: Observed, now: float) -> None:
    """VMs that are off are booted (spec/003, recover), unless they are removed, are being booted, or rest as
    somebody asked."""
    if service.state is ServiceState.UNDEPLOYING:
        return
    booted = {vm for job in store.jobs_of(tx, service.id) for vm in (*job.left_vms, *job.acting_vms)}
    for role in service.roles:
        awake = [node.vm_id for node in role.living if not node.resting]
        left = tuple(vm for vm in awake if observed.get(vm) is NodeStatus.OFF and vm not in booted)
        if left:
            store.insert_job(tx, Job(service.id, role.name, "boot", left, now, created_at=now))


def release(deps: FlowDeps, service_id: int) -> None:
    """Let the roles that are held begin (reference: Hold/release)."""

    def changed(tx: Transaction, document: Stored) -> tuple[Body, str]:
        service = bodies.to_service(document.id, document.body)
        if service.state is not ServiceState.HOLD and not _held(service):
            raise WrongState("Service has no roles in HOLD", hint=f"it is {service.state.name}")
        released = requests.release(replace(service, on_hold=False), deps.clock.now())
        return {**bodies.with_service(document.body, released), "on_hold": False}, "release asked for"

    change(deps, service_id, changed)


def purge_done(deps: FlowDeps) -> int:
    """Forget the services that are DONE and that the asker may manage; returns how many."""
    from oneflow.usecases.documents import visible

    with deps.database.begin() as tx:
        over = [d for d in visible(tx, deps, Kind.SERVICE) if d.state == ServiceState.DONE]
        mine = [d for d in over if _may_manage(tx, deps, d)]
        for document in mine:
            store.remove(tx, document)
    return len(mine)


def _undeployed(document: Stored, why: str, deps: FlowDeps) -> tuple[Body, str]:
    service = bodies.to_service(document.id, document.body)
    if service.state in (ServiceState.UNDEPLOYING, ServiceState.UNDEPLOYING_NETS):
        return document.body, why
    with _told(f"Action shutdown: Wrong state {service.state.name}"):
        changed = requests.undeploy(service, deps.clock.now())
    return {**bodies.with_service(document.body, changed), bodies.RETRY: True}, why


def change(deps: FlowDeps, service_id: int, how: Change) -> None:
    """Change what is wanted of a service, in one transaction, with a line in its log."""
    with deps.database.begin() as tx:
        document = authorized(tx, deps, Kind.SERVICE, service_id, Right.MANAGE)
        body, text = how(tx, document)
        _save(tx, deps, document, body, text)


def _save(tx: Transaction, deps: FlowDeps, document: Stored, body: Body, text: str) -> None:
    now = deps.clock.now()
    store.save(tx, replace(document, body=body, state=int(body["state"])))
    who = deps.principal.user_name
    if body["state"] != document.state:
        state = ServiceState(int(body["state"])).name
        events.add(tx, document.key, now, f"New state: {state}", f"{text} by {who}")
    else:
        events.add(tx, document.key, now, text, f"by {who}")


def role_of(body: Body, name: str) -> Body:
    for role in body["roles"]:
        if role["name"] == name:
            found: Body = role
            return found
    names = ", ".join(role["name"] for role in body["roles"])
    raise NotFound(f"Role {name} not found", hint=f"the roles are: {names}")


def _check_cardinality(role: Body, asked: Scale) -> None:
    cardinality, force = asked.cardinality, asked.force
    living = {node["deploy_id"] for node in role.get("nodes", ()) if node.get("disposed") != "1"}
    strangers = [str(vm_id) for vm_id in asked.victims if vm_id not in living]
    if strangers:
        known = ", ".join(map(str, sorted(living))) or "none"
        raise InvalidInput(
            f"role {asked.role} has no VM {', '.join(strangers)}", hint=f"its VMs are: {known}"
        )
    if len(asked.victims) > max(len(living) - cardinality, 0):
        raise InvalidInput(f"{len(asked.victims)} VMs are named, but not so many are to leave")
    if not 0 <= cardinality <= MOST_VMS:
        raise InvalidInput(f"KEY: 'cardinality' must be 0 to {MOST_VMS}, not {cardinality}")
    least, most = role.get("min_vms"), role.get("max_vms")
    hint = "force it with: force (--force)"
    if not force and least is not None and cardinality < least:
        raise InvalidInput(f"Minimum cardinality is {least}", hint=hint)
    if not force and most is not None and cardinality > most:
        raise InvalidInput(f"Maximum cardinality is {most}", hint=hint)


def _held(service: Service) -> bool:
    return any(role.state is RoleState.HOLD for role in service.roles)


def _may_manage(tx: Transaction, deps: FlowDeps, document: Stored) -> bool:
    from onecore.errors import NotAuthorized

    try:
        authorized(tx, deps, Kind.SERVICE, document.id, Right.MANAGE)
    except NotAuthorized:
        return False
    return True


@contextmanager
def _told(text: str, hint: str = ""):  # type: ignore[no-untyped-def]
    """A move that the table does not have, in the words that clients know."""
    try:
        yield
    except WrongState as exc:
        raise WrongState(text, hint=hint or exc.hint) from exc
