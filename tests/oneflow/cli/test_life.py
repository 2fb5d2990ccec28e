"""A service from its template to its end, as people type it: the order of its roles, failures, and kills."""

import json

import pytest

from tests.oneflow.cli.conftest import WEB
from tests.scenario.command import Home

pytestmark = pytest.mark.scenario

ONE_ROLE = json.dumps({"name": "app", "roles": [{"name": "web", "vm_template": 0, "cooldown": 0}]})


def service(flow: Home, number: int = 0):
    return flow.run("show", number, "-j").json["DOCUMENT"]["TEMPLATE"]["BODY"]


def state(flow: Home, number: int = 0) -> str:
    row = flow.run("list", "-l", "STATE", "-f", f"ID={number}", "--csv", "--no-header").out
    return row.strip()


def an_app(flow: Home, **changes: object) -> None:
    flow.run("template", "create", typed=json.dumps(json.loads(ONE_ROLE) | changes))


def test_the_template_of_the_specification_runs_with_the_frontend_before_any_worker(flow: Home):
    flow.run("template", "create", WEB)
    answer = flow.run("template", "instantiate", "0", "--wait")
    assert answer.out == "ID: 0\n"
    assert state(flow) == "RUNNING"
    told = [f"{line['action']}: {line['text']}" for line in flow.run("logs", 0, "-j").json["lines"]]
    frontend_runs = next(at for at, line in enumerate(told) if "Role frontend: RUNNING" in line)
    worker_begins = next(at for at, line in enumerate(told) if "worker" in line)
    assert frontend_runs < worker_begins
    assert len(flow.machines()) == 3


def test_a_service_is_scaled_shut_down_and_deleted(flow: Home):
    an_app(flow)
    flow.run("template", "instantiate", "app")
    flow.run("scale", "app", "web", 3)
    assert (state(flow), len(flow.machines())) == ("RUNNING", 3)
    flow.run("scale", "app", "web", 1)
    assert len(flow.machines()) == 1
    flow.run("shutdown", "app")
    assert (state(flow), flow.machines()) == ("DONE", {})
    flow.run("delete", "app")
    flow.run("show", 0, code=3)


def test_delete_removes_the_vms_before_the_service(flow: Home):
    an_app(flow)
    flow.run("template", "instantiate", 0, "-m", 2)
    assert len(flow.machines()) == 2
    flow.run("delete", "0..1")
    assert (flow.machines(), flow.run("list", "-j").json) == ({}, {"DOCUMENT_POOL": {}})


def test_what_is_not_waited_for_is_carried_out_by_recover(flow: Home):
    an_app(flow)
    answer = flow.run("template", "instantiate", 0, "--no-wait")
    assert "oneflow recover 0" in answer.err
    assert (state(flow), flow.machines()) == ("PENDING", {})
    flow.run("recover", 0)
    assert (state(flow), len(flow.machines())) == ("RUNNING", 1)


def test_a_service_that_fails_ends_with_1_and_says_why_and_is_recovered(flow: Home):
    flow.rehearse("FAIL=deploy")
    an_app(flow, deploy_timeout=600)
    failed = flow.run("template", "instantiate", 0, code=1)
    assert failed.out == "ID: 0\n"
    assert "service 0 is FAILED_DEPLOYING" in failed.err
    assert "oneflow recover 0" in failed.err
    flow.rehearse()
    flow.run("recover", 0)
    assert (state(flow), len(flow.machines())) == ("RUNNING", 1)


def test_waiting_ends_with_124_after_the_time_that_one_wants_to_wait(flow: Home):
    an_app(flow, ready_status_gate=True)
    late = flow.run("template", "instantiate", 0, "--wait-timeout", 1, code=124)
    assert "oneflow logs 0 --follow" in late.err
    assert state(flow) in ("PENDING", "DEPLOYING")
    flow.run("delete", 0)
    assert flow.machines() == {}


def test_ctrl_c_stops_waiting_in_order(flow: Home):
    an_app(flow, ready_status_gate=True)
    waiting = flow.start("template", "instantiate", 0)
    waiting.says("ready: the provider says it runs")
    waiting.signal()
    assert "oneflow recover 0" in waiting.end(130).err


def test_roles_come_and_go_while_it_runs(flow: Home):
    an_app(flow)
    flow.run("template", "instantiate", 0)
    flow.run("add-role", 0, typed='{"name": "cache", "vm_template": 0, "cardinality": 2}')
    assert (state(flow), len(flow.machines())) == ("RUNNING", 3)
    flow.run("remove-role", 0, "cache")
    assert ([role["name"] for role in service(flow)["roles"]], len(flow.machines())) == (["web"], 1)


def test_the_rest_of_a_batch_is_listed_and_cancelled(flow: Home):
    an_app(flow, roles=[{"name": "web", "vm_template": 0, "cardinality": 2}])
    flow.run("template", "instantiate", 0)
    flow.run("action", 0, "web", "reboot", "-p", 600, "-n", 1, "--no-wait")
    (job,) = service(flow)["sched_actions"]
    assert "SCHEDULED ACTIONS" in flow.run("show", 0).out
    flow.run("sched-delete", 0, "web", job["id"])
    assert "sched_actions" not in service(flow)


def test_a_service_on_hold_waits_for_its_release(flow: Home):
    an_app(flow, on_hold=True)
    flow.run("template", "instantiate", 0)
    assert (state(flow), flow.machines()) == ("HOLD", {})
    flow.run("release", 0)
    assert (state(flow), len(flow.machines())) == ("RUNNING", 1)


@pytest.mark.parametrize("after", ["DEPLOYING: accepted", "creating: deploy"])
@pytest.mark.parametrize("carry_on", [("recover", 0), ("delete", 0)])
def test_what_a_killed_command_began_the_next_one_carries_on(flow: Home, after: str, carry_on):
    flow.rehearse("LATENCY=0.3")
    an_app(flow, roles=[{"name": "web", "vm_template": 0, "cardinality": 4}])
    waiting = flow.start("template", "instantiate", 0)
    waiting.says(after)
    waiting.kill()
    flow.run(*carry_on)
    if carry_on[0] == "recover":
        nodes = service(flow)["roles"][0]["nodes"]
        assert (state(flow), len(nodes), len(flow.machines())) == ("RUNNING", 4, 4)
    else:
        assert flow.machines() == {}


def test_a_killed_scale_is_carried_on_by_the_next(flow: Home):
    an_app(flow)
    flow.run("template", "instantiate", 0)
    flow.rehearse("LATENCY=0.3")
    waiting = flow.start("scale", 0, "web", 4)
    waiting.says("creating: deploy")
    waiting.kill()
    flow.run("scale", 0, "web", 5)
    assert (state(flow), len(flow.machines())) == ("RUNNING", 5)


def test_an_action_is_carried_out_on_every_vm_of_a_role(flow: Home):
    an_app(flow, roles=[{"name": "web", "vm_template": 0, "cardinality": 2}])
    flow.run("template", "instantiate", 0)
    flow.run("action", 0, "web", "poweroff")
    stats = flow.run("vm", "list", "-l", "STAT", "--csv", "--no-header").out.split()
    assert (state(flow), stats) == ("WARNING", ["poff", "poff"])
    flow.run("service", "action", 0, "resume")
    assert state(flow) == "RUNNING"


def test_without_a_server_recover_looks_before_it_says_that_nothing_is_wrong(flow: Home):
    an_app(flow, roles=[{"name": "web", "vm_template": 0, "cardinality": 2}])
    flow.run("template", "instantiate", 0)
    assert "nothing of it failed" in flow.run("recover", 0, code=5).err
    machine = flow.cloud / "machines" / min(flow.machines())
    machine.write_text(machine.read_text().replace("STATE=running", "STATE=off"))
    flow.run("recover", 0)
    assert (state(flow), len(flow.machines())) == ("RUNNING", 2)
    assert "STATE=running" in machine.read_text()


def test_a_vm_that_went_away_leaves_its_role_and_scale_makes_another(flow: Home):
    an_app(flow, roles=[{"name": "web", "vm_template": 0, "cardinality": 2, "cooldown": 0}])
    flow.run("template", "instantiate", 0)
    (flow.cloud / "machines" / min(flow.machines())).unlink()
    assert "1 machine went away" in flow.run("recover", 0, code=5).err
    flow.run("scale", 0, "web", 2)
    assert (state(flow), len(flow.machines())) == ("RUNNING", 2)
