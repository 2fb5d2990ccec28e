import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneflow.elasticity.evaluate import evaluate
from oneflow.elasticity.expression import parse


@pytest.mark.parametrize(
    ("expression", "values", "verdict", "text"),
    [
        ("CUSTOM_ATT>40", {}, None, "CUSTOM_ATT[--] > 40"),
        ("ATT=3", {"ATT": None}, None, "ATT[--] = 3"),
        ("ATT=3", {"ATT": 3.0}, True, "ATT[3.0] = 3"),
        ("ATT>50 & !(B=1)", {"ATT": 60.0}, None, "ATT[60.0] > 50 & !(B[--] = 1)"),
        ("ATT>50 & !(B=1)", {"ATT": 60.0, "B": 2.0}, True, "ATT[60.0] > 50 & !(B[2.0] = 1)"),
        ("ATT>50 & B=1", {"ATT": 40.0}, False, "ATT[40.0] > 50 & B[--] = 1"),
        ("ATT>50 | B=1", {"ATT": 60.0}, True, "ATT[60.0] > 50 | B[--] = 1"),
        ("ATT>50 | B=1", {"ATT": 40.0}, None, "ATT[40.0] > 50 | B[--] = 1"),
        ("!(MISSING>4)", {}, None, "!(MISSING[--] > 4)"),
        ("a < b", {"A": 1.0, "B": 1.5}, True, "A[1.0] < B[1.5]"),
        ("'cpu' >= 12.50", {"CPU": 12.5}, True, "CPU[12.5] >= 12.5"),
        ("1<>2&&2!=2", {}, False, "1 <> 2 && 2 != 2"),
        ("A<=1", {"A": 10}, False, "A[10.0] <= 1"),
        ("A>1", {"A": float("nan")}, None, "A[--] > 1"),
        ("A>1", {"A": float("inf")}, None, "A[--] > 1"),
        ("A>1", {"A": 1e22}, True, "A[10000000000000000000000.0] > 1"),
    ],
)
def test_an_expression_is_true_false_or_unknown_and_shows_why(expression, values, verdict, text):
    found = evaluate(parse(expression), values)
    assert found.verdict is verdict
    assert found.text == text


def test_the_attributes_that_nothing_reports_are_named():
    assert evaluate(parse("B>1 & A>1 & C>1"), {"C": 2.0}).missing == ("A", "B")


COMPARISONS = {"A>1": "A", "B>1": "B", "C>1": "C"}
FORMULAS = st.recursive(
    st.sampled_from(sorted(COMPARISONS)),
    lambda inner: st.one_of(
        inner.map(lambda text: f"!({text})"),
        st.tuples(inner, st.sampled_from("&|"), inner).map(
            lambda parts: f"({parts[0]}){parts[1]}({parts[2]})"
        ),
    ),
    max_leaves=8,
)
THREE = st.sampled_from([0.0, 2.0, None])


@settings(deadline=None)
@given(FORMULAS, st.fixed_dictionaries({name: THREE for name in "ABC"}))
def test_a_verdict_stands_whatever_the_unknown_turns_out_to_be(formula, values):
    expression = parse(formula)
    verdict = evaluate(expression, values).verdict
    unknown = [name for name, value in values.items() if value is None]
    for choice in range(2 ** len(unknown)):
        known = values | {name: 2.0 * (choice >> at & 1) for at, name in enumerate(unknown)}
        if verdict is not None:
            assert evaluate(expression, known).verdict is verdict
        else:
            assert evaluate(expression, known).verdict is not None
