"""Machines at rest are looked at from time to time: what changed is recorded, and never acted upon."""

import pytest

from onecore.machines.fleet import Fleet
from tests.drivers.dummy_cloud import Cloud
from tests.onecore.machines.bench import Bench, a_driver
from tests.onecore.machines.fleet_bench import Owners, settle, turned

A, B, C = "service/1", "service/2", "service/3"


@pytest.fixture
def owners(bench: Bench) -> Owners:
    return Owners(bench)


def running(bench: Bench, owners: Owners, *names: str, **changed) -> Fleet:
    for name in names:
        bench.want(1, owner=name, **changed)
    fleet = owners.fleet(*names)
    settle(fleet)
    return fleet


def name_of(owners: Owners, owner: str) -> str:
    return owners.stored(owner)[0].name


def test_what_changed_is_recorded_and_told_and_not_acted_upon(bench: Bench, cloud: Cloud, owners: Owners):
    fleet = running(bench, owners, A, B, C)
    owners.told.clear()
    cloud.edit("STATE=off\n", name_of(owners, A))
    (cloud.root / "machines" / name_of(owners, B)).unlink()
    fleet.watch(0.1)
    changed = turned(fleet, lambda: owners.states(A) == ["off"])
    assert (changed, owners.told) == ({A, B}, [{A, B}])
    assert (owners.states(B), owners.states(C)) == (["new"], ["ready"])
    for _ in range(5):
        assert fleet.turn(0.1) == set()
    assert (owners.states(B), len(cloud.names()), fleet.is_busy(B)) == (["new"], 2, False)


def test_new_metrics_are_recorded_for_all_in_one_commit_and_told_to_nobody(
    bench: Bench, cloud: Cloud, owners: Owners
):
    fleet = running(bench, owners, A, B, C)
    for owner in (A, B, C):
        cloud.edit("VMS=7,8\n", name_of(owners, owner))
    commits: list[str] = []
    bench.database._boundary = commits.append
    bench.reports.clear()
    fleet.watch(0.1)
    turned(fleet, lambda: owners.stored(A)[0].metrics.get("VMS") == "7,8")
    assert [owners.stored(o)[0].metrics["VMS"] for o in (B, C)] == ["7,8"] * 2
    assert (commits.count("after commit"), bench.reports) == (1, [])


def test_where_nothing_changed_nothing_is_written(bench: Bench, owners: Owners):
    fleet = running(bench, owners, A, B)
    commits: list[str] = []
    bench.database._boundary = commits.append
    fleet.look(fleet.records(A))
    settle(fleet)
    fleet.watch(0.05)
    for _ in range(5):
        fleet.turn(0.1)
    assert commits == []


def test_a_provider_that_does_not_answer_has_lost_nothing(bench: Bench, cloud: Cloud, owners: Owners):
    fleet = running(bench, owners, A)
    before = owners.stored(A)
    cloud.configure("fail=list")
    fleet.look(fleet.records(A))
    settle(fleet)
    assert owners.stored(A) == before
    assert "dummy list" in next(iter(fleet.problems(A).values()))
    cloud.configure("")
    fleet.look(fleet.records(A))
    settle(fleet)
    assert dict(fleet.problems(A)) == {}


def test_without_a_list_each_is_polled_and_a_poll_that_fails_is_no_absence(bench: Bench, owners: Owners):
    a_driver(
        bench.home,
        "small",
        deploy='echo "id-$2"',
        poll='[ -e "$ONE_HOME/blind" ] && exit 1; echo "STATE=a CPU=$(cat "$ONE_HOME/cpu")"',
    )
    (bench.home / "cpu").write_text("1")
    fleet = running(bench, owners, A, B, driver="small")
    (bench.home / "cpu").write_text("99")
    fleet.watch(0.1)
    turned(fleet, lambda: [owners.stored(o)[0].metrics for o in (A, B)] == [{"CPU": "99"}] * 2)
    (bench.home / "blind").touch()
    turned(fleet, lambda: bool(fleet.problems(A)) and bool(fleet.problems(B)))
    assert owners.states(A) == ["ready"]
    assert "small poll of host-0 fails" in fleet.problems(A).values()


def test_watching_ends(bench: Bench, cloud: Cloud, owners: Owners):
    fleet = running(bench, owners, A)
    fleet.watch(0.01)
    fleet.watch(0)
    cloud.edit("STATE=off\n", name_of(owners, A))
    for _ in range(5):
        fleet.turn(0.05)
    assert owners.states(A) == ["ready"]
