"""Service documents as they are served: with what is known of each VM, and the log."""

from collections.abc import Mapping, Sequence
from typing import Any

from onecore.access import Right
from onecore.deps import Deps
from onecore.document import Document, pool
from onecore.history import Event
from onecore.machines.model import Resource
from onecore.store import events, resources
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.cloud import clouds
from oneflow.model import body as bodies
from oneflow.model.document import Body, Kind, Names, Stored
from oneflow.model.vm import Vm
from oneflow.usecases.documents import authorized, visible

LOG_LINES = 50


def services(deps: Deps, page: int | None = None, per_page: int = 100) -> Document:
    """The pool of the services that the asker may use (spec/003, List the Available Services)."""
    with deps.database.read() as tx:
        names = store.owners(tx)
        seen = visible(tx, deps, Kind.SERVICE, page, per_page)
        return pool([document(tx, service, names) for service in seen])


def service(deps: Deps, service_id: int) -> Document:
    """One service with its VMs (spec/003, Get Detailed Information of a Given Service)."""
    with deps.database.read() as tx:
        return document(tx, authorized(tx, deps, Kind.SERVICE, service_id, Right.USE), store.owners(tx))


def log(deps: Deps, service_id: int, after: int = 0) -> list[Event]:
    """The lines of its log with an id above `after`, those of its machines among them. `action` is what
    happened, `text` why."""
    with deps.database.read() as tx:
        found = authorized(tx, deps, Kind.SERVICE, service_id, Right.USE)
        return events.of(tx, found.key, after)


def vm_infos(tx: Transaction, found: Stored, names: Names) -> dict[int, Body]:
    """The VM documents of a service by VM id."""
    return _infos(found, names, machines_of(tx, found))


def machines_of(tx: Transaction, found: Stored) -> list[tuple[Vm, Resource | None]]:
    """Each VM of a service with its machine."""
    by_id = {machine.id: machine for machine in resources.of_owner(tx, found.key)}
    return [
        (vm, by_id.get(vm.machine) if vm.machine is not None else None) for vm in store.vms_of(tx, found.id)
    ]


def document(tx: Transaction, found: Stored, names: Names) -> Document:
    """The enveloped document of a service with all that is known of its VMs."""
    seen = machines_of(tx, found)
    infos = _infos(found, names, seen)
    gated = found.body.get("ready_status_gate") is True
    ready = {vm.id for vm, machine in seen if clouds.is_ready(vm, machine, gated)}
    roles = [_role(role, infos, ready) for role in found.body["roles"]]
    hidden = (bodies.RETRY, bodies.FORGET)
    body = {key: value for key, value in found.body.items() if key not in hidden}
    return found.served(names, {**body, "roles": roles, "log": _log(tx, found)} | _jobs(tx, found))


def _infos(found: Stored, names: Names, seen: Sequence[tuple[Vm, Resource | None]]) -> dict[int, Body]:
    owner = (found.uid, names.users.get(found.uid, ""), found.gid, names.groups.get(found.gid, ""))
    return {vm.id: clouds.document(vm, machine, owner) for vm, machine in seen}


def _role(role: Body, infos: Mapping[int, Body], ready: set[int]) -> Body:
    nodes = [_node(node, infos.get(node["deploy_id"]), node["deploy_id"] in ready) for node in role["nodes"]]
    return {**role, "nodes": nodes}


def _node(node: Body, info: Body | None, ready: bool) -> Body:
    shown = {key: value for key, value in node.items() if key != "number"}
    if info is None:
        return {**shown, "running": False}
    states = (info["VM"]["STATE"], info["VM"]["LCM_STATE"])
    shown["deploy_id"] = int(info["VM"]["ID"])
    return {**shown, "running": states == ("3", "3") and ready, "vm_info": info}


def _log(tx: Transaction, found: Stored) -> list[dict[str, Any]]:
    """The last lines about the service itself, as `{timestamp, severity, message}`; `id` and `reason` are
    ours."""
    return [
        {
            "id": e.id,
            "timestamp": int(e.at),
            "severity": e.level,
            "message": e.action,
            **({"reason": e.text} if e.text else {}),
        }
        for e in store.service_log(tx, found.key, LOG_LINES)
    ]


def _jobs(tx: Transaction, found: Stored) -> Body:
    jobs = store.jobs_of(tx, found.id)
    if not jobs:
        return {}
    return {
        "sched_actions": [
            {
                "id": job.id,
                "role": job.role,
                "action": job.action,
                "args": job.args,
                "period": int(job.period_s),
                "number": job.number,
                "vms": list(job.left_vms),
                "time": int(job.next_at),
            }
            for job in jobs
        ]
    }
