"""A service from its template to its end, as people type it: the order of its roles, failures, and kills."""

import json

import pytest

from tests.oneflow.cli.conftest import WEB
from tests.oneflow.cli.homes import FlowHome

pytestmark = pytest.mark.scenario

ONE_ROLE = json.dumps({"name": "app", "roles": [{"name": "web", "vm_template": 0, "cooldown": 0}]})


def service(site: FlowHome, number: int = 0):
    return site.run("show", number, "-j").json["DOCUMENT"]["TEMPLATE"]["BODY"]


def state(site: FlowHome, number: int = 0) -> str:
    row = site.run("list", "-l", "STATE", "-f", f"ID={number}", "--csv", "--no-header").out
    return row.strip()


def an_app(site: FlowHome, **changes: object) -> None:
    site.run("template", "create", typed=json.dumps(json.loads(ONE_ROLE) | changes))


def test_the_template_of_the_specification_runs_with_the_frontend_before_any_worker(site: FlowHome):
    site.run("template", "create", WEB)
    answer = site.run("template", "instantiate", "0", "--wait")
    assert answer.out == "ID: 0\n"
    assert state(site) == "RUNNING"
    told = [f"{line['action']}: {line['text']}" for line in site.run("logs", 0, "-j").json["lines"]]
    frontend_runs = next(at for at, line in enumerate(told) if "Role frontend: RUNNING" in line)
    worker_begins = next(at for at, line in enumerate(told) if "worker" in line)
    assert frontend_runs < worker_begins
    assert len(site.machines()) == 3


def test_a_service_is_scaled_shut_down_and_deleted(site: FlowHome):
    an_app(site)
    site.run("template", "instantiate", "app")
    site.run("scale", "app", "web", 3)
    assert (state(site), len(site.machines())) == ("RUNNING", 3)
    site.run("scale", "app", "web", 1)
    assert len(site.machines()) == 1
    site.run("shutdown", "app")
    assert (state(site), site.machines()) == ("DONE", {})
    site.run("delete", "app")
    site.run("show", 0, code=3)


def test_delete_removes_the_vms_before_the_service(site: FlowHome):
    an_app(site)
    site.run("template", "instantiate", 0, "-m", 2)
    assert len(site.machines()) == 2
    site.run("delete", "0..1")
    assert (site.machines(), site.run("list", "-j").json) == ({}, {"DOCUMENT_POOL": {}})


def test_what_is_not_waited_for_is_carried_out_by_recover(site: FlowHome):
    an_app(site)
    answer = site.run("template", "instantiate", 0, "--no-wait")
    assert "oneflow recover 0" in answer.err
    assert (state(site), site.machines()) == ("PENDING", {})
    site.run("recover", 0)
    assert (state(site), len(site.machines())) == ("RUNNING", 1)


def test_a_service_that_fails_ends_with_1_and_says_why_and_is_recovered(site: FlowHome):
    site.fail_deploys()
    an_app(site, deploy_timeout=600)
    failed = site.run("template", "instantiate", 0, code=1)
    assert failed.out == "ID: 0\n"
    assert "service 0 is FAILED_DEPLOYING" in failed.err
    assert "oneflow recover 0" in failed.err
    site.be_well()
    site.run("recover", 0)
    assert (state(site), len(site.machines())) == ("RUNNING", 1)


def test_waiting_ends_with_124_after_the_time_that_one_wants_to_wait(site: FlowHome):
    an_app(site, ready_status_gate=True)
    late = site.run("template", "instantiate", 0, "--wait-timeout", 1, code=124)
    assert "oneflow logs 0 --follow" in late.err
    assert state(site) in ("PENDING", "DEPLOYING")
    site.run("delete", 0)
    assert site.machines() == {}


def test_ctrl_c_stops_waiting_in_order(site: FlowHome):
    an_app(site, ready_status_gate=True)
    waiting = site.start("template", "instantiate", 0)
    waiting.says("ready: the provider says it runs")
    waiting.signal()
    assert "oneflow recover 0" in waiting.end(130).err


def test_roles_come_and_go_while_it_runs(site: FlowHome):
    an_app(site)
    site.run("template", "instantiate", 0)
    site.run("add-role", 0, typed='{"name": "cache", "vm_template": 0, "cardinality": 2}')
    assert (state(site), len(site.machines())) == ("RUNNING", 3)
    site.run("remove-role", 0, "cache")
    assert ([role["name"] for role in service(site)["roles"]], len(site.machines())) == (["web"], 1)


def test_the_rest_of_a_batch_is_listed_and_cancelled(site: FlowHome):
    an_app(site, roles=[{"name": "web", "vm_template": 0, "cardinality": 2}])
    site.run("template", "instantiate", 0)
    site.run("action", 0, "web", "reboot", "-p", 600, "-n", 1, "--no-wait")
    (job,) = service(site)["sched_actions"]
    assert "SCHEDULED ACTIONS" in site.run("show", 0).out
    site.run("sched-delete", 0, "web", job["id"])
    assert "sched_actions" not in service(site)


def test_a_service_on_hold_waits_for_its_release(site: FlowHome):
    an_app(site, on_hold=True)
    site.run("template", "instantiate", 0)
    assert (state(site), site.machines()) == ("HOLD", {})
    site.run("release", 0)
    assert (state(site), len(site.machines())) == ("RUNNING", 1)


@pytest.mark.parametrize("after", ["DEPLOYING: accepted", "creating: deploy"])
@pytest.mark.parametrize("carry_on", [("recover", 0), ("delete", 0)])
def test_what_a_killed_command_began_the_next_one_carries_on(site: FlowHome, after: str, carry_on):
    site.be_slow()
    an_app(site, roles=[{"name": "web", "vm_template": 0, "cardinality": 4}])
    waiting = site.start("template", "instantiate", 0)
    waiting.says(after)
    waiting.kill()
    site.run(*carry_on)
    if carry_on[0] == "recover":
        nodes = service(site)["roles"][0]["nodes"]
        assert (state(site), len(nodes), len(site.machines())) == ("RUNNING", 4, 4)
    else:
        assert site.machines() == {}


def test_a_killed_scale_is_carried_on_by_the_next(site: FlowHome):
    an_app(site)
    site.run("template", "instantiate", 0)
    site.be_slow()
    waiting = site.start("scale", 0, "web", 4)
    waiting.says("creating: deploy")
    waiting.kill()
    site.run("scale", 0, "web", 5)
    assert (state(site), len(site.machines())) == ("RUNNING", 5)


def test_what_a_service_that_runs_has_still_to_do_is_carried_out_by_recover(site: FlowHome):
    roles = [{"name": name, "vm_template": 0, "cooldown": 0} for name in ("web", "extra")]
    an_app(site, roles=roles)
    site.run("template", "instantiate", 0)
    site.be_slow()
    site.run("remove-role", 0, "extra", "--no-wait")
    site.run("recover", 0)
    assert ([role["name"] for role in service(site)["roles"]], len(site.machines())) == (["web"], 1)


def test_an_action_is_carried_out_on_every_vm_of_a_role(site: FlowHome):
    an_app(site, roles=[{"name": "web", "vm_template": 0, "cardinality": 2}])
    site.run("template", "instantiate", 0)
    site.run("action", 0, "web", "poweroff")
    stats = site.run("vm", "list", "-l", "STAT", "--csv", "--no-header").out.split()
    assert (state(site), stats) == ("RUNNING", ["poff", "poff"])
    site.run("service", "action", 0, "resume")
    stats = site.run("vm", "list", "-l", "STAT", "--csv", "--no-header").out.split()
    assert (state(site), stats) == ("RUNNING", ["runn", "runn"])


def test_without_a_server_recover_looks_before_it_says_that_nothing_is_wrong(site: FlowHome):
    an_app(site, roles=[{"name": "web", "vm_template": 0, "cardinality": 2}])
    site.run("template", "instantiate", 0)
    assert "nothing of it failed" in site.run("recover", 0, code=5).err
    site.stop_one()
    assert site.running() == 1
    site.run("recover", 0)
    assert (state(site), len(site.machines())) == ("RUNNING", 2)
    assert site.running() == 2


def test_a_vm_that_went_away_leaves_its_role_and_scale_makes_another(site: FlowHome):
    an_app(site, roles=[{"name": "web", "vm_template": 0, "cardinality": 2, "cooldown": 0}])
    site.run("template", "instantiate", 0)
    site.remove_one()
    assert "1 machine went away" in site.run("recover", 0, code=5).err
    site.run("scale", 0, "web", 2)
    assert (state(site), len(site.machines())) == ("RUNNING", 2)
