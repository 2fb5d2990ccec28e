"""What the calls on clusters, datastores and hosts do. Only administrators may use them."""

from collections.abc import Callable
from typing import Any

from tests.nebula import documents
from tests.nebula.cloud import (
    ACTION,
    AUTHORIZATION,
    INTERNAL,
    NO_EXISTS,
    Cloud,
    InCluster,
    Network,
    Owned,
    Refused,
    User,
)
from tests.nebula.network_calls import require_unlocked
from tests.nebula.template import BadTemplate, Template, parsed

Answer = str | int


def clusterpool_info(cloud: Cloud, who: User) -> Answer:
    every = [documents.cluster(cloud, each) for each in cloud.clusters.values()]
    return documents.text_of(documents.pool("CLUSTER_POOL", every))


def cluster_allocate(cloud: Cloud, who: User, name: str) -> Answer:
    _admin(who)
    return _put(cloud.clusters, Owned(_next(cloud.clusters), name, who.id, who.gid))


def cluster_update(cloud: Cloud, who: User, number: int, text: str, append: int) -> Answer:
    return _update(cloud.clusters, "cluster", who, number, text, append)


def cluster_rename(cloud: Cloud, who: User, number: int, name: str) -> Answer:
    _admin(who)
    found = _found(cloud.clusters, "cluster", number)
    _refuse_taken(cloud.clusters, name, number)
    found.name = name
    return number


def cluster_delete(cloud: Cloud, who: User, number: int) -> Answer:
    _admin(who)
    _found(cloud.clusters, "cluster", number)
    held: dict[str, dict[int, Any]] = {
        "hosts": cloud.hosts,
        "datastores": cloud.datastores,
        "vnets": cloud.networks,
    }
    for noun, things in held.items():
        count = sum(each.cluster == number for each in things.values())
        if count:
            text = f"Cluster {number} is not empty, it contains {count} {noun}."
            raise Refused(ACTION, f"Cannot delete cluster. {text}")
    del cloud.clusters[number]
    return number


def datastorepool_info(cloud: Cloud, who: User) -> Answer:
    every = [documents.datastore(cloud, each) for each in cloud.datastores.values()]
    return documents.text_of(documents.pool("DATASTORE_POOL", every))


def datastore_allocate(cloud: Cloud, who: User, text: str, cluster: int) -> Answer:
    _admin(who)
    template, name = _named(text)
    if "TM_MAD" not in template:
        raise Refused(ACTION, "No TM_MAD in template.")
    _refuse_taken(cloud.datastores, name)
    _found(cloud.clusters, "cluster", cluster)
    made = InCluster(_next(cloud.datastores), name, who.id, who.gid, template, cluster=cluster)
    return _put(cloud.datastores, made)


def datastore_delete(cloud: Cloud, who: User, number: int) -> Answer:
    return _delete(cloud.datastores, "datastore", f"Datastore {number} is not empty.", who, number)


def image_delete(cloud: Cloud, who: User, number: int, force: bool = False) -> Answer:
    """One that a VM uses stays."""
    _admin(who)
    store = next((each for each in cloud.datastores.values() if number in each.holds), None)
    if store is None:
        raise Refused(NO_EXISTS, f"Error getting image [{number}].")
    if any(str(number) in str(vm.template.get("DISK", "")) for vm in cloud.living()):
        raise Refused(ACTION, f"Cannot delete image {number}, it is in use")
    store.holds.remove(number)
    return number


def vn_allocate(cloud: Cloud, who: User, text: str, cluster: int) -> Answer:
    _admin(who)
    template, name = _named(text)
    if "VN_MAD" not in template:
        raise Refused(ACTION, "No VN_MAD in template for Virtual Network.")
    _refuse_taken(cloud.networks, name)
    _found(cloud.clusters, "cluster", cluster)
    made: Network = cloud.add_network(name, who.id)
    made.template, made.cluster = template, cluster
    return made.id


def vn_add_ar(cloud: Cloud, who: User, number: int, text: str) -> Answer:
    _admin(who)
    network = _found(cloud.networks, "virtual network", number)
    given = _read(text).get("AR")
    require_unlocked(cloud, network, "Could not execute one.vn.add_ar. Virtual Network is in wrong state:")
    if not isinstance(given, dict) or not {"TYPE", "SIZE"} <= given.keys():
        raise Refused(ACTION, "Wrong AR definition. AR vector attribute is missing.")
    if "IPAM_MAD" in given:
        raise Refused(ACTION, f"IPAM driver {given['IPAM_MAD']} is not available")
    network.ranges[max(network.ranges, default=0) + 1] = given
    return number


def vn_rm_ar(cloud: Cloud, who: User, number: int, ar: int, force: bool = False) -> Answer:
    _admin(who)
    network = _found(cloud.networks, "virtual network", number)
    if ar not in network.ranges:
        raise Refused(INTERNAL, "Address Range does not exist")
    require_unlocked(cloud, network, "Could not remove Adress Range, Virtual Network is in wrong state:")
    if ar in network.leased and not force:
        raise Refused(INTERNAL, "Address Range has leases in use")
    if "IPAM_MAD" in network.ranges[ar]:
        cloud.give_back(network.ranges[ar])
    del network.ranges[ar]
    return number


def hostpool_info(cloud: Cloud, who: User) -> Answer:
    every = [documents.host(cloud, each) for each in cloud.hosts.values()]
    return documents.text_of(documents.pool("HOST_POOL", every))


def host_allocate(cloud: Cloud, who: User, name: str, im: str, vm: str, cluster: int) -> Answer:
    _admin(who)
    _refuse_taken(cloud.hosts, name)
    _found(cloud.clusters, "cluster", cluster)
    drivers: Template = {"IM_MAD": im, "VM_MAD": vm}
    return _put(cloud.hosts, InCluster(_next(cloud.hosts), name, who.id, who.gid, drivers, cluster=cluster))


def host_update(cloud: Cloud, who: User, number: int, text: str, append: int) -> Answer:
    return _update(cloud.hosts, "host", who, number, text, append)


def host_status(cloud: Cloud, who: User, number: int, status: int) -> Answer:
    _admin(who)
    if status not in (0, 1, 2):
        raise Refused(ACTION, f"Wrong status code [{status}]")
    _found(cloud.hosts, "host", number).status = status
    return number


def host_delete(cloud: Cloud, who: User, number: int) -> Answer:
    return _delete(cloud.hosts, "host", "Can not remove a host with running VMs", who, number)


CALLS: dict[str, Callable[..., Answer]] = {
    "one.clusterpool.info": clusterpool_info,
    "one.cluster.allocate": cluster_allocate,
    "one.cluster.update": cluster_update,
    "one.cluster.rename": cluster_rename,
    "one.cluster.delete": cluster_delete,
    "one.datastorepool.info": datastorepool_info,
    "one.datastore.allocate": datastore_allocate,
    "one.datastore.delete": datastore_delete,
    "one.image.delete": image_delete,
    "one.vn.allocate": vn_allocate,
    "one.vn.add_ar": vn_add_ar,
    "one.vn.rm_ar": vn_rm_ar,
    "one.hostpool.info": hostpool_info,
    "one.host.allocate": host_allocate,
    "one.host.update": host_update,
    "one.host.status": host_status,
    "one.host.delete": host_delete,
}


def _admin(who: User) -> None:
    if who.gid != 0:
        raise Refused(AUTHORIZATION, f"User [{who.id}] : Not authorized to perform ADMIN.")


def _next(things: dict[int, Any]) -> int:
    return max(things, default=-1) + 1


def _put(things: dict[int, Any], made: Owned) -> int:
    _refuse_taken(things, made.name)
    things[made.id] = made
    return made.id


def _found(things: dict[int, Any], noun: str, number: int) -> Any:
    if number not in things:
        raise Refused(NO_EXISTS, f"Error getting {noun} [{number}].")
    return things[number]


def _refuse_taken(things: dict[int, Any], name: str, but: int = -1) -> None:
    same = [each.id for each in things.values() if each.name == name and each.id != but]
    if same:
        raise Refused(ACTION, f"NAME is already taken by {same[0]}.")


def _update(things: dict[int, Any], noun: str, who: User, number: int, text: str, append: int) -> Answer:
    _admin(who)
    found = _found(things, noun, number)
    found.template = {**found.template, **_read(text)} if append == 1 else _read(text)
    return number


def _delete(things: dict[int, Any], noun: str, refusal: str, who: User, number: int) -> Answer:
    _admin(who)
    if _found(things, noun, number).holds:
        raise Refused(ACTION, f"Cannot delete {noun}. {refusal}")
    del things[number]
    return number


def _named(text: str) -> tuple[Template, str]:
    template = _read(text)
    if not template.get("NAME"):
        raise Refused(ACTION, "NAME cannot be empty.")
    return template, str(template.pop("NAME"))


def _read(text: str) -> Template:
    try:
        return parsed(text)
    except BadTemplate as exc:
        raise Refused(ACTION, str(exc)) from exc
