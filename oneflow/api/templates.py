"""Service templates (spec/003, Service Template)."""

from typing import Any

from onecore.errors import InvalidInput
from onecore.http.operation import Call, Operation, Work
from onecore.schema.load import load_json
from oneflow.api import schemas
from oneflow.api.actions import Action, Params, common, performed
from oneflow.deps import FlowDeps
from oneflow.model.checked import checked
from oneflow.model.document import Kind
from oneflow.usecases import documents, templates

PER_PAGE = 100


def index(call: Call[FlowDeps]) -> object:
    page, per_page = call.whole("page"), call.whole("per_page", PER_PAGE)
    return documents.listed(call.context, Kind.TEMPLATE, page, per_page or 0)


def show(call: Call[FlowDeps]) -> object:
    return documents.shown(call.context, Kind.TEMPLATE, call.number())


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

_ALL, _ONE = "/service_template", "/service_template/{id}"

OPERATIONS = (
    Operation(
        "GET",
        _ALL,
        index,
        "List the service templates",
        Work.LIST,
        answer=schemas.POOL,
        query=("page", "per_page"),
    ),
    Operation(
        "POST", _ALL, create, "Create a service template", Work.WRITE, 201, schemas.SERVICE, schemas.DOCUMENT
    ),
    Operation("GET", _ONE, show, "Show a service template", Work.READ, answer=schemas.DOCUMENT),
    Operation(
        "PUT", _ONE, update, "Replace a service template", Work.WRITE, 200, schemas.SERVICE, schemas.DOCUMENT
    ),
    Operation("DELETE", _ONE, delete, "Delete a service template", Work.WRITE, 204),
    Operation(
        "POST",
        f"{_ONE}/action",
        act,
        f"Perform one of: {', '.join(ACTIONS)}",
        Work.WRITE,
        201,
        schemas.ACTION,
    ),
)
