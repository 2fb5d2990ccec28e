"""The states of a resource and the pauses between tries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.machines.model import MACHINE, Event, RetryPolicy, State
from tests.onecore.machines.builders import a_machine


def reachable(start: State) -> set[State]:
    found, fresh = {start}, [start]
    while fresh:
        source = fresh.pop()
        for event in MACHINE.allowed(source):
            target = MACHINE.next(source, event)
            if target not in found:
                found.add(target)
                fresh.append(target)
    return found


def test_every_state_can_be_reached():
    assert reachable(State.NEW) == set(State)


@pytest.mark.parametrize("state", State)
def test_from_every_state_there_is_a_way_to_the_end(state):
    assert State.GONE in reachable(state)


def test_what_is_gone_stays_gone():
    assert MACHINE.allowed(State.GONE) == ()


@pytest.mark.parametrize("state", [s for s in State if MACHINE.allows(s, Event.GONE)])
def test_nothing_that_is_known_to_exist_is_forgotten(state):
    assert state not in (
        State.BOOTING,
        State.READY,
        State.OFF,
        State.BROKEN,
        State.CREATING,
        State.DESTROYING,
    )


@pytest.mark.parametrize("state", State)
def test_whether_something_may_stand_behind_a_record(state):
    assert a_machine(state).may_exist is (state not in (State.NEW, State.GONE))


@pytest.mark.parametrize(
    ("failures", "jitter", "pause"),
    [(1, 1.0, 1.0), (2, 1.0, 2.0), (4, 1.0, 8.0), (10, 1.0, 60.0), (1, 0.0, 0.5), (4, 0.5, 6.0)],
)
def test_pauses_double_are_bounded_and_spread(failures, jitter, pause):
    assert RetryPolicy(sleep_s=1.0, longest_s=60.0).pause(failures, jitter) == pause


@given(st.integers(1, 900), st.floats(0, 1), st.floats(0, 1000))
def test_no_pause_is_longer_than_the_longest_or_shorter_than_half_of_the_first(failures, jitter, sleep_s):
    policy = RetryPolicy(sleep_s=sleep_s, longest_s=60.0)
    assert min(sleep_s, 60.0) / 2 <= policy.pause(failures, jitter) <= 60.0
