"""The contract of a door: the same suite, whoever answers."""

from pathlib import Path

import pytest

from onecore import config
from onecore.bootstrap import open_deps
from onecore.errors import InvalidInput, NotFound, WrongState
from onecore.http.client import Client
from oneflow.bootstrap import as_its_user
from oneflow.cli.door import Door, documents_in
from oneflow.cli.local import LocalDoor
from oneflow.cli.remote import RemoteDoor
from oneflow.model.document import Kind
from oneflow.store import SCHEMA
from oneflow.usecases.jobs import Batch
from oneflow.usecases.services import Scale
from tests.oneflow.api.server import CLOUDS, a_server_on, an_opennebula
from tests.oneflow.builders import a_role, a_template, body_of

TEMPLATE, SERVICE, VM_TEMPLATE = Kind.TEMPLATE, Kind.SERVICE, Kind.VM_TEMPLATE
HELD = a_template(a_role("web", cardinality=2, min_vms=1, max_vms=3), on_hold=True)


@pytest.fixture
def cloud() -> str:
    return "embedded"


@pytest.fixture(params=["local", "remote"])
def door(request, cloud, tmp_path):
    """To the state file, and to a real server."""
    (tmp_path / "home").mkdir(mode=0o700)
    if request.param == "remote":
        with a_server_on(cloud, tmp_path / "home") as server:
            user, _, password = server.credentials.partition(":")
            yield RemoteDoor(Client(server.url, user, password))
    elif cloud == "embedded":
        yield LocalDoor(open_deps(settings(tmp_path), (SCHEMA,)))
    else:
        with an_opennebula(tmp_path / "home") as nebula:
            here = settings(tmp_path, ONE_XMLRPC=nebula.url, ONE_AUTH=str(tmp_path / "home" / "one_auth"))
            yield LocalDoor(as_its_user(open_deps(here.in_opennebula(), (SCHEMA,))))


on_both_clouds = pytest.mark.parametrize("cloud", CLOUDS)
"""What is not marked so is about VM templates of ours."""


def settings(folder: Path, **further: str) -> config.Settings:
    environ = {"ONE_HOME": str(folder / "home"), "HOME": str(folder), "PATH": "/usr/bin:/bin", **further}
    return config.read(environ)


@pytest.fixture
def held(door: Door) -> Door:
    """With a service 0 that waits to be released, of the template 0."""
    door.create(TEMPLATE, HELD)
    door.instantiate(0, None)
    return door


def test_a_template_is_listed_shown_changed_and_deleted(door):
    made = door.create(TEMPLATE, a_template(a_role(cardinality="2")))
    assert (made["DOCUMENT"]["ID"], made["DOCUMENT"]["TYPE"]) == ("0", "101")
    assert door.shown(TEMPLATE, 0) == made
    assert documents_in(door.listed(TEMPLATE)) == [made["DOCUMENT"]]
    door.update(TEMPLATE, 0, a_template(a_role("api")))
    assert [role["name"] for role in body_of(door.shown(TEMPLATE, 0))["roles"]] == ["api"]
    door.update(TEMPLATE, 0, {"description": "d"}, append=True)
    assert body_of(door.shown(TEMPLATE, 0))["description"] == "d"
    assert body_of(door.clone(0, "copy"))["name"] == "copy"
    assert body_of(door.clone(0, "deep", deep=True))["roles"][0]["vm_template"] == 1
    door.delete(TEMPLATE, 2, deep=True)
    assert [each["ID"] for each in documents_in(door.listed(VM_TEMPLATE))] == ["0"]
    door.delete(TEMPLATE, 0)
    assert [each["ID"] for each in documents_in(door.listed(TEMPLATE))] == ["1"]


@on_both_clouds
def test_empty_pools_have_no_inner_key(door):
    assert door.listed(SERVICE) == door.listed(TEMPLATE) == {"DOCUMENT_POOL": {}}


@on_both_clouds
def test_names_owners_and_permissions(door):
    door.create(TEMPLATE, a_template())
    door.rename(TEMPLATE, 0, "shop")
    door.chmod(TEMPLATE, 0, "640")
    door.chmod(TEMPLATE, 0, "g-u,o=u")
    door.chown(TEMPLATE, 0, "oneadmin", "users")
    shown = door.shown(TEMPLATE, 0)["DOCUMENT"]
    assert (shown["NAME"], shown["UNAME"], shown["GNAME"]) == ("shop", "oneadmin", "users")
    assert (shown["PERMISSIONS"]["OTHER_U"], shown["PERMISSIONS"]["GROUP_U"]) == ("1", "0")
    door.chgrp(TEMPLATE, 0, "oneadmin")
    door.chown(TEMPLATE, 0, "0", None)
    assert door.shown(TEMPLATE, 0)["DOCUMENT"]["GNAME"] == "oneadmin"


def test_vm_templates(door):
    made = door.create(VM_TEMPLATE, {"name": "small", "driver": "dummy"})
    assert made["DOCUMENT"]["ID"] == "1"
    door.update(VM_TEMPLATE, 1, {"name": "large", "driver": "dummy", "template": {"cpu": "8"}})
    assert body_of(door.shown(VM_TEMPLATE, 1))["template"] == {"CPU": "8"}
    assert [each["NAME"] for each in documents_in(door.listed(VM_TEMPLATE))] == ["dummy", "large"]
    door.delete(VM_TEMPLATE, 1)
    with pytest.raises(NotFound):
        door.shown(VM_TEMPLATE, 1)


@on_both_clouds
def test_a_service_takes_the_changes_and_is_listed(door):
    door.create(TEMPLATE, HELD)
    made = door.instantiate(0, {"name": "shop", "roles": [{"name": "web", "cardinality": 3}]})
    assert (made["DOCUMENT"]["NAME"], body_of(made)["roles"][0]["cardinality"]) == ("shop", 3)
    for brief in (False, True):
        (listed,) = documents_in(door.listed(SERVICE, brief))
        assert (listed["ID"], listed["NAME"], listed["TEMPLATE"]["BODY"]["start_time"] > 0) == (
            "0",
            "shop",
            True,
        )


@on_both_clouds
def test_the_settings_of_a_service_are_changed_while_it_lives(held):
    held.update(SERVICE, 0, {"description": "d"}, append=True)
    shown = body_of(held.shown(SERVICE, 0))
    assert shown["description"] == "d"
    shown["roles"][0]["max_vms"] = 9
    held.update(SERVICE, 0, shown)
    assert body_of(held.shown(SERVICE, 0))["roles"][0]["max_vms"] == 9
    held.rename(SERVICE, 0, "shop")
    assert held.shown(SERVICE, 0)["DOCUMENT"]["NAME"] == "shop"


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda door: door.shown(SERVICE, 9), NotFound, "9"),
        (lambda door: door.shown(TEMPLATE, 9), NotFound, "9"),
        (lambda door: door.create(TEMPLATE, {"name": "x"}), InvalidInput, "'roles' is required"),
        (
            lambda door: door.create(TEMPLATE, a_template(a_role(vm_template=9))),
            InvalidInput,
            "VM template 9",
        ),
        (lambda door: door.chmod(SERVICE, 0, "999"), InvalidInput, "999"),
        (lambda door: door.scale(0, Scale("web", 9)), InvalidInput, "Maximum cardinality is 3"),
        (lambda door: door.scale(0, Scale("nobody", 2)), NotFound, "nobody"),
        (lambda door: door.act(0, "web", Batch("dance")), InvalidInput, "Action dance not supported"),
        (lambda door: door.delete(VM_TEMPLATE, 0), WrongState, "is used by"),
        (lambda door: door.chown(SERVICE, 0, "nobody", None), NotFound, "nobody"),
    ],
)
def test_what_is_refused_changes_nothing(held, ask, error, said):
    before = held.shown(TEMPLATE, 0), held.shown(SERVICE, 0)["DOCUMENT"]["PERMISSIONS"]
    with pytest.raises(error, match=said):
        ask(held)
    assert (held.shown(TEMPLATE, 0), held.shown(SERVICE, 0)["DOCUMENT"]["PERMISSIONS"]) == before


@on_both_clouds
def test_the_log_begins_with_the_beginning_and_goes_on_after_an_id(held):
    first = held.log(0)[0]
    assert first.action == "New state: PENDING"
    assert "template 0" in first.text
    assert first.id not in [event.id for event in held.log(0, first.id)]


@on_both_clouds
def test_each_policy_is_explained(door):
    policy = {"type": "CHANGE", "adjust": 1, "expression": "CPU > 80"}
    door.create(
        TEMPLATE, a_template(a_role(min_vms=1, max_vms=3, elasticity_policies=[policy]), on_hold=True)
    )
    door.instantiate(0, None)
    assert any("CPU[--] > 80" in line for line in door.explain(0))


@on_both_clouds
def test_progress_is_none_for_what_is_not_there(door):
    assert door.progress(0) is None
