"""What is done next with a resource, as a table of facts: state, what is wanted, what was seen, and why."""

import pytest

from onecore.machines.decide import Facts, Health, Sight, Step, decide
from onecore.machines.model import Kind, State
from tests.onecore.machines.builders import (
    ABSENT,
    FORCE,
    LISTS,
    LISTS_AND_REPEATS,
    NEITHER,
    NEVER_LOOKED,
    NOT_THERE,
    NOW,
    POLICY,
    PRESENT,
    REPEATS,
    STALE,
    a_machine,
    there,
)

SALVAGED = Sight(salvaged_id="id-1")
SPENT = {"failures": 4, "error": "quota reached"}
PAUSED = {"failures": 1, "error": "quota reached", "next_at": NOW + 5}
LAGGING = {"lag_s": 30.0}
OLD = {"since": NOW - 700}
TABLE = [
    # state, what else the record says, driver, newest look → step, reason
    (State.NEW, {}, LISTS, NEVER_LOOKED, Step.CREATE, "wanted and never made"),
    (State.NEW, {"wanted": ABSENT}, LISTS, NEVER_LOOKED, Step.GONE, "no driver was ever started for it"),
    (State.CREATING, {}, LISTS, NEVER_LOOKED, Step.WAIT, "the driver is at work"),
    (State.DESTROYING, {}, LISTS, NEVER_LOOKED, Step.WAIT, "the driver is at work"),
    # the driver said that it was not made
    (State.FAILED, PAUSED, LISTS, NEVER_LOOKED, Step.WAIT, "try 2 of 4 after: quota reached"),
    (State.FAILED, SPENT, LISTS, NEVER_LOOKED, Step.GIVE_UP, "quota reached"),
    (State.FAILED, {}, LISTS, NEVER_LOOKED, Step.LOOK, "did the failed try leave something?"),
    (State.FAILED, {}, LISTS, STALE, Step.LOOK, "did the failed try leave something?"),
    (State.FAILED, {}, LISTS, there(), Step.ADOPT, "the failed try made it all the same"),
    (State.FAILED, {"failures": 1}, LISTS, NOT_THERE, Step.CREATE, "try 2 of 4"),
    (State.FAILED, LAGGING, LISTS, NOT_THERE, Step.WAIT, "waiting for the provider"),
    (State.FAILED, LAGGING, LISTS_AND_REPEATS, NOT_THERE, Step.CREATE, "try 1 of 4"),
    (State.FAILED, {}, NEITHER, NEVER_LOOKED, Step.CREATE, "try 1 of 4"),
    (State.FAILED, {"wanted": ABSENT}, LISTS, NEVER_LOOKED, Step.LOOK, "did the failed try leave something?"),
    (State.FAILED, {"wanted": ABSENT}, LISTS, there(), Step.ADOPT, "the failed try made it all the same"),
    (State.FAILED, {"wanted": ABSENT}, LISTS, NOT_THERE, Step.GONE, "the provider does not list it"),
    (State.FAILED, {"wanted": ABSENT, **LAGGING}, LISTS, NOT_THERE, Step.WAIT, "waiting for the provider"),
    (
        State.FAILED,
        {"wanted": ABSENT},
        NEITHER,
        NEVER_LOOKED,
        Step.GONE,
        "the driver said that it was not made",
    ),
    # a create was started and its end is unknown
    (State.UNKNOWN, {}, LISTS, NEVER_LOOKED, Step.LOOK, "an operation was started and its end is unknown"),
    (State.UNKNOWN, {}, LISTS, STALE, Step.LOOK, "an operation was started and its end is unknown"),
    (State.UNKNOWN, {}, LISTS, there(), Step.ADOPT, "it exists at the provider under our name"),
    (State.UNKNOWN, {}, LISTS, NOT_THERE, Step.ABSENT, "the provider does not list it"),
    (State.UNKNOWN, LAGGING, LISTS, NOT_THERE, Step.WAIT, "waiting for the provider"),
    (
        State.UNKNOWN,
        LAGGING,
        LISTS_AND_REPEATS,
        NOT_THERE,
        Step.CREATE,
        "not listed, and the driver answers a repeated deploy with the same machine",
    ),
    (
        State.UNKNOWN,
        {**LAGGING, **PAUSED},
        LISTS_AND_REPEATS,
        NOT_THERE,
        Step.WAIT,
        "try 2 of 4 after: quota reached",
    ),
    (State.UNKNOWN, {**LAGGING, **SPENT}, LISTS_AND_REPEATS, NOT_THERE, Step.GIVE_UP, "quota reached"),
    (
        State.UNKNOWN,
        {"wanted": ABSENT},
        LISTS_AND_REPEATS,
        NOT_THERE,
        Step.GONE,
        "the provider does not list it",
    ),
    (
        State.UNKNOWN,
        {"wanted": ABSENT},
        LISTS,
        there(),
        Step.ADOPT,
        "it exists at the provider under our name",
    ),
    (
        State.UNKNOWN,
        {},
        REPEATS,
        NEVER_LOOKED,
        Step.CREATE,
        "a repeated deploy answers with the same machine",
    ),
    (State.UNKNOWN, PAUSED, REPEATS, NEVER_LOOKED, Step.WAIT, "try 2 of 4 after: quota reached"),
    (State.UNKNOWN, SPENT, REPEATS, NEVER_LOOKED, Step.GIVE_UP, "quota reached"),
    (State.UNKNOWN, {}, NEITHER, SALVAGED, Step.POLL, "the driver answered a deploy id before we died"),
    (
        State.UNKNOWN,
        {},
        NEITHER,
        Sight(NOW, Health.RUNNING, "id-1", "id-1"),
        Step.ADOPT,
        "the machine of the answered deploy id exists",
    ),
    (
        State.UNKNOWN,
        {},
        NEITHER,
        Sight(NOW, Health.GONE, "id-1", "id-1"),
        Step.HOLD,
        "the driver answered a deploy id, but its poll does not know the machine",
    ),
    (
        State.UNKNOWN,
        {},
        NEITHER,
        NEVER_LOOKED,
        Step.HOLD,
        "an operation was started, its end is unknown, and the driver cannot list",
    ),
    # it was made
    (State.BOOTING, {}, LISTS, NEVER_LOOKED, Step.LOOK, "is it running?"),
    (State.BOOTING, {}, LISTS, there(), Step.READY, "the provider says it runs"),
    (State.BOOTING, {}, LISTS, there(Health.OFF), Step.STOPPED, "the provider says it is off"),
    (State.BOOTING, {}, LISTS, there(Health.ERROR), Step.BROKEN, "the provider says it is in error"),
    (State.BOOTING, {}, LISTS, there(Health.PENDING), Step.WAIT, "waiting for the provider"),
    (State.BOOTING, {"kind": Kind.ADDRESS}, LISTS, NEVER_LOOKED, Step.READY, "allocated"),
    (State.BOOTING, OLD, LISTS, there(Health.PENDING), Step.BROKEN, "not running after 600 s"),
    (State.BOOTING, {}, LISTS, NOT_THERE, Step.WAIT, "waiting for the provider"),
    (
        State.BOOTING,
        {"since": NOW - 20},
        LISTS,
        NOT_THERE,
        Step.BROKEN,
        "the driver said it was made, but the provider does not know it",
    ),
    (State.BOOTING, {"since": NOW - 20, **LAGGING}, LISTS, NOT_THERE, Step.WAIT, "waiting for the provider"),
    (State.BOOTING, {"wanted": ABSENT}, LISTS, NEVER_LOOKED, Step.DESTROY, "no longer wanted"),
    (State.READY, {}, LISTS, NEVER_LOOKED, Step.DONE, "ready"),
    (State.READY, {"wanted": ABSENT}, LISTS, NEVER_LOOKED, Step.DESTROY, "no longer wanted"),
    (State.OFF, {}, LISTS, NEVER_LOOKED, Step.DONE, "off"),
    (State.OFF, {"wanted": ABSENT}, LISTS, NEVER_LOOKED, Step.DESTROY, "no longer wanted"),
    (State.BROKEN, {"error": "in error"}, LISTS, NEVER_LOOKED, Step.GIVE_UP, "in error"),
    (State.BROKEN, {}, LISTS, NEVER_LOOKED, Step.GIVE_UP, "it exists but cannot be used"),
    (State.BROKEN, {"wanted": ABSENT}, LISTS, NEVER_LOOKED, Step.DESTROY, "no longer wanted"),
    # it is to go
    (
        State.DESTROY_FAILED,
        {"wanted": ABSENT, **PAUSED},
        LISTS,
        NEVER_LOOKED,
        Step.WAIT,
        "try 2 of 4 after: quota reached",
    ),
    (State.DESTROY_FAILED, {"wanted": ABSENT}, LISTS, NEVER_LOOKED, Step.LOOK, "is it still there?"),
    (
        State.DESTROY_FAILED,
        {"wanted": ABSENT},
        LISTS,
        NOT_THERE,
        Step.GONE,
        "the provider no longer lists it",
    ),
    (State.DESTROY_FAILED, {"wanted": ABSENT}, LISTS, there(), Step.DESTROY, "try 1 of 4"),
    (State.DESTROY_FAILED, {"wanted": ABSENT, **SPENT}, LISTS, there(), Step.GIVE_UP, "quota reached"),
    (State.DESTROY_FAILED, {"wanted": ABSENT}, NEITHER, NEVER_LOOKED, Step.DESTROY, "try 1 of 4"),
    (
        State.DESTROY_UNKNOWN,
        {"wanted": ABSENT},
        LISTS,
        NEVER_LOOKED,
        Step.LOOK,
        "a removal was started and its end is unknown",
    ),
    (
        State.DESTROY_UNKNOWN,
        {"wanted": ABSENT},
        LISTS,
        NOT_THERE,
        Step.GONE,
        "the provider no longer lists it",
    ),
    (
        State.DESTROY_UNKNOWN,
        {"wanted": ABSENT},
        NEITHER,
        NEVER_LOOKED,
        Step.DESTROY,
        "a removal was started and its end is unknown",
    ),
    (
        State.DESTROY_UNKNOWN,
        {"wanted": ABSENT, **SPENT},
        NEITHER,
        NEVER_LOOKED,
        Step.GIVE_UP,
        "quota reached",
    ),
    (State.DESTROYED, {"wanted": ABSENT}, NEITHER, NEVER_LOOKED, Step.GONE, "the driver said it is removed"),
    (
        State.DESTROYED,
        {"wanted": ABSENT},
        LISTS,
        NEVER_LOOKED,
        Step.LOOK,
        "the driver said it is removed; is it?",
    ),
    (State.DESTROYED, {"wanted": ABSENT}, LISTS, NOT_THERE, Step.GONE, "the provider no longer lists it"),
    (State.DESTROYED, {"wanted": ABSENT, **LAGGING}, LISTS, NOT_THERE, Step.WAIT, "waiting for the provider"),
    (State.DESTROYED, {"wanted": ABSENT}, LISTS, there(), Step.WAIT, "waiting for the provider"),
    (
        State.DESTROYED,
        {"wanted": ABSENT, "since": NOW - 20},
        LISTS,
        there(),
        Step.STILL_THERE,
        "the driver said it was removed, but the provider still lists it",
    ),
    (State.GONE, {}, LISTS, NEVER_LOOKED, Step.DONE, "gone"),
    (State.GONE, {"wanted": ABSENT}, LISTS, NEVER_LOOKED, Step.DONE, "gone"),
]


def named(row) -> str:
    state, changed, _, _, step, _ = row
    return f"{state}, {changed.get('wanted', PRESENT)}: {step}"


@pytest.mark.parametrize(
    ("state", "changed", "facts", "sight", "step", "reason"), TABLE, ids=map(named, TABLE)
)
def test_decision(state, changed, facts, sight, step, reason):
    decision = decide(a_machine(state, **changed), facts, sight, POLICY, NOW)
    assert (decision.step, decision.reason) == (step, reason)


@pytest.mark.parametrize(
    ("state", "facts", "sight", "step"),
    [
        pytest.param(State.BROKEN, LISTS, NEVER_LOOKED, Step.DESTROY, id="a broken one is replaced"),
        pytest.param(State.UNKNOWN, NEITHER, NEVER_LOOKED, Step.ABSENT, id="a lost one is given up"),
        pytest.param(State.DESTROYED, LISTS, NOT_THERE, Step.AGAIN, id="its place is free again"),
        pytest.param(State.READY, LISTS, NEVER_LOOKED, Step.DONE, id="a good one is left alone"),
    ],
)
def test_with_force(state, facts, sight, step):
    assert decide(a_machine(state), facts, sight, FORCE, NOW).step is step


def test_what_is_lost_and_unwanted_goes_only_on_the_users_word():
    lost = a_machine(State.UNKNOWN, wanted=ABSENT)
    assert decide(lost, NEITHER, NEVER_LOOKED, POLICY, NOW).step is Step.HOLD
    decision = decide(lost, NEITHER, NEVER_LOOKED, FORCE, NOW)
    assert decision.step is Step.GONE
    assert decision.reason.endswith("going on without it on the user's word")


@pytest.mark.parametrize("at", [NOW + 5, NOW + 0.001])
def test_a_pause_ends_when_it_was_said_to(at):
    machine = a_machine(State.FAILED, failures=1, next_at=at)
    assert decide(machine, LISTS, NEVER_LOOKED, POLICY, NOW).at == at


def test_looks_become_rarer_the_longer_one_waits():
    pauses = []
    for looked in (0.1, 2.0, 6.0, 100.0):
        machine = a_machine(State.UNKNOWN, since=NOW - looked, lag_s=3600.0)
        pauses.append(decide(machine, LISTS, NOT_THERE, POLICY, NOW).at - NOW)
    assert pauses == pytest.approx([0.2, 1.0, 3.0, 5.0])


def test_a_declared_time_to_boot_counts():
    machine = a_machine(State.BOOTING, since=NOW - 10)
    slow = Facts(can_list=True, idempotent=False, boot_s=5.0)
    assert decide(machine, slow, there(Health.PENDING), POLICY, NOW).reason == "not running after 5 s"
