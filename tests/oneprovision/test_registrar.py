"""Objects in an OpenNebula: made once, whatever is lost on the way; what is somebody else's stays."""

from dataclasses import replace
from typing import Any

import pytest

from onecore.clock import SystemClock
from onecore.errors import DriverFailed, OneError, WrongState
from oneprovision.engines.registrar import (
    KEPT,
    LATE_S,
    Registrar,
    Unsettled,
    asked_for,
    is_asked_for,
    number_of,
)
from oneprovision.model.provision import ObjectKind, StoredObject
from tests.nebula import network_calls

ATTRIBUTES: dict[ObjectKind, dict[str, object]] = {
    ObjectKind.CLUSTER: {},
    ObjectKind.DATASTORE: {"attributes": {"tm_mad": "ssh", "ds_mad": "fs"}},
    ObjectKind.NETWORK: {
        "attributes": {"vn_mad": "vxlan"},
        "ar": [{"ar_id": 0, "type": "ip4", "ip": "10.0.0.1", "size": 5}],
    },
    ObjectKind.HOST: {},
}
MAKING = {
    ObjectKind.CLUSTER: ("one.cluster.allocate", "one.cluster.update", "one.cluster.rename"),
    ObjectKind.DATASTORE: ("one.datastore.allocate",),
    ObjectKind.NETWORK: ("one.vn.allocate",),
    ObjectKind.HOST: ("one.host.allocate", "one.host.status", "one.host.update"),
}


@pytest.fixture
def cluster(registrar) -> StoredObject:
    """Registered."""
    made: StoredObject = registered(registrar, an_object(ObjectKind.CLUSTER), 0)
    return made


def an_object(kind: ObjectKind, number: int = 4) -> StoredObject:
    return StoredObject(kind, number, 7, f"my-{kind}", False, ATTRIBUTES[kind])


def registered(registrar, each, cluster) -> Any:
    return replace(each, body={**each.body, **registrar.register(each, cluster, None)})


def there(nebula, kind):
    cloud = nebula.cloud
    by_kind = {
        ObjectKind.CLUSTER: cloud.clusters,
        ObjectKind.DATASTORE: cloud.datastores,
        ObjectKind.NETWORK: cloud.networks,
        ObjectKind.HOST: cloud.hosts,
    }
    return [each for each in by_kind[kind].values() if each.name != "default"]


@pytest.mark.parametrize(("kind", "call"), [(kind, call) for kind, calls in MAKING.items() for call in calls])
@pytest.mark.parametrize("fault", ["lost_after", "lost_before"])
def test_what_was_cut_short_is_found_again_and_finished(nebula, registrar, cluster, kind, call, fault):
    each = an_object(kind, 5)
    each = replace(each, name="another") if kind is ObjectKind.CLUSTER else each
    getattr(nebula.faults, fault)[call] = 1
    with pytest.raises(OneError):
        registrar.register(each, number_of(cluster), None)
    done = registered(registrar, each, number_of(cluster))
    mine = [one for one in there(nebula, kind) if one.name == each.name]
    assert [one.id for one in mine] == [number_of(done)]
    tag = mine[0].template["ONEFORM"]
    assert (tag["PROVISION_ID"], tag["RESOURCE_ID"]) == ("7", "5")
    assert not any(one.name.startswith("oneform-") for one in there(nebula, kind))


def test_a_network_has_its_address_ranges_and_a_datastore_its_drivers(nebula, registrar, cluster):
    for kind in (ObjectKind.NETWORK, ObjectKind.DATASTORE):
        registered(registrar, an_object(kind), number_of(cluster))
    network, datastore = nebula.cloud.networks[0], nebula.cloud.datastores[0]
    assert network.template["AR"] == {"TYPE": "ip4", "IP": "10.0.0.1", "SIZE": "5"}
    assert (datastore.template["TM_MAD"], datastore.cluster) == ("ssh", number_of(cluster))


def test_a_host_is_offline_until_it_is_enabled(nebula, registrar, cluster):
    host = registered(registrar, an_object(ObjectKind.HOST), number_of(cluster))
    assert nebula.cloud.hosts[0].status == 2
    registrar.enable(host)
    assert nebula.cloud.hosts[0].status == 0


@pytest.mark.parametrize("kind", ObjectKind)
def test_what_bears_our_name_without_our_mark_is_never_taken(nebula, registrar, cluster, kind):
    each = replace(an_object(kind, 9), name="theirs")
    stranger = Registrar(registrar.client, b"another key")
    theirs = registered(stranger, each, number_of(cluster))
    with pytest.raises(OneError, match="NAME is already taken"):
        registrar.register(each, number_of(cluster), None)
    with pytest.raises(DriverFailed, match="no longer marked as ours: it stays"):
        registrar.remove(theirs)
    assert any(one.name == "theirs" for one in there(nebula, kind))


def test_removal_is_in_reverse_and_twice_is_as_once(nebula, registrar, cluster):
    rest = [ObjectKind.DATASTORE, ObjectKind.NETWORK, ObjectKind.HOST]
    made = [cluster, *(registered(registrar, an_object(kind), number_of(cluster)) for kind in rest)]
    with pytest.raises(OneError, match="is not empty"):
        registrar.remove(cluster)
    for each in [*reversed(made), *made]:
        registrar.remove(each)
    assert [there(nebula, kind) for kind in ObjectKind] == [[], [], [], []]


def test_a_network_that_its_driver_is_at_work_on_is_waited_for(nebula, registrar, cluster):
    """Since 6.0 a network is made and removed in a while; its cluster is not empty before."""
    nebula.cloud.pace = 3600.0
    network = registered(registrar, an_object(ObjectKind.NETWORK), number_of(cluster))
    with pytest.raises(Unsettled, match="network 0 of OpenNebula is in LOCK_CREATE"):
        registrar.remove(network)
    nebula.cloud.networks[0].ready_at = 0.0
    for _ in range(2):
        with pytest.raises(Unsettled, match="network 0 of OpenNebula is in LOCK_DELETE"):
            registrar.remove(network)
    with pytest.raises(OneError, match="is not empty"):
        registrar.remove(cluster)
    nebula.cloud.networks[0].gone_at = 0.0
    registrar.remove(network)
    registrar.remove(cluster)


def test_a_reservation_in_our_network_is_a_copy_of_it_and_is_not_ours(nebula, registrar, cluster):
    each = an_object(ObjectKind.NETWORK)
    network = registered(registrar, each, number_of(cluster))
    cloud = nebula.cloud
    reserved = network_calls.reserve(cloud, cloud.users[0], 0, 'SIZE=2\nNAME="theirs"')
    assert cloud.networks[reserved].template["ONEFORM"] == cloud.networks[0].template["ONEFORM"]
    assert registrar.tagged(ObjectKind.NETWORK) == {0: "7"}
    with pytest.raises(WrongState, match=f"network 4 my-network is used by network {reserved}"):
        registrar.refuse_used([network])
    cloud.networks[0].name = "ours, under another name"
    assert number_of(registered(registrar, each, number_of(cluster))) == 0


def test_a_network_whose_addresses_vms_have_is_in_use(nebula, registrar, cluster):
    network = registered(registrar, an_object(ObjectKind.NETWORK), number_of(cluster))
    cloud = nebula.cloud
    template = cloud.add_template("tty", NIC={"NETWORK_ID": "0"})
    vms = [cloud.instantiate(cloud.users[0], template, f"vm-{at}", False, {}).id for at in range(2)]
    with pytest.raises(WrongState, match=f"network 4 my-network is used by VM {vms[0]}, VM {vms[1]}"):
        registrar.refuse_used([network])


def test_what_is_in_use_is_named(nebula, registrar, cluster):
    host, store = (
        registered(registrar, an_object(kind), number_of(cluster))
        for kind in (ObjectKind.HOST, ObjectKind.DATASTORE)
    )
    nebula.cloud.hosts[0].holds, nebula.cloud.datastores[0].holds = [3, 8], [2]
    with pytest.raises(
        WrongState, match=r"host 4 my-host has VMs 3, 8; datastore 4 my-datastore has images 2"
    ):
        registrar.refuse_used([host, store])


def test_by_force_vms_and_images_on_ours_are_deleted_and_on_those_of_others_never(nebula, registrar, cluster):
    host, store = (
        registered(registrar, an_object(kind), number_of(cluster))
        for kind in (ObjectKind.HOST, ObjectKind.DATASTORE)
    )
    cloud = nebula.cloud
    template = cloud.add_template("tty", DISK={"IMAGE_ID": "9"})
    vm = cloud.instantiate(cloud.users[0], template, "mine", False, {})
    cloud.hosts[0].holds, cloud.datastores[0].holds = [vm.id], [9]
    there = [host, store]
    elsewhere = [replace(each, body={KEPT: {"id": 0, "url": "http://elsewhere:2633/RPC2"}}) for each in there]
    with pytest.raises(DriverFailed, match="http://elsewhere:2633/RPC2"):
        registrar.evict(elsewhere, SystemClock())
    Registrar(registrar.client, b"another key").evict(there, SystemClock())
    assert (cloud.hosts[0].holds, cloud.datastores[0].holds) == ([vm.id], [9])
    for _ in range(2):
        registrar.evict(there, SystemClock())
        registrar.refuse_used(there)
    assert (cloud.living(), cloud.datastores[0].holds) == ([], [])


def test_objects_of_another_opennebula_are_not_removed_from_this_one(registrar, cluster):
    elsewhere = replace(cluster, body={KEPT: {"id": 1, "url": "http://elsewhere:2633/RPC2"}})
    with pytest.raises(DriverFailed, match="http://elsewhere:2633/RPC2"):
        registrar.remove(elsewhere)


@pytest.mark.parametrize(("kind", "call"), [(kind, call) for kind, calls in MAKING.items() for call in calls])
def test_what_was_asked_for_is_found_marked_and_can_be_removed(nebula, registrar, cluster, kind, call):
    each = an_object(kind, 5)
    each = replace(each, name="another") if kind is ObjectKind.CLUSTER else each
    asked = replace(each, body={**each.body, **asked_for(registrar.url, 100.0)})
    nebula.faults.lost_after[call] = 1
    with pytest.raises(OneError):
        registrar.register(asked, number_of(cluster), None)
    number = registrar.found(asked, number_of(cluster), None, 100.0)
    registrar.remove(replace(asked, body={**asked.body, KEPT: {"id": number, "url": registrar.url}}))
    assert all(one.id == number_of(cluster) for one in there(nebula, kind))


def test_what_never_came_to_be_is_waited_for_as_long_as_it_may_still_come(registrar, cluster):
    asked = replace(an_object(ObjectKind.DATASTORE), body=asked_for(registrar.url, 100.0))
    assert is_asked_for(asked)
    with pytest.raises(Unsettled, match="may still be carried out"):
        registrar.found(asked, number_of(cluster), None, 100.0 + LATE_S - 1)
    assert registrar.found(asked, number_of(cluster), None, 100.0 + LATE_S) is None
