"""The end of a provision: deprovision, cancel, delete."""

from collections.abc import Mapping
from dataclasses import replace

from onecore.access import Right
from onecore.deps import Deps
from onecore.errors import CANCELLED, WrongState
from onecore.machines import record
from onecore.machines.model import Resource
from onecore.machines.model import State as MachineState
from onecore.notice import Notice
from onecore.store import lease, resources
from oneprovision import oneform_store, registering, store
from oneprovision.engines import place
from oneprovision.model.provision import UNCHANGED, ObjectKind, Provision
from oneprovision.model.states import WORKING, Event, Operation, State
from oneprovision.usecases.rights import authorized
from oneprovision.usecases.scaling import look_at_work, refuse_work
from oneprovision.usecases.work import at_work, require


def deprovision(
    deps: Deps, provision_id: int, force: bool = False, effort: Mapping[str, object] = UNCHANGED
) -> Provision:
    """Remove everything. Ends in DONE only with nothing left; otherwise DriverFailed lists what remains."""
    with at_work(deps, provision_id, Operation.DEPROVISION, effort, force) as controller:
        with deps.database.read() as tx:
            hosts = [o for o in store.objects_of(tx, provision_id) if o.kind is ObjectKind.HOST]
        if not force:
            refuse_work(look_at_work(controller, [o for o in hosts if o.registered]), force)
        controller.worker.recover()
        with deps.database.begin() as tx:
            every = resources.of_owner(tx, controller.provision.key)
            resources.update(tx, [record.unwanted(r) for r in every])
            controller.move_in(tx, Event.DEPROVISION, "forced" if force else "asked for")
        return controller.concluded()


def cancel(deps: Deps, provision_id: int) -> str:
    """Stop what is being done. With somebody at work: ask him to stop. Without: what was left half done
    becomes a failure that can be retried; a failed scale is taken back. Returns what was done."""
    now = deps.clock.now()
    with deps.database.begin() as tx:
        provision = authorized(tx, deps, provision_id, Right.MANAGE)
        holder = lease.holder(tx, provision.key, now)
        if holder and not lease.is_dead(holder[0], deps.process):
            store.edit(tx, replace(provision, stop=CANCELLED))
            return f"asked process {holder[0].pid} to stop ({holder[1]})"
    require(provision, Operation.CANCEL)
    with at_work(deps, provision_id, Operation.CANCEL) as controller:
        if controller.provision.state in WORKING - {State.PENDING}:
            carried = controller.provision.state.name
            controller.worker.recover()
            with deps.database.begin() as tx:
                controller.move_in(tx, Event.FAIL, CANCELLED, CANCELLED)
            return f"{carried} is given up; `oneprovision retry {provision_id}` would take it up again"
        if controller.provision.state is State.PENDING:
            raise WrongState(
                f"provision {provision_id} has not begun",
                hint=f"remove it: oneprovision deprovision {provision_id}",
            )
        controller.worker.recover()
        with deps.database.begin() as tx:
            # Each kind of object is numbered by itself: a network is no host of that number.
            hosts = [o for o in store.objects_of(tx, provision_id) if o.kind is ObjectKind.HOST]
            in_service = {o.id for o in hosts if o.registered}
            every = resources.of_owner(tx, controller.provision.key)
            taken_back = [r for r in every if _is_half_made(r, in_service)]
            resources.update(tx, [record.unwanted(r) for r in taken_back])
            controller.move_in(tx, Event.ABANDON, f"{len(taken_back)} additions are taken back")
        controller.concluded()
        return f"the scale is taken back; provision {provision_id} runs as before"


def delete(deps: Deps, provision_id: int, force: bool = False, from_db: bool = False) -> list[Resource]:
    """Forget a provision. Unless DONE: `force` removes everything first; `from_db` forgets the records only
    and returns what is thereby left at the providers."""
    with deps.database.read() as tx:
        provision = authorized(tx, deps, provision_id, Right.MANAGE)
    if provision.state is not State.DONE and force and not from_db:
        deprovision(deps, provision_id, force=True)
    elif not from_db:
        require(provision, Operation.DELETE)
    with deps.database.begin() as tx:
        provision = authorized(tx, deps, provision_id, Right.MANAGE)
        lease.claim(tx, provision.key, "delete", deps.clock.now(), deps.process)
        left = resources.of_owner(tx, provision.key)
        stay = [text for o in store.objects_of(tx, provision_id) if (text := registering.left_behind(o))]
        for resource in left:
            resources.remove(tx, resource.id)
        store.remove(tx, provision_id)
        remaining = [r for r in left if r.may_exist]
        if not remaining:  # an OpenTofu state is the only trace of what is left
            oneform_store.forget_state(tx, provision_id)
            place.forget(deps, provision_id)
    for text in stay:
        deps.notify(Notice(deps.clock.now(), f"provision {provision_id}", text, "W", lasting=True))
    return remaining


def asked_to_delete(deps: Deps, provision_id: int, force: bool, from_db: bool) -> None:
    """The request of somebody who does not wait. `force` begins to remove everything, and the record stays
    until it is asked for again, so that nothing is forgotten that may still exist."""
    with deps.database.read() as tx:
        provision = authorized(tx, deps, provision_id, Right.MANAGE)
    if force and not from_db and provision.state is not State.DONE:
        deprovision(deps, provision_id, force=True)
    else:
        delete(deps, provision_id, from_db=from_db)


def _is_half_made(resource: Resource, hosts_in_service: set[int]) -> bool:
    if resource.kind.value == "machine":
        return resource.number not in hosts_in_service
    return resource.state is not MachineState.READY
