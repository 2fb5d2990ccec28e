"""Leased public addresses are address ranges of their network in an OpenNebula, each once."""

import time
from dataclasses import replace
from typing import Any

import pytest

from onecore.errors import DriverFailed, OneError
from onecore.machines.model import Kind, Resource, State, Wanted
from onecore.opennebula.client import Refused
from oneprovision.engines import ranges
from oneprovision.engines.registrar import Registrar, Unsettled
from oneprovision.model.provision import ObjectKind, StoredObject

ADDRESS = Resource(
    5, Kind.ADDRESS, "provision-7-network-4-ar-0-abc", "provision/7", "dummy", None, 0, "AR 0",
    state=State.READY, deploy_id="ip-1", addresses=("203.0.113.7",), deployment={"network": 4},
)  # fmt: skip
GONE = replace(ADDRESS, wanted=Wanted.ABSENT)


@pytest.fixture
def network(registrar) -> StoredObject:
    each = StoredObject(ObjectKind.NETWORK, 4, 7, "public", False, {"attributes": {"vn_mad": "elastic"}})
    return replace(each, body={**each.body, **registrar.register(each, 0, None)})


def matched(registrar, network, leased, now=0.0):
    return ranges.matched(registrar, network, leased, now, lambda: None)


def there(nebula) -> list[Any]:
    return [given["IP"] for given in nebula.cloud.networks[0].ranges.values()]


def test_an_address_is_a_range_while_it_is_leased_and_wanted(nebula, registrar, network):
    assert matched(registrar, network, [replace(ADDRESS, state=State.NEW, addresses=())]) == []
    assert matched(registrar, network, [ADDRESS]) == ["address range 203.0.113.7 added to network 0"]
    assert matched(registrar, network, [ADDRESS]) == []
    (given,) = nebula.cloud.networks[0].ranges.values()
    assert (given["TYPE"], given["IP"], given["SIZE"]) == ("IP4", "203.0.113.7", "1")
    removed = "address range 203.0.113.7 removed from network 0"
    assert [matched(registrar, network, [GONE]) for _ in range(2)] == [[removed], []]
    assert there(nebula) == []


def test_what_the_template_says_of_leased_ranges_is_told(nebula, registrar, network):
    said = {**network.body, "leased_ar": {"gateway": "203.0.113.1", "dns": "203.0.113.2"}}
    matched(registrar, replace(network, body=said), [ADDRESS])
    (given,) = nebula.cloud.networks[0].ranges.values()
    assert (given["GATEWAY"], given["DNS"], given["IP"]) == ("203.0.113.1", "203.0.113.2", "203.0.113.7")


@pytest.mark.parametrize("fault", ["lost_after", "lost_before"])
@pytest.mark.parametrize(
    ("call", "before", "after", "left"),
    [("one.vn.add_ar", GONE, ADDRESS, ["203.0.113.7"]), ("one.vn.rm_ar", ADDRESS, GONE, [])],
)
def test_what_was_cut_short_is_done_once(nebula, registrar, network, fault, call, before, after, left):
    matched(registrar, network, [before])
    getattr(nebula.faults, fault)[call] = 1
    with pytest.raises(OneError):
        matched(registrar, network, [after])
    matched(registrar, network, [after])
    assert there(nebula) == left


def test_a_network_that_is_still_being_made_gets_its_ranges_later(nebula, registrar, network):
    nebula.cloud.networks[0].ready_at = time.time() + 3600
    with pytest.raises(Unsettled, match="network 0 of OpenNebula is in LOCK_CREATE"):
        matched(registrar, network, [ADDRESS])
    nebula.cloud.networks[0].ready_at = 0.0
    matched(registrar, network, [ADDRESS])
    assert there(nebula) == ["203.0.113.7"]


def test_an_address_that_was_leased_anew_takes_the_place_of_the_old_one(nebula, registrar, network):
    for ip in ("203.0.113.7", "203.0.113.9"):
        matched(registrar, network, [replace(ADDRESS, addresses=(ip,))])
    assert there(nebula) == ["203.0.113.9"]


def test_a_driver_folder_says_more_of_it_than_the_address(nebula, registrar, network):
    """With IPAM_MAD OpenNebula would lease it again."""
    said = 'EXTERNAL_IP="203.0.113.7",GATEWAY="172.30.0.3",IP="172.30.0.2",IPAM_MAD="dummy"'
    matched(registrar, network, [replace(ADDRESS, driver="oneform/dummy", deploy_id=said)])
    (given,) = nebula.cloud.networks[0].ranges.values()
    assert (given["IP"], given["EXTERNAL_IP"], given["GATEWAY"]) == (
        "172.30.0.2",
        "203.0.113.7",
        "172.30.0.3",
    )
    assert "IPAM_MAD" not in given


def test_ranges_of_others_and_those_in_use_stay(nebula, registrar, network):
    nebula.cloud.networks[0].ranges[1] = {"TYPE": "IP4", "IP": "203.0.113.7", "SIZE": "1"}
    matched(registrar, network, [ADDRESS])
    nebula.cloud.networks[0].leased = {2}
    with pytest.raises(Refused, match="leases in use"):
        matched(registrar, network, [GONE])
    nebula.cloud.networks[0].leased = set()
    matched(registrar, network, [GONE])
    assert list(nebula.cloud.networks[0].ranges) == [1]


def test_a_network_that_is_gone_has_no_ranges_and_one_of_others_gets_none(nebula, registrar, network):
    stranger = Registrar(registrar.client, b"another key")
    with pytest.raises(DriverFailed, match="no longer marked as ours"):
        matched(stranger, network, [ADDRESS])
    registrar.remove(network)
    assert matched(registrar, network, [GONE]) == []


def test_a_range_that_was_asked_for_and_may_still_come_is_waited_for(nebula, registrar, network):
    asked = replace(network, body={**network.body, ranges.ASKED: 100.0})
    with pytest.raises(Unsettled, match="may still be added"):
        matched(registrar, asked, [ADDRESS], now=105.0)
    assert matched(registrar, asked, [ADDRESS], now=111.0) == ["address range 203.0.113.7 added to network 0"]
    assert matched(registrar, asked, [ADDRESS], now=105.0) == []
