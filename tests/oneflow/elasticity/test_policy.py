from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from oneflow.elasticity.evaluate import Evaluation
from oneflow.elasticity.policy import (
    ElasticityPolicy,
    PolicyState,
    ScheduledPolicy,
    next_slot,
    next_wakeup,
    step,
    step_schedule,
)
from tests.oneflow.elasticity.builders import NOW, a_policy, a_schedule, at

TRUE = Evaluation(True, "CUSTOM_ATT[50.0] > 40")
FALSE = Evaluation(False, "CUSTOM_ATT[30.0] > 40")
UNKNOWN = Evaluation(None, "CUSTOM_ATT[--] > 40", ("CUSTOM_ATT",))


def test_the_counter_rises_with_every_true_period_and_fires_at_the_number():
    policy, state, fired = a_policy(period=3, period_number=3), PolicyState(), []
    for now in (NOW, NOW + 3, NOW + 6, NOW + 9):
        state, fires, reason = step(policy, state, TRUE, now)
        fired.append((state.true_evals, fires, reason))
    assert fired == [
        (1, False, "CUSTOM_ATT[50.0] > 40 is true, 1 of 3 times"),
        (2, False, "CUSTOM_ATT[50.0] > 40 is true, 2 of 3 times"),
        (3, True, "CUSTOM_ATT[50.0] > 40 for 3 periods"),
        (3, True, "CUSTOM_ATT[50.0] > 40 for 3 periods"),
    ]


@pytest.mark.parametrize(
    ("evaluation", "reason"),
    [
        (FALSE, "CUSTOM_ATT[30.0] > 40 is false"),
        (UNKNOWN, "CUSTOM_ATT[--] > 40 is unknown: no running VM reports CUSTOM_ATT"),
    ],
)
def test_what_is_not_true_takes_the_counter_back_to_nothing(evaluation, reason):
    state, fires, said = step(a_policy(), PolicyState(2, NOW), evaluation, NOW + 3)
    assert (state, fires, said) == (PolicyState(0, NOW + 3, evaluation.text), False, reason)


def test_nothing_is_counted_before_the_period_is_over():
    before = PolicyState(1, NOW, "CUSTOM_ATT[45.0] > 40")
    state, fires, reason = step(a_policy(period=3), before, TRUE, NOW + 2)
    assert (state, fires) == (before, False)
    assert reason == "CUSTOM_ATT[50.0] > 40 is true, 1 of 3 times; next evaluation in 1 s"


@pytest.mark.parametrize("number", [None, 0])
def test_without_a_number_of_periods_the_first_truth_fires(number):
    state, fires, reason = step(a_policy(period_number=number), PolicyState(), TRUE, NOW)
    assert (state.true_evals, fires, reason) == (0, True, "CUSTOM_ATT[50.0] > 40")
    assert not step(a_policy(period_number=number), PolicyState(), UNKNOWN, NOW).fired


def test_ticks_that_come_a_little_late_do_not_add_up():
    policy, state, now = a_policy(period=3, period_number=30), PolicyState(), float(NOW)
    for _ in range(30):
        state, fired, _ = step(policy, state, TRUE, now + 0.9)
        now = next_wakeup(policy, state, now)
    assert fired
    assert state.last_eval == NOW + 29 * 3


def test_a_pause_is_not_made_up_by_counting_faster():
    policy = a_policy(period=3)
    state = step(policy, PolicyState(1, NOW), TRUE, NOW + 10.9).state
    assert (state.true_evals, state.last_eval) == (2, NOW + 10)
    assert next_wakeup(policy, state, NOW + 10.9) == NOW + 13


def test_a_clock_that_was_put_back_stops_nothing():
    state = PolicyState(1, NOW + 3600)
    assert next_wakeup(a_policy(), state, NOW) == NOW
    assert step(a_policy(), state, TRUE, NOW).state == PolicyState(2, NOW, TRUE.text)


@pytest.mark.parametrize(
    ("period", "last_eval", "expected"),
    [(3, None, NOW), (3, NOW - 1, NOW + 2), (3, NOW - 100, NOW), (0, NOW, NOW + 1), (None, NOW, NOW + 1)],
)
def test_the_next_look_is_a_period_after_the_last(period, last_eval, expected):
    assert next_wakeup(a_policy(period=period), PolicyState(last_eval=last_eval), NOW) == expected


def by_the_reference(period, number, looks):
    """The counters as the original has them, for a look at each (time, truth)."""
    last_eval, true_evals, fired = 0, 0, []
    for now, truth in looks:
        if now < last_eval + period:
            fired.append(False)
            continue
        last_eval = now
        if truth:
            true_evals = min(true_evals + 1, number)
            fired.append(true_evals >= number)
        else:
            true_evals = 0
            fired.append(False)
    return last_eval, true_evals, fired


LOOKS = st.lists(st.tuples(st.integers(1, 12), st.sampled_from([True, False, None])), max_size=40)


@settings(deadline=None)
@given(st.integers(0, 10), st.integers(0, 5), LOOKS)
def test_whole_seconds_are_counted_as_in_the_reference(period, number, steps):
    now, looks = NOW, []
    for wait, truth in steps:
        now += wait
        looks.append((now, truth))
    policy, state, fired = a_policy(period=period, period_number=number), PolicyState(), []
    for now, truth in looks:
        state, fires, _ = step(policy, state, Evaluation(truth, "", ("A",)), now)
        fired.append(fires)
    assert (state.last_eval or 0, state.true_evals, fired) == by_the_reference(period, number, looks)


@settings(deadline=None)
@given(
    st.integers(2, 60),
    st.integers(1, 40),
    st.lists(st.floats(0, 0.99), min_size=40, max_size=40),
    st.floats(0, 1, exclude_max=True),
)
def test_a_policy_fires_within_a_second_of_its_periods_however_late_its_ticks(
    period, number, lateness, phase
):
    policy, state, wake = a_policy(period=period, period_number=number), PolicyState(), NOW + phase
    first = None
    for late in lateness[:number]:
        now = wake + late
        first = now if first is None else first
        state, fired, _ = step(policy, state, TRUE, now)
        wake = next_wakeup(policy, state, now)
    assert fired
    assert abs(now - first - (number - 1) * period) < 1


def test_a_policy_and_its_state_come_from_and_go_to_a_document():
    body = {
        "expression": "CUSTOM_ATT>40",
        "true_evals": 2,
        "adjust": 20,
        "min_adjust_step": 1,
        "last_eval": NOW,
        "cooldown": 30,
        "expression_evaluated": "CUSTOM_ATT[50.0] > 40",
        "period": 3,
        "period_number": 30,
        "type": "PERCENTAGE_CHANGE",
        "note": "mine",
    }
    policy, state = ElasticityPolicy.parse(body), PolicyState.from_json(body)
    assert (policy.period, policy.period_number, policy.cooldown) == (3, 30, 30)
    assert state == PolicyState(2, NOW, "CUSTOM_ATT[50.0] > 40")
    assert policy.to_json(state) == body


def test_a_policy_that_was_never_looked_at_has_no_counters():
    assert a_policy().to_json(PolicyState()) == dict(a_policy().body)
    schedule = a_schedule(recurrence="0 2 1-10 * *")
    assert schedule.to_json(PolicyState()) == {"type": "CHANGE", "adjust": 4, "recurrence": "0 2 1-10 * *"}
    assert schedule.to_json(PolicyState(last_eval=NOW))["last_eval"] == NOW


def test_a_state_that_makes_no_sense_is_forgotten():
    body = {"true_evals": "x", "last_eval": "yesterday", "expression_evaluated": 3}
    assert PolicyState.from_json(body) == PolicyState()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"expression": ""}, "Role 'a', elasticity policy #0 'expression' cannot be empty"),
        ({"expression": "  "}, "Role 'a', elasticity policy #0 'expression' cannot be empty"),
        ({"expression": None}, "Role 'a', elasticity policy #0 'expression' must be a String"),
        (
            {"expression": "A >"},
            "Role 'a', elasticity policy #0 'expression' parse error: "
            "expected a number or a name at position 4, found the end",
        ),
        ({"adjust": 0}, "Role 'a', elasticity policy #0 'adjust' cannot be 0"),
        ({"period": -1}, "Role 'a', elasticity policy #0 'period' must be greater than or equal to 0"),
        ({"cooldown": "soon"}, "Role 'a', elasticity policy #0 'cooldown' must be an Integer"),
    ],
)
def test_a_wrong_elasticity_policy_is_refused(changed, message):
    with pytest.raises(InvalidInput) as caught:
        ElasticityPolicy.parse({**a_policy().body, **changed}, "Role 'a', elasticity policy #0")
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "needs to define either 'start_time' or 'recurrence'"),
        (
            {"start_time": "2026-01-01", "recurrence": "@daily"},
            "must define 'start_time' or 'recurrence', but not both",
        ),
        (
            {"start_time": "tomorrow"},
            "'start_time' is not a valid Time. Try with YYYY-MM-DD hh:mm:ss or YYYY-MM-DDThh:mm:ssZ",
        ),
        (
            {"start_time": ["2026-01-01"]},
            "'start_time' is not a valid Time. Try with YYYY-MM-DD hh:mm:ss or YYYY-MM-DDThh:mm:ssZ",
        ),
        ({"recurrence": "@reboot"}, "'recurrence' is not a valid cron expression"),
        ({"recurrence": 5}, "'recurrence' is not a valid cron expression"),
    ],
)
def test_a_wrong_scheduled_policy_is_refused(body, message):
    with pytest.raises(InvalidInput) as caught:
        ScheduledPolicy.parse(
            {"type": "CHANGE", "adjust": 1, **body}, NOW, UTC, "Role 'a', scheduled policy #1"
        )
    assert caught.value.message == f"Role 'a', scheduled policy #1 {message}"


def fires_at(policy, times, state=None):
    """The times of the looks at which it fires."""
    state, fired = state or PolicyState(), []
    for now in times:
        state, fires, _ = step_schedule(policy, state, now, UTC)
        assert state.last_eval == int(now)
        fired += [now] if fires else []
    return fired


def test_a_recurrence_fires_once_in_every_slot():
    start = at("2026-11-21T01:59:40")
    policy = a_schedule(recurrence="0 2 * * *")
    times = [start + seconds for seconds in range(0, 2 * 86400, 20)]
    assert fires_at(policy, times) == [at("2026-11-21T02:00:00"), at("2026-11-22T02:00:00")]


def test_the_first_look_fires_nothing_of_the_past():
    policy = a_schedule(start_time="2026-11-21 02:00:00")
    assert fires_at(policy, [at("2026-11-21T02:00:00"), at("2026-11-21T02:00:05")]) == []
    assert fires_at(policy, [at("2026-11-21T01:59:59"), at("2026-11-21T02:00:05")]) == [
        at("2026-11-21T02:00:05")
    ]


def test_after_a_pause_there_is_one_firing_for_all_the_missed_slots():
    policy = a_schedule(recurrence="0 * * * *")
    before = PolicyState(last_eval=int(at("2026-11-21T02:30:00")))
    back = at("2026-11-23T11:20:00")
    assert fires_at(policy, [back, back + 5, back + 2400], before) == [back, back + 2400]


def test_a_start_time_fires_once():
    policy = a_schedule(start_time=str(NOW + 100))
    assert fires_at(policy, range(NOW, NOW + 86400 * 3, 60)) == [NOW + 120]


def test_a_schedule_says_when_it_fires_and_when_it_comes():
    policy = a_schedule(recurrence="0 2 * * *")
    seen = PolicyState(last_eval=int(at("2026-11-21T01:00:00")))
    assert step_schedule(policy, seen, at("2026-11-21T02:00:01"), UTC).reason == (
        "recurrence '0 2 * * *' at 2026-11-21 02:00:00"
    )
    assert step_schedule(policy, seen, at("2026-11-21T01:00:01"), UTC).reason == (
        "recurrence '0 2 * * *' comes at 2026-11-21 02:00:00"
    )
    assert step_schedule(a_schedule(start_time="2020-01-01"), seen, NOW, UTC).reason == (
        "start_time '2020-01-01' does not come any more"
    )


def test_a_time_without_a_date_is_made_a_date_once():
    now = at("2026-11-21T10:00:00")
    policy = a_schedule(now, start_time="15:45").resolved(now, UTC)
    assert policy.start_time == policy.body["start_time"] == "2026-11-21T15:45:00+00:00"
    assert policy.resolved(now + 86400, UTC) == policy
    times = [now + seconds for seconds in range(0, 5 * 86400, 300)]
    assert fires_at(policy, times) == [at("2026-11-21T15:45:00")]


@pytest.mark.parametrize("written", ["2026-12-24 18:00", "24 dec 2026 18:00", NOW, str(NOW)])
def test_a_time_with_a_date_stays_as_it_is_written(written):
    policy = a_schedule(start_time=written)
    assert policy.resolved(NOW, UTC) is policy


@pytest.mark.parametrize(
    ("policy", "last_eval", "expected"),
    [
        ({"start_time": NOW + 50}, None, NOW),
        ({"start_time": NOW + 50}, NOW - 10, NOW + 50),
        ({"start_time": NOW - 5}, NOW - 10, NOW),
        ({"start_time": NOW - 50}, NOW - 10, None),
        ({"recurrence": "0 0 31 2 *"}, NOW, None),
        ({"recurrence": "* * * * *"}, NOW - 600, NOW),
    ],
)
def test_a_schedule_knows_when_to_be_looked_at_again(policy, last_eval, expected):
    assert next_slot(a_schedule(**policy), PolicyState(last_eval=last_eval), NOW, UTC) == expected
