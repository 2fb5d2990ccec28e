"""Providers as people see them: their secrets only on demand, and only for those who own them."""

from collections.abc import Sequence

from onecore.access import Right, check
from onecore.deps import Deps
from onecore.document import Document, envelope
from onecore.errors import NotAuthorized
from onecore.log import Redactor
from onecore.store import accounts, providers
from onecore.store.engine import Transaction
from onecore.store.providers import Provider
from onecore.vault import unseal
from oneprovision import store
from oneprovision.model.document import PROVIDER_TYPE
from oneprovision.model.provider import SHOWN_SECRET
from oneprovision.model.states import State
from oneprovision.usecases.rights import as_resource


def names(deps: Deps) -> list[tuple[int, str]]:
    """(id, name) of every provider."""
    with deps.database.read() as tx:
        return [(provider.id, provider.name) for provider in providers.every(tx)]


def every(deps: Deps) -> list[Provider]:
    """Those that the asker may use."""
    with deps.database.read() as tx:
        return [provider for provider in providers.every(tx) if _may_use(tx, deps, provider)]


def document(deps: Deps, provider_id: int, sensitive: bool = False) -> Document:
    """One provider; its secrets only for the owner and administrators who ask for them."""
    provider = allowed(deps, provider_id, Right.USE)
    if sensitive and not may_see_secrets(deps, provider):
        raise NotAuthorized(
            f"only the owner and administrators may see the secrets of provider {provider_id}",
            hint="show it without --sensitive",
        )
    return _document(deps, provider, sensitive)


def may_see_secrets(deps: Deps, provider: Provider) -> bool:
    return deps.principal.is_admin or provider.uid == deps.principal.user_id


def pool(deps: Deps, seen: Sequence[Provider]) -> Document:
    return {"DOCUMENT_POOL": {"DOCUMENT": [_document(deps, p, False)["DOCUMENT"] for p in seen]}}


def allowed(deps: Deps, provider_id: int, right: Right) -> Provider:
    """The provider, if the one who asks may do that with it."""
    with deps.database.read() as tx:
        provider = providers.get(tx, provider_id)
        check(deps.principal, as_resource(tx, provider), right)
    return provider


def provisions_of(tx: Transaction, provider_id: int) -> list[int]:
    """The ids of those that are not over."""
    every = store.every(tx)
    return [int(p.id) for p in every if p.provider_id == provider_id and p.state is not State.DONE]


def _may_use(tx: Transaction, deps: Deps, provider: Provider) -> bool:
    try:
        check(deps.principal, as_resource(tx, provider), Right.USE)
    except NotAuthorized:
        return False
    return True


def _document(deps: Deps, provider: Provider, sensitive: bool) -> Document:
    connection = unseal(deps.settings.home / "key", provider.sealed)
    deps.conceal(connection.values())
    with deps.database.read() as tx:
        user = next((u.name for u in accounts.users(tx) if u.id == provider.uid), "")
        group = dict(accounts.groups(tx)).get(provider.gid, "")
        used = provisions_of(tx, provider.id)
    body: Document = {
        "name": provider.name,
        "description": provider.description,
        "driver": provider.driver,
        "connection": connection if sensitive else dict.fromkeys(connection, SHOWN_SECRET),
        "parameters": dict(provider.parameters) if sensitive else Redactor(()).value(provider.parameters),
        "provision_ids": used,
        "registration_time": int(provider.created_at),
    }
    owner = (int(provider.uid), user, int(provider.gid), group)
    template: Document = {"PROVIDER_BODY": body}
    return envelope(provider.id, PROVIDER_TYPE, owner, provider.permissions, provider.name, template)
