"""VM templates: numbered descriptions of the machines that roles are made of."""

from dataclasses import replace

from onecore.access import Right
from onecore.document import Document
from onecore.errors import InvalidInput, NotFound, WrongState
from onecore.store import providers
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.deps import FlowDeps
from oneflow.model.document import DEFAULT_BITS, Body, Kind, Stored
from oneflow.model.states import ServiceState
from oneflow.model.vm_template import validated
from oneflow.usecases.documents import authorized, checked_name


def create(deps: FlowDeps, data: object) -> Document:
    """Raises InvalidInput, also for a driver or provider that is not there."""
    body = validated(data)
    name = checked_name(body.pop("name"))
    who, now = deps.principal, deps.clock.now()
    with deps.database.begin() as tx:
        body = _resolved(tx, deps, body)
        new = Stored(
            Kind.VM_TEMPLATE, -1, name, who.user_id, who.group_id, DEFAULT_BITS, body, created_at=now
        )
        return store.insert(tx, new).served(store.owners(tx))


def update(deps: FlowDeps, number: int, data: object) -> Document:
    """Replace the body and the name. Machines that exist keep what they were made with."""
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
        users = [
            f"{document.kind.noun} {document.id}"
            for kind in (Kind.TEMPLATE, Kind.SERVICE)
            for document in store.every(tx, kind)
            if document.state != ServiceState.DONE and _needs(document.body, number)
        ]
        if users:
            raise WrongState(
                f"VM template {number} is used by {', '.join(users[:5])}", hint="delete or change them first"
            )
        store.remove(tx, template)


def _needs(body: Body, number: int) -> bool:
    return any(role.get("vm_template") == number for role in body["roles"])


def _resolved(tx: Transaction, deps: FlowDeps, body: Body) -> Body:
    """With the provider's number in place of its name, after a look whether driver and provider fit."""
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
            return {**body, "provider": provider.id}
    raise NotFound(f"there is no provider '{selector}'", hint="see: oneprovision provider list")
