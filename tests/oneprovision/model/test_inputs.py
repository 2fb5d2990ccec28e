import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from oneprovision.model.inputs import TYPES, declaration_problem, resolve, secret_names


def an_input(kind="text", **more):
    return {"name": "x", "type": kind, **more}


def value_of(entry, given):
    return resolve([entry], {"x": given})["x"]


@pytest.mark.parametrize(
    ("entry", "given", "value"),
    [
        (an_input(), "a", "a"),
        (an_input(), 5, "5"),
        (an_input(), True, "true"),
        ({"name": "x"}, "a", "a"),
        (an_input("password"), "s3cret", "s3cret"),
        (an_input("boolean"), "YES", True),
        (an_input("boolean"), "off", False),
        (an_input("bool"), True, True),
        (an_input("number"), "5", 5),
        (an_input("number"), "2.5", 2.5),
        (an_input("range", min_value=1, max_value=9), "9", 9),
        (an_input("range", min=1, max=9), 1, 1),
        (an_input("range", options="1..9"), "3", 3),
        (an_input("range-float", min=0, max=1), "0.5", 0.5),
        (an_input("array"), "a, b", ["a", "b"]),
        (an_input("array"), ["a"], ["a"]),
        (an_input("array"), "", []),
        (an_input("list", options=["s", "l"]), "l", "l"),
        (an_input("list", options="s,l"), "s", "s"),
        (an_input("list", options=[1, 2]), "2", 2),
        (an_input("list-multiple", options=["a", "b", "c"]), "a,c", ["a", "c"]),
    ],
)
def test_a_given_value_is_checked_and_typed(entry, given, value):
    assert value_of(entry, given) == value
    assert type(value_of(entry, given)) is type(value)


@pytest.mark.parametrize(
    ("entry", "given", "message"),
    [
        (an_input(), ["a"], "is not a text"),
        (an_input("boolean"), "maybe", "'maybe' is not one of: yes, no, true, false"),
        (an_input("number"), "many", "'many' is not a number"),
        (an_input("number"), True, "true is not a number"),
        (an_input("number"), "nan", "'nan' is not a number"),
        (an_input("number", min_value=2), "1", "1 is below the minimum 2"),
        (an_input("range", min=1, max=9), 10, "10 is above the maximum 9"),
        (an_input("list", options=["s", "l"]), "m", "'m' is not one of: s, l"),
        (an_input("list-multiple", options=["a", "b"]), "a,z", "'z' is not one of: a, b"),
        (an_input("array"), {"a": 1}, "is not a list"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(entry, given, message):
    with pytest.raises(InvalidInput, match="input 'x'") as caught:
        value_of(entry, given)
    assert message in caught.value.message


def test_a_wrong_password_is_not_repeated():
    with pytest.raises(InvalidInput) as caught:
        value_of(an_input("password", options=["a"]), "hunter2")
    assert "hunter2" not in caught.value.message


def test_what_is_given_beats_what_was_set_and_that_beats_the_default():
    entry = an_input("number", default=1, value=2)
    assert value_of(entry, 3) == 3
    assert resolve([entry], {}) == {"x": 2}
    assert resolve([an_input("number", default=1)], {}) == {"x": 1}


def test_a_default_has_to_fit_too():
    with pytest.raises(InvalidInput, match="'lots' is not a number"):
        resolve([an_input("number", default="lots")], {})


def test_an_input_without_value_is_refused_unless_it_is_optional():
    assert resolve([an_input(mandatory=False)], {}) == {"x": None}
    with pytest.raises(InvalidInput, match="no value is given") as caught:
        resolve([an_input()], {})
    assert caught.value.hint == "give it with --set input.x=…"
    assert caught.value.context == {"x": ["no value is given, and there is no default"]}


def test_an_unknown_given_input_is_refused_with_the_known_names():
    with pytest.raises(InvalidInput, match="input 'hots'") as caught:
        resolve([{"name": "hosts", "default": 1}], {"hots": 5})
    assert caught.value.hint == "did you mean 'hosts'? known: hosts"


def test_all_problems_are_said_at_once():
    declared = [{"name": "a"}, {"name": "b", "type": "number", "default": "x"}]
    with pytest.raises(InvalidInput) as caught:
        resolve(declared, {"c": 1})
    assert len(caught.value.message.splitlines()) == 3


def test_passwords_are_secret():
    assert secret_names([an_input("password"), {"name": "y"}]) == {"x"}


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (an_input("list"), "an input of type list needs 'options'"),
        (an_input("range"), "an input of type range needs 'min_value' and 'max_value'"),
        (an_input("range", min=3), "an input of type range needs 'min_value' and 'max_value'"),
        (an_input("range", min=3, max=1), "'min_value' 3 is above 'max_value' 1"),
        (an_input("range", options="a..b"), "'a' is not a number"),
        (an_input("range", min=1, max=3), ""),
        (an_input(), ""),
    ],
)
def test_a_declaration_that_cannot_be_answered_is_named(entry, problem):
    assert declaration_problem(entry) == problem


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=False)


@settings(deadline=None)
@given(st.sampled_from(TYPES), SCALARS | st.lists(SCALARS, max_size=3))
def test_a_resolved_value_resolves_to_itself(kind, given):
    entry = an_input(
        kind, options=["a", "b"] if kind.startswith("list") else None, min=-9, max=9, default=None
    )
    try:
        value = value_of(entry, given)
    except InvalidInput:
        return
    assert value_of(entry, value) == value
