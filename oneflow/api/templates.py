"""Service templates (spec/003, Service Template)."""

from typing import Any

from onecore.errors import InvalidInput
from onecore.http.operation import Call
from onecore.schema.load import load_json
from oneflow.api import schemas
from oneflow.api.actions import Action, Params, common, performed
from oneflow.api.collection import Collection
from oneflow.deps import FlowDeps
from oneflow.model.checked import checked
from oneflow.model.document import Kind
from oneflow.usecases import templates


def create(call: Call[FlowDeps]) -> object:
    return templates.create(call.context, call.data)


def update(call: Call[FlowDeps]) -> object:
    return templates.update(call.context, call.number(), call.data)


def delete(call: Call[FlowDeps]) -> None:
    body = {} if call.data is None else checked(call.data, schemas.DELETE_TEMPLATE, "body")
    templates.delete(call.context, call.number(), _is_deep(body.get("delete_type", "none")))


def act(call: Call[FlowDeps]) -> object:
    return performed(call, ACTIONS)


def _instantiate(call: Call[FlowDeps], params: Params) -> object:
    return templates.instantiate(call.context, call.number(), params.get("merge_template"))


def _clone(call: Call[FlowDeps], params: Params) -> object:
    return templates.clone(
        call.context, call.number(), params["name"], _is_deep(params.get("recursive", "none"))
    )


def _update(call: Call[FlowDeps], params: Params) -> object:
    """The way of the later clients (reference 2.1): `template_json`, or the same as `template_raw`."""
    given: Any = params.get("template_json", params.get("template_raw"))
    if given is None:
        raise InvalidInput("Action update: You have to specify a TEMPLATE")
    data = load_json(given, "template") if isinstance(given, str) else given
    return templates.update(call.context, call.number(), data, append=params.get("append") is True)


def _is_deep(depth: str) -> bool:
    """Whether VM templates are meant as well. There are no images apart from them, so `all` is no more than
    `templates`."""
    return depth != "none"


ACTIONS = {
    "instantiate": Action(schemas.INSTANTIATE, _instantiate),
    **common(Kind.TEMPLATE),
    "clone": Action(schemas.CLONE, _clone),
    "update": Action(schemas.TEMPLATE_UPDATE, _update),
}

OPERATIONS = Collection(
    kind=Kind.TEMPLATE,
    path="/service_template",
    body=schemas.SERVICE,
    create=create,
    update=update,
    delete=delete,
    act=act,
    actions=", ".join(ACTIONS),
).operations()
