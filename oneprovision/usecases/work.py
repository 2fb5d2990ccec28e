"""Work on one provision: the right to it, its lease, and the state that allows it, asked together."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from onecore.access import Right
from onecore.deps import Deps
from onecore.errors import WrongState
from onecore.store import lease
from onecore.store.lease import Lease
from oneprovision import store
from oneprovision.controller import Controller
from oneprovision.model.provision import UNCHANGED, Provision, owner_key
from oneprovision.model.states import ALLOWED, WORKING, Operation, State
from oneprovision.usecases.rights import authorized


@contextmanager
def at_work(
    deps: Deps,
    provision_id: int,
    operation: Operation,
    effort: Mapping[str, object] = UNCHANGED,
    force: bool = False,
) -> Iterator[Controller]:
    """The controller of a provision that nobody else can work on meanwhile.

    Raises NotFound, NotAuthorized, or WrongState when somebody else is at work or the state forbids it.
    The old error goes and new options count from the first change of state on: a request that is refused
    before leaves both as they were.
    """
    now = deps.clock.now()
    with deps.database.begin() as tx:
        provision = authorized(tx, deps, provision_id, Right.MANAGE)
        held = lease.claim(tx, provision.key, operation.value, now, deps.process)
        require(provision, operation, force)
        provision = replace(provision, stop="")
        store.edit(tx, provision)
    provision = replace(provision, error="", options=provision.options.changed({**effort, "force": force}))
    with holding(deps, held, provision) as controller:
        yield controller


@contextmanager
def holding(deps: Deps, held: Lease, provision: Provision) -> Iterator[Controller]:
    """The controller of a provision whose lease is ours; it is given back whatever happens."""
    try:
        controller = Controller(deps, held, provision)
        try:
            with controller.stopping_in_order():
                yield controller
        finally:
            controller.tools.runner.leave()
    finally:
        with deps.database.begin() as tx:
            lease.release(tx, held)


def unattended(deps: Deps) -> list[int]:
    """The provisions that wait for somebody to carry them on: new, or left by one who died or stopped."""
    now = deps.clock.now()
    with deps.database.read() as tx:
        waiting = store.ids_in(tx, WORKING)
        holders = {number: lease.holder(tx, owner_key(number), now) for number in waiting}
    return [n for n, holder in holders.items() if holder is None or lease.is_dead(holder[0], deps.process)]


def carry_on(deps: Deps, provision_id: int) -> None:
    """Take up a provision as it was left, and work until it rests. Does nothing when it rests already; raises
    WrongState when somebody else was faster."""
    with deps.database.begin() as tx:
        provision = store.get(tx, provision_id)
        if provision.state not in WORKING:
            return
        held = lease.claim(tx, provision.key, "carry on", deps.clock.now(), deps.process)
    with holding(deps, held, provision) as controller:
        controller.run()


def check_all(deps: Deps, provision_ids: Iterable[int], operation: Operation, force: bool = False) -> None:
    """Refuse a request about several provisions before the first of them is touched."""
    with deps.database.read() as tx:
        for provision_id in provision_ids:
            require(authorized(tx, deps, provision_id, Right.MANAGE), operation, force)


def require(provision: Provision, operation: Operation, force: bool = False) -> None:
    """Refuse what the state does not allow; `force` also retries what runs."""
    allowed = ALLOWED[operation]
    if operation is Operation.RETRY and force:
        allowed = allowed | {State.RUNNING}
    if provision.state not in allowed:
        raise WrongState(
            f"provision {provision.id} is {provision.state.name}; cannot {operation.value}",
            hint=_way_out(provision, operation),
        )


def _way_out(provision: Provision, operation: Operation) -> str:
    if provision.state is State.DONE:
        return f"it is over; forget it with: oneprovision delete {provision.id}"
    if provision.state is State.RUNNING and operation is Operation.RETRY:
        return (
            f"nothing failed; to check and repair it all the same: oneprovision retry {provision.id} --force"
        )
    if operation is Operation.DELETE:
        return f"first: oneprovision deprovision {provision.id}"
    return f"first: oneprovision retry {provision.id}, or: oneprovision deprovision {provision.id}"
