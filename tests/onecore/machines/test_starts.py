"""Calls wait for their turn fairly, and no limit is exceeded."""

import pytest

from onecore.drivers.manifest import Limits
from onecore.machines.decide import Step
from onecore.machines.starts import Start, Starts

WIDE = Limits(parallel=100)


def a_start(number: int, owner: str = "a", driver: str = "dummy", **changed) -> Start:
    given = {"step": Step.CREATE, "verb": "deploy", "reason": "wanted"}
    return Start(number, owner, driver, **{**given, **changed})


def starts(*offered: Start, threads: int = 100, limits: Limits = WIDE) -> Starts:
    made = Starts(threads)
    for start in offered:
        made.offer(start, limits)
    return made


def taken(waiting: Starts, now: float = 1000.0) -> list[int]:
    return [start.resource_id for start in waiting.take(now)]


def test_owners_take_turns_however_much_one_of_them_wants():
    waiting = starts(*(a_start(n, "a") for n in range(1, 50)), a_start(100, "b"), a_start(101, "b"))
    assert taken(waiting)[:5] == [1, 100, 2, 101, 3]


def test_drivers_take_turns_when_our_threads_are_few():
    many = [a_start(n, driver="busy") for n in range(6)]
    waiting = starts(*many, a_start(10, driver="calm"), a_start(11, driver="calm"), threads=3)
    first = taken(waiting)
    assert len(first) == 3
    assert 10 in first


@pytest.mark.parametrize(("parallel", "threads", "at_once"), [(3, 100, 3), (100, 2, 2), (100, 100, 6)])
def test_no_more_at_once_than_the_driver_and_we_can_bear(parallel, threads, at_once):
    waiting = starts(*map(a_start, range(6)), threads=threads, limits=Limits(parallel=parallel))
    assert len(taken(waiting)) == at_once
    assert not waiting.can_start(1000.0)
    if at_once < 6:
        waiting.ended("dummy")
        assert taken(waiting) == [at_once]


def test_calls_per_second_space_the_starts():
    waiting = starts(*map(a_start, range(3)), limits=Limits(calls_per_second=2))
    assert taken(waiting, 10.0) == [0]
    assert (waiting.can_start(10.4), waiting.wake_at(10.4)) == (False, 10.5)
    assert taken(waiting, 10.5) == [1]
    assert taken(waiting, 11.0) == [2]
    assert waiting.wake_at(11.1) is None


def test_what_is_withdrawn_does_not_start_and_holds_nobody_up():
    waiting = starts(*map(a_start, range(3)), limits=Limits(parallel=1))
    assert waiting.withdraw(0) == a_start(0)
    assert taken(waiting) == [1]
    assert waiting.withdraw(0) is None


def test_a_newer_offer_takes_the_place_of_the_older_one():
    waiting = starts(a_start(0), a_start(1))
    newer = a_start(0, step=Step.DESTROY, verb="cancel")
    waiting.offer(newer, WIDE)
    assert list(waiting.take(1000.0)) == [newer, a_start(1)]


def test_what_was_withdrawn_and_offered_again_starts_once():
    waiting = starts(a_start(0), a_start(1))
    waiting.withdraw(0)
    waiting.offer(a_start(0), WIDE)
    assert sorted(taken(waiting)) == [0, 1]
