"""Services (spec/003, Service), with the routes that came after it (reference 2.1)."""

from typing import Any

from onecore.http.operation import Call, Operation, Work
from onecore.schema.load import load_json
from oneflow.api import schemas
from oneflow.api.actions import Action, Params, asked, common, parameters, performed
from oneflow.api.collection import PER_PAGE
from oneflow.deps import FlowDeps
from oneflow.model.checked import checked
from oneflow.model.document import Kind
from oneflow.model.job import ACTIONS as VM_ACTIONS
from oneflow.usecases import explaining, jobs, reading, roles, services
from oneflow.usecases.jobs import Batch
from oneflow.usecases.services import Scale


def index(call: Call[FlowDeps]) -> object:
    return reading.services(call.context, call.whole("page"), call.whole("per_page", PER_PAGE) or 0)


def show(call: Call[FlowDeps]) -> object:
    return reading.service(call.context, call.number())


def delete(call: Call[FlowDeps]) -> None:
    services.delete(call.context, call.number())


def update(call: Call[FlowDeps]) -> None:
    """A whole body, or `{"append": true, "template": "…"}` as the later clients send it."""
    data: Any = call.data
    append = False
    if isinstance(data, dict) and "template" in data and "roles" not in data:
        asked = checked(data, schemas.UPDATE, "body")
        data, append = load_json(asked["template"], "template"), asked.get("append", False)
    roles.update(call.context, call.number(), data, append)


def log(call: Call[FlowDeps]) -> object:
    lines = reading.log(call.context, call.number(), call.whole("after", 0) or 0)
    return {
        "log": [
            {"id": e.id, "timestamp": e.at, "severity": e.level, "message": e.action, "reason": e.text}
            for e in lines
        ]
    }


def explain(call: Call[FlowDeps]) -> object:
    return {"lines": explaining.explain(call.context, call.number())}


def act(call: Call[FlowDeps]) -> object:
    return performed(call, ACTIONS)


def scale(call: Call[FlowDeps]) -> None:
    body = checked(call.data, schemas.SCALE, "body")
    _scale(call, body["role_name"], body)


def scale_role(call: Call[FlowDeps]) -> None:
    """Answers an empty body (spec/003, Update the Cardinality of a Given Role)."""
    _scale(call, call.path["name"], checked(call.data, schemas.SCALE_ROLE, "body"))


def act_on_role(call: Call[FlowDeps]) -> object:
    name, params = asked(call.data)
    return _batch(call, call.path["name"], name, parameters(name, params, schemas.BATCH))


def change_roles(call: Call[FlowDeps]) -> object:
    return performed(call, ROLE_ACTIONS)


def cancel(call: Call[FlowDeps]) -> None:
    jobs.cancel(call.context, call.number(), call.number("job_id"), call.path.get("name"))


def purge_done(call: Call[FlowDeps]) -> None:
    services.purge_done(call.context)


def _scale(call: Call[FlowDeps], role: str, body: Params) -> None:
    force, victims = body.get("force") is True, tuple(body.get("victims", ()))
    services.scale(call.context, call.number(), Scale(role, body["cardinality"], force, victims))


def _batch(call: Call[FlowDeps], role: str | None, name: str, params: Params) -> object:
    """The answer of OneFlow: whether it could be scheduled, and what was (spec/003, Perform an Action on All
    the VMs of a Given Role)."""
    batch = Batch(name, params.get("period"), params.get("number"), params.get("args", ""))
    return [True, jobs.act(call.context, call.number(), role, batch)]


def _shutdown(call: Call[FlowDeps], params: Params) -> None:
    services.shutdown(call.context, call.number())


def _recover(call: Call[FlowDeps], params: Params) -> None:
    services.recover(call.context, call.number(), params.get("delete") is True)


def _release(call: Call[FlowDeps], params: Params) -> None:
    services.release(call.context, call.number())


def _add_role(call: Call[FlowDeps], params: Params) -> None:
    role = params["role"]
    data = load_json(role, "role") if isinstance(role, str) else role
    roles.add_role(call.context, call.number(), data)


def _remove_role(call: Call[FlowDeps], params: Params) -> None:
    roles.remove_role(call.context, call.number(), params["role"])


def _on_all_roles(name: str) -> Action:
    return Action(schemas.BATCH, lambda call, params: _batch(call, None, name, params))


ACTIONS = {
    # What the service as a whole understands comes before what its VMs do.
    **{name: _on_all_roles(name) for name in VM_ACTIONS},
    "shutdown": Action({"type": "object"}, _shutdown),
    "recover": Action(schemas.RECOVER, _recover),
    "deploy": Action(schemas.RECOVER, _recover),
    "release": Action({"type": "object"}, _release),
    **common(Kind.SERVICE),
}

ROLE_ACTIONS = {
    "add_role": Action(schemas.ADD_ROLE, _add_role),
    "remove_role": Action(schemas.REMOVE_ROLE, _remove_role),
}

_ONE, _ROLE = "/service/{id}", "/service/{id}/role/{name}"
_WRITE = Work.WRITE

OPERATIONS = (
    Operation(
        "GET",
        "/service",
        index,
        "List the services",
        Work.LIST,
        answer=schemas.POOL,
        query=("page", "per_page"),
    ),
    Operation("GET", _ONE, show, "Show a service with its VMs", Work.READ, answer=schemas.DOCUMENT),
    Operation("PUT", _ONE, update, "Change limits, cooldown and policies", _WRITE, 204, schemas.UPDATE),
    Operation("DELETE", _ONE, delete, "Remove the VMs of a service, then the service", _WRITE, 204),
    Operation(
        "POST", f"{_ONE}/action", act, f"Perform one of: {', '.join(ACTIONS)}", _WRITE, 201, schemas.ACTION
    ),
    Operation(
        "POST", f"{_ONE}/scale", scale, "Have another number of VMs in a role", _WRITE, 204, schemas.SCALE
    ),
    Operation(
        "POST", f"{_ONE}/role_action", change_roles, "add_role or remove_role", _WRITE, 204, schemas.ACTION
    ),
    Operation(
        "GET", f"{_ONE}/log", log, "What happened, and why", Work.ASK, answer=schemas.LOG, query=("after",)
    ),
    Operation(
        "GET",
        f"{_ONE}/explain",
        explain,
        "Why each policy does or does not fire",
        Work.ASK,
        answer=schemas.EXPLANATION,
    ),
    Operation(
        "PUT", _ROLE, scale_role, "Have another number of VMs in a role", _WRITE, 200, schemas.SCALE_ROLE
    ),
    Operation(
        "POST",
        f"{_ROLE}/action",
        act_on_role,
        "Act on the VMs of a role",
        _WRITE,
        201,
        schemas.ACTION,
        schemas.SAID,
    ),
    Operation("DELETE", f"{_ONE}/sched_action/{{job_id}}", cancel, "Cancel the rest of a batch", _WRITE, 204),
    Operation(
        "DELETE", f"{_ROLE}/sched_action/{{job_id}}", cancel, "Cancel the rest of a batch", _WRITE, 204
    ),
    Operation(
        "POST", "/service_pool/purge_done", purge_done, "Forget the services that are DONE", _WRITE, 204
    ),
)
