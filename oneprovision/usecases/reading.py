"""Documents of what is stored, for whoever may see it."""

from collections.abc import Sequence

from onecore.access import Right
from onecore.deps import Deps
from onecore.document import Document, envelope
from onecore.history import Event
from onecore.machines.model import Kind, Resource
from onecore.store import events, lease, resources
from onecore.store.engine import Transaction
from oneprovision import store
from oneprovision.model.document import PROVISION_TYPE, provision_body
from oneprovision.model.provision import ObjectKind, Provision, StoredObject
from oneprovision.model.states import WORKING
from oneprovision.usecases.rights import authorized
from oneprovision.usecases.visible import Names, every, names


def document(deps: Deps, provision_id: int) -> Document:
    """One provision with everything that belongs to it."""
    with deps.database.read() as tx:
        provision = authorized(tx, deps, provision_id, Right.USE)
        return _document(tx, provision, names(tx), history=True)


def pool(deps: Deps, seen: Sequence[Provision]) -> Document:
    with deps.database.read() as tx:
        known = names(tx)
        return {"DOCUMENT_POOL": {"DOCUMENT": [_document(tx, p, known)["DOCUMENT"] for p in seen]}}


def log(deps: Deps, provision_id: int, after: int = 0) -> list[Event]:
    """The lines of its log with an id above `after`."""
    with deps.database.read() as tx:
        provision = authorized(tx, deps, provision_id, Right.USE)
        return events.of(tx, provision.key, after)


def is_busy(deps: Deps, provision_id: int) -> bool:
    """Whether a living process works on it."""
    with deps.database.read() as tx:
        provision = authorized(tx, deps, provision_id, Right.USE)
        holder = lease.holder(tx, provision.key, deps.clock.now())
    return holder is not None and not lease.is_dead(holder[0], deps.process)


def jobs(deps: Deps, provision_id: int) -> list[Document]:
    """What is being done with it, or waits to be: at most one thing."""
    with deps.database.read() as tx:
        provision = authorized(tx, deps, provision_id, Right.USE)
        holder = lease.holder(tx, provision.key, deps.clock.now())
    if holder is not None and not lease.is_dead(holder[0], deps.process):
        at_work: Document = {"state": "running", "operation": holder[1], "pid": holder[0].pid}
    elif provision.state in WORKING:
        at_work = {"state": "waiting"}
    else:
        return []
    return [{"provision_id": provision_id, "step": provision.state.name, **at_work}]


def foreign_work(deps: Deps, provision_id: int) -> Document:
    """The virtual machines of others on its hosts, as last seen: `{"100": {"vm": ["1"]}}`."""
    from oneprovision import planner  # lazy: a list plans nothing

    with deps.database.read() as tx:
        provision = authorized(tx, deps, provision_id, Right.USE)
        machines = [r for r in resources.of_owner(tx, provision.key) if r.kind is Kind.MACHINE]
    seen = {str(machine.number): list(planner.running_work(machine)) for machine in machines}
    return {host: {"vm": ids} for host, ids in seen.items() if ids}


def objects(deps: Deps, kind: ObjectKind) -> list[tuple[Provision, StoredObject, Resource | None]]:
    """The objects of one kind over all visible provisions; hosts with their machines."""
    visible: dict[int, Provision] = {p.id: p for p in every(deps)}
    with deps.database.read() as tx:
        found = [o for o in store.objects(tx, kind) if o.provision_id in visible]
        machines = {
            (r.owner, r.number): r
            for r in (resources.everything(tx) if kind is ObjectKind.HOST else [])
            if r.kind.value == "machine"
        }
    owning = ((visible[o.provision_id], o) for o in found)
    return [(provision, o, machines.get((provision.key, o.id))) for provision, o in owning]


def _document(tx: Transaction, p: Provision, known: Names, history: bool = False) -> Document:
    users, groups = known
    body = provision_body(
        p,
        store.objects_of(tx, p.id),
        resources.of_owner(tx, p.key),
        events.of(tx, p.key) if history else (),
    )
    owner = (p.uid, users.get(p.uid, ""), p.gid, groups.get(p.gid, ""))
    return envelope(p.id, PROVISION_TYPE, owner, p.permissions, p.name, {"PROVISION_BODY": body})
