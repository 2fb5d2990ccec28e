"""What to do when hosts cannot be made is the user's choice; the old hosts are never touched."""

import pytest

from tests.scenario.command import ONCE, Home, until

pytestmark = pytest.mark.scenario

# One machine is all there is room for, and one driver works at a time.
TIGHT = ("--threads", "1", *ONCE)


def test_fail_skip_goes_on_without_the_hosts_that_failed(home: Home):
    home.rehearse("CAPACITY=2")
    failed = home.create(options=(*TIGHT, "--fail-skip"), code=1)
    assert "quota of 2 machines reached" in failed.err
    body = home.show()
    assert (body["state"], home.host_ids(), body["pending"]) == ("RUNNING", [0, 1], [])
    assert set(home.machines()) == home.wanted()


def test_fail_skip_without_any_host_that_works_stops(home: Home):
    home.rehearse("FAIL=deploy")
    home.create(options=(*TIGHT, "--fail-skip"), code=1)
    assert home.state() == "APPLYING_FAILURE"


def test_fail_cleanup_removes_what_was_made(home: Home):
    home.rehearse("CAPACITY=2")
    failed = home.create(options=(*TIGHT, "--fail-cleanup"), code=1)
    assert "quota of 2 machines reached" in failed.err
    assert "removed again" in failed.err
    assert (home.state(), home.machines()) == ("DONE", {})


def test_fail_quit_keeps_what_was_made_for_retry(home: Home):
    home.rehearse("CAPACITY=2")
    home.create(options=(*TIGHT, "--fail-quit"), code=1)
    assert home.state() == "APPLYING_FAILURE"
    made = home.machines()
    assert len(made) == 2
    home.rehearse()
    home.run("retry", 0)
    assert (home.state(), len(home.machines())) == ("RUNNING", 3)
    assert made.items() <= home.machines().items()


@pytest.mark.parametrize(
    ("options", "room", "state"),
    [
        (("--fail-modes", "skip,cleanup"), 1, "RUNNING"),
        (("--fail-modes", "skip,cleanup"), 0, "DONE"),
        (("--fail-skip", "--fail-cleanup"), 0, "DONE"),
        (("--fail-modes", "skip,quit"), 0, "APPLYING_FAILURE"),
        (("--fail-modes", "quit,cleanup"), 1, "APPLYING_FAILURE"),
        (("--fail-modes", "cleanup", "--fail-skip"), 1, "DONE"),
    ],
)
def test_fail_modes_are_tried_in_order(home: Home, options: tuple[str, ...], room: int, state: str):
    home.rehearse(f"CAPACITY={room}")
    home.create(options=(*TIGHT, *options), code=1)
    assert home.state() == state
    assert len(home.machines()) == (0 if state == "DONE" else room)


def test_an_unknown_fail_mode_is_refused_before_anything_is_recorded(home: Home):
    refused = home.create(options=("--fail-modes", "skip,hope"), code=2)
    assert "known: retry, skip, cleanup, quit" in refused.err
    assert home.run("list", "--all", "--csv", "--no-header").out == ""


@pytest.mark.parametrize(
    ("option", "state", "pending"),
    [
        ("--fail-quit", "SCALING_FAILURE", 1),
        ("--fail-skip", "RUNNING", 0),
        ("--fail-cleanup", "RUNNING", 0),
    ],
)
def test_add_host_that_fails_leaves_the_old_hosts_and_their_number(
    counting: Home, option: str, state: str, pending: int
):
    counting.create(hosts=2)
    before, hosts = counting.machines(), counting.show()["one_objects"]["hosts"]
    counting.rehearse("FAIL=deploy")
    counting.run("add-host", 0, "--amount", 1, *TIGHT, option, code=1)
    body = counting.show()
    assert (body["state"], len(body["pending"])) == (state, pending)
    assert (counting.machines(), body["one_objects"]["hosts"]) == (before, hosts)
    assert counting.run("list", "-l", "HOSTS", "--csv", "--no-header").out == "2\n"
    assert counting.count("cancel") == 0


def test_add_host_that_half_fails_keeps_the_half_for_retry(home: Home):
    home.create(hosts=2)
    before = home.machines()
    home.rehearse("CAPACITY=3")
    home.run("add-host", 0, "--amount", 2, *TIGHT, code=1)
    assert (home.state(), home.host_ids()) == ("SCALING_FAILURE", [0, 1])
    assert len(home.machines()) == 3
    home.rehearse()
    home.run("retry", 0)
    assert (home.state(), home.host_ids()) == ("RUNNING", [0, 1, 2, 3])
    assert before.items() <= home.machines().items()


def test_add_host_that_half_fails_can_skip_the_other_half(home: Home):
    home.create(hosts=2)
    home.rehearse("CAPACITY=3")
    home.run("add-host", 0, "--amount", 2, *TIGHT, "--fail-skip", code=1)
    assert (home.state(), len(home.host_ids()), len(home.machines())) == ("RUNNING", 3, 3)


def test_hosts_can_be_removed_from_a_scale_that_failed(home: Home):
    home.create(hosts=2)
    home.rehearse("FAIL=deploy")
    home.run("add-host", 0, *TIGHT, code=1)
    home.rehearse()
    # The additions are the newest, and empty.
    home.run("del-host", 0, "--amount", 1)
    assert (home.state(), home.host_ids(), home.show()["pending"]) == ("RUNNING", [0, 1], [])


def test_removing_an_old_host_does_not_forget_the_rest_of_a_failed_scale(home: Home):
    home.create(hosts=2)
    home.rehearse("FAIL=deploy")
    home.run("add-host", 0, *TIGHT, code=1)
    failed = home.run("del-host", 0, "--host-ids", 0, code=1)
    assert "told to fail" in failed.err
    assert (home.state(), home.host_ids(), len(home.machines())) == ("SCALING_FAILURE", [1], 1)
    home.rehearse()
    home.run("retry", 0)
    assert (home.state(), home.host_ids()) == ("RUNNING", [1, 2])
    assert set(home.machines()) == home.wanted()


def test_fail_retry_tries_again_as_often_as_told(counting: Home):
    knob = "defaults.provision.fail_first=deploy:2"
    effort = ("--fail-sleep", "0.05", "--fail-retry")
    counting.create(knob, options=(*effort, "1"), code=1, hosts=1)
    assert counting.count("deploy") == 2
    counting.run("deprovision", 0, "--yes")
    counting.create(knob, options=(*effort, "2"), hosts=1)
    assert counting.count("deploy") == 2 + 3


def test_fail_sleep_is_the_pause_before_a_further_try_and_doubles(home: Home):
    home.create(
        "defaults.provision.fail_first=deploy:2",
        options=("--fail-sleep", "0.4", "--fail-retry", "2"),
        hosts=1,
    )
    files = sorted((home.cloud / "attempts").iterdir())
    moments = [file.stat().st_mtime for file in files]
    made = next((home.cloud / "machines").iterdir()).stat().st_mtime
    # Half of a pause is left to chance, so that many do not come back at the same moment.
    assert 0.2 <= moments[1] - moments[0] < 2
    assert 0.4 <= made - moments[1] < 3


def test_threads_bound_the_drivers_at_work(counting: Home):
    counting.create("defaults.provision.latency=0.1", options=("--threads", "3"), hosts=9)
    assert most_at_once(counting) == 3


def test_drivers_run_side_by_side(counting: Home):
    counting.create("defaults.provision.latency=0.3", hosts=9)
    assert most_at_once(counting) == 9


def test_a_late_machine_of_a_failed_try_is_adopted(counting: Home):
    counting.create("defaults.provision.fail_after=deploy", options=("--fail-sleep", "0.05"), hosts=2)
    assert (counting.state(), counting.count("deploy"), len(counting.machines())) == ("RUNNING", 2, 2)


def test_a_provision_says_what_failed_until_it_is_repaired(home: Home):
    home.rehearse("FAIL=deploy")
    home.create(options=TIGHT, code=1, hosts=1)
    assert "told to fail" in home.show()["error"]
    assert "told to fail" in home.run("show", 0).out
    home.rehearse()
    home.run("retry", 0)
    assert home.show()["error"] == ""


def test_a_failing_address_is_retried_alone(counting: Home):
    counting.rehearse("FAIL=allocate_ip")
    counting.create("input.public_ips=1", options=TIGHT, code=1, hosts=1)
    assert counting.states()[-1] == "CONFIGURING_ONE_FAILURE"
    counting.rehearse()
    counting.run("retry", 0)
    assert (counting.count("deploy"), counting.count("allocate_ip")) == (1, 2)
    until(lambda: counting.state() == "RUNNING", "RUNNING")


def most_at_once(home: Home) -> int:
    depth = most = 0
    for line in home.calls():
        sign, action, _ = line.split(maxsplit=2)
        if action == "deploy":
            depth += 1 if sign == "+" else -1
            most = max(most, depth)
    return most
