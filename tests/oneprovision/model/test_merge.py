from hypothesis import given, settings
from hypothesis import strategies as st

from oneprovision.model.merge import merge, overlay

TEXTS = st.text(max_size=3)
SHAPED = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXTS,
        "playbook": st.lists(TEXTS, max_size=2),
        "hosts": st.lists(st.dictionaries(TEXTS, st.integers(), max_size=2), max_size=2),
        "defaults": st.fixed_dictionaries(
            {},
            optional={
                "provision": st.dictionaries(st.sampled_from("abc"), TEXTS),
                "configuration": st.dictionaries(st.sampled_from("abc"), st.lists(st.integers(), max_size=2)),
            },
        ),
    },
)


def test_scalars_of_the_child_replace_lists_append_and_mappings_go_deep():
    parent = {"name": "a", "hosts": [1], "defaults": {"provision": {"plan": "s", "os": "x"}}}
    child = {"name": "b", "hosts": [2], "defaults": {"provision": {"plan": "l"}, "connection": {}}}
    assert merge(parent, child) == {
        "name": "b",
        "hosts": [1, 2],
        "defaults": {"provision": {"plan": "l", "os": "x"}, "connection": {}},
    }


def test_merging_changes_neither_side():
    parent, child = {"hosts": [1], "d": {"a": 1}}, {"hosts": [2], "d": {"b": 2}}
    merge(parent, child)
    assert (parent, child) == ({"hosts": [1], "d": {"a": 1}}, {"hosts": [2], "d": {"b": 2}})


def test_a_value_over_a_default_replaces_lists():
    assert overlay({"a": [1], "m": {"x": 1}}, {"a": [2], "m": {"y": 2}}) == {"a": [2], "m": {"x": 1, "y": 2}}


@settings(deadline=None)
@given(SHAPED, SHAPED, SHAPED)
def test_merging_is_associative_in_the_order_of_the_files(one, two, three):
    assert merge(merge(one, two), three) == merge(one, merge(two, three))


@settings(deadline=None)
@given(SHAPED)
def test_an_empty_file_changes_nothing(one):
    assert merge(one, {}) == merge({}, one) == one
