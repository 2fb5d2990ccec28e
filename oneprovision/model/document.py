"""The bodies of the documents that `show -j`, `list -j` and the API answer."""

from collections.abc import Iterable, Mapping, Sequence

from onecore.document import Document
from onecore.history import Event
from onecore.machines.model import Kind, Resource, Wanted
from onecore.machines.model import State as MachineState
from oneprovision.model.configuration import configuration_of
from oneprovision.model.order import Order, answers
from oneprovision.model.provision import ObjectKind, Provision, StoredObject

PROVISION_TYPE = "104"
PROVIDER_TYPE = "103"

HISTORIC = (
    "State changed",
    "Resource provisioned",
    "Resource deprovisioned",
    "OpenNebula object created",
    "OpenNebula object deleted",
)


def provision_body(
    p: Provision,
    objects: Sequence[StoredObject],
    resources: Sequence[Resource],
    history: Sequence[Event] = (),
) -> Document:
    """The PROVISION_BODY. `hosts` are those in service; those on their way in or out are under `pending`."""
    machines = {r.number: r for r in resources if r.kind is Kind.MACHINE}
    hosts = [o for o in objects if o.kind is ObjectKind.HOST]
    leased = [r for r in resources if r.kind is Kind.ADDRESS]
    return {
        "name": p.name,
        "description": p.description,
        "state": p.state.name,
        "error": p.error,
        "provider_id": p.provider_id,
        "user_inputs_values": _answers(p, machines.values()),
        "tags": dict(p.tags),
        **_ordered(p),
        "registration_time": int(p.created_at),
        "one_objects": {
            "cluster": next((_plain(o) for o in objects if o.kind is ObjectKind.CLUSTER), {}),
            "hosts": [host_entry(o, machines.get(o.id)) for o in hosts if o.registered],
            "networks": [network_entry(o, leased) for o in objects if o.kind is ObjectKind.NETWORK],
            "datastores": [_plain(o) for o in objects if o.kind is ObjectKind.DATASTORE],
        },
        "pending": [host_entry(o, machines.get(o.id)) for o in hosts if not o.registered],
        "historic": [
            {"action": e.action, "description": e.text, "time": int(e.at)}
            for e in history
            if e.action in HISTORIC
        ],
    }


def _ordered(p: Provision) -> Document:
    """What a provision of a driver folder was ordered from."""
    order = Order.of(p.template)
    if order is None:
        return {}
    return {
        "driver": order.driver,
        "driver_version": order.version,
        "driver_checksum": order.checksum,
        "deployment_file": order.deployment,
        "onedeploy_tags": order.onedeploy_tags,
        "owner": order.owner,
    }


def host_entry(host: StoredObject, machine: Resource | None) -> Document:
    """A host with the machine that it runs on."""
    entry: Document = {
        "id": host.id,
        "name": host.name,
        **_there(host),
        "resource_id": machine.deploy_id or None if machine else None,
        "ip": machine.addresses[0] if machine and machine.addresses else None,
        "state": host_state(host, machine),
        "configuration": configuration_of(host).status.value,
    }
    if machine:
        entry |= {
            "driver": machine.driver,
            "machine": machine.name,
            "machine_state": machine.state.value,
            "wanted": machine.wanted.value,
            "metrics": dict(machine.metrics),
        }
        if machine.error or configuration_of(host).error:
            entry["error"] = machine.error or configuration_of(host).error
    return entry


def network_entry(network: StoredObject, leased: Sequence[Resource]) -> Document:
    """A network; `ar` has its static address ranges and the leased ones, each of one address."""
    own = [r for r in leased if r.deployment.get("network") == network.id]
    ranges = network.body.get("ar")
    static = list(ranges) if isinstance(ranges, list) else []
    return _plain(network) | {
        "public": network.body.get("public") is True,
        "ar": static
        + [
            {
                "ar_id": r.number,
                "ipam_mad": r.driver,
                "ip": r.addresses[0] if r.addresses else None,
                "size": 1,
                "resource_id": r.deploy_id or None,
                "state": r.state.value,
            }
            for r in own
        ],
    }


def host_state(host: StoredObject, machine: Resource | None) -> str:
    """One word for a column."""
    if machine is None:
        return "gone"
    if machine.state is MachineState.READY:
        return "on" if host.registered else "pending"
    return {MachineState.OFF: "off", MachineState.BROKEN: "error", MachineState.NEW: "pending"}.get(
        machine.state, machine.state.value
    )


def _plain(o: StoredObject) -> Document:
    return {
        "id": o.id,
        "name": o.name,
        **_there(o),
        "registered": o.registered,
        "template": o.body.get("attributes", {}),
    }


def _answers(p: Provision, machines: Iterable[Resource]) -> Document:
    from oneprovision.model.inputs import resolve, secret_names

    order = Order.of(p.template)
    if order is not None:
        wanted = [m for m in machines if m.wanted is Wanted.PRESENT]
        return answers(order, len(wanted), [address for m in wanted for address in m.addresses[:1]])
    declared = p.template.get("inputs")
    if not isinstance(declared, list):
        return {}
    hidden = secret_names(declared)
    return {name: "*****" if name in hidden else value for name, value in resolve(declared, p.inputs).items()}


def _there(o: StoredObject) -> Document:
    """Its number in the OpenNebula that it is registered in."""
    kept = o.body.get("opennebula")
    return {"opennebula_id": kept["id"]} if isinstance(kept, Mapping) else {}
