"""The description of the server, judged by others, and held against what the server answers."""

from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from oneflow.api import app
from oneflow.api.gate import OPERATIONS as GATE
from tests.oneflow.api.server import CLOUDS, a_server_on, asked
from tests.oneflow.builders import a_template


@pytest.fixture(scope="module", params=CLOUDS)
def server(request, tmp_path_factory):
    with a_server_on(request.param, tmp_path_factory.mktemp("home")) as running:
        yield running


def test_it_is_valid_openapi():
    validate(app.described())


def test_it_is_served_to_everybody(server):
    reply = asked(server.url, "GET", "/openapi.json", None, {})
    assert (reply.status, reply.json) == (200, app.described())


def test_every_operation_is_in_it():
    paths = app.described()["paths"]
    assert {(o.method.lower(), o.path) for o in app.operations()} == {
        (method, path) for path, verbs in paths.items() for method in verbs
    }


def test_every_operation_refuses_strangers(server):
    for operation in app.operations():
        path = operation.path.replace("{id}", "0").replace("{name}", "x").replace("{job_id}", "0")
        reply = asked(server.url, operation.method, path, None, {})
        assert reply.status == (200 if operation.is_open else 401), path
    assert not any(operation.is_open for operation in GATE)


def test_answers_are_as_described(server):
    made = server.ask("POST", "/service_template", a_template())
    number = made.json["DOCUMENT"]["ID"]
    server.ask("POST", f"/service_template/{number}/action", {"action": {"perform": "instantiate"}})
    server.running(0)
    ours = (
        ("/vm_template", "/vm_template"),
        ("/vm_template/{id}", "/vm_template/0"),
        ("/vm/{id}/token", "/vm/0/token"),
    )  # of the embedded cloud
    for path, asked_for in (
        ("/service_template/{id}", f"/service_template/{number}"),
        ("/service_template", "/service_template"),
        ("/service", "/service"),
        ("/service/{id}", "/service/0"),
        ("/service/{id}/log", "/service/0/log"),
        ("/service/{id}/explain", "/service/0/explain"),
        *(ours if server.nebula is None else ()),
    ):
        jsonschema.validate(server.ask("GET", asked_for).json, _answer(path))
    jsonschema.validate(
        server.ask("GET", "/service/99").json, app.described()["components"]["schemas"]["Error"]
    )


def _answer(path: str) -> Any:
    content: Any = app.described()["paths"][path]["get"]["responses"]["200"]["content"]
    return content["application/json"]["schema"]
