"""Roles and settings of a service that runs: update, add and remove (reference: Update immutables)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from onecore.errors import InvalidInput, WrongState
from onecore.store.engine import Transaction
from oneflow.cloud import clouds
from oneflow.deps import FlowDeps
from oneflow.elasticity.role import RoleState, RoleView
from oneflow.model import body as bodies
from oneflow.model import routers
from oneflow.model.document import Body, Kind, Stored
from oneflow.model.states import Event, ServiceState
from oneflow.model.vocabulary import LATER, unified
from oneflow.template import validated
from oneflow.usecases.documents import usable
from oneflow.usecases.services import change, role_of

# What a living service may change; the rest is said when it is made, or by an operation of its own.
SERVICE_KEYS = frozenset(
    {
        "description",
        "shutdown_action",
        "automatic_deletion",
        "deploy_timeout",
        "scale_timeout",
        "undeploy_timeout",
    }
)
ROLE_KEYS = frozenset(
    {
        *("min_vms", "max_vms", "cooldown", "elasticity_policies", "scheduled_policies", "shutdown_action"),
        *("vm_template_contents", "victims", "drain_timeout"),
    }
)
# What changes by itself meanwhile, so that it may well differ in what was shown.
_LIVE = bodies.ROLE_OWN | {"cardinality"}
_CHANGEABLE = frozenset(ServiceState) - {ServiceState.DONE, ServiceState.UNDEPLOYING}


def update(deps: FlowDeps, service_id: int, data: object, append: bool = False) -> None:
    """Change limits, cooldown, policies and the like of a living service. `data` is a body as `show` gives
    it, changed; with `append` only the keys to change. What cannot change must be as it is."""
    known = clouds.templates(deps)

    def changed(tx: Transaction, document: Stored) -> tuple[Body, str]:
        state = ServiceState(int(document.body["state"]))
        if state not in _CHANGEABLE:
            raise WrongState(f"Service cannot be updated in state: {state.name}")
        given = unified(data)
        if not isinstance(given, Mapping):
            raise InvalidInput("KEY: 'template' must be a Hash")
        asked = {**document.body, **given} if append else dict(given)
        _refuse_immutable(document.body, asked, SERVICE_KEYS, "service")
        body = _laid_over(document.body, asked, SERVICE_KEYS, bodies.SERVICE_OWN)
        body["roles"] = _roles(document.body["roles"], asked.get("roles", document.body["roles"]))
        _validate(tx, deps, body, known)
        return {**body, "roles": [_with_states(deps, role) for role in body["roles"]]}, "updated"

    change(deps, service_id, changed)


def add_role(deps: FlowDeps, service_id: int, data: object) -> None:
    """One more role of a service that runs; its VMs are made at once (reference: add_role)."""
    if isinstance(data, str):
        data = _parsed(data)
    known = clouds.templates(deps)

    def changed(tx: Transaction, document: Stored) -> tuple[Body, str]:
        service = bodies.to_service(document.id, document.body)
        if service.state not in (ServiceState.RUNNING, ServiceState.WARNING):
            raise WrongState(f"Role cannot be added in state: {service.state.name}")
        if not isinstance(data, Mapping):
            raise InvalidInput("KEY: 'role' must be a Hash")
        asked = {**_plain(document.body), "roles": [*_plain_roles(document.body), data]}
        checked = _validate(tx, deps, asked, known)
        role = bodies.new_role(_with_states(deps, checked["roles"][-1], now=deps.clock.now()))
        body = {**document.body, "roles": [*document.body["roles"], role]}
        first = Event.MAKE_NETS if routers.is_router(role) else Event.DEPLOY
        moved = bodies.to_service(document.id, body).moved(first)
        return bodies.with_service(body, moved), f"role {role['name']} added"

    change(deps, service_id, changed)


def remove_role(deps: FlowDeps, service_id: int, name: str) -> None:
    """Remove a role with its VMs from a service that runs."""

    def changed(tx: Transaction, document: Stored) -> tuple[Body, str]:
        role_of(document.body, name)
        service = bodies.to_service(document.id, document.body)
        if service.state not in (ServiceState.RUNNING, ServiceState.WARNING):
            raise WrongState(f"Role cannot be removed in state: {service.state.name}")
        if not [role for role in service.roles if not role.leaving and role.name != name]:
            raise InvalidInput(
                f"role {name} is the last one", hint=f"delete the service: oneflow delete {service.id}"
            )
        children = [role.name for role in service.roles if name in role.parents]
        if children:
            raise InvalidInput(f"role {name} is a parent of {', '.join(children)}", hint="remove these first")
        leaving = next(role for role in service.roles if role.name == name)
        left = service.with_role(replace(leaving, leaving=True))
        return bodies.with_service(document.body, left), f"role {name} removed"

    change(deps, service_id, changed)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as exc:
        raise InvalidInput(f"KEY: 'role' is no JSON: {exc}") from exc


def _refuse_immutable(before: Body, asked: Mapping[str, Any], free: frozenset[str], where: str) -> None:
    for key, value in asked.items():
        live = bodies.SERVICE_OWN if where == "service" else _LIVE
        if key in ("roles", LATER) or key in free or key in live or key not in before:
            continue
        if value != before[key]:
            hint = "use: oneflow rename" if key == "name" else ""
            raise InvalidInput(f"Immutable value: `{where}/{key}` can not be changed", hint=hint)


def _roles(before: list[Body], asked: object) -> list[Body]:
    if not isinstance(asked, list) or not all(isinstance(role, Mapping) for role in asked):
        raise InvalidInput("KEY: 'roles' must be an Array of Hashes")
    if [role.get("name") for role in asked] != [role["name"] for role in before]:
        raise InvalidInput(
            "Immutable value: `service/roles` can not be changed: their number and names stay",
            hint="use: oneflow add-role, oneflow remove-role",
        )
    for old, new in zip(before, asked, strict=True):
        _refuse_immutable(old, new, ROLE_KEYS, "role")
    return [_laid_over(old, new, ROLE_KEYS, bodies.ROLE_OWN) for old, new in zip(before, asked, strict=True)]


def _laid_over(before: Body, asked: Mapping[str, Any], free: frozenset[str], own: frozenset[str]) -> Body:
    """With the keys that may change as asked, missing ones removed, new ones that are not `own`."""
    kept = {key: value for key, value in before.items() if key not in free}
    taken = {k: v for k, v in asked.items() if k in free or (k not in before and k not in own)}
    return {**kept, **taken}


def _with_states(deps: FlowDeps, role: Body, now: float | None = None) -> Body:
    """With the policies' start times resolved; what they counted stays."""
    moment = deps.clock.now() if now is None else now
    view = RoleView.parse(role, moment, deps.flow.tz).resolved(moment, deps.flow.tz)
    policies = RoleState.from_json(role).to_json(view)
    return {**role, **{key: value for key, value in policies.items() if key in role}}


def _plain(body: Body) -> Body:
    return {
        key: value
        for key, value in body.items()
        if key not in ("state", "roles", bodies.RETRY, bodies.FORGET)
    }


def _plain_roles(body: Body) -> list[Body]:
    return [
        {key: value for key, value in role.items() if key not in ("state", "nodes")} for role in body["roles"]
    ]


def _validate(tx: Transaction, deps: FlowDeps, body: Body, known: frozenset[int] | None) -> Body:
    """Limits count for what people ask, not for what was forced: the cardinality is left out of the check."""
    ours = frozenset(usable(tx, deps, Kind.VM_TEMPLATE))
    checked = validated(body, ours if known is None else known, deps.clock.now(), deps.flow.tz)
    routers.check(checked["roles"], has_routers=deps.nebula is not None)
    return checked
