"""A provision from its creation to its end: numbers, names, states, and no work done twice."""

import json

import pytest
import yaml

from tests.scenario.command import CLUSTER, EXAMPLES, ONCE, Home

pytestmark = pytest.mark.scenario

MADE = ["INIT", "PLANNING", "APPLYING", "CONFIGURING_ONE", "CONFIGURING_PROVISION", "RUNNING"]
SCALED = ["SCALING", "RUNNING"]
SHRUNK = ["DEPROVISIONING_ONE", "DEPROVISIONING", "RUNNING"]
ENDED = ["DEPROVISIONING_ONE", "DEPROVISIONING", "DONE"]


def test_the_must_show_lines_in_order(home: Home):
    created = home.run("create", CLUSTER, "-j")
    assert created.json["DOCUMENT"]["ID"] == "0"
    assert created.body["state"] == "RUNNING"
    assert [host["id"] for host in created.body["one_objects"]["hosts"]] == [0, 1, 2]
    home.run("add-host", "0", "--amount", "2")
    home.run("del-host", "0", "--host-ids", "3,4")
    home.run("add-ip", "0", "--amount", "1")
    home.run("remove-ip", "0", "0")
    home.run("retry", "0", "--force")
    assert (len(home.machines()), home.addresses()) == (3, {})
    home.run("deprovision", "0", "--yes")
    assert home.machines() == {}
    assert home.states() == [*MADE, *SCALED, *SHRUNK, *SCALED, *SCALED, *SCALED, *ENDED]


def test_ids_count_from_0_per_kind_and_are_never_given_again(home: Home):
    first = home.create(hosts=2).out
    home.run("add-host", 0)
    home.run("del-host", 0, "--host-ids", 2)
    home.run("add-host", 0)
    assert home.host_ids() == [0, 1, 3]
    home.rehearse("FAIL=deploy")
    home.run("add-host", 0, *ONCE, "--fail-cleanup", code=1)
    home.rehearse()
    home.run("deprovision", 0, "--yes")
    home.run("delete", 0)
    again = home.create(hosts=1)
    assert (first, again.out) == ("ID: 0\n", "ID: 1\n")
    body = home.show(1)
    assert home.host_ids(1) == [5]
    assert body["one_objects"]["cluster"]["id"] == 1
    assert [each["id"] for each in body["one_objects"]["networks"]] == [2, 3]
    assert [each["id"] for each in body["one_objects"]["datastores"]] == [2, 3]


def test_a_refused_template_takes_no_number(home: Home):
    home.create("defaults.provision.driver=nobody", code=3)
    assert home.create(hosts=1).out == "ID: 0\n"


def test_names_are_accepted_wherever_ids_are(home: Home):
    home.create("input.public_ips=1", options=("--name", "web"), hosts=2)
    home.run("add-host", "web", "--amount", 1)
    home.run("del-host", "web", "--host-ids", "web-0,web-2")
    assert home.host_ids("web") == [1]
    home.run("add-ip", "web", "--network", "dummy-cluster-public", code=3)
    home.run("add-ip", "web", "--network", "web-public")
    home.run("remove-ip", "web", 1)
    home.run("retry", "web", "--force")
    home.run("configure", "web", "--force")
    home.run("logs", "web")
    home.run("chmod", "web", "640")
    home.run("chown", "web", "oneadmin", "users")
    home.run("rename", "web", "shop")
    home.run("deprovision", "shop", "--yes")
    # Who is over is found by his name as long as nobody else has it.
    assert home.state("shop") == "DONE"
    home.run("delete", "shop")
    home.run("show", "shop", code=3)


def test_a_name_means_the_living_provision_before_one_that_is_over(home: Home):
    home.create(hosts=1)
    home.run("deprovision", "dummy-cluster", "--yes")
    home.create(hosts=1)
    assert home.run("show", "dummy-cluster", "-j").json["DOCUMENT"]["ID"] == "1"


def test_several_provisions_are_named_by_lists_and_ranges(home: Home):
    for name in ("a", "b", "c", "d"):
        home.create(options=("--name", name, "--no-wait"), hosts=1)
    home.run("retry", "0,2..3")
    assert [home.state(i) for i in range(4)] == ["RUNNING", "PENDING", "RUNNING", "RUNNING"]
    home.run("chmod", "a,1..2", "600")
    home.run("deprovision", "b,0..3", "--yes")
    home.run("delete", "0..3")
    assert home.run("list", "--all", "-l", "ID", "--csv", "--no-header").out == ""


def test_create_without_waiting_is_carried_out_by_retry(home: Home):
    answer = home.create(options=("--no-wait",), hosts=1)
    assert "oneprovision retry 0" in answer.err
    assert (home.state(), home.machines()) == ("PENDING", {})
    home.run("retry", 0)
    assert home.states() == MADE


def test_a_failed_create_says_what_failed_and_how_to_go_on(home: Home):
    home.rehearse("FAIL=deploy")
    failed = home.create(options=ONCE, code=1, hosts=1)
    assert home.states() == [*MADE[:3], "APPLYING_FAILURE"]
    assert "provision 0 is APPLYING_FAILURE" in failed.err
    assert "told to fail" in failed.err
    assert "oneprovision retry 0" in failed.err
    assert failed.out == ""


def test_retry_repeats_no_finished_work(counting: Home):
    counting.rehearse("CAPACITY=2")
    counting.create(options=(*ONCE, "--threads", "1"), code=1)
    assert (counting.count("deploy"), len(counting.machines())) == (3, 2)
    before = counting.machines()
    counting.rehearse()
    counting.run("retry", 0)
    assert counting.count("deploy") == 4
    assert before.items() <= counting.machines().items()


def test_retry_of_what_runs_needs_force_and_then_changes_nothing(counting: Home):
    counting.create(hosts=2)
    refused = counting.run("retry", 0, code=5)
    assert "oneprovision retry 0 --force" in refused.err
    before = counting.machines()
    counting.run("retry", 0, "--force")
    assert (counting.count("deploy"), counting.machines()) == (2, before)


def test_configure_asks_for_force_once_it_is_done(home: Home):
    home.create(hosts=1)
    assert "already configured" in home.run("configure", 0, code=5).err
    home.run("configure", 0, "--force")
    assert home.states() == [*MADE, "CONFIGURING_PROVISION", "RUNNING"]


def test_a_dumped_template_evaluates_to_the_same_again(home: Home):
    given = ("--set", "input.hosts=2", "--set", "input.public_ips=2")
    for example in ("dummy-cluster", "legacy-5.8", "rehearsal"):
        sets = () if example.startswith("legacy") else given
        dumped = home.run("validate", EXAMPLES / f"{example}.yaml", "--dump", *sets).out
        file = home.folder / f"{example}.yaml"
        file.write_text(dumped)
        assert yaml.safe_load(home.run("validate", file, "--dump").out) == yaml.safe_load(dumped)


def test_what_is_dumped_can_be_created(home: Home):
    file = home.folder / "dumped.yaml"
    file.write_text(home.run("validate", CLUSTER, "--dump", "--set", "input.public_ips=1").out)
    body = home.run("create", file, "-j").body
    assert [host["name"] for host in body["one_objects"]["hosts"]] == [f"dummy-cluster-{i}" for i in range(3)]
    assert (len(home.machines()), len(home.addresses())) == (3, 1)


def test_a_template_of_the_5_8_tools_runs(home: Home):
    body = home.run("create", EXAMPLES / "legacy-5.8.yaml", "-j").body
    assert [host["name"] for host in body["one_objects"]["hosts"]] == ["legacy-host1", "legacy-host2"]
    assert body["one_objects"]["networks"][0]["template"]["cluster_ids"] == "0"
    home.run("deprovision", "legacy", "--yes")
    assert home.machines() == {}


def test_the_rehearsal_of_a_bad_day_ends_well(home: Home):
    answer = home.run("create", EXAMPLES / "rehearsal.yaml", "--fail-sleep", "0.1")
    assert "told to fail attempt 1" in answer.err
    assert home.states() == MADE
    assert len(home.machines()) == 3


def test_a_host_without_a_name_of_its_own_is_refused_before_a_second_one_takes_it(home: Home):
    home.run("create", EXAMPLES / "legacy-5.8.yaml")
    refused = home.run("add-host", 0, code=2)
    assert "${index}" in refused.err
    assert home.states() == MADE


def test_everything_belongs_to_who_made_it(home: Home):
    home.create(hosts=1)
    modes = {file.name: file.stat().st_mode & 0o077 for file in home.path.iterdir() if file.name != "dummy"}
    assert set(modes.values()) == {0}, modes
    assert list((home.path / "run").iterdir()) == []


def test_two_provisions_do_not_touch_each_other(home: Home):
    home.create("input.public_ips=1", options=("--name", "a"), hosts=2)
    mine = set(home.machines())
    home.create("input.public_ips=1", options=("--name", "b"), hosts=2)
    refused = home.run("del-host", "a", "--host-ids", "2", code=2)
    assert "has no host 2" in refused.err
    home.run("deprovision", "b", "--yes")
    assert set(home.machines()) == mine
    assert home.state("a") == "RUNNING"
    assert json.loads(home.run("list", "-j").out)["DOCUMENT_POOL"]["DOCUMENT"][0]["NAME"] == "a"
