"""Networks that are made for a service: before its first VM, until after its last one, never twice."""

import pytest

from onecore.errors import InvalidInput
from oneflow.model.states import ServiceState
from oneflow.usecases import services
from tests.oneflow.builders import a_role
from tests.oneflow.nebula.site import Site
from tests.oneflow.nebula.test_faults import killed_at

ON_NET = {"vm_template_contents": 'NIC=[NETWORK_ID="$Private"]'}
MADE = {"Private": {"template_id": 0, "extra": "VLAN_ID=7"}}
RESERVED = {"Private": {"reserve_from": 0, "extra": "SIZE=8"}}


@pytest.fixture(autouse=True)
def networks(site: Site) -> None:
    site.nebula.cloud.add_network("public", size=16)
    site.nebula.cloud.add_network_template("private", VN_MAD="bridge")


def with_network(value, **fields):
    return {"networks": {"Private": "M|network|of its own||id:"}, "networks_values": [value], **fields}


@pytest.mark.parametrize(("value", "call"), [(MADE, "vntemplate.instantiate"), (RESERVED, "vn.reserve")])
def test_a_network_is_made_before_the_first_vm_and_removed_after_the_last(site: Site, value, call):
    site.running(a_role(**ON_NET, cardinality=2), **with_network(value))
    assert names(site.log()) == ["PENDING", "DEPLOYING_NETS", "DEPLOYING", "RUNNING"]
    network = site.nebula.cloud.networks[1]
    assert network.name.startswith("Private-0-")
    assert [vm.template["NIC"] for vm in site.vms()] == [{"NETWORK_ID": "1"}] * 2
    assert site.body()["networks_values"][0]["Private"]["id"] == 1
    assert site.nebula.calls[f"one.{call}"] == 1
    site.end()
    assert names(site.log())[-3:] == ["UNDEPLOYING", "UNDEPLOYING_NETS", "DONE"]
    assert (site.vms(), list(site.nebula.cloud.networks)) == ([], [0])


def test_a_network_that_is_there_is_used_and_left_alone(site: Site):
    site.running(a_role(**ON_NET), networks={"Private": "M|network|||id:0"})
    assert site.vms()[0].template["NIC"] == {"NETWORK_ID": "0"}
    site.end()
    assert list(site.nebula.cloud.networks) == [0]
    assert "DEPLOYING_NETS" not in names(site.log())


def test_a_network_that_cannot_be_made_fails_the_service_which_is_recovered(site: Site):
    site.hurry()
    site.service(a_role(**ON_NET), **with_network({"Private": {"reserve_from": 0, "extra": "SIZE=99"}}))
    site.reach(ServiceState.FAILED_DEPLOYING_NETS)
    assert any("Not enough free addresses" in line for line in site.log())
    site.nebula.cloud.networks[0].size = 256
    services.recover(site.deps, 0)
    site.reach(ServiceState.RUNNING)
    assert len(site.nebula.cloud.networks) == 2


def test_what_failed_to_be_made_is_removed_as_well(site: Site):
    site.service(
        a_role(**ON_NET), **with_network({"Private": {"template_id": 0, "extra": "SIM_FAILS=CREATE"}})
    )
    site.reach(ServiceState.FAILED_DEPLOYING_NETS)
    assert len(site.nebula.cloud.networks) == 2
    site.end()
    assert (site.vms(), list(site.nebula.cloud.networks)) == ([], [0])


def test_a_network_of_an_old_server_has_no_state_and_is_ready(site: Site):
    site.nebula.cloud.version = (5, 12, 0)
    site.running(a_role(**ON_NET), **with_network(MADE))
    site.end()
    assert list(site.nebula.cloud.networks) == [0]


@pytest.mark.parametrize("boundary", ["driver started", "driver ended"])
def test_a_network_made_just_before_a_crash_is_found_again(site: Site, boundary):
    site.hurry()
    site.service(a_role(**ON_NET), **with_network(MADE))
    killed_at(site, boundary, 1)
    site.reach(ServiceState.RUNNING)
    assert len(site.nebula.cloud.networks) == 2
    services.shutdown(site.deps, 0)
    killed_at(site, boundary, 2)
    site.reach(ServiceState.DONE)
    assert list(site.nebula.cloud.networks) == [0]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"Private": {"template_id": "x"}}, "'x' is no number"),
        ({"Private": {}}, "needs one of: template_id, reserve_from, id"),
        ({"Other": {"id": 0}}, "network 'Private' has no value"),
    ],
)
def test_a_network_without_a_proper_value_is_refused(site: Site, value, said):
    with pytest.raises(InvalidInput, match=said):
        site.service(a_role(**ON_NET), **with_network(value))


def names(log: list[str]) -> list[str]:
    return [line.split(": ")[1] for line in log if line.startswith("New state")]
