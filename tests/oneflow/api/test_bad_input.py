"""What clients get wrong: a clear message, the right code, and nothing changed (reference 14)."""

import socket
from typing import Any

import pytest

from tests.oneflow.api.server import CLOUDS, a_server_on, asked
from tests.oneflow.builders import a_role, a_template

SECRET = "correct horse"


@pytest.fixture(scope="module", params=CLOUDS)
def server(request, tmp_path_factory):
    with a_server_on(request.param, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def service(server) -> int:
    """A service that runs, of one role `web` with 1 to 3 VMs."""
    data = a_template(a_role(min_vms=1, max_vms=3))
    template = server.ask("POST", "/service_template", data).json["DOCUMENT"]["ID"]
    made = server.ask("POST", f"/service_template/{template}/action", _action("instantiate"))
    number = int(made.json["DOCUMENT"]["ID"])
    server.running(number)
    return number


ACTION = "/service/{id}/action"
ROLE = "/service/{id}/role/web"
ROLE_ACTION = f"{ROLE}/action"


def _action(perform: object, **params: object) -> dict[str, Any]:
    return {"action": {"perform": perform, "params": params}}


def _policy(**fields: object) -> dict[str, Any]:
    return a_role(min_vms=0, max_vms=3, elasticity_policies=[{"type": "CHANGE", "adjust": 1, **fields}])


BAD_TEMPLATES = [
    (b"{", "body:1: "),
    (b"", "body:1: the document is empty"),
    (b"\xff\xfe", "body: this is not UTF-8 text"),
    (b"[" * 5000, "nested more than 64 levels"),
    (b'{"name": "a", "name": "b"}', "given twice"),
    (b"[]", "must be a Hash"),
    (b"null", "must be a Hash"),
    (b"3", "must be a Hash"),
    ({"name": "x"}, "KEY: 'roles' is required"),
    ({"roles": []}, "KEY: 'name' is required"),
    (a_template(a_role("a"), a_role("a")), "Role name 'a' is repeated"),
    (a_template(a_role("a b")), r"KEY: 'name' must match regexp /^\w+$/"),
    (a_template(a_role("ok\n; rm")), r"KEY: 'name' must match regexp /^\w+$/"),
    (
        a_template(a_role(cardinality=1, min_vms=2)),
        "Role 'web' 'cardinality' must be greater than or equal to 'min_vms'",
    ),
    (a_template(a_role(parents=["x"])), "Role 'web' has the unknown parent 'x'"),
    (a_template(a_role(parents=["web"])), "Role 'web' is its own parent"),
    (a_template(a_role("a", parents=["b"]), a_role("b", parents=["a"])), "roles wait for each other"),
    ({"name": "x", "roles": []}, "at least one role"),
    (a_template(a_role(vm_template=77)), "Role 'web': there is no VM template 77"),
    (a_template(a_role(cardinality="two")), "KEY: 'cardinality' must be an Integer"),
    (a_template(a_role(cardinality={})), "KEY: 'cardinality' must be an Integer"),
    (a_template(_policy(expression="A >")), "parse"),
    (a_template(deployment="sideways"), "KEY: 'deployment' must be one of none, straight"),
]


@pytest.mark.parametrize(("data", "text"), BAD_TEMPLATES, ids=[str(n) for n in range(len(BAD_TEMPLATES))])
def test_a_bad_template_is_refused(server, data, text):
    before = server.ask("GET", "/service_template").body
    reply = server.ask("POST", "/service_template", data)
    assert reply.status == 400
    assert text.lower() in reply.message.lower()
    assert server.ask("GET", "/service_template").body == before


@pytest.mark.parametrize(
    ("method", "path", "data", "status", "text"),
    [
        ("GET", "/service/99999", None, 404, "there is no service 99999"),
        ("GET", "/service/abc", None, 404, "there is nothing at /service/abc"),
        ("GET", "/service_template/abc", None, 404, "there is nothing at"),
        ("GET", "/service/" + "9" * 30, None, 404, "there is no 999"),
        ("GET", "/service/" + "9" * 19, None, 404, "there is no 999"),
        ("GET", "/service/-1", None, 404, "there is nothing at"),
        ("GET", "/service/", None, 404, "there is nothing at"),
        ("GET", "/", None, 404, "there is nothing at /"),
        ("PATCH", "/service/{id}", {}, 501, "PATCH is not defined for /service/"),
        ("POST", "/service", {}, 501, "POST is not defined for /service"),
        ("DELETE", "/service_template", None, 501, "DELETE is not defined"),
        ("PUT", "/service_template/0/action", {}, 501, "PUT is not defined"),
        ("GET", "/service?page=0", None, 400, "'page' counts from 1"),
        ("GET", "/service?page=x", None, 400, "'page' has to be a number"),
        ("GET", "/service?page=1&per_page=0", None, 400, "'per_page' is 1 to"),
        ("POST", "/service/{id}/action", _action("zzz"), 400, "Action zzz not supported"),
        ("POST", "/service_template/0/action", _action("zzz"), 400, "Action zzz not supported"),
        ("POST", "/service/{id}/action", b"{", 400, "body:1: "),
        ("POST", "/service/{id}/action", {}, 400, "KEY: 'action' is required"),
        ("POST", "/service/{id}/action", [], 400, "must be a Hash"),
        ("POST", "/service/{id}/action", {"action": "stop"}, 400, "KEY: 'action' must be a Hash"),
        ("POST", "/service/{id}/action", {"action": {}}, 400, "KEY: 'perform' is required"),
        ("POST", "/service/{id}/action", _action("chown"), 400, "Action chown: You have to specify a UID"),
        ("POST", "/service/{id}/action", _action("chgrp"), 400, "Action chgrp: You have to specify a GID"),
        ("POST", "/service/{id}/action", _action("chmod"), 400, "Action chmod: You have to specify a OCTET"),
        ("POST", "/service/{id}/action", _action("chmod", octet="999"), 400, "are not an octet"),
        ("POST", "/service/{id}/action", _action("rename", name="a\nb"), 400, "KEY: 'name' must be 1 to"),
        ("POST", ACTION, _action("recover"), 400, "Service cannot be recovered in state: RUNNING"),
        ("PUT", "/service/{id}/role/web", {"cardinality": 4}, 400, "Maximum cardinality is 3"),
        ("PUT", "/service/{id}/role/web", {"cardinality": 0}, 400, "Minimum cardinality is 1"),
        ("PUT", ROLE, {"cardinality": -1, "force": True}, 400, "KEY: 'cardinality' must be greater"),
        ("PUT", "/service/{id}/role/web", {}, 400, "KEY: 'cardinality' is required"),
        ("PUT", "/service/{id}/role/web", b"{", 400, "body:1: "),
        ("PUT", "/service/{id}/role/zzz", {"cardinality": 1}, 404, "Role zzz not found"),
        ("POST", "/service/{id}/scale", {"role_name": "zzz", "cardinality": 1}, 404, "Role zzz not found"),
        ("POST", "/service/{id}/scale", {"role_name": "web", "cardinality": 10**17}, 400, "cardinality"),
        ("POST", "/service/{id}/role/web/action", _action("zzz"), 400, "Action zzz not supported"),
        ("POST", ROLE_ACTION, _action("stop", period=-1), 400, "KEY: 'period' must be greater"),
        ("POST", "/service/{id}/role_action", _action("add_role", role="{"), 400, "role:1: "),
        ("POST", "/service/{id}/role_action", _action("remove_role", role="web"), 400, "is the last one"),
        ("PUT", "/service/{id}", {"append": True, "template": '{"deployment": "straight"}'}, 400, "service"),
        ("PUT", "/service/{id}", b"[]", 400, "must be a Hash"),
        ("DELETE", "/service/{id}/sched_action/abc", None, 404, "there is nothing at"),
        ("DELETE", "/service_template/0", {"delete_type": "some"}, 400, "one of none, templates, all"),
        ("POST", "/service_template/0/action", _action("clone", name="c", recursive="x"), 400, "one of none"),
    ],
)  # fmt: skip
def test_bad_requests(server, service, method, path, data, status, text):
    before = server.service(service)
    reply = server.ask(method, path.format(id=service), data)
    assert (reply.status, text in reply.message) == (status, True), reply.body
    after = server.service(service)
    assert [r["cardinality"] for r in after["roles"]] == [r["cardinality"] for r in before["roles"]]
    assert after["log"] == before["log"]


@pytest.mark.parametrize(
    ("method", "path", "data", "embedded", "opennebula"),
    [
        (
            *("POST", ROLE_ACTION, _action("snapshot-revert")),
            (501, "has no action snapshot-revert"),
            (400, "snapshot-revert takes a number as args, not ''"),
        ),
        ("POST", "/vm_template", {"name": "x"}, (400, "driver"), (400, "are those of the OpenNebula")),
        ("POST", "/vm_template", {"name": "x", "driver": "no"}, (404, "no driver 'no'"), (400, "are those")),
        ("GET", "/vm/99/token", None, (404, "there is no VM 99"), (501, "to its own OneGate")),
    ],
)  # fmt: skip
def test_requests_that_are_bad_in_each_cloud_for_its_own_reason(
    server, service, method, path, data, embedded, opennebula
):
    status, text = embedded if server.nebula is None else opennebula
    reply = server.ask(method, path.format(id=service), data)
    assert (reply.status, text in reply.message) == (status, True), reply.body


@pytest.mark.parametrize(
    "header", [None, "Bearer abc", "Basic", "Basic !!!", "Basic b25lYWRtaW4=", "Basic " + "A" * 9000]
)
def test_without_credentials(server, header):
    headers = {} if header is None else {"Authorization": header}
    reply = asked(server.url, "GET", "/service", None, headers)
    assert (reply.status, reply.message) == (401, "A username and password must be provided")
    assert reply.headers["www-authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize("user", ["oneadmin:wrong", "nobody:wrong"])
def test_wrong_credentials(server, user):
    reply = server.ask("GET", "/service", user=user)
    assert (reply.status, reply.message) == (401, "Invalid credentials")


def test_an_unknown_path_is_told_to_nobody_without_credentials(server):
    assert asked(server.url, "GET", "/nope", None, {}).status == 401


def test_guessing_is_slowed_down_but_not_for_those_who_are_known(server):
    user = server.add_user("ann", SECRET)
    assert server.ask("GET", "/service", user=user).status == 200
    answers = [server.ask("GET", "/service", user=f"ann:{n}").status for n in range(11)]
    assert answers == [401] * 10 + [429]
    assert server.ask("GET", "/service", user=user).status == 200


def test_others_neither_see_nor_change_what_they_may_not(server, service):
    user = server.add_user("bob", SECRET)
    assert server.ask("GET", "/service", user=user).json == {"DOCUMENT_POOL": {}}
    for method, path, data in (
        ("GET", f"/service/{service}", None),
        ("DELETE", f"/service/{service}", None),
        ("PUT", f"/service/{service}/role/web", {"cardinality": 2}),
        ("POST", f"/service/{service}/action", _action("shutdown")),
        ("POST", f"/service/{service}/action", _action("chmod", octet="777")),
    ):
        reply = server.ask(method, path, data, user=user)
        assert (reply.status, "user 'bob' may not" in reply.message) == (403, True)
    assert server.service(service)["roles"][0]["cardinality"] == 1
    assert server.ask("POST", f"/service/{service}/action", _action("chmod", octet="604")).status == 201
    assert server.ask("GET", f"/service/{service}", user=user).status == 200
    assert server.ask("POST", f"/service/{service}/action", _action("shutdown"), user=user).status == 403


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server):
    reply = server.ask("POST", "/service_template", b" " * (8 * 1024 * 1024))
    assert (reply.status, reply.message) == (413, "the body has more than 1024 KiB")


def test_headers_that_are_too_large_are_refused(server):
    reply = asked(server.url, "GET", "/service", None, {"X-Long": "x" * 40_000})
    assert (reply.status, reply.message) == (431, "more than 32 KiB of headers")


def test_what_is_no_http_is_refused(server):
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as plain:
        plain.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        answer = plain.recv(4096)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b'{"error":{"message":"this is no HTTP request"}}')
