"""What holds of every decision, whatever the record, the driver and the newest look are."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from onecore.machines import record
from onecore.machines.decide import Health, Step, decide
from onecore.machines.model import MACHINE, State, Wanted
from tests.onecore.machines.builders import (
    ALL_FACTS,
    FACTS,
    NEVER_LOOKED,
    NOW,
    POLICIES,
    POLICY,
    RESOURCES,
    SIGHTS,
    a_machine,
    seen_as,
)

CONCLUSIONS = (Step.ADOPT, Step.ABSENT, Step.READY, Step.STOPPED, Step.BROKEN, Step.AGAIN)
EXAMPLES = settings(max_examples=500)


def surely_absent(resource, sight) -> bool:
    """A look that began after the record changed, late enough for the provider's list to be true."""
    late_enough = sight.at > 0 and sight.at >= resource.since + resource.lag_s
    return late_enough and sight.health in (None, Health.GONE)


@pytest.mark.parametrize("facts", ALL_FACTS)
@pytest.mark.parametrize("wanted", Wanted)
@pytest.mark.parametrize("state", State)
def test_every_state_has_a_decision_with_its_reason(state, wanted, facts):
    assert decide(a_machine(state, wanted=wanted, error="why"), facts, NEVER_LOOKED, POLICY, NOW).reason


@EXAMPLES
@given(RESOURCES, FACTS, SIGHTS, POLICIES)
def test_nothing_is_made_while_something_of_that_name_may_exist(resource, facts, sight, policy):
    if decide(resource, facts, sight, policy, NOW).step is not Step.CREATE or resource.state is State.NEW:
        return
    if facts.idempotent:
        return
    # A driver that cannot list is believed when it says clearly that it made nothing.
    assert surely_absent(resource, sight) if facts.can_list else resource.state is State.FAILED


@EXAMPLES
@given(RESOURCES, FACTS, SIGHTS, POLICIES)
def test_nothing_is_forgotten_without_the_word_of_the_provider(resource, facts, sight, policy):
    decision = decide(resource, facts, sight, policy, NOW)
    if decision.step not in (Step.GONE, Step.AGAIN) or resource.state is State.NEW:
        return
    if facts.can_list:
        assert surely_absent(resource, sight)
    elif resource.state is State.UNKNOWN:
        assert policy.force
        assert decision.reason.endswith("on the user's word")
    else:
        assert resource.state in (State.FAILED, State.DESTROYED)


@EXAMPLES
@given(RESOURCES, FACTS, SIGHTS, POLICIES)
def test_what_is_given_up_for_absent_was_looked_for(resource, facts, sight, policy):
    if decide(resource, facts, sight, policy, NOW).step is Step.ABSENT:
        assert surely_absent(resource, sight) or (policy.force and not facts.can_list)


@EXAMPLES
@given(RESOURCES, FACTS, SIGHTS, POLICIES)
def test_nobody_waits_for_what_is_past(resource, facts, sight, policy):
    decision = decide(resource, facts, sight, policy, NOW)
    assert decision.step is not Step.WAIT or decision.at > NOW


@EXAMPLES
@given(RESOURCES, FACTS, SIGHTS, POLICIES)
def test_who_has_just_looked_does_not_look_again_at_once(resource, facts, sight, policy):
    decision = decide(resource, facts, replace(sight, at=NOW), policy, NOW)
    assert decision.step not in (Step.LOOK, Step.POLL)


@EXAMPLES
@given(RESOURCES, FACTS, SIGHTS, POLICIES)
def test_what_is_wanted_is_destroyed_only_to_replace_a_broken_one(resource, facts, sight, policy):
    replaced = (State.BROKEN, State.DESTROY_FAILED, State.DESTROY_UNKNOWN)
    step = decide(resource, facts, sight, policy, NOW).step
    if step is Step.DESTROY and resource.wanted is Wanted.PRESENT:
        assert resource.state in replaced
        assert policy.force or resource.state is not State.BROKEN


@EXAMPLES
@given(RESOURCES, FACTS, SIGHTS, POLICIES)
def test_what_is_not_wanted_is_made_only_to_find_its_id(resource, facts, sight, policy):
    if decide(resource, facts, sight, policy, NOW).step is Step.CREATE and resource.wanted is Wanted.ABSENT:
        assert (resource.state, facts.can_list, facts.idempotent) == (State.UNKNOWN, False, True)


@EXAMPLES
@given(RESOURCES, FACTS, SIGHTS, POLICIES)
def test_used_up_tries_start_no_driver(resource, facts, sight, policy):
    tired = replace(resource, failures=policy.retries + 1)
    step = decide(tired, facts, sight, policy, NOW).step
    begins = resource.state is State.NEW or resource.wanted is Wanted.ABSENT
    begins = begins and resource.state not in (State.DESTROY_FAILED, State.DESTROY_UNKNOWN, State.UNKNOWN)
    assert begins or step not in (Step.CREATE, Step.DESTROY)


@EXAMPLES
@given(RESOURCES, FACTS, SIGHTS, POLICIES)
def test_every_decision_can_be_recorded(resource, facts, sight, policy):
    decision = decide(resource, facts, sight, policy, NOW)
    if decision.step in CONCLUSIONS:
        changed = record.concluded(resource, decision.step, decision.reason, sight, seen_as(sight))
        assert changed.since == resource.since, "what was seen has to stay fresh"
    elif decision.step in (Step.CREATE, Step.DESTROY):
        changed = record.started(resource, decision.step, NOW)
        assert changed.state in (State.CREATING, State.DESTROYING)
    elif decision.step is Step.STILL_THERE:
        changed = record.refused(resource, decision.reason, policy, NOW, 1.0)
    else:
        return
    assert changed.state in {MACHINE.next(resource.state, e) for e in MACHINE.allowed(resource.state)}


@EXAMPLES
@given(RESOURCES, FACTS, SIGHTS, POLICIES)
def test_conclusions_come_to_an_end(resource, facts, sight, policy):
    for _ in range(4):
        decision = decide(resource, facts, sight, policy, NOW)
        if decision.step not in CONCLUSIONS:
            return
        resource = record.concluded(resource, decision.step, decision.reason, sight, seen_as(sight))
    raise AssertionError(f"still concluding: {decision}")
