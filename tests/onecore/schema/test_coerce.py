"""How values are made to fit, and that doing it twice changes nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from onecore.schema import validate_value
from tests.onecore.schema.builders import CLUSTER_SCHEMA


@pytest.mark.parametrize(
    ("schema", "value", "result"),
    [
        ({"type": "integer"}, "3", 3),
        ({"type": "integer"}, "-2", -2),
        ({"type": "integer"}, 3.0, 3),
        ({"type": "number"}, "3", 3),
        ({"type": "number"}, "-0.25", -0.25),
        ({"type": "string"}, 3, "3"),
        ({"type": "string"}, 1.5, "1.5"),
        ({"type": "string"}, True, "true"),
        ({"type": "boolean"}, "TRUE", True),
        ({"type": "boolean"}, "no", False),
        ({"type": ["integer", "string"]}, "3", "3"),
        ({"type": ["integer", "null"]}, "3", 3),
        ({"type": ["integer", "string"]}, 1.5, "1.5"),
        ({"allOf": [{}, {"type": "integer"}], "anyOf": [{"$ref": "#/allOf/1"}]}, "3", 3),
        ({"type": ["integer", "null"]}, None, None),
        ({}, "3", "3"),
        (True, "3", "3"),
        ({"enum": ["1"]}, "1", "1"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "3", 3),
        ({"anyOf": [{"type": "integer", "minimum": 5}, {"type": "string"}]}, 3, "3"),
        ({"oneOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "integer"}}]}, ["1"], [1]),
        ({"allOf": [{"properties": {"a": {"type": "integer"}}}, {"required": ["a"]}]}, {"a": "1"}, {"a": 1}),
        (
            {"properties": {"a": {"default": None}, "b": {"properties": {"c": {"default": 1}}}}},
            {},
            {"a": None},
        ),
        (
            {"patternProperties": {"^x-": {}}, "additionalProperties": {"type": "integer"}},
            {"x-a": "1", "b": "1"},
            {"x-a": "1", "b": 1},
        ),
        (
            {
                "$defs": {"a/b": {"default": "2", "type": "integer"}},
                "properties": {"n": {"$ref": "#/$defs/a~1b"}},
            },
            {},
            {"n": 2},
        ),
        (
            {"properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}}},
            {"next": {"next": {"n": "1"}}},
            {"next": {"next": {"n": 1}}},
        ),
    ],
)
def test_a_value_becomes_what_the_schema_asks_for(schema, value, result):
    changed = validate_value(value, schema, "value")
    assert (changed, type(changed)) == (result, type(result))


SCALARS = st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-9, 9) | st.text(max_size=3)
SCALARS |= st.sampled_from(["3", "-2", "0.5", "true", "No", "007", "many"])
HOSTS = st.fixed_dictionaries(
    {"vm_mad": SCALARS},
    optional={
        "count": SCALARS,
        "cpu": SCALARS,
        "spot": SCALARS,
        "ips": SCALARS | st.lists(SCALARS),
        "x": SCALARS,
    },
)
CLUSTERS = st.fixed_dictionaries(
    {"name": SCALARS | st.just("paris")},
    optional={
        "hosts": st.lists(HOSTS, max_size=3) | SCALARS,
        "strategy": st.just("none") | SCALARS,
        "limits": st.dictionaries(st.sampled_from(["parallel", "hard", "x"]), SCALARS),
        "labels": st.dictionaries(st.text(max_size=2), SCALARS),
    },
)


@settings(deadline=None, max_examples=300)
@given(CLUSTERS)
def test_validating_what_was_validated_changes_nothing(cluster):
    try:
        once = validate_value(cluster, CLUSTER_SCHEMA, "value")
    except InvalidInput as exc:
        assert exc.context["errors"]
    else:
        assert repr(validate_value(once, CLUSTER_SCHEMA, "value")) == repr(once)


@settings(deadline=None)
@given(
    SCALARS,
    st.lists(st.sampled_from(["integer", "number", "string", "boolean", "null"]), min_size=1, unique=True),
)
def test_coercion_is_idempotent_for_every_type(value, types):
    schema = {"anyOf": [{"type": name} for name in types]}
    for kind in (schema, {"type": types}):
        try:
            once = validate_value(value, kind, "value")
        except InvalidInput:
            continue
        assert repr(validate_value(once, kind, "value")) == repr(once)
