"""Between the body of a service document and the values that are decided upon. Unknown keys stay."""

from collections.abc import Mapping
from typing import Any

from oneflow.model.routers import ADDRESSES, VROUTER
from oneflow.model.service import Node, Role, Service, Timeouts
from oneflow.model.states import RoleState, ServiceState

Body = dict[str, Any]

DEFAULT_TIMEOUT_S = 3600.0
# Of a service, kept in the body for ourselves: when it is DONE the document goes as well.
FORGET = "delete_when_done"
# What was given up is to be tried again.
RETRY = "retry_wanted"

# What we write into a body and nobody else may: it is read back as it was written.
SERVICE_OWN = frozenset({"state", "start_time", "log", "sched_actions", FORGET, RETRY})
ROLE_OWN = frozenset(
    {
        *("state", "nodes", "disposed_nodes", "last_vmname", "cooldown_duration", "cooldown_end", "deadline"),
        *("leaving", "leave_first", VROUTER, ADDRESSES),
    }
)


def new_service(template: Mapping[str, Any], started_at: float) -> Body:
    """The body of a service that begins (spec/003, Instantiate): every role waits, nothing runs."""
    roles = [new_role(role) for role in template["roles"]]
    given = {key: value for key, value in template.items() if key not in SERVICE_OWN}
    return {**given, "roles": roles, "state": ServiceState.PENDING.value, "start_time": int(started_at)}


def new_role(role: Mapping[str, Any]) -> Body:
    """A role of a service that has no VM yet."""
    waiting = str(RoleState.PENDING.value)
    given = {key: value for key, value in role.items() if key not in ROLE_OWN}
    return {**given, "state": waiting, "nodes": [], "disposed_nodes": [], "last_vmname": 0}


def to_service(number: int, body: Mapping[str, Any]) -> Service:
    return Service(
        id=number,
        name=str(body.get("name", "")),
        state=ServiceState(int(body["state"])),
        roles=tuple(_role(role) for role in body["roles"]),
        straight=body.get("deployment") == "straight",
        on_hold=body.get("on_hold") is True,
        automatic_deletion=body.get("automatic_deletion") is True,
        timeouts=Timeouts(
            *(
                float(body.get(f"{phase}_timeout") or DEFAULT_TIMEOUT_S)
                for phase in ("deploy", "scale", "undeploy")
            )
        ),
    )


def with_service(body: Mapping[str, Any], service: Service) -> Body:
    """The body as it is after a decision; roles that left the service leave it."""
    known = {role["name"]: role for role in body["roles"]}
    roles = [with_role(known[role.name], role) for role in service.roles]
    return {**body, "state": service.state.value, "roles": roles}


def with_role(body: Mapping[str, Any], role: Role) -> Body:
    changed: Body = {
        **body,
        "state": str(role.state.value),
        "cardinality": role.cardinality,
        "nodes": [_node_body(node) for node in role.nodes],
        "disposed_nodes": list(role.disposed_nodes),
        "last_vmname": role.last_vmname,
    }
    optional = {
        "cooldown_duration": role.cooldown_s,
        "cooldown_end": role.cooldown_end,
        "deadline": role.deadline,
        "leaving": role.leaving,
        "on_hold": role.on_hold,
    }
    for key, value in optional.items():
        if value or (key == "on_hold" and key in body):
            changed[key] = value
        else:
            changed.pop(key, None)
    if role.state is not RoleState.SCALING:
        changed.pop("leave_first", None)
    return changed


def scaling_text(role: str, before: int, after: int) -> str:
    """As OneFlow's log says it."""
    way = "up" if after > before else "down"
    return f"Role {role} scaling {way} from {before} to {after} nodes"


def _role(body: Mapping[str, Any]) -> Role:
    return Role(
        name=str(body["name"]),
        state=RoleState(int(body.get("state", 0))),
        cardinality=int(body.get("cardinality", 1)),
        parents=tuple(body.get("parents", ())),
        nodes=tuple(_node(node) for node in body.get("nodes", ())),
        last_vmname=int(body.get("last_vmname", 0)),
        disposed_nodes=tuple(body.get("disposed_nodes", ())),
        cooldown_s=float(body.get("cooldown_duration", 0)),
        cooldown_end=float(body.get("cooldown_end", 0)),
        deadline=float(body.get("deadline", 0)),
        on_hold=body.get("on_hold") is True,
        leaving=body.get("leaving") is True,
        has_router=VROUTER in body,
        drain_s=float(body.get("drain_timeout") or 0),
    )


def _node(body: Mapping[str, Any]) -> Node:
    return Node(
        number=int(body["number"]),
        vm_id=int(body["deploy_id"]),
        leaving=body.get("disposed") == "1",
        scale_up=body.get("scale_up") == "1",
        drain_until=float(body.get("drain_until", 0)),
        resting=body.get("resting") == "1",
    )


def _node_body(node: Node) -> Body:
    """As spec/003 names it: `deploy_id` is the VM; marks are there or not."""
    marks = {"scale_up": node.scale_up, "disposed": node.leaving, "resting": node.resting}
    flags = {key: "1" for key, is_set in marks.items() if is_set}
    drain = {"drain_until": node.drain_until} if node.drain_until else {}
    return {"deploy_id": node.vm_id, "number": node.number, **flags, **drain}
