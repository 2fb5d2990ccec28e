"""The loop with the real dummy driver: what is wanted exists in the end, judged by the files of the cloud."""

import pytest

from onecore.errors import Interrupted, WrongState
from onecore.machines.model import Kind, State
from onecore.store import lease
from tests.drivers.dummy_cloud import Cloud
from tests.onecore.machines.bench import FORCE, OWNER, POLICY, Bench, changed_dummy

SHORT = "timeouts: {deploy: 1.0, cancel: 1.0, confirm: 0.3}"
LONG = "timeouts: {deploy: 120}"


def existing(cloud: Cloud) -> set[str]:
    return cloud.names() if (cloud.root / "machines").exists() else set()


def test_machines_are_made_and_recorded(bench: Bench, cloud: Cloud):
    wanted = bench.want(20)
    result = bench.worker().settle()
    assert result.problems == {}
    assert existing(cloud) == {machine.name for machine in wanted}
    assert [r.state for r in result.resources.values()] == [State.READY] * 20
    assert bench.records == sorted(result.resources.values(), key=lambda r: r.id)
    assert all(r.deploy_id == cloud.record(r.name)["DEPLOY_ID"] for r in bench.records)
    assert all(r.addresses == (cloud.record(r.name)["IP"],) for r in bench.records)
    assert bench.journal() == [("deploy", "ok")] * 20


def test_nothing_is_left_of_the_calls(bench: Bench):
    bench.want(3)
    bench.worker().settle()
    assert bench.left_over() == []


def test_a_second_run_starts_no_driver(bench: Bench):
    bench.want(3)
    bench.worker().settle()
    before = bench.records
    assert bench.worker().settle().problems == {}
    assert bench.records == before
    assert len(bench.journal()) == 3


def test_what_is_not_wanted_goes_with_its_record(bench: Bench, cloud: Cloud):
    bench.want(5)
    bench.worker().settle()
    bench.unwant_all()
    result = bench.worker().settle()
    assert (result.resources, result.problems, bench.records) == ({}, {}, [])
    assert existing(cloud) == set()
    assert any("gone: the provider no longer lists it" in line for line in bench.history())


def test_what_was_never_made_goes_without_a_driver(bench: Bench, cloud: Cloud):
    bench.want(2)
    bench.unwant_all()
    bench.worker().settle()
    assert (bench.records, existing(cloud)) == ([], set())
    assert any("no driver was ever started for it" in line for line in bench.history())


def test_only_what_is_let_through_is_touched(bench: Bench, cloud: Cloud):
    first, second = bench.want(2)
    bench.worker().settle(lambda machine: machine.id == second.id)
    assert existing(cloud) == {second.name}
    assert bench.states == ["new", "ready"]
    assert first == bench.records[0]


def test_public_addresses_come_and_go_the_same_way(bench: Bench, cloud: Cloud):
    bench.want(3, kind=Kind.ADDRESS)
    bench.worker().settle()
    assert {r.addresses[0] for r in bench.records} == cloud.names("addresses")
    assert bench.journal() == [("allocate_ip", "ok")] * 3
    bench.unwant_all()
    bench.worker().settle()
    assert (bench.records, cloud.names("addresses")) == ([], set())


# -- failures ----------------------------------------------------------------------------------------------


def test_a_failed_try_is_repeated(bench: Bench, cloud: Cloud):
    bench.want(2, parameters={"fail_first": "deploy:2"})
    assert bench.worker().settle().problems == {}
    assert len(existing(cloud)) == 2
    assert sorted(bench.journal()) == [("deploy", "failed")] * 4 + [("deploy", "ok")] * 2


def test_used_up_tries_are_a_problem_in_the_words_of_the_driver(bench: Bench, cloud: Cloud):
    bench.want(1, parameters={"fail": "deploy"})
    result = bench.worker().settle()
    assert bench.journal() == [("deploy", "failed")] * (POLICY.retries + 1)
    assert list(result.problems) == [0]
    assert (
        "dummy deploy of host-0: " in result.problems[0] or "dummy deploy of provision-" in result.problems[0]
    )
    assert bench.states == ["failed"]
    assert existing(cloud) == set()


def test_one_that_fails_does_not_hold_up_the_others(bench: Bench, cloud: Cloud):
    bench.want(1, parameters={"fail": "deploy"})
    bench.want(3)
    result = bench.worker().settle()
    assert (list(result.problems), len(existing(cloud))) == ([0], 3)


@pytest.mark.parametrize(
    ("knob", "outcome"),
    [("fail_after", "failed"), ("garbage", "unknown"), ("crash", "unknown"), ("hang_after", "unknown")],
)
def test_what_was_made_all_the_same_is_found_and_adopted(bench: Bench, cloud: Cloud, knob, outcome):
    changed_dummy(bench.home, LONG, SHORT)
    (machine,) = bench.want(1, parameters={knob: "deploy"})
    assert bench.worker().settle().problems == {}
    assert bench.journal() == [("deploy", outcome)]
    assert existing(cloud) == {machine.name}
    assert bench.records[0].deploy_id == cloud.record(machine.name)["DEPLOY_ID"]


def test_a_driver_that_always_hangs_is_given_up_and_nothing_is_left(bench: Bench, cloud: Cloud):
    changed_dummy(bench.home, LONG, SHORT)
    bench.want(1, parameters={"hang": "deploy"})
    result = bench.worker().settle()
    assert "timed out after" in result.problems[0]
    assert bench.journal() == [("deploy", "unknown")] * (POLICY.retries + 1)
    bench.unwant_all()
    assert bench.worker().settle().problems == {}
    assert (bench.records, existing(cloud)) == ([], set())


def test_a_driver_that_lies_is_not_believed(bench: Bench, cloud: Cloud):
    changed_dummy(bench.home, LONG, SHORT)
    bench.want(1, parameters={"lie": "deploy"})
    result = bench.worker().settle()
    assert result.problems == {0: "the driver said it was made, but the provider does not know it"}
    assert existing(cloud) == set()


def test_a_removal_that_fails_is_repeated(bench: Bench, cloud: Cloud):
    bench.want(2, parameters={"fail_first": "cancel:1"})
    bench.worker().settle()
    bench.unwant_all()
    assert bench.worker().settle().problems == {}
    assert (bench.records, existing(cloud)) == ([], set())


@pytest.mark.parametrize(("knob", "said"), [("fail", "cancel of"), ("lie", "the provider still lists it")])
def test_what_cannot_be_removed_is_kept_and_said(bench: Bench, cloud: Cloud, knob, said):
    changed_dummy(bench.home, LONG, SHORT)
    (machine,) = bench.want(1, parameters={knob: "cancel"})
    bench.worker().settle()
    bench.unwant_all()
    result = bench.worker().settle()
    assert said in result.problems[0]
    assert [r.name for r in bench.records] == [machine.name]
    assert existing(cloud) == {machine.name}


def test_nothing_is_forgotten_while_the_provider_does_not_answer(bench: Bench, cloud: Cloud):
    (machine,) = bench.want(1)
    bench.worker().settle()
    cloud.configure("fail=list")
    bench.unwant_all()
    result = bench.worker().settle()
    assert "dummy list" in result.problems[0]
    assert [r.name for r in bench.records] == [machine.name]
    cloud.configure("")
    assert bench.worker().settle().problems == {}
    assert bench.records == []


def test_a_driver_that_is_gone_leaves_the_record_alone(bench: Bench):
    bench.want(1, driver="vanished")
    result = bench.worker().settle()
    assert "vanished" in result.problems[0]
    assert bench.states == ["new"]


def test_a_broken_machine_is_replaced_on_the_users_word_only(bench: Bench, cloud: Cloud):
    (machine,) = bench.want(1)
    bench.worker().settle()
    cloud.edit("STATE=error\n", machine.name)
    bench.worker().refresh()
    assert bench.states == ["broken"]
    assert bench.worker().settle().problems == {0: "the provider says it is in error"}
    assert bench.worker(FORCE).settle().problems == {}
    assert cloud.record(machine.name)["STATE"] == "running"
    assert bench.states == ["ready"]


# -- looking -----------------------------------------------------------------------------------------------


def test_a_look_records_what_changed_behind_our_back(bench: Bench, cloud: Cloud):
    off, busy, gone = bench.want(3)
    bench.worker().settle()
    cloud.edit("STATE=off\n", off.name)
    cloud.edit("VMS=7,8\n", busy.name)
    (cloud.root / "machines" / gone.name).unlink()
    result = bench.worker().refresh()
    assert result.problems == {}
    assert bench.states == ["off", "ready", "new"]
    assert bench.records[1].metrics["VMS"] == "7,8"
    assert bench.records[2].deploy_id == ""


def test_a_look_that_fails_changes_nothing(bench: Bench, cloud: Cloud):
    bench.want(1)
    bench.worker().settle()
    before = bench.records
    cloud.configure("fail=list")
    assert "dummy list" in bench.worker().refresh().problems[0]
    assert bench.records == before


# -- stopping ----------------------------------------------------------------------------------------------


def test_who_is_interrupted_starts_nothing_more_and_records_what_ran(bench: Bench, cloud: Cloud):
    bench.want(6, parameters={"latency": 1.0})
    started = [0]

    def interrupted() -> str:
        return "interrupted" if started[0] >= 2 else ""

    def count(name: str) -> None:
        started[0] += name == "driver started"

    with pytest.raises(Interrupted, match="interrupted"):
        bench.worker(threads=2, interrupted=interrupted, boundary=count).settle()
    assert started[0] == 2
    assert len(existing(cloud)) == 2
    assert bench.journal() == [("deploy", "ok")] * 2
    assert sorted(bench.states) == ["booting"] * 2 + ["new"] * 4
    assert bench.worker().settle().problems == {}
    assert len(existing(cloud)) == 6


def test_another_process_can_ask_to_stop(bench: Bench):
    bench.want(2, parameters={"latency": 0.2})
    with pytest.raises(Interrupted, match="cancelled"):
        bench.worker(threads=1, stop_requested=lambda tx: "cancelled").settle()


def test_who_lost_the_lease_writes_nothing_and_starts_nothing(bench: Bench, cloud: Cloud):
    bench.want(2)
    with bench.database.begin() as tx:
        lease.release(tx, bench.held)
        lease.claim(tx, OWNER, "another", 0.0, lease.this_process())
    with pytest.raises(WrongState, match="another process took over"):
        bench.worker().settle()
    assert bench.states == ["new", "new"]
    assert (bench.journal(), existing(cloud)) == ([], set())
