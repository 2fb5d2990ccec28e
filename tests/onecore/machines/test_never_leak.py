"""The law, on thousands of simulated runs: in the end exactly what is wanted exists, and nothing twice."""

from random import Random

import pytest

from onecore.machines import record
from onecore.machines.decide import Step
from onecore.machines.model import RetryPolicy, State
from tests.onecore.machines.builders import ALL_FACTS, NEITHER, a_machine
from tests.onecore.machines.simulated import Cloud, Worker

RUNS = 750
POLICY = RetryPolicy(retries=2, sleep_s=0.5)
FORCE = RetryPolicy(retries=2, sleep_s=0.5, force=True)


def a_worker(seed: int, facts) -> Worker:
    chance = Random(seed)
    lag_s = chance.choice([0.0, 0.0, 2.0, 30.0])
    machine = a_machine(State.NEW, since=1000.0, lag_s=lag_s)
    return Worker(chance, Cloud(chance, facts, lag_s), machine, faults=chance.randint(0, 8))


def repaired(worker: Worker, step: Step, good: Step, facts) -> Step:
    """What a user does until all is well: `retry`, with his word where nobody can lose by it; faults end."""
    for _ in range(4):
        if step is good:
            return step
        worker.faults = 0
        worker.resource = record.encouraged(worker.resource)
        step = worker.settle(POLICY if facts is NEITHER else FORCE)
    return step


def existing(worker: Worker) -> list[str]:
    """What will still exist when everything that is under way has happened."""
    return [m.id for m in worker.cloud.existing(worker.now + worker.cloud.lag_s)]


def check(worker: Worker, step: Step, good: Step, wanted: list[str]) -> None:
    story = "\n".join(worker.story)
    assert worker.cloud.doubled == 0, story
    if step is Step.HOLD:
        assert worker.cloud.facts is NEITHER, story
        assert worker.resource.state is State.UNKNOWN, story
        return
    assert (step, existing(worker)) == (good, wanted), story


@pytest.mark.parametrize("facts", ALL_FACTS)
def test_what_is_wanted_exists_once_and_what_is_not_wanted_does_not(facts):
    for seed in range(RUNS):
        worker = a_worker(seed, facts)
        step = repaired(worker, worker.settle(POLICY), Step.DONE, facts)
        check(worker, step, Step.DONE, [worker.resource.deploy_id])
        worker.resource = record.unwanted(worker.resource)
        worker.faults = worker.chance.randint(0, 8)
        check(worker, repaired(worker, worker.settle(POLICY), Step.GONE, facts), Step.GONE, [])


@pytest.mark.parametrize("facts", ALL_FACTS)
def test_who_changes_his_mind_at_any_moment_leaves_nothing_behind(facts):
    for seed in range(RUNS):
        worker = a_worker(seed, facts)
        moment = worker.chance.randint(0, 12)

        def change_of_mind(worker: Worker, moment: int = moment) -> None:
            if len(worker.story) >= moment:
                worker.resource = record.unwanted(worker.resource)

        step = worker.settle(POLICY, change_of_mind)
        worker.resource = record.unwanted(worker.resource)
        check(worker, repaired(worker, step, Step.GONE, facts), Step.GONE, [])


@pytest.mark.parametrize("facts", [f for f in ALL_FACTS if f.can_list])
def test_what_vanished_behind_our_back_is_made_again_once(facts):
    for seed in range(RUNS):
        worker = a_worker(seed, facts)
        check(worker, repaired(worker, worker.settle(POLICY), Step.DONE, facts), Step.DONE, existing(worker))
        worker.cloud.destroy(worker.resource.deploy_id, worker.now)
        worker.now += worker.cloud.lag_s + 0.1
        worker.refresh()
        assert worker.resource.state is State.NEW
        worker.faults = worker.chance.randint(0, 8)
        step = repaired(worker, worker.settle(POLICY), Step.DONE, facts)
        check(worker, step, Step.DONE, [worker.resource.deploy_id])
