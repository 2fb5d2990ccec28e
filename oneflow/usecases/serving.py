"""Which server drives the services of a state: one at a time, and everybody can find out which."""

from onecore.deps import Deps
from onecore.errors import WrongState
from onecore.store import lease
from onecore.store.engine import Transaction
from onecore.store.lease import Lease

KEY = "oneflow/serve"


def take(deps: Deps, url: str) -> Lease:
    """Become the server of this state. Raises WrongState naming the one that is."""
    with deps.database.begin() as tx:
        _refuse_a_second(tx, deps)
        return lease.claim(tx, KEY, url, deps.clock.now(), deps.process)


def require_none(deps: Deps) -> None:
    """Raises WrongState naming the server of this state, if there is one."""
    with deps.database.read() as tx:
        _refuse_a_second(tx, deps)


def keep(deps: Deps, held: Lease) -> None:
    """Raises WrongState when another server has taken over."""
    with deps.database.begin() as tx:
        lease.renew(tx, held, deps.clock.now())


def leave(deps: Deps, held: Lease) -> None:
    with deps.database.begin() as tx:
        lease.release(tx, held)


def server(deps: Deps) -> str:
    """The address of the server that drives this state, empty without one."""
    with deps.database.read() as tx:
        holder = lease.holder(tx, KEY, deps.clock.now())
    if holder is None or lease.is_dead(holder[0], deps.process):
        return ""
    return holder[1]


def _refuse_a_second(tx: Transaction, deps: Deps) -> None:
    holder = lease.holder(tx, KEY, deps.clock.now())
    if holder is None or lease.is_dead(holder[0], deps.process):
        return
    raise WrongState(
        f"oneflow serve runs already for {deps.settings.home}: process {holder[0].pid} on {holder[0].host},"
        f" {holder[1]}",
        hint="stop it first, or point ONE_HOME at another folder",
    )
