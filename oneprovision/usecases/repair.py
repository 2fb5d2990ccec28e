"""Take up again what failed or was cut short, and check what runs."""

from collections.abc import Mapping

from onecore.deps import Deps
from onecore.errors import DriverFailed, WrongState
from onecore.machines import record
from onecore.machines.model import Kind
from onecore.machines.model import State as MachineState
from onecore.store import lease, resources
from onecore.store.engine import Transaction
from oneprovision import planner, store
from oneprovision.model.configuration import configuration_of, forgotten, is_ready, to_do_again
from oneprovision.model.provision import UNCHANGED, ObjectKind, OnFailure, Provision
from oneprovision.model.states import FAILURES, Event, Operation, State
from oneprovision.usecases.work import at_work


def retry(
    deps: Deps, provision_id: int, force: bool = False, effort: Mapping[str, object] = UNCHANGED
) -> Provision:
    """Carry on from the last recoverable step; finished work is not repeated.

    `force` also checks a provision that runs against its providers and makes what vanished anew, replaces
    broken machines, and goes on without a machine that nobody can find.
    """
    with at_work(deps, provision_id, Operation.RETRY, effort, force) as controller:
        controller.worker.recover()
        with deps.database.begin() as tx:
            every = resources.of_owner(tx, controller.provision.key)
            resources.update(tx, [record.encouraged(r) for r in every if r.failures])
        looked = controller.worker.refresh(lambda r: force or r.state is MachineState.BROKEN)
        if looked.problems and controller.provision.state is State.RUNNING:
            blind = ((looked.resources[i], text) for i, text in sorted(looked.problems.items()))
            raise DriverFailed(
                f"nothing could be checked: {planner.summary(blind)}",
                hint="nothing was changed; repeat later. A host that is known to be gone can be removed: "
                f"oneprovision del-host {provision_id} --host-ids ID --force",
                retryable=True,
            )
        with deps.database.begin() as tx:
            lease.check(tx, controller.lease)
            _forget_readiness(tx, controller.provision)
            if controller.provision.state in FAILURES:
                controller.move_in(tx, Event.RETRY, "asked for")
            elif controller.provision.state is State.RUNNING:
                controller.move_in(tx, Event.SCALE, "checked and repaired by force")
        return controller.concluded()


def configure(
    deps: Deps, provision_id: int, force: bool = False, host_ids: frozenset[int] | None = None
) -> Provision:
    """Run the playbooks on hosts that are not configured (or on all, when forced): of the whole provision, or
    only `host_ids`. Whatever fails, no host is removed for it."""
    with at_work(deps, provision_id, Operation.CONFIGURE, _KEEPING) as controller:
        with deps.database.begin() as tx:
            hosts = [o for o in store.objects_of(tx, provision_id) if o.kind is ObjectKind.HOST]
            meant = [o for o in hosts if host_ids is None or o.id in host_ids]
            if not force and all(is_ready(o) and configuration_of(o).complete for o in meant):
                raise WrongState("Hosts are already configured", hint="repeat with --force to do it again")
            if force:
                store.save_objects(tx, [to_do_again(o) for o in meant])
            event = Event.RETRY if controller.provision.state in FAILURES else Event.CONFIGURE
            controller.move_in(tx, event, "asked for")
        return controller.concluded()


def _forget_readiness(tx: Transaction, provision: Provision) -> None:
    """A host whose machine has to be made anew has to become ready anew, and will have another host key."""
    every = resources.of_owner(tx, provision.key)
    standing = {r.number for r in every if r.kind is Kind.MACHINE and r.state in _STANDING}
    hosts = [o for o in store.objects_of(tx, provision.id) if o.kind is ObjectKind.HOST]
    store.save_objects(tx, [forgotten(o) for o in hosts if is_ready(o) and o.id not in standing])


_KEEPING = {"on_failure": (OnFailure.QUIT,)}
_STANDING = (MachineState.READY, MachineState.OFF)
