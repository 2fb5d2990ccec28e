"""Power actions of many machines at once, without waiting for any of them."""

import pytest

from onecore.machines import record
from onecore.machines.fleet import Fleet
from onecore.machines.power import Action, Phase
from tests.drivers.dummy_cloud import Cloud
from tests.onecore.machines.bench import Bench, a_driver
from tests.onecore.machines.fleet_bench import Owners, settle, turned

A, B = "service/1", "service/2"


@pytest.fixture
def owners(bench: Bench) -> Owners:
    return Owners(bench)


def running(bench: Bench, owners: Owners, *names: str, **changed) -> Fleet:
    """A fleet with one machine for each owner."""
    for name in names:
        bench.want(1, owner=name, **changed)
    fleet = owners.fleet(*names)
    settle(fleet)
    return fleet


def machine_of(fleet: Fleet, owner: str) -> int:
    return next(iter(fleet.records(owner)))


def ordered(fleet: Fleet, owner: str) -> tuple[Phase, str]:
    order = fleet.orders(owner)[machine_of(fleet, owner)]
    return order.phase, order.problem


def test_an_order_is_journaled_and_over_when_its_effect_shows(bench: Bench, cloud: Cloud, owners: Owners):
    fleet = running(bench, owners, A, B)
    fleet.order(machine_of(fleet, A), Action.POWER_OFF)
    assert fleet.is_busy(A)
    assert settle(fleet) == {A}
    assert ordered(fleet, A) == (Phase.OVER, "")
    assert (owners.states(A), owners.states(B)) == (["off"], ["ready"])
    assert bench.journal()[-1] == ("shutdown", "ok")
    fleet.order(machine_of(fleet, A), Action.POWER_ON)
    settle(fleet)
    assert (owners.states(A), len(cloud.names())) == (["ready"], 2)


def test_the_product_hears_when_an_order_is_over(bench: Bench, owners: Owners):
    fleet = running(bench, owners, A)
    owners.told.clear()
    fleet.order(machine_of(fleet, A), Action.REBOOT)
    settle(fleet)
    assert owners.told[-1] == {A}
    assert ordered(fleet, A) == (Phase.OVER, "")


def test_an_order_that_fails_says_why_and_changes_nothing(bench: Bench, owners: Owners):
    fleet = running(bench, owners, A, parameters={"fail": "reboot"})
    fleet.order(machine_of(fleet, A), Action.REBOOT)
    settle(fleet)
    phase, problem = ordered(fleet, A)
    assert (phase, owners.states(A), bench.journal()[-1]) == (Phase.OVER, ["ready"], ("reboot", "failed"))
    assert "dummy reboot" in problem
    assert dict(fleet.problems(A)) == {}


def test_an_order_without_effect_has_its_time(bench: Bench, owners: Owners):
    a_driver(bench.home, "deaf", deploy='echo "id-$2"', poll="echo STATE=a")
    fleet = running(bench, owners, A, driver="deaf")
    fleet.order(machine_of(fleet, A), Action.POWER_OFF, within_s=0.1)
    settle(fleet)
    assert "had no effect: it is running" in ordered(fleet, A)[1]


def test_what_is_to_go_goes_though_it_had_an_order(bench: Bench, cloud: Cloud, owners: Owners):
    fleet = running(bench, owners, A, parameters={"latency": 0.2})
    fleet.order(machine_of(fleet, A), Action.REBOOT)
    turned(fleet, lambda: bench.journal()[-1][0] == "reboot")
    owners.change(fleet, A, record.unwanted)
    settle(fleet)
    assert (owners.states(A), cloud.names()) == ([], set())


def test_a_machine_that_is_not_there_cannot_be_acted_on(bench: Bench, owners: Owners):
    (machine,) = bench.want(1, owner=A, parameters={"fail": "deploy"})
    fleet = owners.fleet(A)
    settle(fleet)
    fleet.order(machine.id, Action.REBOOT)
    settle(fleet)
    assert ordered(fleet, A) == (Phase.OVER, "host-0: it cannot be acted on: it is failed")


def test_a_newer_order_takes_the_place_of_an_older_one(bench: Bench, owners: Owners):
    fleet = running(bench, owners, A, parameters={"latency": 0.2})
    fleet.order(machine_of(fleet, A), Action.REBOOT)
    turned(fleet, lambda: bench.journal()[-1][0] == "reboot")
    fleet.order(machine_of(fleet, A), Action.POWER_OFF)
    settle(fleet)
    assert (owners.states(A), ordered(fleet, A)) == (["off"], (Phase.OVER, ""))
    assert bench.journal()[-2:] == [("reboot", "ok"), ("shutdown", "ok")]
