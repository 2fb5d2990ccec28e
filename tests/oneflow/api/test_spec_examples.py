"""Every curl example of spec/003, run by curl against a real server; spec003.json has the answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.oneflow.api.server import CLOUDS, Server, a_server_on

EXAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "spec003.json").read_text())


@pytest.fixture(scope="module", params=CLOUDS)
def server(request, tmp_path_factory):
    with a_server_on(request.param, tmp_path_factory.mktemp("home")) as running:
        running.add_group("admins")  # the example's group 2
        yield running


@pytest.fixture
def template(server) -> int:
    """As the specification creates it."""
    return int(
        server.curl("--data", _example("POST", "/service_template")["data"], "/service_template").json[
            "DOCUMENT"
        ]["ID"]
    )


@pytest.fixture
def service(server, template) -> int:
    data = _example("POST", "/service_template/4/action")["data"]
    reply = server.curl("-X", "POST", "--data", data, f"/service_template/{template}/action")
    number = int(reply.json["DOCUMENT"]["ID"])
    server.running(number)
    return number


def _example(method: str, path: str, word: str = "") -> dict[str, Any]:
    return next(
        e for e in EXAMPLES if (e["method"], e["path"]) == (method, path) and word in e.get("data", "")
    )


def _run(server: Server, example: dict[str, Any], path: str) -> Any:
    """Run the printed command against `path`; the status is the printed one."""
    data = ["--data", example["data"]] if "data" in example else []
    reply = server.curl("-X", example["method"], *data, path)
    if "status" in example:
        assert reply.status == int(example["status"].split()[1])
    if example.get("length") == 0:
        assert reply.body == b""
    elif reply.body:
        assert reply.headers["content-type"] == "application/json"
    return reply


def _assert_like(printed: Any, ours: Any, where: str = "") -> None:
    """Every printed key is there, with a value of the same type; ours may have more."""
    assert type(printed) is type(ours), where
    if isinstance(printed, dict):
        assert printed.keys() <= ours.keys(), (where, printed.keys() - ours.keys())
        for key, value in printed.items():
            _assert_like(value, ours[key], f"{where}.{key}")
    elif isinstance(printed, list):
        for at, value in enumerate(printed[: len(ours)]):
            _assert_like(value, ours[at], f"{where}[{at}]")


def test_create_a_new_service_template(server):
    example = _example("POST", "/service_template")
    reply = _run(server, example, "/service_template")
    printed, ours = example["body"], reply.json
    printed["DOCUMENT"]["ID"] = ours["DOCUMENT"]["ID"]
    assert ours == printed


def test_show_a_service_template(server, template):
    example = _example("GET", "/service_template/4")
    _assert_like(example["body"], _run(server, example, f"/service_template/{template}").json)


def test_list_the_service_templates(server, template):
    example = _example("GET", "/service_template")
    listed = _run(server, example, "/service_template").json
    _assert_like(example["body"], listed)
    assert str(template) in [d["ID"] for d in listed["DOCUMENT_POOL"]["DOCUMENT"]]


def test_update_a_service_template_after_100_continue(server, template):
    example = _example("PUT", "/service_template/4")
    reply = _run(server, example, f"/service_template/{template}")
    roles = reply.json["DOCUMENT"]["TEMPLATE"]["BODY"]["roles"]
    assert roles[0]["shutdown_action"] == "shutdown-hard"
    _assert_like(example["body"], reply.json)
    waiting = server.curl(
        "-X", "PUT", "-H", "Expect: 100-continue", "--data", example["data"], f"/service_template/{template}"
    )
    assert waiting.json == reply.json


def test_instantiate_a_service_template(server, template):
    example = _example("POST", "/service_template/4/action")
    reply = _run(server, example, f"/service_template/{template}/action")
    assert reply.json["DOCUMENT"]["TYPE"] == "100"
    _assert_like(example["body"], reply.json)


def test_delete_a_service_template(server, template):
    assert (
        _run(server, _example("DELETE", "/service_template/4"), f"/service_template/{template}").body == b""
    )
    assert server.curl(f"/service_template/{template}").status == 404


def test_show_a_service_with_its_vms(server, service):
    example = _example("GET", "/service/5")
    ours = _run(server, example, f"/service/{service}").json
    printed = example["body"]
    for document in (printed, ours):
        for policy in (
            p for r in document["DOCUMENT"]["TEMPLATE"]["BODY"]["roles"] for p in r["elasticity_policies"]
        ):
            policy.pop("last_eval", None)  # there from the first evaluation on
    _assert_like(printed, ours)
    body = ours["DOCUMENT"]["TEMPLATE"]["BODY"]
    assert (body["state"], [role["state"] for role in body["roles"]]) == (2, ["2", "2"])
    assert [len(role["nodes"]) for role in body["roles"]] == [1, 2]


def test_list_the_services(server, service):
    example = _example("GET", "/service")
    listed = _run(server, example, "/service").json
    assert str(service) in [d["ID"] for d in listed["DOCUMENT_POOL"]["DOCUMENT"]]


def test_change_the_group_of_a_service(server, service):
    reply = _run(server, _example("POST", "/service/5/action", "chgrp"), f"/service/{service}/action")
    assert (reply.status, reply.body) == (201, b"")
    document = server.curl(f"/service/{service}").json["DOCUMENT"]
    assert (document["GID"], document["GNAME"]) == ("2", "admins")


def test_update_the_cardinality_of_a_role(server, service):
    reply = _run(server, _example("PUT", "/service/5/role/frontend"), f"/service/{service}/role/frontend")
    assert reply.headers["content-length"] == "0"
    assert server.service(service)["roles"][0]["cardinality"] == 2


def test_act_on_all_vms_of_a_role(server, service):
    example = _example("POST", "/service/5/role/frontend/action")
    vms = [node["deploy_id"] for node in server.service(service)["roles"][0]["nodes"]]
    reply = _run(server, example, f"/service/{service}/role/frontend/action")
    text = f"Action:stop scheduled on Role:frontend VMs:{','.join(map(str, vms))}"
    assert reply.json == [True, text]
    # The printed answer is of VMs 12 and 15, and 57 bytes long.
    assert len(reply.body) == example["length"] - len("12,15") + len(",".join(map(str, vms)))


def test_shut_a_service_down(server, service):
    reply = _run(server, _example("POST", "/service/5/action", "shutdown"), f"/service/{service}/action")
    assert (reply.status, reply.body) == (201, b"")
    assert server.until(lambda: server.service(service)["state"] == 5)


def test_the_printed_error(server):
    data = json.loads(_example("POST", "/service_template")["data"])
    data["roles"][1]["cardinality"] = "1"
    reply = server.curl("--data", json.dumps(data), "/service_template")
    message = "Role 'worker' 'cardinality' must be greater than or equal to 'min_vms'"
    assert (reply.status, reply.json) == (400, {"error": {"message": message}})
    assert reply.headers["content-type"] == "application/json"
