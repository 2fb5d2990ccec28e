"""Takes machines and addresses that nobody owns into a provision: a given one, or a new one per account."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from onecore.access import DEFAULT_PERMISSIONS
from onecore.deps import Deps
from onecore.ids import ProvisionId
from onecore.machines.model import Kind, Resource, State
from onecore.store import events, lease, resources
from onecore.store.engine import Transaction
from oneprovision import enrolment, planner, registering, store
from oneprovision.engines import pm
from oneprovision.model.names import default_hostname
from oneprovision.model.orphans import Orphan, What
from oneprovision.model.provision import ObjectKind, Provision, StoredObject
from oneprovision.model.spec import Connection, HostSpec
from oneprovision.model.states import Operation
from oneprovision.model.states import State as ProvisionState
from oneprovision.usecases.orphans import require_admin
from oneprovision.usecases.work import at_work


def adopt(deps: Deps, strays: Iterable[Orphan], provision_id: int | None = None) -> list[Orphan]:
    """Record them as hosts and address ranges; nothing is changed at the providers. Returns the adopted.

    What somebody else has taken meanwhile, and what is being removed, is left out.
    """
    require_admin(deps)
    chosen = [stray for stray in strays if stray.what is What.UNOWNED and not stray.owner]
    if provision_id is not None:
        with at_work(deps, provision_id, Operation.SCALE) as controller:
            with deps.database.begin() as tx:
                lease.check(tx, controller.lease)
                taken = _record(tx, deps, controller.provision, chosen, in_service=False)
            _put_in_service(deps, controller.lease, controller.provision)
            return taken
    accounts = dict.fromkeys((s.source.driver, s.source.provider_id) for s in chosen)
    adopted: list[Orphan] = []
    for driver, account in accounts:
        own = [s for s in chosen if (s.source.driver, s.source.provider_id) == (driver, account)]
        with deps.database.begin() as tx:
            provision = _found(tx, deps, driver, account, any(s.source.kind is Kind.ADDRESS for s in own))
            adopted += _record(tx, deps, provision, own, in_service=True)
    return adopted


def _put_in_service(deps: Deps, held: lease.Lease, provision: Provision) -> None:
    """Like the others of the provision: in the OpenNebula, too, where they are in one."""
    registering.register(deps, held, provision)
    registering.enable(deps, held, provision)
    registering.match_ranges(deps, held, provision)


def _found(tx: Transaction, deps: Deps, driver: str, account: int | None, public: bool) -> Provision:
    """A provision that runs: a cluster, a pattern for hosts, a public network where one is needed."""
    name = f"adopted-{driver}"
    attributes = {"vn_mad": "elastic", "netrole": "public"}
    network = {"name": f"{name}-public", **attributes, "ar": [{"type": "ip4", "ipam_mad": driver, "size": 0}]}
    provision = Provision(
        id=ProvisionId(tx.next_id("provision")),
        name=name,
        uid=deps.principal.user_id,
        gid=deps.principal.group_id,
        permissions=DEFAULT_PERMISSIONS.bits,
        state=ProvisionState.RUNNING,
        provider_id=account,
        template={
            "version": 1,
            "name": name,
            "cluster": {"name": name},
            "hosts": [{"provision": {"driver": driver, "count": 0}}],
            **({"networks": [network]} if public else {}),
        },
        inputs={},
        description=f"what was found at {driver} without an owner",
        created_at=deps.clock.now(),
    )
    store.insert(tx, provision)
    objects = [StoredObject(ObjectKind.CLUSTER, tx.next_id("cluster"), provision.id, name, True)]
    if public:
        body = {"attributes": attributes, "public": True, "ar": [], "ipam_mad": driver}
        number = tx.next_id("network")
        network_name = f"{name}-public"
        objects.append(StoredObject(ObjectKind.NETWORK, number, provision.id, network_name, True, body))
    store.add_objects(tx, objects)
    return provision


def _record(
    tx: Transaction, deps: Deps, provision: Provision, strays: Sequence[Orphan], in_service: bool
) -> list[Orphan]:
    taken = {r.name for r in resources.everything(tx)}
    free = [stray for stray in strays if stray.name not in taken]
    adopted = [_host(tx, deps, provision, s, in_service) for s in free if s.source.kind is Kind.MACHINE]
    addresses = [stray for stray in free if stray.source.kind is Kind.ADDRESS]
    if addresses:
        networks = [o for o in store.objects_of(tx, provision.id) if o.kind is ObjectKind.NETWORK]
        network = enrolment.public_network(networks, provision)
        adopted += [_address(tx, deps, provision, network, stray) for stray in addresses]
    return adopted


def _host(tx: Transaction, deps: Deps, provision: Provision, stray: Orphan, in_service: bool) -> Orphan:
    hosts = [o for o in store.objects_of(tx, provision.id) if o.kind is ObjectKind.HOST]
    index = planner.next_indexes(hosts, 1)[0]
    name = default_hostname(provision.name, index)
    if name in {o.name for o in hosts}:
        name = stray.name
    host_id, connection = tx.next_id("host"), Connection()
    body = {"index": index, "driver": stray.source.driver, "connection": connection.to_json(), "ready": True}
    stored = StoredObject(ObjectKind.HOST, host_id, provision.id, name, in_service, body)
    store.add_objects(tx, [stored])
    spec = HostSpec(
        index=index,
        group=0,
        name=name,
        driver=stray.source.driver,
        im_mad="kvm",
        vm_mad="kvm",
        provision={"hostname": name},
        connection=connection,
    )
    deployed = pm.deployment(stray.name, spec, provision.id, pm.public_key(spec))
    lag_s = pm.list_lag(deps.catalog.get(stray.source.driver), spec)
    machine = pm.machine(spec, provision.key, host_id, deployed, lag_s)
    _insert(tx, deps, machine, stray)
    return replace(stray, what=What.ADOPTED, owner=provision.key, label=f"host {host_id} {name}")


def _address(
    tx: Transaction, deps: Deps, provision: Provision, network: StoredObject, stray: Orphan
) -> Orphan:
    ar_id = tx.next_id(f"ar/{network.id}")
    address = Resource(
        id=-1,
        kind=Kind.ADDRESS,
        name=stray.name,
        owner=provision.key,
        driver=stray.source.driver,
        provider_id=None,
        number=ar_id,
        label=f"AR {ar_id} of {network.name}",
        deployment={"network": network.id},
    )
    _insert(tx, deps, address, stray)
    return replace(stray, what=What.ADOPTED, owner=provision.key, label=address.label)


def _insert(tx: Transaction, deps: Deps, resource: Resource, stray: Orphan) -> None:
    now = deps.clock.now()
    known = replace(
        resource,
        id=tx.next_id("resource"),
        provider_id=stray.source.provider_id,
        state=_STATES[stray.state],
        deploy_id=stray.deploy_id,
        addresses=stray.addresses,
        since=now,
    )
    resources.insert(tx, known)
    events.add(tx, known.owner, now, "Resource provisioned", f"{known.label}: adopted {known.name}")


_STATES = {"running": State.READY, "off": State.OFF, "error": State.BROKEN, "pending": State.BOOTING}
