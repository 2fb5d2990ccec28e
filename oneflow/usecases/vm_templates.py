"""VM templates: numbered descriptions of the machines that roles are made of."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from onecore.access import Right
from onecore.document import Document
from onecore.errors import InvalidInput, NotFound, WrongState
from onecore.rights import require
from onecore.store import providers
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.deps import FlowDeps
from oneflow.model.document import DEFAULT_BITS, Body, Kind, Stored
from oneflow.model.states import ServiceState
from oneflow.model.vm_template import validated
from oneflow.usecases.documents import authorized, checked_name, require_ours

DUMMY: Final = 0
"""The VM template that every installation has."""


def create(deps: FlowDeps, data: object) -> Document:
    """Raises InvalidInput, also for a driver or provider that is not there."""
    require_ours(deps, Kind.VM_TEMPLATE)
    body = validated(data)
    name = checked_name(body.pop("name"))
    with deps.database.begin() as tx:
        new = _new(deps, name, _resolved(tx, deps, body))
        return store.insert(tx, new).served(store.owners(tx))


def update(deps: FlowDeps, number: int, data: object) -> Document:
    """Replace the body and the name. Machines that exist keep what they were made with."""
    require_ours(deps, Kind.VM_TEMPLATE)
    body = validated(data)
    name = checked_name(body.pop("name"))
    with deps.database.begin() as tx:
        before = authorized(tx, deps, Kind.VM_TEMPLATE, number, Right.MANAGE)
        changed = replace(before, name=name, body=_resolved(tx, deps, body))
        return store.save(tx, changed).served(store.owners(tx))


def delete(deps: FlowDeps, number: int) -> None:
    """Refused while a service template or a service that is not over needs it."""
    with deps.database.begin() as tx:
        template = authorized(tx, deps, Kind.VM_TEMPLATE, number, Right.MANAGE)
        users = [f"{user.kind.noun} {user.id}" for user in _users(tx, number)]
        if users:
            raise WrongState(
                f"VM template {number} is used by {', '.join(users[:5])}", hint="delete or change them first"
            )
        store.remove(tx, template)


def delete_unused(tx: Transaction, deps: FlowDeps, roles: Sequence[Body]) -> None:
    """Those of the roles that nothing needs any more, but for 0, which every installation has. Raises
    NotAuthorized for one that is not the asker's to delete."""
    for number in sorted((_named(roles) - {DUMMY}) & store.ids(tx, Kind.VM_TEMPLATE)):
        if not _users(tx, number):
            store.remove(tx, authorized(tx, deps, Kind.VM_TEMPLATE, number, Right.MANAGE))


def cloned(tx: Transaction, deps: FlowDeps, roles: Sequence[Body], name: str) -> list[Body]:
    """The roles with copies of their VM templates, which belong to the asker. `name` tells whose they are."""
    copies: dict[int, int] = {}
    for number in sorted(_named(roles)):
        original = authorized(tx, deps, Kind.VM_TEMPLATE, number, Right.USE)
        body = _resolved(tx, deps, copy.deepcopy(original.body))
        copied = _new(deps, checked_name(f"{original.name}-{name}"), body)
        copies[number] = store.insert(tx, copied).id
    return [{**role, "vm_template": copies[role["vm_template"]]} for role in roles]


def _named(roles: Sequence[Body]) -> frozenset[int]:
    return frozenset(role["vm_template"] for role in roles)


def _users(tx: Transaction, number: int) -> list[Stored]:
    return [
        document
        for kind in (Kind.TEMPLATE, Kind.SERVICE)
        for document in store.every(tx, kind)
        if document.state != ServiceState.DONE and number in _named(document.body["roles"])
    ]


def _new(deps: FlowDeps, name: str, body: Body) -> Stored:
    who, now = deps.principal, deps.clock.now()
    return Stored(Kind.VM_TEMPLATE, -1, name, who.user_id, who.group_id, DEFAULT_BITS, body, created_at=now)


def _resolved(tx: Transaction, deps: FlowDeps, body: Body) -> Body:
    """With the provider's number in place of its name, after a look whether driver and provider fit. Raises
    NotAuthorized for a provider that the asker may not use."""
    driver = deps.catalog.get(body["driver"])
    selector = body.get("provider")
    if selector is None:
        return body
    for provider in providers.every(tx):
        if str(selector) in (provider.name, str(provider.id)):
            if provider.driver != driver.name:
                raise InvalidInput(
                    f"provider '{provider.name}' is of driver {provider.driver}, not of {driver.name}"
                )
            # Machines on somebody's account are made by those whom he lets use it.
            require(tx, deps.principal, Right.USE, provider, "provider")
            return {**body, "provider": provider.id}
    raise NotFound(f"there is no provider '{selector}'", hint="see: oneprovision provider list")
