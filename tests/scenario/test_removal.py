"""What is removed, in which order, and what protects it; nothing is called gone that may still be there."""

import json
import re

import pytest

from tests.scenario.command import ONCE, Home, edit

pytestmark = pytest.mark.scenario


def test_del_host_by_amount_takes_empty_hosts_first_and_the_newest_of_them(home: Home):
    home.create(hosts=4)
    edit(home.machine_of(3), "VMS=7,8")
    home.run("del-host", 0, "--amount", 2)
    assert home.host_ids() == [0, 3]


def test_del_host_names_its_victims_before_it_acts(home: Home):
    home.create(hosts=3)
    lines = home.run("del-host", 0, "--amount", 2).err.splitlines()
    plans = [i for i, line in enumerate(lines) if "plan: remove host" in line]
    acts = [i for i, line in enumerate(lines) if ": cancel" in line]
    assert re.search("remove host 2 .*: empty, and the newest", lines[plans[0]])
    assert "remove host 1 " in lines[plans[1]]
    assert max(plans) < min(acts)


def test_hosts_with_work_are_protected_from_del_host(home: Home):
    home.create(hosts=2)
    edit(home.machine_of(1), "VMS=7,8")
    before = home.machines()
    refused = home.run("del-host", 0, "--host-ids", 1, "-j", code=5)
    assert refused.error["context"] == {"hosts": {"1": {"vm": ["7", "8"]}}}
    assert refused.error["exit_code"] == 5
    assert "host 1 (VMs 7, 8)" in refused.error["message"]
    assert (home.state(), home.machines()) == ("RUNNING", before)
    home.run("del-host", 0, "--host-ids", 1, "--force")
    assert home.host_ids() == [0]


def test_hosts_with_work_are_protected_from_deprovision(home: Home):
    home.create(hosts=2)
    edit(home.machine_of(0), "VMS=7,8")
    before = home.machines()
    refused = home.run("deprovision", 0, "--yes", "-j", code=5)
    assert refused.error["context"] == {"hosts": {"0": {"vm": ["7", "8"]}}}
    assert "--force" in refused.error["hint"]
    assert (home.state(), home.machines()) == ("RUNNING", before)
    home.run("deprovision", 0, "--yes", "--force")
    assert (home.state(), home.machines()) == ("DONE", {})


def test_hosts_whose_work_nobody_can_tell_are_protected_too(home: Home):
    home.create(hosts=2, options=("--fail-sleep", "0"))
    home.rehearse("FAIL=list")
    refused = home.run("del-host", 0, "--host-ids", 1, code=5)
    assert "nobody can tell what runs on host 1" in refused.err
    assert len(home.machines()) == 2


def test_the_last_host_is_not_removed_by_del_host(home: Home):
    home.create(hosts=2)
    refused = home.run("del-host", 0, "--amount", 2, code=2)
    assert "oneprovision deprovision 0" in refused.err
    assert len(home.machines()) == 2


def test_deprovision_that_cannot_remove_a_machine_lists_it_and_retry_ends_it(home: Home):
    home.create(options=("--fail-sleep", "0.01"), hosts=3)
    stubborn = home.machine_of(1)
    edit(stubborn, "FAIL=cancel")
    failed = home.run("deprovision", 0, "--yes", code=1)
    assert "provision 0 is DEPROVISIONING_FAILURE" in failed.err
    assert stubborn.name in failed.err
    assert f"dummy-{stubborn.name.removeprefix('provision-')}" in failed.err
    assert list(home.machines()) == [stubborn.name]
    assert stubborn.name in home.show()["error"]
    edit(stubborn, "FAIL=")
    home.run("retry", 0)
    assert (home.state(), home.machines()) == ("DONE", {})


def test_a_driver_that_lies_is_not_believed(impatient: Home):
    impatient.create(options=ONCE, hosts=2)
    edit(impatient.machine_of(1), "LIE=cancel")
    failed = impatient.run("deprovision", 0, "--yes", code=1)
    assert "the provider still lists it" in failed.err
    assert (impatient.state(), len(impatient.machines())) == ("DEPROVISIONING_FAILURE", 1)
    edit(next((impatient.cloud / "machines").iterdir()), "LIE=")
    impatient.run("retry", 0)
    assert (impatient.state(), impatient.machines()) == ("DONE", {})


def test_a_machine_that_somebody_else_removed_is_no_failure(home: Home):
    home.create(hosts=2)
    home.machine_of(0).unlink()
    home.run("deprovision", 0, "--yes")
    assert (home.state(), home.machines()) == ("DONE", {})


def test_delete_wants_a_provision_that_is_done(home: Home):
    home.create(hosts=1)
    refused = home.run("delete", 0, code=5)
    assert "oneprovision deprovision 0" in refused.err
    home.run("deprovision", 0, "--yes")
    home.run("delete", 0)
    home.run("show", 0, code=3)


def test_delete_force_removes_everything_first(home: Home):
    home.create("input.public_ips=1", hosts=2)
    home.run("delete", 0, "--force", code=2)
    home.run("delete", 0, "--force", "--yes")
    assert (home.machines(), home.addresses()) == ({}, {})
    home.run("show", 0, code=3)


def test_delete_from_db_prints_what_it_leaves(home: Home):
    home.create("input.public_ips=1", hosts=2)
    ids = [host["resource_id"] for host in home.show()["one_objects"]["hosts"]]
    told = home.run("delete", 0, "--from-db", "--yes")
    rows = [line.split() for line in told.out.splitlines()]
    assert [row[0] for row in rows] == ["machine", "machine", "address"]
    assert [row[3] for row in rows[:2]] == ids
    assert {row[1] for row in rows[:2]} == set(home.machines())
    assert "3 left at the providers" in told.err
    home.run("show", 0, code=3)


def test_deprovision_of_what_never_began_needs_no_driver(counting: Home):
    counting.create(options=("--no-wait",), hosts=2)
    counting.run("deprovision", 0, "--yes")
    assert (counting.state(), counting.calls()) == ("DONE", [])


def test_deprovision_twice_is_refused_the_second_time(home: Home):
    home.create(hosts=1)
    home.run("deprovision", 0, "--yes")
    refused = home.run("deprovision", 0, "--yes", "-j", code=5)
    assert "oneprovision delete 0" in refused.error["hint"]


def test_deprovision_prints_the_document_in_json(home: Home):
    home.create(hosts=1)
    body = json.loads(home.run("deprovision", 0, "--yes", "-j").out)["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]
    assert body["state"] == "DONE"
    assert body["one_objects"] == {"cluster": {}, "hosts": [], "networks": [], "datastores": []}


@pytest.mark.parametrize(
    "removal", [("del-host", 0, "--host-ids", 0), ("remove-ip", 0, 0), ("deprovision", 0, "--yes")]
)
def test_how_often_a_removal_is_tried_can_be_said_with_it(home: Home, removal: tuple[object, ...]):
    home.create("input.public_ips=1", hosts=2)
    home.rehearse("FAIL=cancel,release_ip")
    failed = home.run(*removal, "--fail-retry", 2, "--fail-sleep", 0, code=1)
    tries = [line for line in failed.err.splitlines() if re.search(": (cancel|release_ip): ", line)]
    assert len(tries) % 3 == 0
    assert tries
