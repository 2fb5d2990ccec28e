"""After a crash, or when a machine vanished or broke, `retry` ends with what is wanted, once each."""

import os
import random
import signal
import time

import pytest

from tests.scenario.command import ONCE, Home, edit, until

pytestmark = pytest.mark.scenario

SLOW = "defaults.provision.latency=0.3"
# As numbered by OneForm: those in which somebody is at work, and those that a failure left.
IN_FLIGHT = (0, 1, 2, 3, 4, 5, 7, 8, 9)
FAILED = (11, 12, 13, 14, 15, 16, 17, 18)


@pytest.mark.parametrize("moment", range(10))
def test_create_killed_at_any_moment_is_finished_by_retry_force(home: Home, moment: int):
    # Seeded, so that a repeated run dies at the same moments as far as the machine lets it.
    delay = random.Random(moment).uniform(0.1, 1.0)
    killed_after(home, delay, *home.creation(SLOW, "input.public_ips=1"))
    if home.run("list", "--csv", "--no-header").out == "":
        assert home.machines() == {}
        return
    home.run("retry", 0, "--force")
    assert home.state() == "RUNNING"
    assert set(home.machines()) == home.wanted()
    assert (len(home.machines()), len(home.addresses())) == (3, 1)
    assert home.run("orphans", "--csv", "--no-header").out == ""
    home.run("deprovision", 0, "--yes")
    assert (home.machines(), home.addresses()) == ({}, {})
    assert home.run("orphans", "--csv", "--no-header").out == ""


def test_retry_force_leads_back_from_every_state_and_changes_no_machine(counting: Home):
    counting.create("input.public_ips=1", hosts=1)
    before = counting.machines(), counting.addresses()
    for state in (*IN_FLIGHT, *FAILED):
        counting.set_state(state)
        assert counting.run("retry", 0, "--force", "-j").body["state"] == "RUNNING", state
        assert (counting.machines(), counting.addresses()) == before, state
    assert counting.host_ids() == [0]
    assert (counting.count("deploy"), counting.count("allocate_ip"), counting.count("cancel")) == (1, 1, 0)


def test_an_address_killed_while_it_is_leased_is_leased_once(counting: Home):
    counting.hold("allocate_ip")
    running = counting.start(*counting.creation("input.public_ips=2", hosts=1))
    until(lambda: counting.count("allocate_ip") == 2, "both leases have started")
    running.kill()
    assert counting.state() == "CONFIGURING_ONE"
    counting.hold()
    counting.run("retry", 0, "--force")
    assert (counting.state(), len(counting.addresses()), counting.count("deploy")) == ("RUNNING", 2, 1)
    assert counting.run("orphans", "--csv", "--no-header").out == ""


@pytest.mark.parametrize(
    ("argv", "hosts"),
    [(("add-host", "0", "--amount", "2"), 4), (("del-host", "0", "--amount", "1"), 1)],
)
def test_a_scale_killed_while_drivers_run_is_finished_by_retry(
    counting: Home, argv: tuple[str, ...], hosts: int
):
    counting.create(hosts=2)
    verb = "deploy" if argv[0] == "add-host" else "cancel"
    counting.hold(verb)
    calls = counting.count(verb)
    running = counting.start(*argv)
    until(lambda: counting.count(verb) > calls, f"{verb} has started")
    running.kill()
    counting.hold()
    assert counting.state() in ("SCALING", "DEPROVISIONING")
    counting.run("retry", 0)
    assert (counting.state(), len(counting.machines())) == ("RUNNING", hosts)
    assert set(counting.machines()) == counting.wanted()
    assert counting.count("deploy") == (4 if argv[0] == "add-host" else 2)


def test_a_deprovision_killed_while_drivers_run_is_finished_by_retry(counting: Home):
    counting.create(hosts=2)
    counting.hold("cancel")
    running = counting.start("deprovision", 0, "--yes")
    until(lambda: counting.count("cancel") == 2, "both cancels have started")
    running.kill()
    counting.hold()
    counting.run("retry", 0)
    assert (counting.state(), counting.machines()) == ("DONE", {})


def test_a_driver_that_outlives_its_command_is_waited_for(counting: Home):
    counting.hold("deploy")
    running = counting.start(*counting.creation(hosts=1))
    until(lambda: counting.count("deploy"), "deploy has started")
    running.kill()
    assert counting.machines() == {}
    again = counting.start("retry", 0)
    again.says("waiting for a deploy that outlived")
    counting.hold()
    again.end()
    assert (counting.count("deploy"), len(counting.machines())) == (1, 1)


def test_a_machine_that_vanished_is_made_anew(home: Home):
    home.create(hosts=2)
    kept, gone = home.machine_of(0), home.machine_of(1)
    before = kept.read_text()
    gone.unlink()
    home.run("retry", 0, "--force")
    assert home.states()[-2:] == ["SCALING", "RUNNING"]
    assert (len(home.machines()), kept.read_text()) == (2, before)
    assert home.host_ids() == [0, 1]


def test_a_broken_machine_is_replaced_on_the_users_word(counting: Home):
    counting.create(hosts=2)
    edit(counting.machine_of(1), "STATE=error")
    before = counting.machine_of(0).read_text()
    counting.run("retry", 0, "--force")
    assert (counting.state(), counting.count("cancel"), counting.count("deploy")) == ("RUNNING", 1, 3)
    assert {host["machine_state"] for host in counting.show()["one_objects"]["hosts"]} == {"ready"}
    assert counting.machine_of(0).read_text() == before


def test_a_machine_that_comes_up_broken_is_not_replaced_without_being_told(counting: Home):
    counting.create("defaults.provision.state=error", options=ONCE, code=1, hosts=1)
    counting.run("retry", 0, code=1)
    assert (counting.state(), counting.count("deploy"), counting.count("cancel")) == (
        "APPLYING_FAILURE",
        1,
        0,
    )


def test_a_machine_that_is_off_is_left_off_and_shown(home: Home):
    home.create(hosts=1)
    edit(home.machine_of(0), "STATE=off")
    home.run("retry", 0, "--force")
    assert home.show()["one_objects"]["hosts"][0]["state"] == "off"
    assert home.machine_of(0).read_text().endswith("STATE=off\n")


def test_retry_interrupted_while_it_looks_takes_nobody_for_vanished(counting: Home):
    counting.create(hosts=2)
    before = counting.show()["one_objects"]["hosts"]
    counting.hold("list")
    lists = counting.count("list")
    running = counting.start("retry", 0, "--force")
    until(lambda: counting.count("list") > lists, "list has started")
    running.signal()
    running.end(130)
    counting.hold()
    assert counting.show()["one_objects"]["hosts"] == before


# -- drivers of the old tool: they cannot list -------------------------------------------------------------


def test_what_an_old_driver_printed_before_we_died_is_adopted(old: Home):
    (old.path / "late").write_text("deploy\n")
    running = old.start("create", old.folder / "old.yaml")
    until(lambda: old_machines(old), "the machine exists")
    running.kill()
    (old.path / "late").unlink()
    old.run("retry", 0)
    assert [host["resource_id"] for host in old.show()["one_objects"]["hosts"]] == old_machines(old)
    assert len(old_machines(old)) == 1
    old.run("deprovision", 0, "--yes")
    assert old_machines(old) == []


@pytest.mark.parametrize("knob", ["stop", "late"])
def test_a_machine_that_nobody_can_find_is_held_until_the_user_says_go_on(old: Home, knob: str):
    hold_a_machine(old, knob)
    before = old_machines(old)
    refused = old.run("retry", 0, code=1)
    assert "its end is unknown, and the driver cannot list" in refused.err
    body = old.show()
    assert (body["state"], old_machines(old)) == ("APPLYING_FAILURE", before)
    assert body["pending"][0]["machine_state"] == "unknown"
    assert "unknown" in old.run("show", 0).out
    old.run("retry", 0, "--force")
    assert old.state() == "RUNNING"
    assert len(old_machines(old)) == len(before) + 1


def test_deprovision_does_not_call_it_done_while_a_machine_may_be_left(old: Home):
    hold_a_machine(old, "late")
    failed = old.run("deprovision", 0, "--yes", code=1)
    assert "its end is unknown" in failed.err
    assert old.state() == "DEPROVISIONING_FAILURE"
    old.run("deprovision", 0, "--yes", "--force")
    assert old.state() == "DONE"


def test_an_old_driver_whose_poll_fails_loses_no_machine(old: Home):
    old.run("create", old.folder / "old.yaml")
    before = old_machines(old)
    poll = old.folder / "remotes" / "pm" / "old" / "poll"
    works = poll.read_text()
    poll.write_text("#!/bin/sh\nexit 1\n")
    refused = old.run("retry", 0, "--force", *ONCE, code=1)
    assert "nothing could be checked: old-0" in refused.err
    assert old.state() == "RUNNING"
    assert [host["resource_id"] for host in old.show()["one_objects"]["hosts"]] == before
    poll.write_text(works)
    old.run("deprovision", 0, "--yes")
    assert old_machines(old) == []


def test_a_machine_that_is_made_anew_has_to_become_ready_anew(old: Home):
    old.run("create", old.folder / "old.yaml")
    # From now on it is known to listen, which it does not.
    (old.folder / "remotes" / "pm" / "old" / "driver.yaml").write_text("name: old\nssh: true\n")
    old.run("retry", 0, "--force")
    (old.path / "old" / "machines" / old_machines(old)[0]).unlink()
    failed = old.run("retry", 0, "--force", "--ping-retries", 1, "--ping-timeout", 0, code=1)
    assert "old-0" in failed.err
    assert (old.state(), len(old_machines(old))) == ("SCALING_FAILURE", 1)


def hold_a_machine(old: Home, knob: str) -> None:
    """Kill the command and, with its process group, the driver that is making a machine."""
    (old.path / knob).write_text("deploy\n")
    running = old.start("create", old.folder / "old.yaml")
    pid_file = old.path / "old" / "deploy.pid"
    until(lambda: pid_file.exists() and pid_file.read_text().strip(), "the driver is at work")
    if knob == "late":
        until(lambda: old_machines(old), "the machine exists")
    running.kill()
    kill_group(int(pid_file.read_text()))
    (old.path / knob).unlink()


def kill_group(leader: int) -> None:
    os.killpg(leader, signal.SIGKILL)


def old_machines(old: Home) -> list[str]:
    folder = old.path / "old" / "machines"
    return sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []


def killed_after(home: Home, delay_s: float, *argv: str) -> None:
    running = home.start(*argv)
    deadline = time.monotonic() + delay_s
    until(lambda: running.is_over or time.monotonic() >= deadline, "the moment")
    running.kill()
