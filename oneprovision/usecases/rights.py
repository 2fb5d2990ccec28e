"""Who may do what with a provision or a provider."""

from onecore.access import Permissions, Resource, Right, check
from onecore.deps import Deps
from onecore.store import accounts
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
    owners = {user.id: user.name for user in accounts.users(tx)}
    return Resource(
        kind=type(owned).__name__.lower(),
        id=owned.id,
        name=owned.name,
        owner_id=owned.uid,
        owner_name=owners.get(owned.uid, str(owned.uid)),
        group_id=owned.gid,
        permissions=Permissions(owned.permissions),
    )
