"""A provision of OneForm's own server as one of ours: which machine of its OpenTofu state is which host."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from onecore.access import Principal
from onecore.deps import Deps
from onecore.errors import WrongState
from onecore.ids import ProvisionId, machine_name
from onecore.machines.model import Kind as ResourceKind
from onecore.machines.model import Resource
from onecore.machines.model import State as MachineState
from onecore.opennebula.documents import Foreign
from onecore.store import events, resources
from onecore.store.engine import Transaction
from onecore.store.providers import Provider
from onecore.tofu_output import State as TofuState
from onecore.tofu_output import parse_state
from oneprovision import enrolment, store
from oneprovision.engines import ipam, pm
from oneprovision.engines.place import Place, Stored
from oneprovision.engines.registrar import number_of, taken_over
from oneprovision.model import foreign, networks
from oneprovision.model.configuration import Configuration, configured_as
from oneprovision.model.folder import Folder, HostsBy
from oneprovision.model.foreign import ForeignObject, ForeignProvision
from oneprovision.model.names import check_provision_name
from oneprovision.model.order import SECTION
from oneprovision.model.provision import ObjectKind, Provision, StoredObject
from oneprovision.model.slots import Placed, Slot, picture
from oneprovision.model.spec import HostSpec
from oneprovision.model.states import State
from oneprovision.usecases import oneform
from oneprovision.usecases.oneform import CreateFromFolder

# OneForm configures all hosts with one playbook before a provision is RUNNING.
_CONFIGURED: Final = Configuration(done=1, complete=True, touched=True)


Leased = Mapping[int, Mapping[int, Mapping[str, str]]]
"""The attributes of leased address ranges, by the numbers there of their networks and their own."""


@dataclass(frozen=True)
class Heir:
    """`hosts`: each with the machine that it stands for, and how it would be made here. `leased`: public
    addresses. `url`: where its objects are."""

    provision: Provision
    folder: Folder
    there: ForeignProvision = field(repr=False)
    hosts: tuple[tuple[ForeignObject, Placed, HostSpec], ...]
    leased: Leased = field(repr=False)
    tofu: Stored = field(repr=False)
    url: str

    def __str__(self) -> str:
        hosts = ", ".join(f"{host.number} {host.name}" for host, _, _ in self.hosts) or "none"
        ips = ", ".join(ar["IP"] for ranges in self.leased.values() for ar in ranges.values())
        told = f"{self.folder.key} {self.there.deployment}, hosts {hosts}"
        return f"{told}, public addresses {ips}" if ips else told


def heir(
    deps: Deps,
    document: Foreign,
    there: ForeignProvision,
    whose: tuple[Provider, Principal, str],
    leases: Callable[[int], Mapping[int, Mapping[str, str]]],
) -> Heir:
    """Raises what keeps it from being taken over; nothing is changed. `leases` tells the leased ranges of a
    network there."""
    provider, owner, url = whose
    folder = oneform.folder_of(deps, provider.driver)
    provision = _provision(deps, document, there, (folder, provider, owner))
    state = parse_state(there.tofu_state)
    by_ip = folder.hosts_by is HostsBy.IPS
    counted = _counted(state, picture(state, (), by_ip).slots)
    placed = picture(state, counted, by_ip).hosts
    hosts = _matched(there.of_kind(ObjectKind.HOST), placed)
    specs = _specs(deps, provision, provider, by_ip, placed)
    return Heir(
        provision=provision,
        folder=folder,
        there=there,
        hosts=tuple((host, machine, specs[machine.slot]) for host, machine in hosts),
        leased=_leased(there, leases),
        tofu=Stored(there.tofu_state, counted),
        url=url,
    )


def record(tx: Transaction, deps: Deps, taken: Heir) -> None:
    """Keep it under its number, with everything that it has."""
    provision, now = taken.provision, deps.clock.now()
    tx.keep_id("provision", int(provision.id))
    store.insert(tx, provision)
    Place(deps, int(provision.id), taken.folder).save(tx, taken.tofu)
    objects = [_object(tx, taken, each) for each in taken.there.objects if each.kind is not ObjectKind.HOST]
    store.add_objects(tx, objects)
    for network, ranges in taken.leased.items():
        stored = next(o for o in objects if o.kind is ObjectKind.NETWORK and number_of(o) == network)
        for ar_id, attributes in ranges.items():
            _address(tx, deps, taken, stored, (ar_id, attributes))
    for host, machine, spec in taken.hosts:
        _host(tx, deps, taken, (host, machine, spec))
    listed = ", ".join(host.name for host, _, _ in taken.hosts) or "none"
    events.add(tx, provision.key, now, "Taken over from OneForm", f"hosts: {listed}")


def _provision(
    deps: Deps, document: Foreign, there: ForeignProvision, of: tuple[Folder, Provider, Principal]
) -> Provision:
    folder, provider, owner = of
    asked = CreateFromFolder(
        driver=folder.name,
        deployment=there.deployment,
        provider_id=int(provider.id),
        values=there.values,
        name=document.name,
        description=there.description,
    )
    ready = oneform.written_out(deps, asked, folder)
    # The tags of what exists stay as they are: another one would change every machine.
    order = replace(ready.order, owner="")
    return Provision(
        id=ProvisionId(document.id),
        name=check_provision_name(document.name),
        uid=owner.user_id,
        gid=owner.group_id,
        permissions=document.permissions,
        state=State.RUNNING,
        provider_id=int(provider.id),
        template={**ready.template, SECTION: order.to_json()},
        inputs={},
        description=there.description,
        created_at=there.created_at,
    )


def _counted(state: TofuState, slots: set[Slot]) -> tuple[str, ...]:
    """The resources that are one for each host. Only a plan knows for sure; with one host nobody can tell
    them from what is made once, and the next plan says it."""
    keys: dict[str, set[Slot]] = {}
    for each in state.instances:
        if each.key is not None:
            keys.setdefault(each.base, set()).add(each.key)
    return tuple(sorted(base for base, of in keys.items() if of == slots)) if len(slots) > 1 else ()


def _matched(hosts: list[ForeignObject], placed: Mapping[Slot, Placed]) -> list[tuple[ForeignObject, Placed]]:
    """Raises WrongState where hosts and machines are not the same: one of them would be lost sight of."""
    machines = {each.instance_id: each for each in placed.values()}
    wanted = {each.machine for each in hosts}
    strays = sorted(machines.keys() - wanted)
    if strays:
        raise WrongState(f"its OpenTofu state has machines that are no host there: {', '.join(strays)}")
    lost = [f"{each.number} {each.name}" for each in hosts if each.machine not in machines]
    if lost:
        raise WrongState(f"its OpenTofu state does not have the machine of host {', '.join(lost)}")
    if len(wanted) != len(hosts):
        raise WrongState("two of its hosts are the same machine")
    return [(each, machines[each.machine]) for each in hosts]


def _specs(
    deps: Deps, provision: Provision, provider: Provider, by_ip: bool, placed: Mapping[Slot, Placed]
) -> dict[Slot, HostSpec]:
    given = enrolment.Defaults(provider.driver, provider.parameters)
    if by_ip:
        ips = [str(slot) for slot in placed]
        adopted = enrolment.adopted_hosts(provision, given, (), ips)
        return dict(zip(placed, adopted, strict=True))
    numbers = [slot for slot in placed if isinstance(slot, int)]
    if len(numbers) != len(placed):
        raise WrongState("its OpenTofu state does not number the machines")
    patterns = enrolment.more_hosts(provision, given, (), max(numbers, default=-1) + 1)
    return {number: patterns[number] for number in numbers}


def _object(tx: Transaction, taken: Heir, each: ForeignObject) -> StoredObject:
    number = tx.next_id(each.kind.value)
    body: dict[str, object] = {"attributes": dict(each.template)}
    if each.kind is ObjectKind.NETWORK:
        entry = {**each.template, "name": each.name, "ar": foreign.ranges(each)}
        spec = networks.network(entry, ("networks", each.number))
        for ar_id in taken.leased.get(each.number, {}):
            tx.keep_id(f"ar/{number}", ar_id)
        ranges = [{**of, "ar_id": tx.next_id(f"ar/{number}")} for of in spec.ranges]
        is_public = spec.public or each.number in taken.leased
        driver = taken.folder.key if is_public else ""
        attributes = dict(spec.attributes)
        body = {"attributes": attributes, "public": is_public, "ar": ranges, "ipam_mad": driver}
    kept = taken_over(each.number, taken.url)
    return StoredObject(each.kind, number, taken.provision.id, each.name, True, {**body, **kept})


def _leased(
    there: ForeignProvision, leases: Callable[[int], Mapping[int, Mapping[str, str]]]
) -> dict[int, Mapping[int, Mapping[str, str]]]:
    found: dict[int, Mapping[int, Mapping[str, str]]] = {}
    for network in there.of_kind(ObjectKind.NETWORK):
        numbers = foreign.leased(network)
        known = leases(network.number) if numbers else {}
        lost = [number for number in numbers if number not in known]
        if lost:
            raise WrongState(f"network {network.number} has no leased address range {lost[0]} any more")
        if numbers:
            found[network.number] = {number: known[number] for number in numbers}
    return found


def _address(
    tx: Transaction,
    deps: Deps,
    taken: Heir,
    network: StoredObject,
    leased: tuple[int, Mapping[str, str]],
) -> None:
    (ar_id, attributes), provision = leased, taken.provision
    tag = f"provision-{provision.id}-network-{network.id}-ar-{ar_id}-{deps.random_bytes(12).hex()}"
    known = Resource(
        id=tx.next_id("resource"),
        kind=ResourceKind.ADDRESS,
        name=tag,
        owner=provision.key,
        driver=taken.folder.key,
        provider_id=provision.provider_id,
        number=ar_id,
        label=f"AR {ar_id} of {network.name}",
        state=MachineState.READY,
        deploy_id=ipam.written(attributes),
        addresses=(attributes.get("EXTERNAL_IP") or attributes["IP"],),
        deployment=ipam.inherited(network.id),
        since=deps.clock.now(),
    )
    resources.insert(tx, known)


def _host(tx: Transaction, deps: Deps, taken: Heir, host: tuple[ForeignObject, Placed, HostSpec]) -> None:
    there, placed, spec = host
    provision, number, name = taken.provision, tx.next_id("host"), machine_name(deps.random_bytes)
    body = {
        "index": spec.index,
        "driver": spec.driver,
        "connection": spec.connection.to_json(),
        "ready": True,
        **taken_over(there.number, taken.url),
    }
    stored = StoredObject(ObjectKind.HOST, number, provision.id, spec.name, True, body)
    store.add_objects(tx, [configured_as(stored, _CONFIGURED)])
    deployed = pm.deployment(name, spec, provision.id, pm.public_key(spec))
    known: Resource = replace(
        pm.machine(spec, provision.key, number, deployed, 0.0),
        id=tx.next_id("resource"),
        provider_id=provision.provider_id,
        state=MachineState.READY,
        deploy_id=placed.instance_id,
        addresses=(placed.ip,) if placed.ip else (),
        since=deps.clock.now(),
    )
    resources.insert(tx, known)
