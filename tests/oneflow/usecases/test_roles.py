"""Settings and roles of a living service: what may change, and what nobody but us may write."""

from typing import Any

import pytest

from onecore.errors import InvalidInput
from oneflow.usecases import reading, roles, templates
from tests.oneflow.builders import a_role, a_template, body_of
from tests.oneflow.world import World

OWN: dict[str, Any] = {
    "deadline": "x",
    "cooldown_end": "x",
    "cooldown_duration": [],
    "leaving": True,
    "leave_first": "x",
}


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    templates.create(made.deps, a_template(a_role(min_vms=1, max_vms=3)))
    templates.instantiate(made.deps, 0)
    made.settle()
    return made


def test_what_is_shown_may_be_sent_back_with_a_limit_changed(world):
    body = body_of(reading.service(world.deps, 0))
    body["roles"][0]["max_vms"] = 5
    roles.update(world.deps, 0, body)
    assert world.role()["max_vms"] == 5
    assert "log" not in world.body()


def test_our_own_marks_are_not_taken_from_a_template(world):
    templates.create(world.deps, a_template(a_role(**OWN), delete_when_done=True, retry_wanted=True, state=5))
    templates.instantiate(world.deps, 1)
    world.settle()
    assert world.state(1).name == "RUNNING"
    assert not OWN.keys() & world.role(number=1).keys()
    assert not {"delete_when_done", "retry_wanted"} & world.body(1).keys()


def test_nor_from_an_update_or_a_role_that_is_added(world):
    body = body_of(reading.service(world.deps, 0))
    roles.update(world.deps, 0, {**body, "delete_when_done": True, "roles": [{**body["roles"][0], **OWN}]})
    roles.add_role(world.deps, 0, a_role("more", **OWN))
    world.settle()
    assert not OWN.keys() & world.role().keys()
    assert not OWN.keys() & world.role("more").keys()
    assert "delete_when_done" not in world.body()
    assert world.state().name == "RUNNING"


@pytest.mark.parametrize("given", ["x", [], [[]], ["web"], [3], {"web": {}}])
def test_roles_that_are_none_are_refused(world, given):
    with pytest.raises(InvalidInput, match="roles"):
        roles.update(world.deps, 0, {"roles": given}, append=True)


@pytest.mark.parametrize("name", [[], {}, None, 3])
def test_a_merged_role_needs_a_name(world, name):
    with pytest.raises(InvalidInput, match="'roles' of 'merge_template'"):
        templates.instantiate(world.deps, 0, {"roles": [{"name": name}]})
