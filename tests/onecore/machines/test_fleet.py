"""One loop drives many owners with the real dummy driver, judged by the files of the cloud and the store."""

import threading
import time
from collections.abc import Iterable, Set

import pytest

from onecore.machines import record
from onecore.machines.model import Resource, State
from onecore.store import resources
from onecore.store.engine import Transaction
from tests.drivers.dummy_cloud import Cloud
from tests.onecore.machines.bench import POLICY, Bench, a_deployment
from tests.onecore.machines.fleet_bench import Owners, settle, turned
from tests.onecore.store.builders import a_resource

A, B, C = "service/1", "service/2", "service/3"


@pytest.fixture
def owners(bench: Bench) -> Owners:
    return Owners(bench)


def existing(cloud: Cloud) -> set[str]:
    return cloud.names() if (cloud.root / "machines").exists() else set()


def names(machines: Iterable[Resource]) -> set[str]:
    return {machine.name for machine in machines}


def test_every_owner_gets_what_it_wants(bench: Bench, cloud: Cloud, owners: Owners):
    wanted = [*bench.want(3, owner=A), *bench.want(2, owner=B), *bench.want(1, owner=C)]
    fleet = owners.fleet(A, B, C)
    assert settle(fleet) == {A, B, C}
    assert existing(cloud) == names(wanted)
    assert {owner: owners.states(owner) for owner in (A, B, C)} == {
        A: ["ready"] * 3,
        B: ["ready"] * 2,
        C: ["ready"],
    }
    assert {o: list(fleet.records(o).values()) for o in (A, B, C)} == {o: owners.stored(o) for o in (A, B, C)}
    assert bench.left_over() == []


def test_what_is_no_longer_wanted_goes_while_others_stay(bench: Bench, cloud: Cloud, owners: Owners):
    bench.want(2, owner=A)
    kept = bench.want(1, owner=B)
    fleet = owners.fleet(A, B)
    settle(fleet)
    owners.change(fleet, A, record.unwanted)
    assert settle(fleet) == {A}
    assert (existing(cloud), dict(fleet.records(A)), owners.stored(A)) == (names(kept), {}, [])


def test_a_mind_that_changes_while_the_driver_works_is_not_forgotten(
    bench: Bench, cloud: Cloud, owners: Owners
):
    bench.want(1, owner=A, parameters={"latency": 0.2})
    fleet = owners.fleet(A)
    turned(fleet, lambda: owners.states(A) == ["creating"])
    owners.change(fleet, A, record.unwanted)
    settle(fleet)
    assert (existing(cloud), owners.stored(A)) == (set(), [])
    assert bench.journal() == []


def test_what_waits_for_its_turn_and_is_no_longer_wanted_never_starts(bench: Bench, owners: Owners):
    bench.want(1, owner=A, parameters={"latency": 0.2})
    bench.want(1, owner=B)
    fleet = owners.fleet(A, B, threads=1)
    turned(fleet, lambda: owners.states(A) == ["creating"])
    owners.change(fleet, B, record.unwanted)
    settle(fleet)
    assert bench.journal() == [("deploy", "ok")]


def test_an_owner_with_much_to_do_holds_up_nobody(bench: Bench, owners: Owners):
    bench.want(12, owner=A)
    (late,) = bench.want(1, owner=B)
    fleet = owners.fleet(A, B, threads=1)
    settle(fleet)
    begun = [row[0] for row in bench.ask(lambda tx: tx.all("SELECT resource_id FROM operation ORDER BY id"))]
    assert begun.index(late.id) == 1


def test_a_problem_of_one_is_told_and_the_others_are_served(bench: Bench, owners: Owners):
    bench.want(1, owner=A, parameters={"fail": "deploy"})
    bench.want(1, owner=B, driver="vanished")
    bench.want(1, owner=C)
    fleet = owners.fleet(A, B, C)
    assert settle(fleet) == {A, B, C}
    assert [owners.states(owner) for owner in (A, B, C)] == [["failed"], ["new"], ["ready"]]
    assert len(bench.journal()) == POLICY.retries + 2
    assert "dummy deploy" in next(iter(fleet.problems(A).values()))
    assert "vanished" in next(iter(fleet.problems(B).values()))
    assert dict(fleet.problems(C)) == {}


# -- reconcile ---------------------------------------------------------------------------------------------


def test_what_a_product_decides_begins_in_the_commit_that_led_to_it(
    bench: Bench, cloud: Cloud, owners: Owners
):
    bench.want(1, owner=A)

    def next_one(tx: Transaction, changed: Set[str]) -> Iterable[Resource]:
        """A second machine as soon as the first one is ready."""
        stored = resources.of_owner(tx, A)
        assert stored == list(fleet.records(A).values())
        if [machine.state for machine in stored] != [State.READY]:
            return []
        number = tx.next_id("resource")
        machine = a_resource(number, owner=A, deployment=a_deployment(number, "dummy", {}))
        resources.insert(tx, machine)
        return [machine]

    fleet = owners.fleet(A, reconcile=next_one)
    while owners.states(A) != ["ready", "creating"]:
        assert owners.states(A) != ["ready"]
        assert owners.states(A) != ["ready", "new"]
        fleet.turn(1.0)
    settle(fleet)
    assert (owners.states(A), len(existing(cloud))) == (["ready"] * 2, 2)


def test_a_product_hears_of_those_that_changed_and_of_nobody_else(bench: Bench, owners: Owners):
    bench.want(1, owner=A)
    bench.want(1, owner=B)
    fleet = owners.fleet(A, B)
    settle(fleet)
    owners.told.clear()
    fleet.touch([B])
    assert fleet.turn(0) == {B}
    assert owners.told == [{B}]


def test_what_was_never_made_is_gone_in_one_commit(bench: Bench, owners: Owners):
    bench.want(1, owner=A)
    bench.unwant_all()
    fleet = owners.fleet(A)
    fleet.turn(0)
    assert (owners.stored(A), owners.told, fleet.is_busy(A)) == ([], [{A}], False)


def test_a_turn_that_fails_changes_nothing_and_ends_the_fleet(bench: Bench, cloud: Cloud, owners: Owners):
    bench.want(1, owner=A)

    def fails(tx: Transaction, changed: Set[str]) -> Iterable[Resource]:
        raise ZeroDivisionError

    fleet = owners.fleet(A, reconcile=fails)
    with pytest.raises(ZeroDivisionError):
        turned(fleet, lambda: owners.states(A) == ["booting"])
    assert owners.states(A) == ["creating"]
    assert [outcome for _, outcome in bench.journal()] == [None]
    with pytest.raises(AssertionError, match="not to be used again"):
        fleet.turn(0)


# -- leases ------------------------------------------------------------------------------------------------


def test_a_lost_lease_is_said_and_disturbs_nobody_else(bench: Bench, cloud: Cloud, owners: Owners):
    bench.want(2, owner=A)
    kept = bench.want(2, owner=B)
    fleet = owners.fleet(A, B)
    owners.claim(A)
    assert settle(fleet) == {B}
    assert fleet.lost == {A}
    assert (owners.states(A), owners.states(B)) == (["new"] * 2, ["ready"] * 2)
    assert existing(cloud) == names(kept)


def test_the_answer_of_a_call_whose_lease_is_lost_is_left_to_the_new_holder(bench: Bench, owners: Owners):
    bench.want(1, owner=A, parameters={"latency": 0.2})
    bench.want(1, owner=B, parameters={"latency": 0.2})
    fleet = owners.fleet(A, B)
    turned(fleet, lambda: owners.states(A) == ["creating"])
    owners.claim(A)
    settle(fleet)
    assert (owners.states(A), owners.states(B), fleet.lost) == (["creating"], ["ready"], {A})
    assert bench.left_over() == ["1.out", "1.xml"]
    fleet.drop(A)
    assert (fleet.lost, set(fleet.owners())) == (set(), {B})


def test_leases_are_renewed_all_together(bench: Bench, owners: Owners):
    fleet = owners.fleet(A, B, clock=(clock := Shifted()))
    before = expiries(bench)
    fleet.turn(0)
    assert expiries(bench) == before
    clock.ahead_s = 1000.0
    owners.claim(B)
    fleet.turn(0)
    after = expiries(bench)
    assert after[A] > before[A]
    assert (fleet.lost, fleet.is_busy(B)) == ({B}, False)


def expiries(bench: Bench) -> dict[str, float]:
    return {row[0]: row[1] for row in bench.ask(lambda tx: tx.all("SELECT key, expires_at FROM lease"))}


class Shifted:
    """A clock that can be put forward."""

    ahead_s = 0.0

    def now(self) -> float:
        return time.time() + self.ahead_s

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s

    def sleep(self, seconds: float) -> None:
        self.ahead_s += seconds


# -- the loop ----------------------------------------------------------------------------------------------


def test_an_owner_is_taken_once_and_dropped_when_nothing_is_at_work(bench: Bench, owners: Owners):
    bench.want(1, owner=A, parameters={"latency": 0.2})
    fleet = owners.fleet(A)
    with pytest.raises(AssertionError, match="driven already"):
        fleet.take(owners.charge(A), [])
    fleet.turn(0)


def test_calls_at_work_are_not_dropped(bench: Bench, owners: Owners):
    bench.want(1, owner=A, parameters={"latency": 0.2})
    fleet = owners.fleet(A)
    turned(fleet, lambda: owners.states(A) == ["creating"])
    with pytest.raises(AssertionError, match="at work"):
        fleet.drop(A)
    settle(fleet)
    fleet.drop(A)
    assert list(fleet.owners()) == []


def test_a_turn_without_anything_to_do_lasts_its_pause_and_can_be_ended(bench: Bench, owners: Owners):
    fleet = owners.fleet(A)
    began = time.monotonic()
    assert fleet.turn(0.2) == set()
    assert time.monotonic() - began >= 0.2
    waker = threading.Thread(target=fleet.wake)
    waker.start()
    fleet.turn(PATIENCE_S)
    waker.join()
    assert time.monotonic() - began < PATIENCE_S


PATIENCE_S = 10.0


def test_a_turn_without_anything_to_do_writes_nothing(bench: Bench, owners: Owners):
    bench.want(2, owner=A)
    settle(owners.fleet(A))
    commits: list[str] = []
    fleet = owners.fleet(A)
    bench.database._boundary = commits.append
    for _ in range(3):
        fleet.turn(0)
    assert commits == []
