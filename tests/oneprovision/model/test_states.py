"""The states of a provision are OneForm's, and so are the ways between them, unless decided otherwise."""

import pytest

from oneprovision.model.states import (
    ALLOWED,
    FAILURES,
    PROVISION,
    SETTLED,
    WORKING,
    Event,
    Operation,
    State,
)

NUMBERS = {
    "PENDING": 0,
    "INIT": 1,
    "PLANNING": 2,
    "APPLYING": 3,
    "CONFIGURING_PROVISION": 4,
    "CONFIGURING_ONE": 5,
    "RUNNING": 6,
    "SCALING": 7,
    "DEPROVISIONING_ONE": 8,
    "DEPROVISIONING": 9,
    "DONE": 10,
    "INIT_FAILURE": 11,
    "PLANNING_FAILURE": 12,
    "APPLYING_FAILURE": 13,
    "CONFIGURING_PROVISION_FAILURE": 14,
    "CONFIGURING_ONE_FAILURE": 15,
    "SCALING_FAILURE": 16,
    "DEPROVISIONING_ONE_FAILURE": 17,
    "DEPROVISIONING_FAILURE": 18,
    "DONE_FAILURE": 19,
}
ONEFORM = {
    "PENDING": ["INIT"],
    "INIT": ["PLANNING", "INIT_FAILURE"],
    "PLANNING": ["APPLYING", "PLANNING_FAILURE"],
    "APPLYING": ["CONFIGURING_ONE", "APPLYING_FAILURE"],
    "CONFIGURING_ONE": ["CONFIGURING_PROVISION", "CONFIGURING_ONE_FAILURE"],
    "CONFIGURING_PROVISION": ["RUNNING", "CONFIGURING_PROVISION_FAILURE"],
    "RUNNING": ["SCALING", "DEPROVISIONING_ONE"],
    "SCALING": ["RUNNING", "INIT", "DEPROVISIONING_ONE", "SCALING_FAILURE"],
    "DEPROVISIONING_ONE": ["DEPROVISIONING", "DEPROVISIONING_ONE_FAILURE"],
    "DEPROVISIONING": ["DONE", "RUNNING", "DEPROVISIONING_FAILURE"],
    "DONE": ["DONE_FAILURE"],
    **{name: [name.removesuffix("_FAILURE")] for name in NUMBERS if name.endswith("_FAILURE")},
}
# docs/decisions/0001: SCALING covers a whole change, so it never goes back to INIT.
DECIDED_OTHERWISE = {("SCALING", "INIT")}


def targets(state: State) -> set[State]:
    return {PROVISION.next(state, event) for event in PROVISION.allowed(state)}


def reachable(start: State) -> set[State]:
    found, fresh = {start}, [start]
    while fresh:
        new = targets(fresh.pop()) - found
        found |= new
        fresh += new
    return found


def test_numbers_and_names_are_those_of_oneform():
    assert {state.name: state.value for state in State} == NUMBERS


@pytest.mark.parametrize(
    ("source", "target"),
    [(s, t) for s, all_targets in ONEFORM.items() for t in all_targets if (s, t) not in DECIDED_OTHERWISE],
)
def test_a_way_of_oneform_is_a_way_here(source, target):
    assert State[target] in targets(State[source])


def test_what_is_decided_otherwise_is_so():
    assert all(State[target] not in targets(State[source]) for source, target in DECIDED_OTHERWISE)


def test_failures_work_and_rest_share_out_all_states():
    assert WORKING | SETTLED == set(State)
    assert not WORKING & SETTLED
    assert FAILURES < SETTLED
    assert SETTLED - FAILURES == {State.RUNNING, State.DONE}
    assert {state for state in State if state.name.endswith("_FAILURE")} == FAILURES


@pytest.mark.parametrize("state", sorted(WORKING - {State.PENDING}))
def test_work_can_fail_and_its_failure_can_be_retried(state):
    failure = PROVISION.next(state, Event.FAIL)
    assert failure.name == f"{state.name}_FAILURE"
    assert PROVISION.next(failure, Event.RETRY) is state


@pytest.mark.parametrize("state", sorted(WORKING))
def test_work_comes_to_rest_by_succeeding(state):
    passed = []
    while state not in SETTLED:
        passed.append(state)
        state = PROVISION.next(state, Event.SUCCEED)
        assert state not in passed


def test_a_new_provision_passes_the_states_in_the_order_of_oneform():
    state, passed = State.PENDING, []
    while state is not State.RUNNING:
        state = PROVISION.next(state, Event.SUCCEED)
        passed.append(state.name)
    names = ["INIT", "PLANNING", "APPLYING", "CONFIGURING_ONE", "CONFIGURING_PROVISION", "RUNNING"]
    assert passed == names


@pytest.mark.parametrize("state", sorted(set(State) - {State.DONE}))
def test_there_is_always_a_way_to_remove_everything(state):
    assert PROVISION.next(state, Event.DEPROVISION) is State.DEPROVISIONING_ONE
    assert State.DONE in reachable(state)


def test_what_is_done_is_not_brought_back():
    assert State.RUNNING not in {PROVISION.next(State.DONE, event) for event in PROVISION.allowed(State.DONE)}


@pytest.mark.parametrize("operation", Operation)
def test_every_operation_is_allowed_somewhere(operation):
    assert ALLOWED[operation]


@pytest.mark.parametrize(
    ("operation", "event"),
    [
        (Operation.SCALE, Event.SCALE),
        (Operation.SHRINK, Event.SHRINK),
        (Operation.CHANGE_ADDRESSES, Event.SCALE),
        (Operation.DEPROVISION, Event.DEPROVISION),
    ],
)
def test_what_is_allowed_is_a_way_of_the_table(operation, event):
    assert [state for state in ALLOWED[operation] if not PROVISION.allows(state, event)] == []


def test_only_what_is_done_is_deleted():
    assert ALLOWED[Operation.DELETE] == {State.DONE}
