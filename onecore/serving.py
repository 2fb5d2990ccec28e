"""Which server of a product drives a state: one at a time, and everybody can find out which."""

from onecore.deps import Deps
from onecore.errors import WrongState
from onecore.store import lease
from onecore.store.engine import Transaction
from onecore.store.lease import Lease


def take(deps: Deps, product: str, url: str) -> Lease:
    """Become the server of `product` for this state. Raises WrongState naming the one that is."""
    with deps.database.begin() as tx:
        _refuse_a_second(tx, deps, product)
        return lease.claim(tx, _key(product), url, deps.clock.now(), deps.process)


def require_none(deps: Deps, product: str) -> None:
    """Raises WrongState naming the server of this state, if there is one."""
    with deps.database.read() as tx:
        _refuse_a_second(tx, deps, product)


def keep(deps: Deps, held: Lease) -> None:
    """Raises WrongState when another server has taken over."""
    with deps.database.begin() as tx:
        lease.renew(tx, held, deps.clock.now())


def leave(deps: Deps, held: Lease) -> None:
    with deps.database.begin() as tx:
        lease.release(tx, held)


def server(deps: Deps, product: str) -> str:
    """The address of the server that drives this state, empty without one."""
    with deps.database.read() as tx:
        holder = lease.holder(tx, _key(product), deps.clock.now())
    if holder is None or lease.is_dead(holder[0], deps.process):
        return ""
    return holder[1]


def _refuse_a_second(tx: Transaction, deps: Deps, product: str) -> None:
    holder = lease.holder(tx, _key(product), deps.clock.now())
    if holder is None or lease.is_dead(holder[0], deps.process):
        return
    raise WrongState(
        f"{product} serve runs already for {deps.settings.home}: process {holder[0].pid} on"
        f" {holder[0].host}, {holder[1]}",
        hint="stop it first, or point ONE_HOME at another folder",
    )


def _key(product: str) -> str:
    return f"{product}/serve"
