"""`oneflow` as a process: what goes in, what comes out, and how it ends."""

import json

import pytest

from tests.oneflow.cli.conftest import WEB
from tests.oneflow.cli.homes import FlowHome
from tests.scenario.command import Home

ALICE = ("-u", "alice", "-p", "wonder")

pytestmark = pytest.mark.scenario


def test_a_template_goes_in_as_a_file_or_by_standard_input_as_json_or_yaml(site: FlowHome):
    assert site.run("template", "create", WEB).out == "ID: 0\n"
    yaml = "name: shop\nroles: [{name: web, vm_template: 0}]\n"
    made = site.run("template", "create", "-j", typed=yaml).json
    assert made["DOCUMENT"]["NAME"] == "shop"
    assert site.run("template", "list", "-l", "ID,NAME", "--csv", "--no-header").out == (
        "0,web-application\n1,shop\n"
    )


def test_the_template_of_the_specification_is_stored_as_printed_there(site: FlowHome):
    body = site.run("template", "create", WEB, "-j").json["DOCUMENT"]["TEMPLATE"]["BODY"]
    frontend, worker = body["roles"]
    assert (body["deployment"], body["shutdown_action"]) == ("straight", "shutdown")
    assert (frontend["cardinality"], frontend["vm_template"], frontend["min_vms"]) == (1, 0, 1)
    assert frontend["elasticity_policies"][0]["period_number"] == 30
    assert (worker["parents"], worker["cooldown"], worker["scheduled_policies"]) == (["frontend"], 240, [])


def test_an_expression_that_oneflow_takes_otherwise_is_told(site: FlowHome):
    policy = {"type": "CHANGE", "adjust": 1, "expression": "CPU > 9 & A > 1 | B > 1"}
    bounds = {"min_vms": 1, "max_vms": 2, "elasticity_policies": [policy]}
    roles = [{"name": "web", "vm_template": 0, **bounds}]
    made = site.run("template", "create", typed=json.dumps({"name": "shop", "roles": roles}))
    assert made.out == "ID: 0\n"
    assert "note: role web: 'CPU > 9 & A > 1 | B > 1' means something else here" in made.err


def test_names_are_accepted_wherever_ids_are(site: FlowHome):
    site.run("template", "create", WEB)
    site.run("template", "clone", "web-application", "copy")
    site.run("template", "rename", "copy", "shop")
    site.run("template", "chmod", "web-application,shop", "640")
    shown = site.run("template", "show", "shop", "-j").json["DOCUMENT"]
    assert (shown["ID"], shown["PERMISSIONS"]["GROUP_U"]) == ("1", "1")
    site.run("template", "delete", "0..1")
    assert site.run("template", "list", "-j").json == {"DOCUMENT_POOL": {}}


def test_a_list_with_a_slip_in_it_changes_nothing(site: FlowHome):
    site.run("template", "create", WEB)
    site.run("template", "delete", "0,7", code=3)
    assert site.run("template", "list", "-l", "ID", "--csv", "--no-header").out == "0\n"


def test_update_takes_a_whole_body_or_what_changes(site: FlowHome):
    site.run("template", "create", WEB)
    site.run("template", "update", "0", "--append", typed='{"description": "the web tier"}')
    body = site.run("template", "show", "0", "-j").json["DOCUMENT"]["TEMPLATE"]["BODY"]
    assert (body["description"], len(body["roles"])) == ("the web tier", 2)
    body["roles"] = body["roles"][:1]
    site.run("template", "update", "0", "-", typed=json.dumps(body))
    shown = site.run("template", "show", "0", "-j").json
    assert len(shown["DOCUMENT"]["TEMPLATE"]["BODY"]["roles"]) == 1


def test_a_vm_template_is_made_changed_and_used_by_its_number(flow: Home):
    # Those of an OpenNebula are made there, with its own commands.
    flow.run("vm-template", "create", typed='{"name": "small", "driver": "dummy"}')
    flow.run("vm-template", "update", "small", "--append", typed='{"description": "one core"}')
    shown = flow.run("vm-template", "show", 1, "-j").json["DOCUMENT"]
    assert (shown["NAME"], shown["TEMPLATE"]["BODY"]["description"]) == ("small", "one core")
    assert "small" in flow.run("vm-template", "list").out
    flow.run("vm-template", "delete", "small")
    flow.run("vm-template", "show", "small", code=3)


@pytest.mark.parametrize(
    ("argv", "typed", "code", "said"),
    [
        (("show", "9"), "", 3, "there is no service 9"),
        (("show", "shop"), "", 3, "service 'shop' not found"),
        (("template", "create"), "", 2, "empty"),
        (("template", "create"), "{", 2, "standard input"),
        (("template", "create"), "[]", 2, ""),
        (("template", "create", "/nowhere.json"), "", 2, "/nowhere.json"),
        (("scale", "0", "web", "-1"), "", 2, "-1"),
        (("action", "0", "web", "dance"), "", 2, "dance"),
        (("chmod", "0", "999"), "", 2, "999"),
        (("chmod", "0", "g+z"), "", 2, "u+m,go-a"),
        (("chmod", "0", "640"), "", 3, "there is no service 0"),
        (("list", *ALICE, "--server", "ftp://nowhere"), "", 2, "is no URL"),
        (("list", *ALICE, "--server", "http://127.0.0.1:9"), "", 1, "cannot reach http://127.0.0.1:9"),
    ],
)
def test_errors_are_sentences_on_stderr_with_a_code_of_their_own(site: FlowHome, argv, typed, code, said):
    answer = site.run(*argv, code=code, typed=typed)
    assert answer.out == ""
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_a_server_asks_who_we_are(site: FlowHome):
    answer = site.run("list", "--server", "http://127.0.0.1:9", "-u", "alice", code=4)
    assert "ONEFLOW_PASSWORD" in answer.err


def test_accounts_are_those_of_the_state_file_and_count_what_they_own(flow: Home):
    # Users of an OpenNebula are its own: tests/oneflow/nebula/test_people.py.
    flow.run("user", "create", "alice")
    flow.run("template", "create", WEB)
    flow.run("template", "chown", 0, "alice")
    answer = flow.run("user", "delete", "alice", code=5)
    assert "owns document 0 ('web-application')" in answer.err
    flow.run("template", "delete", 0)
    flow.run("user", "delete", "alice")
    assert "alice" not in flow.run("user", "list").out


def test_vms_of_an_opennebula_have_a_onegate_already(nebula: FlowHome):
    for argv in (("serve", "--gate", "--port", "0"), ("vm", "token", 0)):
        answer = nebula.run(*argv, code=1)
        assert "VMs of an OpenNebula speak to its own OneGate" in answer.err
        assert ":oneflow_server:" in answer.err


def test_accounts_are_not_managed_at_a_distance(site: FlowHome):
    answer = site.run("--server", "http://127.0.0.1:9", "user", "list", code=2)
    assert "needs the machine's own store" in answer.err


def test_the_template_commands_are_a_program_of_their_own(flow: Home, tmp_path):
    flow.run("template", "create", WEB)
    other = Home(tmp_path, program="tests.oneflow.cli.template_program")
    assert other.run("list", "-l", "NAME", "--csv", "--no-header").out == "web-application\n"
    assert "oneflow-template" in other.run("--version").out
