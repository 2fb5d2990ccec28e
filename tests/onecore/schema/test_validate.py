"""What validation makes of a document, and how it words what is wrong."""

import copy
import time
from dataclasses import replace

import pytest

from onecore.errors import InvalidInput
from onecore.schema import load_text, validate, validate_value
from tests.onecore.schema.builders import CLUSTER_SCHEMA

CLUSTER = """\
name: paris
hosts:
  - name: one
    vm_mad: 5
    count: "3"
    cpu: '1.5'
    spot: "Yes"
    ips: [1.10, 0644]
labels: {a: 1, b: true, c: 12:30}
more: {kept: "1"}
"""


def checked(text, schema=CLUSTER_SCHEMA, name="cluster.yaml"):
    return validate(load_text(text, name), schema)


def refusal_of(text, schema=CLUSTER_SCHEMA) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        checked(text, schema)
    return caught.value


def value_refusal(value, schema) -> str:
    with pytest.raises(InvalidInput) as caught:
        validate_value(value, schema, "value")
    return caught.value.message


def test_a_document_is_coerced_completed_and_keeps_what_the_schema_does_not_know():
    assert checked(CLUSTER) == {
        "name": "paris",
        "hosts": [
            {
                "name": "one",
                "vm_mad": "5",
                "count": 3,
                "cpu": 1.5,
                "spot": True,
                "ips": ["1.10", "0644"],
            }
        ],
        "strategy": "none",
        "limits": {"parallel": 8, "hard": [1]},
        "labels": {"a": "1", "b": "true", "c": "12:30"},
        "more": {"kept": "1"},
    }


def test_the_document_and_the_schema_stay_as_they_are():
    document, schema = load_text(CLUSTER, "x"), copy.deepcopy(CLUSTER_SCHEMA)
    before = copy.deepcopy(document.data)
    result = validate(document, schema)
    limits, hosts = result["limits"], result["hosts"]
    assert isinstance(limits, dict) and isinstance(hosts, list)
    limits["hard"].append(2)
    hosts[0]["ips"].append("x")
    assert (document.data, schema) == (before, CLUSTER_SCHEMA)


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "integer"}, "many", "'many' is not an integer"),
        ({"type": "integer"}, "3.0", "'3.0' is not an integer"),
        ({"type": "integer"}, " 3", "' 3' is not an integer"),
        ({"type": "integer"}, "007", "'007' is not an integer"),
        ({"type": "integer"}, "٣", "'٣' is not an integer"),
        ({"type": "integer"}, True, "true is not an integer"),
        ({"type": "integer"}, 1.5, "1.5 is not an integer"),
        ({"type": "integer"}, 1e300, "1e+300 is not an integer"),
        ({"type": "integer"}, "1234567890123456789", "'1234567890123456789' has more than 18 digits"),
        ({"type": "integer"}, 10**18, "a number has more than 18 digits"),
        pytest.param({}, 10**5000, "a number has more than 18 digits", id="5000 digits"),
        ({"type": "number"}, "1e5", "'1e5' is not a number"),
        ({"type": "number"}, float("nan"), "infinity and NaN are not numbers here"),
        ({"type": "boolean"}, "on", "'on' is not true or false"),
        ({"type": "boolean"}, 1, "1 is not true or false"),
        ({"type": "string"}, None, "this is empty, not a string"),
        ({"type": "string"}, [], "this is a list, not a string"),
        ({"type": ["array", "null"]}, {}, "this is a mapping, not a list or null"),
        ({"enum": ["none", "straight"]}, "fast", "'fast' is not one of: none, straight"),
        ({"enum": [1, None]}, 2, "2 is not one of: 1, null"),
        ({"const": "a"}, "b", "'b' is not 'a'"),
        ({"minimum": 1}, 0, "0 is less than 1"),
        ({"maximum": 1}, 2, "2 is more than 1"),
        ({"exclusiveMinimum": 0}, 0, "0 is not more than 0"),
        ({"exclusiveMaximum": 0}, 0, "0 is not less than 0"),
        ({"multipleOf": 2}, 3, "3 is not a multiple of 2"),
        ({"minLength": 1}, "", "'' is shorter than 1 character"),
        ({"maxLength": 2}, "abc", "'abc' is longer than 2 characters"),
        ({"pattern": "^a"}, "b", "'b' does not match the pattern ^a"),
        ({"minItems": 1}, [], "0 items given, at least 1 needed"),
        ({"maxItems": 0}, [1], "1 item given, at most 0 allowed"),
        ({"minProperties": 1}, {}, "0 keys given, at least 1 needed"),
        ({"maxProperties": 1}, {"a": 1, "b": 2}, "2 keys given, at most 1 allowed"),
        ({"uniqueItems": True}, [{"a": 1}, {"a": 1}], "an item of this list is given twice"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "'b' is missing, 'a' needs it"),
        ({"not": {"const": 1}}, 1, "1 is not allowed here"),
        ({"propertyNames": {"pattern": "^a"}}, {"b": 1}, "'b' does not match the pattern ^a"),
        ({"properties": {"a": False}}, {"a": 1}, "1 may not be given"),
        ({"contains": {"const": 1}}, [2], "this list does not satisfy the rule 'contains'"),
        ({}, {"a": {5: 1}}, "a: the key 5 is not text"),
        ({}, {"a": {1, 2}}, "a: a set cannot be written as JSON"),
    ],
)
def test_what_does_not_fit_is_said_in_plain_words(schema, value, message):
    assert value_refusal(value, schema) == f"value: {message}"


@pytest.mark.parametrize(
    ("branches", "value", "message"),
    [
        ([{"type": "integer"}, {"type": "array"}], "x", "'x' is not an integer or a list"),
        ([{"type": "integer"}, {"type": "array", "minItems": 1}], [], "0 items given, at least 1 needed"),
        ([{"required": ["a"]}, {"required": ["b", "c"]}], {}, "one of these is missing: 'a' or 'b' and 'c'"),
        (
            [
                {"properties": {"kind": {"const": "a"}}},
                {"properties": {"kind": {"const": "b"}, "n": {"minimum": 1}, "m": {"minimum": 1}}},
            ],
            {"kind": "b", "n": 0, "m": 0},
            "n: 0 is less than 1\nvalue: m: 0 is less than 1",
        ),
    ],
)
@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_of_alternatives_the_one_that_was_meant_is_explained(keyword, branches, value, message):
    assert value_refusal(value, {keyword: branches}) == f"value: {message}"


def test_one_of_means_one():
    schema = {"oneOf": [{"minimum": 1}, {"maximum": 5}]}
    assert value_refusal(3, schema) == "value: this fits more than one of the allowed forms"


def test_every_problem_is_told_in_the_order_of_the_lines():
    text = """\
strategy: fast
hosts:
  - name: one
    count: many
  - vm_mad: kvm
    count: 0
    ips: x
labels: []
"""
    error = refusal_of(text)
    assert error.message.splitlines() == [
        "cluster.yaml:1: 'name' is missing",
        "cluster.yaml:1: strategy: 'fast' is not one of: none, straight",
        "cluster.yaml:3: hosts[0]: 'vm_mad' is missing",
        "cluster.yaml:4: hosts[0].count: 'many' is not an integer",
        "cluster.yaml:6: hosts[1].count: 0 is less than 1",
        "cluster.yaml:7: hosts[1].ips: 'x' is not an integer or a list",
        "cluster.yaml:8: labels: this is a list, not a mapping",
    ]
    assert error.hint == ""
    errors = error.context["errors"]
    assert isinstance(errors, list)
    assert errors[3] == {
        "file": "cluster.yaml",
        "line": 4,
        "path": "hosts[0].count",
        "message": "'many' is not an integer",
    }


def test_after_twenty_problems_the_rest_is_counted():
    error = refusal_of("name: x\nhosts:\n" + "  - {}\n" * 27)
    assert len(error.message.splitlines()) == 20
    assert error.hint == "there are 7 more problems in cluster.yaml"


def test_an_unknown_key_is_named_where_it_stands():
    schema = {"additionalProperties": False, "patternProperties": {"^x-": {}}, "properties": {"hosts": {}}}
    assert refusal_of("x-a: 1\nhost: 1\nzzz: 1", schema).message.splitlines() == [
        "cluster.yaml:2: 'host' is not known here; did you mean 'hosts'?",
        "cluster.yaml:3: 'zzz' is not known here",
    ]


def test_a_bad_key_is_named_where_it_stands():
    assert refusal_of("a: 1\nb: 2", {"propertyNames": {"enum": ["a"]}}).message == (
        "cluster.yaml:2: 'b' is not one of: a"
    )


@pytest.mark.parametrize(("text", "what"), [("- a", "a list"), ("word", "a single value")])
@pytest.mark.parametrize("schema", [{}, {"type": ["object", "array", "string"]}])
def test_a_document_is_a_mapping(text, what, schema):
    assert refusal_of(text, schema).message == f"cluster.yaml:1: this is {what}, not a mapping"


def test_what_is_printed_is_short_and_cannot_steer_a_terminal():
    text = value_refusal({"a\x1b[2J": "\x1b[31m\n\u202e" + "x" * 500}, {"additionalProperties": {"enum": []}})
    assert text == ("value: ['a\\x1b[2J']: '\\x1b[31m\\n\\u202e" + "x" * 70 + "...' is not one of: ")


@pytest.mark.parametrize("mark", [{"writeOnly": True}, {"format": "password"}])
@pytest.mark.parametrize(
    "rule", [{"pattern": "^a"}, {"anyOf": [{"maxLength": 1}, {"type": "array"}]}, {"enum": []}]
)
def test_a_secret_is_never_printed(mark, rule):
    assert "hunter2" not in value_refusal({"key": "hunter2"}, {"properties": {"key": {**mark, **rule}}})


def test_what_is_inside_a_secret_or_refers_to_one_is_secret_too():
    schema = {
        "properties": {
            "keys": {"writeOnly": True, "items": {"pattern": "^a"}},
            "key": {"$ref": "#/$defs/secret", "maxLength": 1},
            "word": {"writeOnly": True, "$ref": "#/$defs/short"},
        },
        "$defs": {"secret": {"format": "password", "maxLength": 1}, "short": {"maxLength": 1}},
    }
    message = value_refusal({"keys": ["hunter2"], "word": "hunter2"}, schema)
    assert "hunter2" not in message
    assert len(message.splitlines()) == 2
    assert "key: this secret is longer" in value_refusal({"key": "hunter2"}, schema)


def test_data_changed_after_loading_is_not_read_as_it_was_written():
    document = load_text("a: 1.10", "x")
    schema = {"properties": {"a": {"type": "string"}}}
    assert validate(document, schema) == {"a": "1.10"}
    assert validate(replace(document, data={"a": 2.5}), schema) == {"a": "2.5"}


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "strnig"}, "it names the unknown type 'strnig'"),
        ({"$ref": "#/$defs/none"}, "there is nothing at $ref '/$defs/none'"),
        ({"$ref": "https://example.com/schema"}, "there is nothing at $ref 'https://example.com/schema'"),
        ({"$ref": "#"}, "it refers to itself without end"),
        ({"pattern": "("}, "a pattern is wrong: missing ), unterminated subpattern at position 0"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_as_such(schema, reason):
    assert value_refusal("x", schema) == f"the schema for 'value' is not usable: {reason}"


def test_a_value_inside_itself_is_refused():
    value: list[object] = []
    value += [value, value]
    assert value_refusal(value, {}) == "value: lists and mappings are nested more than 64 levels deep"


def test_a_service_of_ten_roles_takes_milliseconds():
    text = "name: x\nhosts:\n" + "  - {vm_mad: kvm, count: '1', cpu: 1, ips: [a, b]}\n" * 10
    checked(text)
    started = time.process_time()
    checked(text)
    assert time.process_time() - started < 0.05


def test_distinct_items_are_counted_without_comparing_every_pair():
    value = [{"a": number} for number in range(20_000)]
    started = time.process_time()
    validate_value(value, {"uniqueItems": True}, "value")
    assert time.process_time() - started < 2
