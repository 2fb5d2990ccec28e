"""A service whose VMs live in an OpenNebula, from its template to its end."""

from functools import partial

import pytest

from onecore.errors import InvalidInput
from onecore.opennebula.client import Refused
from oneflow.model.document import Kind
from oneflow.model.states import ServiceState
from oneflow.usecases import documents, jobs, people, services, templates
from oneflow.usecases.jobs import Batch
from oneflow.usecases.services import Scale
from tests.nebula import states
from tests.nebula.cloud import Vm
from tests.oneflow.builders import a_role, a_template
from tests.oneflow.nebula.site import Site


def test_every_node_is_a_vm_under_the_number_that_opennebula_gave_it(site: Site):
    somebody_makes_a_vm(site)
    site.running(a_role(cardinality=2))
    mine = [vm for vm in site.vms() if "ROLE_NAME" in vm.user_template]
    assert {vm.name for vm in mine} == {"web_0_(service_0)", "web_1_(service_0)"}
    assert [vm.user_template["SERVICE_ID"] for vm in mine] == ["0", "0"]
    assert {node["deploy_id"] for node in site.nodes()} == {vm.id for vm in mine} == {1, 2}
    info = site.nodes()[0]["vm_info"]["VM"]
    assert (info["STATE"], info["LCM_STATE"], info["USER_TEMPLATE"]["ROLE_NAME"]) == ("3", "3", "web")


def test_parents_run_before_their_children_and_end_after_them(site: Site):
    roles = [a_role("worker", parents=["front"]), a_role("front")]
    site.running(*roles, deployment="straight")
    made = [asked[1] for method, asked in site.nebula.asked if method == "one.template.instantiate"]
    assert made == ["front_0_(service_0)", "worker_0_(service_0)"]
    site.end()
    ended = [asked[1] for method, asked in site.nebula.asked if method == "one.vm.action"]
    assert (ended, site.vms()) == ([1, 0], [])


def test_vectors_of_a_role_are_merged_into_those_of_its_template(site: Site):
    contents = 'CONTEXT=[SET="ours", MORE="a \\"b\\""]\nMEMORY=1024\nCOLOUR=$COLOUR'
    values = {"custom_attrs": {"COLOUR": "M|text|"}, "custom_attrs_values": {"COLOUR": "red"}}
    site.running(a_role(vm_template_contents=contents), **values)
    (vm,) = site.vms()
    context = {"NETWORK": "YES", "SET": "ours", "MORE": 'a "b"', "COLOUR": "$COLOUR"}
    assert context.items() <= vm.template["CONTEXT"].items()
    assert (vm.template["MEMORY"], vm.user_template["COLOUR"]) == ("1024", "red")


@pytest.mark.parametrize("version", [(5, 12, 0), (6, 0, 0), (7, 2, 0)])
def test_what_opennebula_measures_counts_for_elasticity_wherever_it_keeps_it(site: Site, version):
    site.nebula.cloud.version = version
    site.nebula.cloud.templates[0].template["SIM_AGENT"] = "YES"
    policy = {"type": "CARDINALITY", "adjust": 2, "expression": "CPU > 1.4 & MEMORY = 524288"}
    site.watch(0.1)
    site.running(a_role(min_vms=1, max_vms=2, elasticity_policies=[policy]))
    site.drive(lambda: len(site.vms()) == 2 and site.state() is ServiceState.RUNNING)
    told = {node["vm_info"]["VM"]["MONITORING"]["GUEST_IP_ADDRESSES"] for node in site.nodes()}
    assert told == {"192.0.2.1", "192.0.2.2"}


def test_a_role_can_blank_what_its_template_has(site: Site):
    site.nebula.cloud.templates[0].template["COLOUR"] = "red"
    site.running(a_role(vm_template_contents='COLOUR=""\nCONTEXT=[SET=""]'))
    (vm,) = site.vms()
    assert (vm.user_template["COLOUR"], vm.template["CONTEXT"]["SET"]) == ("", "")


def test_a_role_grows_and_shrinks_by_the_numbers_that_people_know(site: Site):
    somebody_makes_a_vm(site)
    site.running(a_role(cardinality=2))
    services.scale(site.deps, 0, Scale("web", 3))
    site.drive(lambda: len(site.nodes()) == 3 and site.state() is ServiceState.RUNNING)
    victim = site.nodes()[1]["deploy_id"]
    services.scale(site.deps, 0, Scale("web", 2, victims=(victim,)))
    site.drive(lambda: len(site.nodes()) == 2 and site.state() is ServiceState.RUNNING)
    assert victim not in {vm.id for vm in site.vms()}


def test_a_gated_service_waits_for_ready_in_the_user_template(site: Site):
    site.service(a_role(cardinality=2), ready_status_gate=True)
    site.watch(0.05)
    site.drive(lambda: [vm.state for vm in site.vms()] == [(3, 3)] * 2)
    first, second = (vm.id for vm in site.vms())
    site.nebula.cloud.report(first, READY="yes")
    site.nebula.cloud.report(second, READY="NO", NOT_READY="YES")
    site.drive(lambda: [node["running"] for node in site.nodes()].count(True) == 1)
    assert site.state() is ServiceState.DEPLOYING
    site.nebula.cloud.report(second, READY="YES")
    site.reach(ServiceState.RUNNING)


def test_a_vm_that_was_off_has_to_say_again_that_it_is_ready(site: Site):
    site.watch(0.05)
    site.service(ready_status_gate=True)
    site.drive(lambda: [vm.state for vm in site.vms()] == [(3, 3)])
    (vm,) = site.vms()
    site.nebula.cloud.report(vm.id, READY="YES")
    site.reach(ServiceState.RUNNING)
    site.nebula.cloud.put(vm.id, (states.POWEROFF, 0))
    site.drive(lambda: vm.user_template["READY"] == "NO")
    site.nebula.cloud.put(vm.id, (3, 3))
    site.drive(lambda: site.nodes()[0]["vm_info"]["VM"]["LCM_STATE"] == "3")
    assert site.state() is ServiceState.WARNING
    site.nebula.cloud.report(vm.id, READY="YES")
    site.reach(ServiceState.RUNNING)


def test_a_vm_that_is_given_away_and_back_follows_each_time(site: Site):
    site.nebula.cloud.add_user("alice", "alice's")
    site.watch(0.05)
    site.running()
    people.refresh(site.deps)
    for whom, number in (("alice", 1), ("oneadmin", 0), ("alice", 1)):
        documents.chown(site.deps, Kind.SERVICE, 0, whom)
        site.drive(partial(belongs_to, site, number))


def test_a_vm_that_fails_to_boot_fails_its_role_and_recover_replaces_it(site: Site):
    site.service(a_role(vm_template=1))
    site.reach(ServiceState.FAILED_DEPLOYING)
    (broken,) = site.vms()
    assert any(f"VM {broken.id} failed" in line for line in site.log())
    del site.nebula.cloud.templates[1].template["SIM_FAILS"]
    services.recover(site.deps, 0)
    site.reach(ServiceState.RUNNING)
    assert [vm.state for vm in site.vms()] == [(3, 3)]
    assert broken not in site.vms()


def test_what_opennebula_refuses_is_in_the_log_in_its_words(site: Site):
    site.nebula.cloud.templates[0].template["SIM_REFUSES"] = "user [0] limit of 2 reached for VMS quota"
    site.hurry()
    site.service()
    site.reach(ServiceState.FAILED_DEPLOYING)
    assert any("limit of 2 reached" in line for line in site.log())
    assert site.vms() == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ((3, states.UNKNOWN), ServiceState.WARNING),
        ((states.POWEROFF, 0), ServiceState.WARNING),
        ((3, states.BOOT_FAILURE), ServiceState.WARNING),
    ],
)
def test_what_happens_to_a_vm_outside_is_seen(site: Site, state, expected):
    site.running()
    services.change(site.deps, 0, lambda tx, document: (document.body, "looked at"))
    site.nebula.cloud.put(site.vms()[0].id, state)
    site.watch(0.05)
    site.reach(expected)
    site.nebula.cloud.put(site.vms()[0].id, (3, 3))
    site.reach(ServiceState.RUNNING)


def test_a_vm_that_somebody_terminated_leaves_its_role(site: Site):
    site.running(a_role(cardinality=2))
    site.watch(0.05)
    site.nebula.cloud.put(site.vms()[0].id, states.ENDED)
    site.drive(lambda: len(site.nodes()) == 1)
    assert (site.body()["roles"][0]["cardinality"], site.state()) == (1, ServiceState.RUNNING)


def test_a_vm_that_is_only_hidden_from_us_is_not_taken_for_gone(site: Site):
    alice = site.nebula.cloud.add_user("alice", "alice's")
    mallory = site.nebula.cloud.add_user("mallory", "x")
    site.nebula.cloud.templates[0].bits = (1, 1, 0, 0, 0, 0, 1, 0, 0)
    (site.folder / "hers").mkdir()
    hers = Site(site.folder / "hers", site.nebula, "alice:alice's")
    hers.running()
    (vm,) = hers.vms()
    assert vm.uid == alice.id
    hers.watch(0.05)
    vm.uid, vm.gid = mallory.id, 0
    hers.drive(lambda: hers.nebula.calls["one.vm.info"] > 0)
    assert (len(hers.nodes()), hers.state()) == (1, ServiceState.RUNNING)


@pytest.mark.parametrize(
    ("action", "args", "state"),
    [
        ("undeploy", "", (states.UNDEPLOYED, 0)),
        ("stop", "", (states.STOPPED, 0)),
        ("suspend", "", (states.SUSPENDED, 0)),
        ("poweroff-hard", "", (states.POWEROFF, 0)),
        ("reboot-hard", "", (3, 3)),
        ("delete-recreate", "", (3, 3)),
    ],
)
def test_actions_reach_the_vms(site: Site, action, args, state):
    site.running()
    said = jobs.act(site.deps, 0, "web", Batch(action, args=args))
    assert said == f"Action:{action} scheduled on Role:web VMs:{site.vms()[0].id}"
    site.drive(lambda: any(f"Action:{action} done" in line for line in site.log()))
    assert site.vms()[0].state == state


def test_snapshots_are_made_reverted_and_deleted_with_their_arguments(site: Site):
    site.running()
    vm = site.vms()[0]
    for action, args in (
        ("snapshot-create", "before, the change"),
        ("snapshot-revert", "0"),
        ("snapshot-delete", "0"),
        ("disk-snapshot-create", "0,disk"),
        ("poweroff", ""),  # a disk goes back while its VM is off
        ("disk-snapshot-revert", "0,0"),
        ("disk-snapshot-delete", "0, 0"),
    ):
        settled(site, vm)
        jobs.act(site.deps, 0, "web", Batch(action, args=args))
        site.drive(partial(is_done, site, action))
    asked = [given for method, given in site.nebula.asked if "snapshot" in method]
    number = vm.id
    assert asked == [
        (number, "before, the change"),
        (number, 0),
        (number, 0),
        (number, 0, "disk"),
        (number, 0, 0),
        (number, 0, 0),
    ]


@pytest.mark.parametrize("args", ["", "one", "0,1"])
def test_a_snapshot_without_its_number_is_refused_before_anything_is_done(site: Site, args):
    site.running()
    with pytest.raises(InvalidInput, match="takes a number as args"):
        jobs.act(site.deps, 0, "web", Batch("snapshot-revert", args=args))


def test_an_action_that_opennebula_refuses_is_told(site: Site):
    site.running()
    jobs.act(site.deps, 0, "web", Batch("release"))
    site.drive(lambda: any("Action:release failed" in line for line in site.log()))
    assert any("not available for state" in line for line in site.log())


def test_chown_reaches_the_vms_those_that_are_made_later_too(site: Site):
    site.nebula.cloud.add_user("alice", "alice's")
    site.nebula.cloud.templates[0].bits = (1, 1, 0, 0, 0, 0, 1, 0, 0)
    site.running()
    people.refresh(site.deps)
    documents.chown(site.deps, Kind.SERVICE, 0, "alice", "users")
    site.drive(lambda: [vm.uid for vm in site.vms()] == [1])
    services.scale(site.deps, 0, Scale("web", 2))
    site.drive(lambda: [(vm.uid, vm.gid) for vm in site.vms()] == [(1, 1)] * 2)


def test_a_vm_template_that_is_not_there_is_refused_at_once(site: Site):
    with pytest.raises(InvalidInput, match="Role 'web': there is no VM template 7"):
        templates.create(site.deps, a_template(a_role(vm_template=7)))


def test_a_server_that_is_too_old_is_named(site: Site):
    site.nebula.cloud.version = (5, 10, 1)
    with pytest.raises(Refused, match=r"OpenNebula 5\.10\.1 at http://.* is older than 5\.12"):
        site.service()


@pytest.mark.parametrize("version", [(5, 12, 0), (6, 8, 2)])
def test_older_servers_will_do(site: Site, version):
    site.nebula.cloud.version = version
    site.running()
    site.end()
    assert site.vms() == []


def test_terminate_hard_is_what_the_role_asks_for(site: Site):
    site.running(a_role("web", shutdown_action="shutdown-hard"), a_role("db"), shutdown_action="shutdown")
    site.end()
    ended = {asked[0] for method, asked in site.nebula.asked if method == "one.vm.action"}
    assert ended == {"terminate", "terminate-hard"}


def test_a_vm_that_still_boots_is_deleted_as_it_cannot_be_terminated(site: Site):
    site.nebula.cloud.pace = 3600.0
    site.service()
    site.drive(lambda: len(site.vms()) == 1)
    site.nebula.cloud.pace = 0.01
    site.end()
    assert site.vms() == []
    assert site.nebula.calls["one.vm.recover"] == 1


def somebody_makes_a_vm(site: Site) -> None:
    cloud = site.nebula.cloud
    cloud.instantiate(cloud.users[0], cloud.templates[0], "of somebody else", False, {})


def belongs_to(site: Site, number: int) -> bool:
    return [vm.uid for vm in site.vms()] == [number]


def is_done(site: Site, action: str) -> bool:
    return any(f"Action:{action} done" in line for line in site.log())


def settled(site: Site, vm: Vm) -> None:
    while vm.path:
        site.vms()
