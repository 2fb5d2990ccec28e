"""What a dead process left in flight is seen to its end, and holds up nobody but its own record."""

from pathlib import Path

import pytest

from onecore.machines import record
from onecore.machines.decide import Step
from onecore.machines.model import Resource
from onecore.process import Command, Runner
from onecore.store import resources
from onecore.store.engine import Transaction
from tests.drivers.dummy_cloud import Cloud
from tests.onecore.machines.bench import Bench
from tests.onecore.machines.fleet_bench import Owners, settle, turned
from tests.onecore.machines.test_crash_defects import begun

A, B = "service/1", "service/2"


@pytest.fixture
def owners(bench: Bench) -> Owners:
    return Owners(bench)


@pytest.fixture
def others():
    """The children of a process that is no more."""
    runner: Runner[int] = Runner()
    yield runner
    runner.kill()
    runner.wait(5)


def outliving(others: Runner[int], home: Path, number: int, script: str = "sleep 60") -> None:
    file = home / "run" / f"{number}.out"
    others.start(number, Command(("/bin/sh", "-c", script), {"PATH": "/usr/bin:/bin"}, output_path=file))


def open_operations(bench: Bench, owner: str) -> list[resources.Operation]:
    return bench.ask(lambda tx: resources.open_operations(tx, owner))


def lasting(bench: Bench, resource: Resource, verb: str = "deploy") -> int:
    """An operation that was begun just now, with time to spare."""
    with bench.database.begin() as tx:
        now = 4e9
        changed = record.started(resource, Step.CREATE, 10.0)
        resources.update(tx, [changed])
        return resources.begin_operation(tx, changed, verb, 1, now, now)


def test_who_outlives_us_is_waited_for_while_others_go_on(
    bench: Bench, cloud: Cloud, owners: Owners, others: Runner[int]
):
    (lost,) = bench.want(1, owner=A)
    (near,) = bench.want(1, owner=A)
    (far,) = bench.want(1, owner=B)
    outliving(others, bench.home, lasting(bench, lost))
    fleet = owners.fleet(A, B)
    fleet.recover(A, open_operations(bench, A))
    turned(fleet, lambda: owners.states(B) == ["ready"] and owners.states(A) == ["creating", "ready"])
    assert fleet.is_busy(A)
    others.kill()
    assert others.wait(5)
    settle(fleet)
    assert owners.states(A) == ["ready"] * 2
    assert cloud.names() == {lost.name, near.name, far.name}
    assert sorted(bench.journal()) == [("deploy", "ok")] * 3 + [("deploy", "unknown")]
    assert any("waiting for a deploy that outlived" in line for line in bench.reports)


def test_one_that_is_late_is_killed(bench: Bench, owners: Owners, others: Runner[int]):
    (lost,) = bench.want(1, owner=A)
    outliving(others, bench.home, begun(bench, lost, Step.CREATE, "deploy"))
    fleet = owners.fleet(A)
    fleet.recover(A, open_operations(bench, A))
    turned(fleet, lambda: bool(others.wait(0)))
    settle(fleet)
    assert owners.states(A) == ["ready"]


def test_the_reason_is_in_the_history(bench: Bench, owners: Owners):
    (lost,) = bench.want(1, owner=A)
    begun(bench, lost, Step.CREATE, "deploy")
    fleet = owners.fleet(A)
    fleet.recover(A, open_operations(bench, A))
    settle(fleet)
    texts = [row[0] for row in bench.ask(lambda tx: tx.all("SELECT text FROM event WHERE subject = ?", (A,)))]
    assert "host-0: unknown: deploy was cut short by a crash; its end is unknown" in texts


def test_a_fleet_after_one_that_failed_adopts_the_calls_that_run(bench: Bench, cloud: Cloud, owners: Owners):
    (machine,) = bench.want(1, owner=A, parameters={"latency": 0.3})

    def fails_once(tx: Transaction, changed: object) -> list[Resource]:
        if [r.state.value for r in resources.of_owner(tx, A)] == ["creating"] and not failed:
            failed.append(True)
            raise ZeroDivisionError
        return []

    failed: list[bool] = []
    fleet = owners.fleet(A, reconcile=fails_once)
    turned(fleet, lambda: owners.states(A) == ["creating"])
    fleet.touch([A])
    with pytest.raises(ZeroDivisionError):
        fleet.turn(0)
    again = owners.fleet(A, reconcile=fails_once, runner=fleet._tools.runner)
    again.recover(A, open_operations(bench, A))
    settle(again)
    assert (owners.states(A), cloud.names()) == (["ready"], {machine.name})
    assert bench.journal() == [("deploy", "unknown")]
