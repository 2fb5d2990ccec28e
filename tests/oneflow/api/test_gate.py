"""OneGate: what VMs may say and ask, each with a token of its own (reference 10).

VMs of an OpenNebula have its own OneGate. What becomes of what VMs say is in test_reports.py, for both.
"""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.oneflow.api.server import Reply, Server, a_server, a_user, asked
from tests.oneflow.builders import a_role, a_template


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with a_server(tmp_path_factory.mktemp("home"), "--gate", "--gate-port", "0") as running:
        yield running


def a_service(server: Server, **fields: object) -> int:
    template = server.ask("POST", "/service_template", a_template(**fields)).json["DOCUMENT"]["ID"]
    made = server.ask("POST", f"/service_template/{template}/action", {"action": {"perform": "instantiate"}})
    return int(made.json["DOCUMENT"]["ID"])


def vms_of(server: Server, service: int) -> list[int]:
    """The VMs of the first role, once there are any."""
    found = server.until(lambda: [n["deploy_id"] for n in server.service(service)["roles"][0]["nodes"]])
    return list(found)


class Inside:
    """Somebody inside a VM, with what the machine was given."""

    def __init__(self, server: Server, vm: int) -> None:
        self.url = server.gate_url
        token = server.ask("GET", f"/vm/{vm}/token").json
        assert token["endpoint"] == server.gate_url
        self.headers = {"X-ONEGATE-VMID": str(vm), "X-ONEGATE-TOKEN": token["token"]}

    def ask(self, method: str, path: str, body: str | None = None) -> Reply:
        return asked(self.url, method, path, None if body is None else body.encode(), self.headers)


@pytest.fixture(scope="module")
def shop(server) -> Any:
    """A service of two VMs that runs: its number, and somebody inside its first VM."""
    number = a_service(server, roles=[a_role(cardinality=2, min_vms=1, max_vms=3)])
    server.running(number)
    return number, Inside(server, vms_of(server, number)[0])


def test_a_vm_sees_itself_and_its_service(server, shop):
    number, inside = shop
    vms = vms_of(server, number)
    assert inside.ask("GET", "/vm").json["VM"]["ID"] == str(vms[0])
    assert inside.ask("GET", f"/vms/{vms[1]}").json["VM"]["ID"] == str(vms[1])
    service = inside.ask("GET", "/service").json["SERVICE"]
    assert (service["id"], service["name"], service["state"]) == (str(number), "app", 2)
    assert [(r["name"], r["cardinality"], len(r["nodes"])) for r in service["roles"]] == [("web", 2, 2)]


def test_a_vm_reports_for_another_one_of_its_service(server, shop):
    number, inside = shop
    other = vms_of(server, number)[1]
    assert inside.ask("PUT", f"/vms/{other}", '{"LOAD": 7}').status == 200
    assert inside.ask("GET", f"/vms/{other}").json["VM"]["USER_TEMPLATE"]["LOAD"] == "7"


@pytest.mark.parametrize(
    ("body", "name", "value"),
    [
        ('custom_att="50"', "CUSTOM_ATT", "50"),
        ("ready = yes", "READY", "yes"),
        ('{"READY": false}', "READY", "NO"),
        ('{"custom_att": 1.5}', "CUSTOM_ATT", "1.5"),
        ("NOT_READY=YES\nOTHER=a b", "OTHER", "a b"),
    ],
)
def test_what_a_vm_reports_may_be_spelled_as_at_opennebula(server, shop, body, name, value):
    _, inside = shop
    assert inside.ask("PUT", "/vm", body).status == 200
    assert inside.ask("GET", "/vm").json["VM"]["USER_TEMPLATE"][name] == value


def test_a_vm_reaches_only_its_own_service(server, shop):
    number, inside = shop
    foreign = vms_of(server, a_service(server))[0]
    text = f"Service {number} does not contain VM {foreign}."
    for method, path, body in (
        ("GET", f"/vms/{foreign}", None),
        ("PUT", f"/vms/{foreign}", "READY=YES"),
        ("POST", f"/vms/{foreign}/action", '{"action": {"perform": "reboot"}}'),
        ("GET", "/vms/9999", None),
    ):
        reply = inside.ask(method, path, body)
        assert reply.status == 400
        assert reply.message in (text, f"Service {number} does not contain VM 9999.")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("SERVICE_ID=3", "SERVICE_ID is not the VM's to change"),
        ("role_name=x", "ROLE_NAME is not the VM's to change"),
        ("SCHED_REQUIREMENTS=x", "SCHED_REQUIREMENTS is not the VM's to change"),
        ("hello", "line 1 of the body is not KEY=VALUE"),
        ("", "the body has no KEY=VALUE line"),
        ("A B=1", "cannot be an attribute"),
        ("A=" + "x" * 9000, "more than 8192 characters"),
        ('{"A": {"B": 1}}', "neither text nor a number"),
        ("{", "body:1: "),
        ("\n".join(f"A{n}=1" for n in range(300)), "at most 200 attributes"),
    ],
)
def test_reports_that_are_refused(server, shop, body, text):
    _, inside = shop
    before = inside.ask("GET", "/vm").body
    reply = inside.ask("PUT", "/vm", body)
    assert (reply.status, text in reply.message) == (400, True), reply.body
    assert inside.ask("GET", "/vm").body == before


def test_what_was_reported_is_erased_all_or_nothing(server, shop):
    _, inside = shop
    inside.ask("PUT", "/vm", "LOAD=3\nQUEUE=7\nREADY=YES")
    before = inside.ask("GET", "/vm").json["VM"]["USER_TEMPLATE"]
    for body, kind, status, text in (
        ("LOAD NOBODY", 2, 404, "attribute NOBODY not found"),
        ("SERVICE_ID", 2, 400, "SERVICE_ID is not the VM's to change"),
        ("A=B", 2, 400, "cannot be an attribute"),
        ("", 2, 400, "the body names no attribute"),
        ("LOAD", 3, 400, "'type' is 1 to set attributes or 2 to erase them, not 3"),
    ):
        reply = inside.ask("PUT", f"/vm?type={kind}", body)
        assert (reply.status, text in reply.message) == (status, True), reply.body
    assert inside.ask("GET", "/vm").json["VM"]["USER_TEMPLATE"] == before
    assert inside.ask("PUT", "/vm?type=2", "load\nREADY").status == 200
    left = {name: value for name, value in before.items() if name not in ("LOAD", "READY")}
    assert inside.ask("GET", "/vm").json["VM"]["USER_TEMPLATE"] == left
    assert inside.ask("PUT", "/vm?type=1", "LOAD=4").status == 200
    assert inside.ask("GET", "/vm").json["VM"]["USER_TEMPLATE"] == {**left, "LOAD": "4"}


def test_a_vm_scales_its_service_inside_the_limits(server):
    number = a_service(server, roles=[a_role(min_vms=1, max_vms=2, cooldown=0)])
    server.running(number)
    inside = Inside(server, vms_of(server, number)[0])
    refused = inside.ask("PUT", "/service/role/web", '{"cardinality": 3, "force": true}')
    assert (refused.status, refused.message) == (400, "Maximum cardinality is 2")
    assert inside.ask("PUT", "/service/role/web", '{"cardinality": 2}').status == 200
    assert server.until(lambda: len(server.running(number)["roles"][0]["nodes"]) == 2)


def test_a_vm_acts_on_one_vm_of_its_service(server, shop):
    number, inside = shop
    other = vms_of(server, number)[1]
    assert inside.ask("POST", f"/vms/{other}/action", '{"action": {"perform": "reboot"}}').status == 201
    lines = [line["message"] for line in server.ask("GET", f"/service/{number}/log").json["log"]]
    assert f"Action:reboot scheduled on Role:web VMs:{other}" in lines


@pytest.mark.parametrize("headers", [{}, {"X-ONEGATE-VMID": "0"}, {"X-ONEGATE-TOKEN": "abc"}])
def test_without_a_token_nothing_is_told(server, shop, headers):
    assert asked(server.gate_url, "GET", "/vm", None, headers).status == 401


def test_the_token_of_one_vm_is_not_that_of_another(server, shop):
    number, inside = shop
    other = vms_of(server, number)[1]
    for vm in (str(other), "9999", "x", "-1", "9" * 40):
        reply = asked(server.gate_url, "GET", "/vm", None, {**inside.headers, "X-ONEGATE-VMID": vm})
        assert (reply.status, reply.message) == (401, "Invalid token")


def test_a_token_is_for_those_who_manage_the_service(server, shop):
    user = a_user(server.home, "ann", "correct horse")
    _, inside = shop
    assert server.ask("GET", f"/vm/{inside.headers['X-ONEGATE-VMID']}/token", user=user).status == 403


def test_the_machine_is_given_what_it_needs(server, shop):
    _, inside = shop
    vm = inside.headers["X-ONEGATE-VMID"]
    with closing(sqlite3.connect(server.home / "one.db")) as database:
        (text,) = database.execute("SELECT deployment FROM resource WHERE number = ?", (vm,)).fetchone()
    asked_for = json.loads(text)["provision"]
    assert asked_for["onegate_vmid"] == vm
    assert asked_for["onegate_token"] == inside.headers["X-ONEGATE-TOKEN"]
    assert asked_for["onegate_endpoint"] == server.gate_url
