"""VM templates of the embedded cloud: ours, so that a client can do all that the local command line can."""

from onecore.http.operation import Call, Operation, Work
from oneflow.api import schemas
from oneflow.api.actions import common, performed
from oneflow.api.templates import PER_PAGE
from oneflow.deps import FlowDeps
from oneflow.model.document import Kind
from oneflow.usecases import documents, vm_templates


def index(call: Call[FlowDeps]) -> object:
    page, per_page = call.whole("page"), call.whole("per_page", PER_PAGE)
    return documents.listed(call.context, Kind.VM_TEMPLATE, page, per_page or 0)


def show(call: Call[FlowDeps]) -> object:
    return documents.shown(call.context, Kind.VM_TEMPLATE, call.number())


def create(call: Call[FlowDeps]) -> object:
    return vm_templates.create(call.context, call.data)


def update(call: Call[FlowDeps]) -> object:
    return vm_templates.update(call.context, call.number(), call.data)


def delete(call: Call[FlowDeps]) -> None:
    vm_templates.delete(call.context, call.number())


def act(call: Call[FlowDeps]) -> object:
    return performed(call, ACTIONS)


ACTIONS = common(Kind.VM_TEMPLATE)

_ALL, _ONE = "/vm_template", "/vm_template/{id}"

OPERATIONS = (
    Operation(
        "GET",
        _ALL,
        index,
        "List the VM templates",
        Work.LIST,
        answer=schemas.POOL,
        query=("page", "per_page"),
    ),
    Operation(
        "POST", _ALL, create, "Create a VM template", Work.WRITE, 201, schemas.VM_TEMPLATE, schemas.DOCUMENT
    ),
    Operation("GET", _ONE, show, "Show a VM template", Work.READ, answer=schemas.DOCUMENT),
    Operation(
        "PUT", _ONE, update, "Replace a VM template", Work.WRITE, 200, schemas.VM_TEMPLATE, schemas.DOCUMENT
    ),
    Operation("DELETE", _ONE, delete, "Delete a VM template", Work.WRITE, 204),
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
