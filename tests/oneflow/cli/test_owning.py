"""What a service that runs is called, whose it is, and what is told of it: on each of the clouds."""

import json
import re

import pytest

from tests.oneflow.cli.homes import FlowHome

pytestmark = pytest.mark.scenario

POLICY = {"type": "CHANGE", "adjust": 1, "expression": "CPU > 80"}
WEB = {"name": "web", "vm_template": 0, "cooldown": 0, "min_vms": 1, "max_vms": 3}


def an_app(site: FlowHome, **changes: object) -> None:
    """A service 0 that runs, of the template 0, with one VM."""
    template = {"name": "app", "roles": [{**WEB, "elasticity_policies": [POLICY]}], **changes}
    site.run("template", "create", typed=json.dumps(template))
    site.run("template", "instantiate", 0)


def document(site: FlowHome):
    return site.run("show", 0, "-j").json["DOCUMENT"]


def test_a_service_is_renamed_and_found_by_its_new_name(site: FlowHome):
    an_app(site)
    site.run("rename", 0, "shop")
    assert site.run("show", "shop", "-j").json["DOCUMENT"]["NAME"] == "shop"
    site.run("scale", "shop", "web", 2)
    assert len(site.machines()) == 2


def test_a_service_is_given_to_another_user_and_removed_with_his_vms(site: FlowHome):
    an_app(site)
    site.add_user("alice")
    site.run("chown", 0, "alice", "users")
    site.run("chmod", 0, "640")
    shown = document(site)
    assert (shown["UNAME"], shown["GNAME"]) == ("alice", "users")
    assert (shown["PERMISSIONS"]["GROUP_U"], shown["PERMISSIONS"]["OTHER_U"]) == ("1", "0")
    site.run("delete", 0)
    assert site.machines() == {}


def test_only_services_that_are_done_are_purged(site: FlowHome):
    an_app(site)
    site.run("template", "instantiate", 0)
    site.run("shutdown", 0)
    site.run("purge-done")
    assert site.run("list", "-l", "ID,STATE", "--csv", "--no-header").out == "1,RUNNING\n"
    assert len(site.machines()) == 1


def test_recover_with_delete_removes_a_service_that_failed(site: FlowHome):
    site.fail_deploys()
    site.run("template", "create", typed=json.dumps({"name": "app", "roles": [WEB]}))
    site.run("template", "instantiate", 0, code=1)
    site.be_well()
    site.run("recover", 0, "--delete")
    assert (site.machines(), site.run("list", "-j").json) == ({}, {"DOCUMENT_POOL": {}})


def test_the_settings_of_a_service_that_runs_are_changed(site: FlowHome):
    an_app(site)
    body = document(site)["TEMPLATE"]["BODY"]
    body["roles"][0]["max_vms"] = 1
    site.run("update", 0, "-", typed=json.dumps(body))
    assert "Maximum cardinality is 1" in site.run("scale", 0, "web", 2, code=2).err
    site.run("update", 0, "--append", typed='{"description": "the web tier"}')
    assert document(site)["TEMPLATE"]["BODY"]["description"] == "the web tier"


def test_each_policy_is_explained(site: FlowHome):
    an_app(site)
    assert re.search(r"CPU\[.*\] > 80", site.run("explain", 0).out)
