"""Services of OneFlow's own server are taken over without touching a VM."""

import json

import pyone
import pytest

from oneflow.model.states import ServiceState
from oneflow.usecases import imports, roles, services
from oneflow.usecases.services import Scale
from tests.oneflow.nebula.site import Site

ROLE = {"name": "web", "type": "vm", "template_id": 0, "cardinality": 2, "cooldown": 0}
STORED = {**ROLE, "state": 2, "last_vmname": 5}
TEMPLATE = {"name": "app", "deployment": "none", "roles": [{"name": "web", "type": "vm", "template_id": 0}]}


@pytest.fixture
def vms(site: Site) -> list[int]:
    """Two VMs of a service of 7.x, and its network."""
    cloud = site.nebula.cloud
    made = []
    for _ in range(2):
        vm = cloud.instantiate(cloud.users[0], cloud.templates[0], "web_3_(service_1)", False, {})
        made.append(vm.id)
    while any(vm.path for vm in site.vms()):
        pass
    cloud.add_network("Private-1")
    cloud.add_document(101, "app", TEMPLATE)
    networks = {"networks_values": [{"Private": {"template_id": 0, "id": 0}}]}
    nodes = [{"deploy_id": vm_id, "running": True, "vm_info": {"VM": {}}} for vm_id in [*made, 99]]
    roles = [{**STORED, "nodes": nodes}]
    body = {**TEMPLATE, **networks, "state": 2, "start_time": 5, "log": [], "roles": roles}
    cloud.add_document(100, "app", body)
    cloud.add_document(100, "busy", {**body, "state": 1})
    cloud.add_document(100, "odd", [])
    cloud.add_document(100, "damaged", {**body, "roles": [{**STORED, "nodes": [{}]}]})
    return made


def test_what_is_there_is_told_before_anything_is_done(site: Site, vms):
    seen = imports.found(site.deps)
    assert [(each.kind.noun, each.foreign.id, each.vm_ids, each.gone) for each in seen] == [
        ("service template", 0, [], ()),
        ("service", 1, vms, (99,)),
        ("service", 2, [], ()),
        ("service", 3, [], ()),
        ("service", 4, [], ()),
    ]
    assert [each.problem for each in seen[2:]] == [
        "it is DEPLOYING there; only what rests can be taken over",
        "its body is no Hash",
        "its body is not as OneFlow writes it: KeyError('deploy_id')",
    ]
    assert site.numbers() == []


def test_a_policy_that_scales_otherwise_here_is_told(site: Site):
    policy = {"type": "CHANGE", "adjust": 1, "expression": "!A > 1 & B > 1"}
    role = {
        "name": "web",
        "type": "vm",
        "template_id": 0,
        "min_vms": 1,
        "max_vms": 2,
        "elasticity_policies": [policy],
    }
    site.nebula.cloud.add_document(101, "app", {**TEMPLATE, "roles": [role]})
    (told,) = imports.found(site.deps)
    assert str(told).splitlines() == [
        "service template 0 (app)",
        "  note: role web: '!A > 1 & B > 1' means something else here: say with ( ) what is meant",
    ]


def test_a_service_that_was_taken_over_goes_on_with_its_vms(site: Site, vms):
    imports.take_over(site.deps, imports.found(site.deps))
    assert site.nebula.calls.keys() <= READING
    assert (site.numbers(), site.state(1)) == ([1], ServiceState.RUNNING)
    assert [node["deploy_id"] for node in site.nodes(1)] == vms
    assert site.nodes(1)[0]["vm_info"]["VM"]["NAME"] == "web_3_(service_1)"
    services.scale(site.deps, 1, Scale("web", 3))
    site.drive(lambda: len(site.nodes(1)) == 3 and site.state(1) is ServiceState.RUNNING)
    assert site.vms()[-1].name == "web_5_(service_1)"
    services.scale(site.deps, 1, Scale("web", 2, victims=(vms[0],)))
    site.drive(lambda: len(site.nodes(1)) == 2 and site.state(1) is ServiceState.RUNNING)
    assert vms[0] not in {vm.id for vm in site.vms()}
    site.end(1)
    assert (site.vms(), site.nebula.cloud.networks) == ([], {})


@pytest.fixture
def router(site: Site) -> int:
    """That of a service of 7.x which has a VM of it, and another VM."""
    cloud = site.nebula.cloud
    cloud.add_network("there")
    one = pyone.OneServer(site.nebula.url, "oneadmin:secret")
    router: int = one.vrouter.allocate('NAME="gate(service_0)"\nNIC=[NETWORK_ID="0", FLOATING_IP="YES"]')
    one.vrouter.instantiate(router, 1, 2, "gate_0_(service_0)", False, "")
    cloud.instantiate(cloud.users[0], cloud.templates[0], "web_0_(service_0)", False, {})
    while any(vm.path for vm in site.vms()):
        pass
    gate = {**STORED, "name": "gate", "type": "vr", "vrouter_id": router, "cardinality": 1}
    roles = [
        {**gate, "template_contents": {"NIC": [{"NETWORK_ID": "0"}]}, "nodes": [{"deploy_id": 0}]},
        {**STORED, "cardinality": 1, "nodes": [{"deploy_id": 1}]},
    ]
    cloud.add_document(100, "routed", {"name": "routed", "deployment": "none", "state": 2, "roles": roles})
    return router


def test_a_router_is_taken_over_with_its_vms_and_goes_with_its_role(site: Site, router):
    (found,) = imports.found(site.deps)
    assert (str(found), found.problem) == (f"service 0 (routed): VMs 0, 1; virtual routers {router}", "")
    before = site.nebula.calls.copy()
    imports.take_over(site.deps, [found])
    assert (site.nebula.calls - before).keys() <= READING
    site.drive(lambda: site.body()["roles"][0].get("vrouter_ips"))
    assert site.body()["roles"][0]["vrouter_id"] == router
    assert [node["deploy_id"] for node in site.nodes()] == [0]
    roles.remove_role(site.deps, 0, "gate")
    site.drive(lambda: len(site.body()["roles"]) == 1)
    assert ([vm.id for vm in site.vms()], site.nebula.cloud.routers) == ([1], {})
    site.end()
    assert site.vms() == []


def test_a_router_that_is_gone_is_said(site: Site, router):
    site.nebula.cloud.routers.clear()
    (found,) = imports.found(site.deps)
    assert found.problem == f"its virtual router {router} is not there"


def test_what_is_here_already_is_not_taken_over_again(site: Site, vms):
    imports.take_over(site.deps, imports.found(site.deps))
    assert [each.problem for each in imports.found(site.deps)][:2] == [
        "there is a service template 0 here already",
        "there is a service 1 here already",
    ]
    new = site.service()
    assert new > 1, "the numbers of what was taken over are given to nobody"


def test_the_documents_there_stay_as_they_are(site: Site, vms):
    before = json.dumps([d.template for d in site.nebula.cloud.documents.values()])
    imports.take_over(site.deps, imports.found(site.deps))
    assert json.dumps([d.template for d in site.nebula.cloud.documents.values()]) == before


READING = {
    "one.user.info",
    "one.userpool.info",
    "one.grouppool.info",
    "one.documentpool.info",
    "one.vmpool.infoextended",
}
