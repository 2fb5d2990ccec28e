"""Roles that are virtual routers: made before the first VM, removed with all of their VMs, never twice."""

import pytest

from onecore.errors import InvalidInput
from oneflow.model.document import Kind
from oneflow.model.states import ServiceState
from oneflow.usecases import documents, jobs, people, services
from oneflow.usecases.jobs import Batch
from oneflow.usecases.services import Scale
from tests.oneflow.builders import a_role
from tests.oneflow.nebula.site import Site
from tests.oneflow.nebula.test_faults import killed_at

CONTENTS = 'NIC=[NETWORK_ID="$Private", FLOATING_IP="YES"]\nCOLOUR=red'
ROUTER = {"name": "gate", "type": "vr", "vm_template": 0, "cardinality": 2, "vm_template_contents": CONTENTS}
NETWORK = {"networks": {"Private": "M|network|||template_id:0"}}


@pytest.fixture(autouse=True)
def networks(site: Site) -> None:
    site.nebula.cloud.add_network_template("private", VN_MAD="bridge")


def test_a_router_is_made_in_its_network_and_goes_with_its_vms(site: Site):
    site.running(a_role(parents=["gate"]), ROUTER, deployment="straight", **NETWORK)
    (router,) = site.nebula.cloud.routers.values()
    assert router.template == {"NIC": {"NETWORK_ID": "0", "FLOATING_IP": "YES"}, "COLOUR": "red"}
    assert site.body()["roles"][1]["vrouter_id"] == router.id
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
    site.nebula.cloud.templates[0].template["SIM_FAILS"] = "BOOT"
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
