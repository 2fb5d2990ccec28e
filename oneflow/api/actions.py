"""`{"action": {"perform": …, "params": {…}}}`: what all documents can be asked (spec/003, Action Schema)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from onecore.errors import InvalidInput
from onecore.http.operation import Call
from oneflow.api.schemas import ACTION, GROUP, NAME, OCTET, OWNER
from oneflow.deps import FlowDeps
from oneflow.model.checked import checked
from oneflow.model.document import Kind
from oneflow.model.schema import Schema
from oneflow.usecases import documents, people

Params = Mapping[str, Any]
Perform = Callable[[Call[FlowDeps], Params], object]

# What OneFlow says where a parameter is missing.
_WORDS = {"owner_id": "UID", "group_id": "GID", "octet": "OCTET", "name": "NAME"}


@dataclass(frozen=True)
class Action:
    """`schema` is that of its parameters."""

    schema: Schema
    perform: Perform


def asked(data: object) -> tuple[str, Params]:
    """The name of the action and its parameters. Raises InvalidInput."""
    body = checked(data, ACTION, "action")
    action = body["action"]
    return action["perform"], action.get("params") or {}


def performed(call: Call[FlowDeps], actions: Mapping[str, Action]) -> object:
    name, params = asked(call.data)
    action = actions.get(name)
    if action is None:
        raise InvalidInput(f"Action {name[:80]} not supported", hint=f"one of: {', '.join(actions)}")
    return action.perform(call, parameters(name, params, action.schema))


def parameters(name: str, params: Params, schema: Schema) -> Params:
    required: Any = schema.get("required", ())
    for key in required:
        if params.get(key) is None and key in _WORDS:
            raise InvalidInput(f"Action {name}: You have to specify a {_WORDS[key]}")
    return checked(params, schema, "params")


def common(kind: Kind) -> dict[str, Action]:
    """chown, chgrp, chmod and rename."""

    def chown(call: Call[FlowDeps], params: Params) -> None:
        group = params.get("group_id")
        people.refresh(call.context)
        documents.chown(
            call.context, kind, call.number(), str(params["owner_id"]), None if group is None else str(group)
        )

    def chgrp(call: Call[FlowDeps], params: Params) -> None:
        people.refresh(call.context)
        documents.chgrp(call.context, kind, call.number(), str(params["group_id"]))

    def chmod(call: Call[FlowDeps], params: Params) -> None:
        documents.chmod(call.context, kind, call.number(), params["octet"])

    def rename(call: Call[FlowDeps], params: Params) -> None:
        documents.rename(call.context, kind, call.number(), params["name"])

    return {
        "chown": Action(OWNER, chown),
        "chgrp": Action(GROUP, chgrp),
        "chmod": Action(OCTET, chmod),
        "rename": Action(NAME, rename),
    }
