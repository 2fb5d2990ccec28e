"""VM templates of the embedded cloud: ours, so that a client can do all that the local command line can."""

from onecore.http.operation import Call
from oneflow.api import schemas
from oneflow.api.actions import common, performed
from oneflow.api.collection import Collection
from oneflow.deps import FlowDeps
from oneflow.model.document import Kind
from oneflow.usecases import vm_templates


def create(call: Call[FlowDeps]) -> object:
    return vm_templates.create(call.context, call.data)


def update(call: Call[FlowDeps]) -> object:
    return vm_templates.update(call.context, call.number(), call.data)


def delete(call: Call[FlowDeps]) -> None:
    vm_templates.delete(call.context, call.number())


def act(call: Call[FlowDeps]) -> object:
    return performed(call, ACTIONS)


ACTIONS = common(Kind.VM_TEMPLATE)

OPERATIONS = Collection(
    kind=Kind.VM_TEMPLATE,
    path="/vm_template",
    body=schemas.VM_TEMPLATE,
    create=create,
    update=update,
    delete=delete,
    act=act,
    actions=", ".join(ACTIONS),
).operations()
