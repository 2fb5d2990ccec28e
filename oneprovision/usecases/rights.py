"""Who may do what with a provision or a provider."""

from onecore import rights
from onecore.access import Resource, Right, check
from onecore.deps import Deps
from onecore.store.engine import Transaction
from onecore.store.providers import Provider
from oneprovision import store
from oneprovision.model.provision import Provision


def authorized(tx: Transaction, deps: Deps, provision_id: int, right: Right) -> Provision:
    """The provision, if the one who asks may do that with it."""
    provision = store.get(tx, provision_id)
    check(deps.principal, as_resource(tx, provision), right)
    return provision


def as_resource(tx: Transaction, owned: Provision | Provider) -> Resource:
    """What the check of rights needs to know of it."""
    return rights.as_resource(tx, owned, type(owned).__name__.lower())
