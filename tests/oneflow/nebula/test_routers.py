"""Roles that are virtual routers: made before the first VM, removed with all of their VMs, never twice."""

import pytest

from onecore.errors import InvalidInput
from oneflow.model.document import Kind
from oneflow.model.states import ServiceState
from oneflow.usecases import documents, jobs, people, roles, services
from oneflow.usecases.jobs import Batch
from oneflow.usecases.services import Scale
from tests.oneflow.builders import a_role
from tests.oneflow.nebula.site import Site
from tests.oneflow.nebula.test_faults import killed_at

CONTENTS = 'NIC=[NETWORK_ID="$Private", FLOATING_IP="YES"]\nCOLOUR=red'
ROUTER = {"name": "gate", "type": "vr", "vm_template": 2, "cardinality": 2, "vm_template_contents": CONTENTS}
NETWORK = {"networks": {"Private": "M|network|||template_id:0"}}


@pytest.fixture(autouse=True)
def networks(site: Site) -> None:
    site.nebula.cloud.add_network_template("private", VN_MAD="bridge")


def test_a_router_is_made_in_its_network_and_goes_with_its_vms(site: Site):
    site.running(a_role(parents=["gate"]), ROUTER, deployment="straight", **NETWORK)
    (router,) = site.nebula.cloud.routers.values()
    nic = {"NETWORK_ID": "0", "FLOATING_IP": "YES", "VROUTER_IP": "10.0.0.100"}
    assert router.template == {"NIC": nic, "COLOUR": "red"}
    role = site.body()["roles"][1]
    assert role["vrouter_id"] == router.id
    assert role["vrouter_ips"] == [{"NETWORK_ID": "0", "VROUTER_IP": "10.0.0.100"}]
    gates = [vm for vm in site.vms() if vm.router == router.id]
    assert {vm.name for vm in gates} == {"gate_0_(service_0)", "gate_1_(service_0)"}
    assert {node["deploy_id"] for node in site.nodes(0, 1)} == {vm.id for vm in gates}
    site.end()
    assert (site.vms(), site.nebula.cloud.routers, site.nebula.cloud.networks) == ([], {}, {})


@pytest.mark.parametrize(
    ("boundary", "nth"), [("driver started", 1), ("driver ended", 1), ("driver ended", 3)]
)
def test_after_a_crash_there_is_one_router_and_in_the_end_none(site: Site, boundary, nth):
    site.hurry()
    site.service(ROUTER, **NETWORK)
    killed_at(site, boundary, nth)
    site.reach(ServiceState.RUNNING)
    assert (len(site.nebula.cloud.routers), len(site.vms())) == (1, 2)
    services.shutdown(site.deps, 0)
    killed_at(site, boundary, 1)
    site.reach(ServiceState.DONE)
    assert (site.vms(), site.nebula.cloud.routers, site.nebula.cloud.networks) == ([], {}, {})


def test_a_router_that_cannot_be_made_leaves_nothing_behind(site: Site):
    site.hurry()
    site.nebula.cloud.templates[2].template["SIM_FAILS"] = "BOOT"
    site.service(ROUTER, **NETWORK)
    site.reach(ServiceState.FAILED_DEPLOYING)
    site.end()
    assert (site.vms(), site.nebula.cloud.routers, site.nebula.cloud.networks) == ([], {}, {})


def test_a_router_is_given_away_with_its_service(site: Site):
    site.nebula.cloud.add_user("alice", "alice's")
    site.running(ROUTER, **NETWORK)
    people.refresh(site.deps)
    documents.chown(site.deps, Kind.SERVICE, 0, "alice", "users")
    site.drive(lambda: {(vm.uid, vm.gid) for vm in site.vms()} == {(1, 1)})
    assert site.nebula.cloud.routers[0].uid == 1


def test_its_vms_are_neither_more_nor_less_nor_acted_on_one_by_one(site: Site):
    site.running(a_role(), ROUTER, **NETWORK)
    with pytest.raises(InvalidInput, match="Virtual Router role gate does not support cardinality update"):
        services.scale(site.deps, 0, Scale("gate", 3))
    with pytest.raises(InvalidInput, match="Virtual Router role gate does not support schedule actions"):
        jobs.act(site.deps, 0, "gate", Batch("reboot"))
    assert "gate" not in jobs.act(site.deps, 0, None, Batch("reboot"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vm_template_contents": "COLOUR=red"}, "needs a NIC with a FLOATING_IP"),
        ({"min_vms": 1, "max_vms": 3}, "cannot have 'min_vms'"),
    ],
)
def test_a_router_that_could_not_work_is_refused(site: Site, changes, said):
    with pytest.raises(InvalidInput, match=said):
        site.service({**ROUTER, **changes}, **NETWORK)


def test_a_router_is_added_to_a_service_that_runs_and_removed_again(site: Site):
    site.running(a_role(), **NETWORK)
    web = site.nodes()[0]["deploy_id"]
    for _ in range(2):
        roles.add_role(site.deps, 0, ROUTER)
        assert site.state() is ServiceState.DEPLOYING_NETS
        site.reach(ServiceState.RUNNING)
        (router,) = site.nebula.cloud.routers.values()
        assert site.body()["roles"][1]["vrouter_id"] == router.id
        gates = {vm.id for vm in site.vms() if vm.router == router.id}
        assert {node["deploy_id"] for node in site.nodes(0, 1)} == gates
        assert (len(gates), len(site.nebula.cloud.networks)) == (2, 1)
        roles.remove_role(site.deps, 0, "gate")
        site.drive(lambda: len(site.body()["roles"]) == 1 and not site.nebula.cloud.routers)
        assert [vm.id for vm in site.vms()] == [web]
    roles.add_role(site.deps, 0, ROUTER)
    site.end()
    assert (site.vms(), site.nebula.cloud.routers, site.nebula.cloud.networks) == ([], {}, {})


def test_a_service_that_was_held_and_released_is_not_held_again_for_a_router(site: Site):
    site.service(a_role(), on_hold=True)
    site.reach(ServiceState.HOLD)
    services.release(site.deps, 0)
    site.reach(ServiceState.RUNNING)
    site.nebula.cloud.add_network("there")
    there = {**ROUTER, "cardinality": 1, "vm_template_contents": 'NIC=[NETWORK_ID="0"]'}
    roles.add_role(site.deps, 0, there)
    site.reach(ServiceState.RUNNING)
    assert len(site.vms()) == 2


def test_a_router_that_cannot_be_added_leaves_a_service_that_is_recovered_or_removed(site: Site):
    site.hurry()
    site.running(a_role())
    site.nebula.faults.refuses["one.vrouter.allocate"] = "no quota"
    roles.add_role(site.deps, 0, {**ROUTER, "vm_template_contents": 'NIC=[NETWORK="x", FLOATING_IP="YES"]'})
    site.reach(ServiceState.FAILED_DEPLOYING_NETS)
    assert len(site.vms()) == 1, "the rest of it goes on"
    site.nebula.faults.refuses.clear()
    services.recover(site.deps, 0)
    site.reach(ServiceState.RUNNING)
    assert len(site.vms()) == 3
    site.end()
    assert (site.vms(), site.nebula.cloud.routers) == ([], {})


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ({**ROUTER, "vm_template": 0}, "Only virtual router templates are allowed"),
        (a_role(vm_template=2), "Virtual router templates cannot be instantiated"),
    ],
)
def test_routers_and_vms_have_templates_of_their_own(site: Site, role, said):
    site.hurry()
    site.service(role, **NETWORK)
    site.reach(ServiceState.FAILED_DEPLOYING)
    assert any(said in line for line in site.log())
    site.end()
    assert (site.vms(), site.nebula.cloud.routers, site.nebula.cloud.networks) == ([], {}, {})
