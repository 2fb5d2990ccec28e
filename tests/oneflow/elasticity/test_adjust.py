import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from oneflow.elasticity.adjust import Adjustment, AdjustType, Limits

CHANGE, CARDINALITY, PERCENTAGE = AdjustType.CHANGE, AdjustType.CARDINALITY, AdjustType.PERCENTAGE_CHANGE


@pytest.mark.parametrize(
    ("kind", "adjust", "step", "cardinality", "limits", "expected"),
    [
        (PERCENTAGE, 20, None, 4, (1, 10), 5),
        (PERCENTAGE, -10, 2, 5, (1, 10), 3),
        (PERCENTAGE, 20, None, 9, (1, 20), 10),
        (PERCENTAGE, 20, 1, 1, (1, 4), 2),
        (PERCENTAGE, -20, None, 9, (1, 20), 8),
        (PERCENTAGE, 50, None, 10, (1, 12), 12),
        (PERCENTAGE, 100, 3, 10, (1, 50), 20),
        (PERCENTAGE, -100, None, 10, (0, 50), 0),
        (PERCENTAGE, -300, None, 10, (None, None), 0),
        (PERCENTAGE, 50, None, 0, (0, 5), 1),
        (PERCENTAGE, 50, 2, 0, (0, 5), 2),
        (PERCENTAGE, -50, None, 0, (0, 5), 0),
        (CHANGE, 5, None, 12, (1, 10), 12),
        (CHANGE, -1, None, 12, (1, 10), 11),
        (CHANGE, -1, None, 1, (2, 10), 2),
        (CHANGE, 1, None, 1, (2, 10), 2),
        (CHANGE, 1, None, 0, (3, 10), 1),
        (CHANGE, 4, None, 1, (1, 4), 4),
        (CHANGE, -5, None, 3, (1, 4), 1),
        (CHANGE, -5, None, 3, (None, None), 0),
        (CHANGE, 5, None, 3, (None, None), 8),
        (CARDINALITY, 20, None, 3, (1, 10), 10),
        (CARDINALITY, 20, None, 12, (1, 10), 12),
        (CARDINALITY, 6, None, 9, (1, 10), 6),
        # Where older servers asked for 1 and then refused it, the role gets what it may have.
        (CARDINALITY, 1, None, 4, (2, 10), 2),
        (CARDINALITY, -3, None, 4, (2, 10), 2),
        (CARDINALITY, -3, None, 4, (None, None), 0),
    ],
)
def test_the_number_of_machines_that_a_policy_asks_for(kind, adjust, step, cardinality, limits, expected):
    assert Adjustment(kind, adjust, step).target(cardinality, Limits(*limits)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"type": "CHANGE", "adjust": "4"}, Adjustment(CHANGE, 4)),
        ({"type": "CARDINALITY", "adjust": 6.0}, Adjustment(CARDINALITY, 6)),
        (
            {"type": "PERCENTAGE_CHANGE", "adjust": " -20 ", "min_adjust_step": "2"},
            Adjustment(PERCENTAGE, -20, 2),
        ),
    ],
)
def test_an_adjustment_reads_from_a_policy(body, expected):
    assert Adjustment.parse(body, "policy") == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"type": "CHANGE"}, "policy 'adjust' is required"),
        ({"type": "CHANGE", "adjust": 0}, "policy 'adjust' cannot be 0"),
        ({"type": "CARDINALITY", "adjust": "0"}, "policy 'adjust' cannot be 0"),
        ({"type": "CHANGE", "adjust": True}, "policy 'adjust' must be an Integer"),
        ({"type": "CHANGE", "adjust": 1.5}, "policy 'adjust' must be an Integer"),
        ({"type": "CHANGE", "adjust": "0x10"}, "policy 'adjust' must be an Integer"),
        ({"type": "CHANGE", "adjust": []}, "policy 'adjust' must be an Integer"),
        ({"type": "CHANGE", "adjust": float("nan")}, "policy 'adjust' must be an Integer"),
        (
            {"type": "CHANGE", "adjust": 1, "min_adjust_step": 0},
            "policy 'min_adjust_step' must be greater than or equal to 1",
        ),
        (
            {"type": "change", "adjust": 1},
            "policy 'type' must be one of CHANGE, CARDINALITY, PERCENTAGE_CHANGE",
        ),
        ({"adjust": 1}, "policy 'type' must be one of CHANGE, CARDINALITY, PERCENTAGE_CHANGE"),
    ],
)
def test_an_adjustment_that_makes_no_sense_is_refused(body, message):
    with pytest.raises(InvalidInput) as caught:
        Adjustment.parse(body, "policy")
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("adjustment", "text"),
    [
        (Adjustment(CHANGE, 2), "+ 2"),
        (Adjustment(CHANGE, -2), "- 2"),
        (Adjustment(CARDINALITY, 6), "= 6"),
        (Adjustment(PERCENTAGE, -10, 2), "- 10 % (2)"),
        (Adjustment(PERCENTAGE, 20), "+ 20 %"),
    ],
)
def test_an_adjustment_as_people_read_it(adjustment, text):
    assert str(adjustment) == text


ADJUSTMENTS = st.builds(
    Adjustment,
    st.sampled_from(AdjustType),
    st.integers(-500, 500).filter(bool),
    st.none() | st.integers(1, 20),
)
BOUNDS = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: Limits(min(pair), max(pair)))


@given(ADJUSTMENTS, st.integers(0, 100), BOUNDS)
def test_a_role_inside_its_limits_stays_inside(adjustment, cardinality, limits):
    cardinality = min(max(cardinality, limits.min_vms), limits.max_vms)
    assert limits.min_vms <= adjustment.target(cardinality, limits) <= limits.max_vms


@given(ADJUSTMENTS, st.integers(0, 100), BOUNDS)
def test_no_adjustment_leads_further_out_of_the_limits(adjustment, cardinality, limits):
    target = adjustment.target(cardinality, limits)
    assert 0 <= target <= max(cardinality, limits.max_vms)
    assert target >= min(cardinality, limits.min_vms)


@given(ADJUSTMENTS, st.integers(0, 100), BOUNDS)
def test_a_relative_adjustment_never_goes_the_other_way_but_to_the_minimum(adjustment, cardinality, limits):
    target = adjustment.target(cardinality, limits)
    if adjustment.type is CARDINALITY:
        return
    if adjustment.adjust > 0:
        assert target >= cardinality
    else:
        assert target <= max(cardinality, limits.min_vms)
