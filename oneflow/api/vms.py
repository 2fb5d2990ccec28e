"""Virtual machines of services: what their documents do not say."""

from onecore.http.operation import Call, Operation, Work
from oneflow.api import schemas
from oneflow.deps import FlowDeps
from oneflow.usecases import gate


def token(call: Call[FlowDeps]) -> object:
    """For operators and tests: with it one may speak for the VM at OneGate."""
    return {"token": gate.token(call.context, call.number()), "endpoint": call.context.flow.gate_url}


OPERATIONS = (
    Operation("GET", "/vm/{id}/token", token, "The token of a VM at OneGate", Work.ASK, answer=schemas.TOKEN),
)
