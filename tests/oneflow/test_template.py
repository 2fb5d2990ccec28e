"""What a service template may look like, and what is said of one that may not."""

import copy
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from oneflow.template import merged, validated

ROLE: dict[str, Any] = {"name": "web", "vm_template": 0}
POLICY: dict[str, Any] = {"type": "CHANGE", "adjust": 1, "expression": "CPU > 50"}


def checked(body: object) -> dict[str, Any]:
    return validated(body, {0, 1}, 1_700_000_000.0, UTC)


def a_template(**role: Any) -> dict[str, Any]:
    return {"name": "app", "roles": [{**ROLE, **role}]}


def refusal(body: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        checked(body)
    return caught.value.message


def test_numbers_sent_as_text_are_stored_as_numbers():
    body = checked(a_template(cardinality="2", vm_template="1", min_vms="1", max_vms="4"))
    role = body["roles"][0]
    assert (role["cardinality"], role["vm_template"], role["min_vms"], role["max_vms"]) == (2, 1, 1, 4)


def test_defaults_are_filled_in_and_unknown_keys_kept():
    body = checked({"name": "app", "logo": "x.png", "roles": [{**ROLE, "color": "red"}]})
    assert (body["deployment"], body["logo"]) == ("none", "x.png")
    assert (body["roles"][0]["cardinality"], body["roles"][0]["color"]) == (1, "red")


def test_both_vocabularies_mean_the_same():
    later = {
        "name": "app",
        "user_inputs": {"a": "b"},
        "roles": [{"name": "web", "type": "vm", "template_id": 0, "template_contents": {"CPU": "2"}}],
    }
    earlier = {
        "name": "app",
        "custom_attrs": {"a": "b"},
        "roles": [{"name": "web", "type": "vm", "vm_template": 0, "vm_template_contents": {"CPU": "2"}}],
    }
    assert checked(later) == {**checked(earlier), "later_vocabulary": True}


def test_null_means_missing():
    assert "cooldown" not in checked(a_template(cooldown=None))["roles"][0]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ([], "KEY: 'service template' must be a Hash"),
        ({}, "KEY: 'name' is required"),
        ({"name": "x"}, "KEY: 'roles' is required"),
        ({"name": "x", "roles": {}}, "KEY: 'roles' must be an Array"),
        ({"name": "x", "roles": []}, "a service needs at least one role"),
        ({"name": 3, "roles": [ROLE]}, None),
        ({"name": "x", "roles": [{"name": "a"}]}, "KEY: 'vm_template' is required"),
        ({**a_template(), "deployment": "fast"}, "KEY: 'deployment' must be one of none, straight"),
        ({**a_template(), "ready_status_gate": "maybe"}, "KEY: 'ready_status_gate' must be a Boolean"),
        (a_template(cardinality="x"), "KEY: 'cardinality' must be an Integer"),
        (a_template(cardinality=True), "KEY: 'cardinality' must be an Integer"),
        (a_template(cardinality=1.5), "KEY: 'cardinality' must be an Integer"),
        (a_template(cardinality=-1), "KEY: 'cardinality' must be greater than or equal to 0"),
        (a_template(name="a b"), "KEY: 'name' must match regexp /^\\w+$/"),
        (a_template(name="ok\nrm"), "KEY: 'name' must match regexp /^\\w+$/"),
        (a_template(vm_template=7), "Role 'web': there is no VM template 7"),
        (a_template(template_id=1), "KEY: 'template_id' and 'vm_template' are the same"),
        (
            a_template(min_vms=2),
            "Role 'web' 'cardinality' must be greater than or equal to 'min_vms'",
        ),
        (
            a_template(cardinality=5, max_vms=4),
            "Role 'web' 'cardinality' must be lower than or equal to 'max_vms'",
        ),
        (a_template(min_vms=3, max_vms=2, cardinality=3), "Role 'web' 'min_vms' must be lower than"),
        (
            a_template(elasticity_policies=[POLICY]),
            "Role 'web' with 'elasticity_policies' or 'scheduled_policies' must define both",
        ),
        (
            a_template(min_vms=1, max_vms=2, elasticity_policies=[{**POLICY, "adjust": 0}]),
            "Role 'web', elasticity policy #0 'adjust' cannot be 0",
        ),
        (
            a_template(min_vms=1, max_vms=2, elasticity_policies=[{**POLICY, "expression": "CPU >"}]),
            "Role 'web', elasticity policy #0 'expression' parse error:",
        ),
        (
            a_template(min_vms=1, max_vms=2, scheduled_policies=[{"type": "CHANGE", "adjust": 1}]),
            "Role 'web', scheduled policy #0 needs to define either 'start_time' or 'recurrence'",
        ),
        ({"name": "x", "roles": [ROLE, ROLE]}, "Role name 'web' is repeated"),
        (a_template(parents=["web"]), "Role 'web' is its own parent"),
        (a_template(parents=["db"]), "Role 'web' has the unknown parent 'db'"),
        (
            {
                "name": "x",
                "roles": [
                    {**ROLE, "name": "a", "parents": ["b"]},
                    {**ROLE, "name": "b", "parents": ["c"]},
                    {**ROLE, "name": "c", "parents": ["a"]},
                ],
            },
            "roles wait for each other: a -> b -> c -> a",
        ),
    ],
)
def test_what_is_wrong_is_said_in_the_words_that_clients_know(body: object, text: str | None):
    if text is None:
        assert checked(body)["name"] == "3"
    else:
        assert refusal(body).startswith(text)


def test_merge_replaces_scalars_and_finds_roles_by_name():
    template = {"name": "app", "roles": [{**ROLE, "cardinality": 1}, {**ROLE, "name": "db"}]}
    changes = {
        "name": "web-7",
        "roles": [{"name": "db", "cardinality": 3}, {"name": "new", "vm_template": 1}],
    }
    result = checked(merged(template, changes))
    assert result["name"] == "web-7"
    assert [(role["name"], role["cardinality"]) for role in result["roles"]] == [
        ("web", 1),
        ("db", 3),
        ("new", 1),
    ]


@pytest.mark.parametrize("changes", [[], "x", {"roles": [1]}, {"roles": [{"name": "a"}, {"name": "a"}]}])
def test_a_merge_that_makes_no_sense_is_refused(changes: object):
    with pytest.raises(InvalidInput):
        merged(a_template(), changes)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3)
    ),
    max_leaves=8,
)


@given(st.sampled_from(["name", "roles", "deployment", "custom_attrs"]), json_values)
def test_any_json_is_either_stored_or_refused(key: str, value: Any):
    body = copy.deepcopy(a_template())
    body[key] = value
    try:
        once = checked(body)
    except InvalidInput:
        return
    assert checked(once) == once


@given(
    st.sampled_from(sorted({*ROLE, "parents", "cardinality", "min_vms", "elasticity_policies"})), json_values
)
def test_any_role_is_either_stored_or_refused(key: str, value: Any):
    try:
        once = checked(a_template(**{key: value}))
    except InvalidInput:
        return
    assert checked(once) == once
