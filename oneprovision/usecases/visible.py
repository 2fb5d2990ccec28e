"""Which provisions the asker may see: what a list needs, and no more."""

from onecore.access import Right, check
from onecore.deps import Deps
from onecore.errors import NotAuthorized
from onecore.store import accounts
from onecore.store.engine import Transaction
from oneprovision import store
from oneprovision.model.provision import Provision
from oneprovision.model.states import State
from oneprovision.usecases.rights import as_resource

Names = tuple[dict[int, str], dict[int, str]]


def every(deps: Deps, done: bool = False) -> list[Provision]:
    """Those that the asker may see, without the DONE ones unless asked for."""
    with deps.database.read() as tx:
        seen = []
        for provision in store.every(tx):
            if provision.state is State.DONE and not done:
                continue
            try:
                check(deps.principal, as_resource(tx, provision), Right.USE)
            except NotAuthorized:
                continue
            seen.append(provision)
        return seen


def owners(deps: Deps) -> Names:
    """User and group names by id."""
    with deps.database.read() as tx:
        return names(tx)


def names(tx: Transaction) -> Names:
    return {user.id: user.name for user in accounts.users(tx)}, dict(accounts.groups(tx))
