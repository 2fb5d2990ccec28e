from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from oneflow.elasticity.decide import decide, explain
from oneflow.elasticity.policy import PolicyState
from oneflow.elasticity.role import RoleState, RoleView
from tests.oneflow.elasticity.builders import NOW, a_policy, a_role, a_schedule, a_state, at, decided

HIGH = {"CUSTOM_ATT": 50.0}
LOW = {"CUSTOM_ATT": 30.0}


def a_due(**changed):
    """A policy that fires at the first truth."""
    return a_policy(**{"period": 0, "period_number": 0, **changed})


def test_a_reported_attribute_scales_the_role_after_its_periods():
    role = a_role(policies=(a_policy(cooldown=30),))
    states, seen = RoleState(), []
    for now in (NOW, NOW + 3, NOW + 6):
        outcome = decide(role, states, HIGH, now)
        states = outcome.states
        seen.append((outcome.decision, outcome.wake_at))
    decision = outcome.decision
    assert seen[:2] == [(None, NOW + 3), (None, NOW + 6)]
    assert decision
    assert (decision.role, decision.before, decision.after, decision.cooldown) == ("web", 1, 2, 30)
    assert decision.reason == "CUSTOM_ATT[50.0] > 40 for 3 periods: 1 → 2"


def test_the_counters_start_again_when_the_role_scales():
    role = a_role(policies=(a_policy(adjust=-1, expression="OTHER>1"), a_due()))
    outcome = decide(role, a_state(2, 0, last_eval=NOW - 1), HIGH, NOW)
    assert outcome.decision
    assert [state.true_evals for state in outcome.states.policies] == [0, 0]
    assert outcome.states.policies[1].expression_evaluated == "CUSTOM_ATT[50.0] > 40"


def test_schedules_come_before_policies_and_the_rest_waits():
    soon = a_schedule(recurrence="* * * * *", adjust=2)
    later = a_schedule(start_time=str(NOW - 10), adjust=1)
    role = a_role(scheduled=(soon, later), policies=(a_due(),))
    before = a_state(0, last_eval=NOW - 60, scheduled=(NOW - 60, NOW - 60))
    outcome = decide(role, before, HIGH, NOW)
    assert decided(role, before, HIGH, NOW).after == 3
    assert [state.last_eval for state in outcome.states.scheduled] == [NOW, NOW - 60]
    assert outcome.states.policies == before.policies
    assert outcome.lines[1:] == (
        "scheduled policy 1: not looked at, because the role scales already",
        "elasticity policy 0: not looked at, because the role scales already",
        "min_vms: not looked at, because the role scales already",
    )


def test_a_schedule_that_waited_for_another_is_made_up_for():
    role = a_role(
        scheduled=(a_schedule(recurrence="* * * * *"), a_schedule(start_time=str(NOW - 10), adjust=-1))
    )
    first = decide(role, a_state(scheduled=(NOW - 60, NOW - 60)), {}, NOW)
    grown = a_role(cardinality=4, scheduled=role.scheduled)
    second = decided(grown, first.states, {}, NOW + 20)
    assert (second.before, second.after) == (4, 3)
    assert "start_time" in second.reason


def test_the_first_policy_that_changes_something_wins():
    at_the_limit, shrinks = a_due(adjust=3), a_due(adjust=-1)
    role = a_role(cardinality=4, policies=(at_the_limit, shrinks, a_due(adjust=-2)))
    outcome = decide(role, RoleState(), HIGH, NOW)
    assert decided(role, RoleState(), HIGH, NOW).after == 3
    assert outcome.lines[0] == (
        "elasticity policy 0: CUSTOM_ATT[50.0] > 40, but + 3 leaves 4 (min_vms 1, max_vms 4)"
    )
    assert outcome.states.policies[2] == PolicyState()


def test_a_counter_stays_full_while_the_role_is_at_its_limit():
    role = a_role(cardinality=4, policies=(a_policy(),))
    outcome = decide(role, a_state(3, last_eval=NOW - 3), HIGH, NOW)
    assert outcome.decision is None
    assert outcome.states.policies[0].true_evals == 3


@pytest.mark.parametrize(
    ("policy", "role", "default", "expected"),
    [(30, 240, 300, 30), (None, 240, 300, 240), (None, None, 300, 300), (0, 240, 300, 0), (None, 0, 300, 0)],
)
def test_the_nearest_cooldown_counts(policy, role, default, expected):
    elastic = a_role(cooldown=role, policies=(a_due(cooldown=policy),))
    assert decided(elastic, RoleState(), HIGH, NOW, default).cooldown == expected
    timed = a_role(cooldown=role, scheduled=(a_schedule(start_time=NOW, adjust=1, cooldown=policy),))
    assert decided(timed, a_state(scheduled=(NOW - 5,)), {}, NOW, default).cooldown == expected


def test_a_role_below_its_minimum_is_filled_without_a_cooldown():
    role = a_role(cardinality=1, min_vms=3, cooldown=240, policies=(a_policy(),))
    decision = decided(role, RoleState(), LOW, NOW)
    assert (decision.before, decision.after, decision.cooldown) == (1, 3, 0)
    assert decision.reason == "fewer than min_vms 3: 1 → 3"


def test_a_role_without_a_minimum_stays_where_it_is():
    assert decide(a_role(cardinality=0, min_vms=None), RoleState(), {}, NOW).decision is None


def test_what_nobody_reports_fires_nothing():
    role = a_role(policies=(a_due(expression="!(CUSTOM_ATT > 40)"),))
    outcome = decide(role, RoleState(), {}, NOW)
    assert outcome.decision is None
    assert outcome.lines[0] == (
        "elasticity policy 0: !(CUSTOM_ATT[--] > 40) is unknown: no running VM reports CUSTOM_ATT"
    )


def test_the_role_wakes_for_the_policy_that_is_due_first():
    morning = at("2026-11-21T02:00:00")
    role = a_role(scheduled=(a_schedule(recurrence="0 2 * * *"),), policies=(a_policy(period=60),))
    states = a_state(0, scheduled=(int(morning) - 7200,))
    assert decide(role, states, LOW, morning - 3600).wake_at == morning - 3600 + 60
    assert decide(role, states, LOW, morning - 30).wake_at == morning
    assert decide(a_role(), RoleState(), {}, NOW).wake_at is None


def test_a_new_policy_starts_with_a_state_of_its_own():
    role = a_role(policies=(a_policy(), a_policy(adjust=-1, expression="CUSTOM_ATT<10")))
    outcome = decide(role, a_state(2, last_eval=NOW - 1), HIGH, NOW)
    assert [state.true_evals for state in outcome.states.policies] == [2, 0]
    assert len(decide(a_role(policies=(a_policy(),)), outcome.states, HIGH, NOW).states.policies) == 1


def test_the_explanation_says_of_each_policy_why_it_did_not_fire():
    role = a_role(
        scheduled=(a_schedule(recurrence="0 2 * * *"),),
        policies=(a_policy(), a_policy(expression="CPU>90"), a_policy(expression="CUSTOM_ATT<10")),
    )
    now = at("2026-11-21T01:00:00")
    states = a_state(2, 0, 0, last_eval=int(now) - 1, scheduled=(int(now) - 5,))
    assert explain(role, states, HIGH, now) == [
        "role web, scheduled policy 0: recurrence '0 2 * * *' comes at 2026-11-21 02:00:00",
        "role web, elasticity policy 0: CUSTOM_ATT[50.0] > 40 is true, 2 of 3 times; next evaluation in 2 s",
        "role web, elasticity policy 1: CPU[--] > 90 is unknown: no running VM reports CPU; "
        "next evaluation in 2 s",
        "role web, elasticity policy 2: CUSTOM_ATT[50.0] < 10 is false; next evaluation in 2 s",
        "role web, min_vms: 1 is not below 1",
    ]


def test_the_explanation_of_a_policy_that_fires_gives_its_reason():
    assert explain(a_role(policies=(a_due(),)), RoleState(), HIGH, NOW) == [
        "role web, elasticity policy 0 fires: CUSTOM_ATT[50.0] > 40: 1 → 2",
        "role web, min_vms: not looked at, because the role scales already",
    ]
    assert explain(a_role(min_vms=None), RoleState(), {}, NOW) == [
        "role web has no policies and no min_vms: only people scale it"
    ]


FRONTEND = {
    "name": "frontend",
    "min_vms": 1,
    "max_vms": 4,
    "cardinality": 1,
    "cooldown": 30,
    "elasticity_policies": [
        {
            "expression": "CUSTOM_ATT>40",
            "true_evals": 0,
            "adjust": 20,
            "min_adjust_step": 1,
            "last_eval": 1374676803,
            "cooldown": 30,
            "expression_evaluated": "CUSTOM_ATT[--] > 40",
            "period": 3,
            "period_number": 30,
            "type": "PERCENTAGE_CHANGE",
        }
    ],
    "scheduled_policies": [
        {"adjust": 4, "last_eval": 1374676986, "type": "CHANGE", "recurrence": "0 2 1-10 * *"}
    ],
}


def test_a_role_of_a_document_comes_and_goes_unchanged():
    role, states = RoleView.parse(FRONTEND, NOW), RoleState.from_json(FRONTEND)
    assert (role.name, role.cardinality, role.min_vms, role.max_vms, role.cooldown) == (
        "frontend",
        1,
        1,
        4,
        30,
    )
    assert role.names == {"CUSTOM_ATT"}
    assert {**FRONTEND, **states.to_json(role)} == FRONTEND


def test_a_role_needs_little():
    role = RoleView.parse({"name": "a", "elasticity_policies": None}, NOW)
    assert role == RoleView("a", 1)
    assert RoleState.from_json({}).to_json(role) == {"elasticity_policies": [], "scheduled_policies": []}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"elasticity_policies": {}}, "Role 'frontend' 'elasticity_policies' must be an Array of objects"),
        ({"scheduled_policies": [1]}, "Role 'frontend' 'scheduled_policies' must be an Array of objects"),
        ({"cardinality": -1}, "Role 'frontend' 'cardinality' must be greater than or equal to 0"),
        (
            {"scheduled_policies": [{"type": "CHANGE", "adjust": 1}]},
            "Role 'frontend', scheduled policy #0 needs to define either 'start_time' or 'recurrence'",
        ),
    ],
)
def test_a_wrong_role_is_refused(changed, message):
    with pytest.raises(InvalidInput) as caught:
        RoleView.parse({**FRONTEND, **changed}, NOW)
    assert caught.value.message == message


def test_a_role_in_a_service_has_start_times_with_a_date():
    role = a_role(scheduled=(a_schedule(start_time="15:45"),)).resolved(at("2026-11-21T10:00:00"), UTC)
    assert role.scheduled[0].start_time == "2026-11-21T15:45:00+00:00"


POLICIES = st.lists(
    st.builds(
        a_policy,
        type=st.sampled_from(["CHANGE", "CARDINALITY", "PERCENTAGE_CHANGE"]),
        adjust=st.integers(-5, 5).filter(bool),
        expression=st.sampled_from(["CUSTOM_ATT>40", "CUSTOM_ATT<20", "!(B=1)"]),
        period=st.integers(0, 5),
        period_number=st.integers(0, 3),
    ),
    max_size=3,
)
VALUES = st.fixed_dictionaries(
    {"CUSTOM_ATT": st.sampled_from([None, 10.0, 30.0, 50.0]), "B": st.none() | st.just(2.0)}
)


@settings(deadline=None)
@given(POLICIES, st.lists(VALUES, max_size=30), st.integers(0, 8))
def test_a_role_that_follows_its_decisions_stays_within_its_limits(policies, readings, cardinality):
    role, states, now = (
        a_role(cardinality=cardinality, min_vms=2, max_vms=5, policies=tuple(policies)),
        RoleState(),
        NOW,
    )
    for values in readings:
        outcome = decide(role, states, values, now)
        states, now = outcome.states, now + 1
        assert outcome.wake_at is None or outcome.wake_at >= now - 1
        if outcome.decision is None:
            assert role.cardinality >= 2
            continue
        assert outcome.decision.before == role.cardinality != outcome.decision.after
        assert 0 <= outcome.decision.after <= max(role.cardinality, 5)
        role = a_role(cardinality=outcome.decision.after, min_vms=2, max_vms=5, policies=tuple(policies))


@settings(deadline=None)
@given(POLICIES, VALUES)
def test_deciding_twice_gives_the_same(policies, values):
    role = a_role(policies=tuple(policies))
    assert decide(role, RoleState(), values, NOW) == decide(role, RoleState(), values, NOW)
