"""From a template to records: the objects, machines and addresses that are to be, with their numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from onecore.deps import Deps
from onecore.errors import InvalidInput
from onecore.ids import machine_name
from onecore.machines.model import Kind, Resource
from onecore.store import providers, resources
from onecore.store.engine import Transaction
from oneprovision import planner, recipes, store
from oneprovision.engines import pm
from oneprovision.model.context import Context
from oneprovision.model.evaluate import evaluate, host_at
from oneprovision.model.names import check_hostname
from oneprovision.model.networks import leased_attributes
from oneprovision.model.order import Order, of_address
from oneprovision.model.preview import offline_context
from oneprovision.model.provision import ObjectKind, Provision, StoredObject
from oneprovision.model.shapes import mappings_at
from oneprovision.model.spec import ClusterSpec, DatastoreSpec, HostSpec, NetworkSpec, ProvisionSpec


@dataclass(frozen=True)
class Defaults:
    """What the provider of a provision adds below the template's own defaults."""

    driver: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)


def defaults(deps: Deps, provider_id: int | None) -> Defaults:
    if provider_id is None:
        return Defaults()
    with deps.database.read() as tx:
        provider = providers.get(tx, provider_id)
    return Defaults(provider.driver, provider.parameters)


def evaluated(provision: Provision, given: Defaults, existing: Sequence[StoredObject] = ()) -> ProvisionSpec:
    """The provision that the template describes; objects that exist already lend their ids."""
    return evaluate(provision.template, _context(provision, given, existing))


def previewed(provision: Provision, given: Defaults) -> ProvisionSpec:
    """The same before anything has a number: as on a fresh installation."""
    context = offline_context(
        provision.template, provision.inputs, provision.name, given.driver, given.parameters
    )
    return evaluate(provision.template, context)


def more_hosts(
    provision: Provision, given: Defaults, existing: Sequence[StoredObject], amount: int
) -> list[HostSpec]:
    """Further hosts on the pattern of the template's last."""
    hosts = [o for o in existing if o.kind is ObjectKind.HOST]
    context = _context(provision, given, existing)
    indexes = planner.free_indexes if Order.of(provision.template) else planner.next_indexes
    return [host_at(provision.template, context, index) for index in indexes(hosts, amount)]


def adopts(deps: Deps, provision: Provision, given: Defaults, existing: Sequence[StoredObject]) -> str:
    """The parameter by which the pm driver of further hosts takes machines that exist; empty if it makes
    them."""
    if Order.of(provision.template):
        return ""
    return deps.catalog.get(more_hosts(provision, given, existing, 1)[0].driver).manifest.adopts


def adopted_hosts(
    provision: Provision,
    given: Defaults,
    existing: Sequence[StoredObject],
    ips: Sequence[str],
    parameter: str = "",
) -> list[HostSpec]:
    """Further hosts that exist already, by address: in this parameter of a pm driver. A driver folder knows
    them by nothing else."""
    patterns = more_hosts(provision, given, existing, len(ips))
    adopted = []
    for pattern, ip in zip(patterns, ips, strict=True):
        parameters = {"hostname": pattern.name, parameter: ip} if parameter else of_address(ip)
        name = check_hostname(parameters["hostname"], ("ips",))
        adopted.append(replace(pattern, name=name, provision={**pattern.provision, **parameters}))
    return adopted


def check_drivers(deps: Deps, spec: ProvisionSpec) -> None:
    """Refuse what a driver would refuse, before anything is made."""
    check_hosts(deps, spec.hosts)
    recipes.check(deps, spec)
    for network in spec.networks:
        if network.addresses:
            check_address_driver(deps, _address_driver(network, spec.hosts))


def check_hosts(deps: Deps, hosts: Sequence[HostSpec]) -> None:
    drivers = {name: deps.catalog.get(name) for name in sorted({host.driver for host in hosts})}
    for driver in drivers.values():
        driver.require_whole()
    for host in hosts:
        pm.check_parameters(drivers[host.driver], host)


def check_address_driver(deps: Deps, name: str) -> None:
    pm.check_addresses(deps.catalog.get(name))


def enrol(tx: Transaction, deps: Deps, provision: Provision, given: Defaults) -> list[planner.Change]:
    """Record everything of the template, unless that is done; returns the plan it carries out."""
    recorded = store.objects_of(tx, provision.id)
    existing = recorded + _number_surroundings(tx, provision, given, recorded)
    spec = evaluated(provision, given, existing)
    plan = planner.plan_objects(spec, recorded)
    if recorded:  # by one transaction, so nothing of it is missing
        return plan
    networks = _of_kind(_name_surroundings(tx, spec, existing), ObjectKind.NETWORK)
    enrol_hosts(tx, deps, provision, spec.hosts)
    for network, stored in zip(spec.networks, networks, strict=True):
        driver = _address_driver(network, spec.hosts) if network.addresses else ""
        enrol_addresses(tx, deps, provision, stored, driver, network.addresses)
    return plan


def enrol_hosts(tx: Transaction, deps: Deps, provision: Provision, specs: Sequence[HostSpec]) -> None:
    """A number, a host object out of service and a machine record for each."""
    drivers = {name: deps.catalog.get(name) for name in {spec.driver for spec in specs}}
    for spec in specs:
        host_id = tx.next_id("host")
        body = {"index": spec.index, "driver": spec.driver, "connection": spec.connection.to_json()}
        store.add_objects(tx, [StoredObject(ObjectKind.HOST, host_id, provision.id, spec.name, False, body)])
        name = machine_name(deps.random_bytes)
        deployed = pm.deployment(name, spec, provision.id, pm.public_key(spec))
        lag = pm.list_lag(drivers[spec.driver], spec)
        machine = pm.machine(spec, provision.key, host_id, deployed, lag)
        resources.insert(tx, replace(machine, id=tx.next_id("resource"), provider_id=provision.provider_id))


def enrol_addresses(
    tx: Transaction, deps: Deps, provision: Provision, network: StoredObject, driver: str, amount: int
) -> list[int]:
    """Address ranges to be leased, one address each; returns their AR ids, counted per network."""
    ids: list[int] = []
    parameters = _address_parameters(tx, provision, driver)
    lag_s = deps.catalog.get(driver).manifest.limits.list_lag_s if amount else 0.0
    for _ in range(amount):
        ar_id = tx.next_id(f"ar/{network.id}")
        ids.append(ar_id)
        resources.insert(
            tx,
            Resource(
                id=tx.next_id("resource"),
                kind=Kind.ADDRESS,
                # The numbers are for people; two installations on one account differ by the rest.
                name=f"provision-{provision.id}-network-{network.id}-ar-{ar_id}-{deps.random_bytes(12).hex()}",
                owner=provision.key,
                driver=driver,
                provider_id=provision.provider_id,
                number=ar_id,
                label=f"AR {ar_id} of {network.name}",
                deployment={"network": network.id, "provision": parameters},
                lag_s=lag_s,
            ),
        )
    return ids


def _address_parameters(tx: Transaction, provision: Provision, driver: str) -> Mapping[str, object]:
    """What the driver is told of an address: what it was told of the machines it may serve (their region)."""
    for resource in resources.of_owner(tx, provision.key):
        given = resource.deployment.get("provision")
        if resource.kind is Kind.MACHINE and resource.driver == driver and isinstance(given, Mapping):
            return given
    if provision.provider_id is None:
        return {}
    return providers.get(tx, provision.provider_id).parameters


def public_network(
    networks: Sequence[StoredObject], provision: Provision, network_id: int | None = None
) -> StoredObject:
    """The network that public addresses are added to: the one that is named, else the first."""
    public = [network for network in networks if network.body.get("public")]
    if not public:
        raise InvalidInput(
            f"provision {provision.id} has no public network",
            hint="give one of its networks an `ar` with ipam_mad: <driver>, or netrole: public",
        )
    for network in public:
        if network_id in (None, network.id):
            return network
    raise InvalidInput(
        f"network {network_id} is no public network of provision {provision.id}",
        hint=f"its public networks are: {', '.join(f'{n.id} {n.name}' for n in public)}",
    )


def _number_surroundings(
    tx: Transaction, provision: Provision, given: Defaults, existing: Sequence[StoredObject]
) -> list[StoredObject]:
    """Ids for cluster, datastores and networks; hosts may name them, so they come first."""
    template = provision.template
    wanted = {
        ObjectKind.CLUSTER: 1,
        ObjectKind.DATASTORE: len(mappings_at(template.get("datastores"), ("datastores",))),
        ObjectKind.NETWORK: len(mappings_at(template.get("networks"), ("networks",))),
    }
    numbered = []
    for kind, count in wanted.items():
        for _ in range(count - len(_of_kind(existing, kind))):
            numbered.append(StoredObject(kind, tx.next_id(kind.value), provision.id, "", False))
    store.add_objects(tx, numbered)
    return numbered


def _name_surroundings(
    tx: Transaction, spec: ProvisionSpec, existing: Sequence[StoredObject]
) -> list[StoredObject]:
    pairs: list[tuple[ClusterSpec | DatastoreSpec | NetworkSpec, StoredObject]] = [
        *zip([spec.cluster], _of_kind(existing, ObjectKind.CLUSTER), strict=True),
        *zip(spec.datastores, _of_kind(existing, ObjectKind.DATASTORE), strict=True),
        *zip(spec.networks, _of_kind(existing, ObjectKind.NETWORK), strict=True),
    ]
    named = []
    for described, stored in pairs:
        body: dict[str, object] = {"attributes": dict(described.attributes)}
        if isinstance(described, NetworkSpec):
            ranges = [{"ar_id": tx.next_id(f"ar/{stored.id}"), **each} for each in described.ranges]
            driver = _address_driver(described, spec.hosts) if described.public else ""
            body |= {"public": described.public, "ar": ranges, "ipam_mad": driver}
            body |= {"leased_ar": leased_attributes(described)}
        named.append(replace(stored, name=described.name, body=body))
    store.save_objects(tx, named)
    return named


def _address_driver(network: NetworkSpec, hosts: Sequence[HostSpec]) -> str:
    """Who leases the addresses of a network: the driver it names, else that of the hosts."""
    return network.ipam_mad or (hosts[0].driver if hosts else "")


def _context(provision: Provision, given: Defaults, existing: Sequence[StoredObject]) -> Context:
    def known(kind: ObjectKind) -> tuple[Mapping[str, object], ...]:
        of_kind = _of_kind(existing, kind)
        return tuple({"id": o.id, "name": o.name} if o.name else {"id": o.id} for o in of_kind)

    return Context(
        name=provision.name,
        provision_id=provision.id,
        inputs=provision.inputs,
        clusters=known(ObjectKind.CLUSTER),
        datastores=known(ObjectKind.DATASTORE),
        networks=known(ObjectKind.NETWORK),
        default_driver=given.driver,
        default_parameters=given.parameters,
    )


def _of_kind(existing: Sequence[StoredObject], kind: ObjectKind) -> list[StoredObject]:
    return [o for o in existing if o.kind is kind]
