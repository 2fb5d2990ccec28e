"""Service templates (spec/003, Service Template): create, update, clone, instantiate."""

import copy
from collections.abc import Mapping
from dataclasses import replace

from onecore.access import Right
from onecore.document import Document
from onecore.errors import InvalidInput, OneError
from onecore.store import events
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.cloud import clouds
from oneflow.deps import FlowDeps
from oneflow.elasticity.role import RoleState, RoleView
from oneflow.model import body as bodies
from oneflow.model import inputs, networks, routers
from oneflow.model.contents import substituted
from oneflow.model.document import DEFAULT_BITS, Body, Kind, Stored
from oneflow.model.states import ServiceState
from oneflow.template import merged, validated
from oneflow.usecases import vm_templates
from oneflow.usecases.documents import authorized, checked_name, usable

REGISTRATION_TIME = "registration_time"
NOT_IMPLEMENTED = 501


def create(deps: FlowDeps, data: object) -> Document:
    """A new template, as it is stored: numbers as numbers, defaults in. Raises InvalidInput."""
    now, known = deps.clock.now(), clouds.templates(deps)
    with deps.database.begin() as tx:
        body = _validated(tx, deps, data, known)
        stored = store.insert(tx, _new(deps, Kind.TEMPLATE, body["name"], body, now))
        return stored.served(store.owners(tx))


def update(deps: FlowDeps, number: int, data: object, append: bool = False) -> Document:
    """Replace the body (`append`: lay the keys over it). The document's name stays (reference: Routes)."""
    known = clouds.templates(deps)
    with deps.database.begin() as tx:
        before = authorized(tx, deps, Kind.TEMPLATE, number, Right.MANAGE)
        if append:
            if not isinstance(data, Mapping):
                raise InvalidInput("KEY: 'template' must be a Hash")
            data = {**before.body, **data}
        body = _validated(tx, deps, data, known)
        if REGISTRATION_TIME in before.body:
            body[REGISTRATION_TIME] = before.body[REGISTRATION_TIME]
        return store.save(tx, replace(before, body=body)).served(store.owners(tx))


def delete(deps: FlowDeps, number: int, with_vm_templates: bool = False) -> None:
    """Its VM templates stay, or those go as well that nothing else needs. All or nothing."""
    _check_ours(deps, with_vm_templates)
    with deps.database.begin() as tx:
        template = authorized(tx, deps, Kind.TEMPLATE, number, Right.MANAGE)
        store.remove(tx, template)
        if with_vm_templates:
            vm_templates.delete_unused(tx, deps, template.body["roles"])


def clone(deps: FlowDeps, number: int, name: str, with_vm_templates: bool = False) -> Document:
    """A copy under another name; the VM templates are shared with the original, or copied as well."""
    _check_ours(deps, with_vm_templates)
    now = deps.clock.now()
    with deps.database.begin() as tx:
        original = authorized(tx, deps, Kind.TEMPLATE, number, Right.USE)
        body = {**copy.deepcopy(original.body), "name": checked_name(name)}
        if with_vm_templates:
            body["roles"] = vm_templates.cloned(tx, deps, body["roles"], name)
        stored = store.insert(tx, _new(deps, Kind.TEMPLATE, name, body, now))
        return stored.served(store.owners(tx))


def instantiate(deps: FlowDeps, number: int, changes: object = None, name: str = "") -> Document:
    """A new service of the template with `changes` (merge_template) laid over it; nothing is made yet, the
    controller does that. Returns the service document."""
    now, known = deps.clock.now(), clouds.templates(deps)
    with deps.database.begin() as tx:
        template = authorized(tx, deps, Kind.TEMPLATE, number, Right.USE)
        body = template.body if changes is None else merged(template.body, changes)
        if name:
            body = {**body, "name": checked_name(name)}
        body = _validated(tx, deps, body, known)
        body.pop(REGISTRATION_TIME, None)
        service = service_of(deps, body, now)
        stored = store.insert(tx, service)
        events.add(tx, stored.key, now, "New state: PENDING", f"instantiated from template {number}")
        return stored.served(store.owners(tx))


def _check_ours(deps: FlowDeps, with_vm_templates: bool) -> None:
    if with_vm_templates and deps.nebula is not None:
        raise OneError(
            "VM templates of an OpenNebula are copied and deleted there",
            hint="see: onetemplate clone, onetemplate delete",
            http_status=NOT_IMPLEMENTED,
        )


def service_of(deps: FlowDeps, template: Body, now: float) -> Stored:
    """A service that begins, of a template as it was stored."""
    body = inputs.with_values(template)
    if deps.nebula is not None:
        body = networks.with_values(body)
    roles = []
    for role in body["roles"]:
        known = {**inputs.values(body), **inputs.values(role)}
        role = _substituted(role, {name: inputs.as_text(value) for name, value in known.items()})
        view = RoleView.parse(role, now, deps.flow.tz).resolved(now, deps.flow.tz)
        policies = RoleState().to_json(view)
        roles.append({**role, **{key: value for key, value in policies.items() if key in role}})
    fresh = bodies.new_service({**body, "roles": roles}, now)
    new = _new(deps, Kind.SERVICE, body["name"], fresh, now)
    return replace(new, state=ServiceState.PENDING.value)


def _substituted(role: Body, known: Mapping[str, str]) -> Body:
    contents = "vm_template_contents"
    return {**role, contents: substituted(role[contents], known)} if contents in role else role


def _new(deps: FlowDeps, kind: Kind, name: str, body: Body, now: float) -> Stored:
    who = deps.principal
    return Stored(kind, -1, name, who.user_id, who.group_id, DEFAULT_BITS, body, created_at=now)


def _validated(tx: Transaction, deps: FlowDeps, data: object, known: frozenset[int] | None) -> Body:
    """`known`: the VM templates, where they are no documents of ours."""
    ours = frozenset(usable(tx, deps, Kind.VM_TEMPLATE))
    body = validated(data, ours if known is None else known, deps.clock.now(), deps.flow.tz)
    routers.check(body["roles"], has_routers=deps.nebula is not None)
    return body
