"""The documents that people and programs read: OneForm's envelope, no secret, every host in one place."""

import json

import pytest

from onecore.document import envelope
from onecore.history import Event
from onecore.machines.model import Kind, State
from oneprovision.model.document import HISTORIC, host_state, provision_body
from oneprovision.model.provision import ObjectKind
from oneprovision.model.states import State as ProvisionState
from tests.oneprovision.builders import a_host, a_machine, a_provision, an_object
from tests.oneprovision.model.builders import a_template

INPUTS = """
name: web
inputs:
  - {name: size, type: number, default: 3}
  - {name: token, type: password, default: swordfish}
"""


def objects_of(body: dict) -> dict:
    return dict(body["one_objects"])


def body_of(*objects, resources=(), history=(), **changed) -> dict:
    return provision_body(a_provision(**changed), objects, resources, history)


def test_everything_outside_the_body_is_a_string():
    document = envelope(7, "104", (0, "oneadmin", 1, "users"), 0o640, "web", {"PROVISION_BODY": {"a": 1}})
    inner = document["DOCUMENT"]
    assert isinstance(inner, dict)
    assert (inner["ID"], inner["UID"], inner["GID"]) == ("7", "0", "1")
    assert (inner["UNAME"], inner["GNAME"], inner["NAME"], inner["TYPE"]) == (
        "oneadmin",
        "users",
        "web",
        "104",
    )
    assert inner["PERMISSIONS"] == {
        **{"OWNER_U": "1", "OWNER_M": "1", "OWNER_A": "0"},
        **{"GROUP_U": "1", "GROUP_M": "0", "GROUP_A": "0"},
        **{"OTHER_U": "0", "OTHER_M": "0", "OTHER_A": "0"},
    }
    assert inner["TEMPLATE"] == {"PROVISION_BODY": {"a": 1}}


def test_a_provision_says_its_state_by_name_and_its_time_in_seconds():
    body = body_of(state=ProvisionState.SCALING_FAILURE, error="no room", created_at=12.9, tags={"a": "b"})
    assert (body["state"], body["error"], body["registration_time"]) == ("SCALING_FAILURE", "no room", 12)
    assert (body["name"], body["tags"], body["provider_id"]) == ("web", {"a": "b"}, None)


def test_answers_are_shown_and_secret_ones_are_not():
    body = body_of(template=a_template(INPUTS), inputs={"size": 5})
    assert body["user_inputs_values"] == {"size": 5, "token": "*****"}
    assert "swordfish" not in json.dumps(body)


def test_every_host_is_either_in_service_or_on_its_way():
    on, coming = a_host(0), a_host(1, registered=False)
    body = body_of(on, coming, resources=[a_machine(0, state=State.READY, deploy_id="id-0")])
    assert [host["id"] for host in objects_of(body)["hosts"]] == [0]
    assert [host["id"] for host in body["pending"]] == [1]


def test_a_host_is_shown_with_its_machine():
    machine = a_machine(
        3, state=State.READY, deploy_id="id-3", addresses=("192.0.2.3", "192.0.2.4"), metrics={"CPU": "5"}
    )
    (host,) = objects_of(body_of(a_host(3), resources=[machine]))["hosts"]
    assert (host["id"], host["name"], host["resource_id"]) == (3, "web-3", "id-3")
    assert (host["ip"], host["state"], host["machine_state"]) == ("192.0.2.3", "on", "ready")
    assert (host["driver"], host["machine"], host["metrics"]) == ("dummy", machine.name, {"CPU": "5"})
    assert "error" not in host


def test_a_host_without_a_machine_is_gone_and_one_in_trouble_says_why():
    gone, ill = objects_of(
        body_of(a_host(0), a_host(1), resources=[a_machine(1, state=State.BROKEN, error="in error")])
    )["hosts"]
    assert (gone["state"], gone["resource_id"], gone["ip"]) == ("gone", None, None)
    assert (ill["state"], ill["error"]) == ("error", "in error")


def test_an_address_is_not_taken_for_the_machine_of_the_same_number():
    address = a_machine(0, kind=Kind.ADDRESS, state=State.READY, deploy_id="ip-0")
    (host,) = objects_of(body_of(a_host(0), resources=[address]))["hosts"]
    assert host["state"] == "gone"


@pytest.mark.parametrize(
    ("state", "registered", "word"),
    [
        (State.READY, True, "on"),
        (State.READY, False, "pending"),
        (State.OFF, True, "off"),
        (State.BROKEN, True, "error"),
        (State.NEW, False, "pending"),
        (State.CREATING, False, "creating"),
        (State.UNKNOWN, False, "unknown"),
        (State.DESTROYING, True, "destroying"),
    ],
)
def test_one_word_for_a_host(state, registered, word):
    assert host_state(a_host(registered=registered), a_machine(state=state)) == word


def test_a_network_has_its_static_and_its_leased_ranges():
    static = {"ar_id": 0, "ip": "10.0.0.1", "size": 50}
    network = an_object(
        2, ObjectKind.NETWORK, body={"attributes": {"vn_mad": "x"}, "public": True, "ar": [static]}
    )
    mine = a_machine(
        1,
        kind=Kind.ADDRESS,
        state=State.READY,
        deploy_id="ip-1",
        addresses=("192.0.2.9",),
        deployment={"network": 2},
    )
    other = a_machine(2, kind=Kind.ADDRESS, deployment={"network": 3})
    (shown,) = objects_of(body_of(network, resources=[mine, other]))["networks"]
    assert (shown["id"], shown["public"], shown["template"]) == (2, True, {"vn_mad": "x"})
    leased = {
        "ar_id": 1,
        "ipam_mad": "dummy",
        "ip": "192.0.2.9",
        "size": 1,
        "resource_id": "ip-1",
        "state": "ready",
    }
    assert shown["ar"] == [static, leased]


def test_cluster_and_datastores_are_shown_with_their_attributes():
    cluster = an_object(0, ObjectKind.CLUSTER, name="web", body={"attributes": {"a": 1}})
    body = body_of(cluster, an_object(5, ObjectKind.DATASTORE, name="images"))
    assert objects_of(body)["cluster"] == {"id": 0, "name": "web", "registered": True, "template": {"a": 1}}
    assert [store["name"] for store in objects_of(body)["datastores"]] == ["images"]
    assert objects_of(body_of())["cluster"] == {}


def test_the_historic_has_what_oneform_has_and_no_more():
    history = [
        Event(n, "provision/0", 5.9, "I", action, "text") for n, action in enumerate((*HISTORIC, "Plan"))
    ]
    historic = body_of(history=history)["historic"]
    assert [line["action"] for line in historic] == list(HISTORIC)
    assert historic[0] == {"action": "State changed", "description": "text", "time": 5}


def test_a_document_is_plain_data():
    body = body_of(a_host(0), resources=[a_machine(0)], template=a_template(INPUTS))
    assert json.loads(json.dumps(body)) == body
