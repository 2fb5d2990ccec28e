"""What clients get wrong: a clear message, the right code, the body of OneForm, and nothing changed."""

import base64
from typing import Any

import pytest

from tests.oneflow.api.server import a_user, asked
from tests.oneprovision.api.server import BASE, a_form, a_template

SECRET = "canary-4711-secret"


@pytest.fixture(scope="module")
def form(tmp_path_factory):
    with a_form(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def number(form) -> int:
    """A provision of two hosts that runs."""
    return int(form.running(hosts=2))


BAD_BODIES: list[Any] = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 5000,
    b'{"a": 1, "a": 2}',
    b"null",
    b"3",
    b"[]",
    b'"text"',
    b'{"nodes": null, "direction": null, "amount": "x", "ar_id": {}, "octet": 7.5, "force": "maybe"}',
    b'{"direction": "sideways", "nodes": [[]], "driver": 5, "template": [], "owner_id": null}',
    b'{"direction": "down", "nodes": [true], "driver": "nobody", "deployment_type": "x", "provider_id": 9}',
    b'{"direction": "up", "nodes": -1, "amount": -1, "ar_id": 99999999999999999999, "octet": "999"}',
    b'{"direction": "up", "nodes": 1e300, "amount": 1e300, "group_id": "nobody", "connection": "x"}',
    b'{"resources": {"hosts": [{}]}, "template": {"name": "x", "hosts": [1]}, "name": {}}',
    b'{"resources": {"networks": [1]}, "connection_values": {"a": {}}, "driver": "../etc"}',
    b'{"template": {"name": "x", "extends": "/etc/passwd"}}',
]


def test_no_bad_body_on_any_route_is_a_bug_of_ours(form):
    """Of something that does not exist, so that a body that is good for one route changes nothing."""
    paths: dict[str, Any] = form.server.ask("GET", "/openapi.json").json["paths"]
    posted = [(verb.upper(), path) for path, verbs in paths.items() for verb in verbs if verb != "get"]
    assert len(posted) > 25
    for verb, path in posted:
        if path.endswith("/drivers/sync"):
            continue
        target = path.replace("{id}", "99").replace("{ar_id}", "77").replace("{name}", "nobody")
        for body in BAD_BODIES:
            reply = form.server.ask(verb, target, body)
            assert 400 <= reply.status < 500, (verb, path, body, reply.body)
            assert reply.json["err_code"] == reply.status
            assert reply.json["message"]
    assert form.ask("GET", "/provisions?all").json == []


@pytest.mark.parametrize(
    ("verb", "path", "data", "status", "text"),
    [
        ("POST", "scale", {"nodes": 1}, 400, "'direction' is missing"),
        ("POST", "scale", {"direction": "up"}, 400, "'nodes' is missing"),
        ("POST", "scale", {"direction": "up", "nodes": 0}, 400, "cannot change 0 hosts"),
        ("POST", "scale", {"direction": "up", "nodes": 10001}, 400, "cannot change 10001 hosts"),
        ("POST", "scale", {"direction": "up", "nodes": []}, 400, "no node is named"),
        ("POST", "scale", {"direction": "up", "nodes": ["192.0.2.1"]}, 400, "it takes an amount"),
        ("POST", "scale", {"direction": "down", "nodes": ["x\x1b[2J"]}, 400, "has no host"),
        ("POST", "scale", {"direction": "down", "nodes": 2}, 400, "would remove 2 of the 2 hosts"),
        ("POST", "hosts", {"amount": 1, "hosts": ["a"]}, 400, "choose one"),
        ("DELETE", "hosts", None, 400, "no host is named"),
        ("DELETE", "hosts?ids=0&amount=1", None, 400, "choose one"),
        ("DELETE", "hosts?ids=nobody", None, 400, "has no host 'nobody'"),
        ("DELETE", "public-network/ips/5", None, 404, "no leased address range 5"),
        ("POST", "add-ip", {"amount": 0}, 400, "'amount' must be at least 1"),
        ("POST", "undeploy", {"resources": {"networks": [1]}}, 400, "only hosts can be removed"),
        ("POST", "undeploy", {"force": "perhaps"}, 400, "'force' must be true or false"),
        ("POST", "retry", {}, 405, "is RUNNING; cannot retry"),
        ("POST", "cancel", None, 405, "is RUNNING; cannot cancel"),
        ("DELETE", "", None, 405, "is RUNNING; cannot delete"),
        ("PATCH", "", {"name": "a\nb"}, 400, "name"),
        ("PATCH", "", {"user_inputs_values": {"hosts": 9}}, 400, "cannot be updated"),
        ("POST", "chmod", {"octet": "9"}, 400, "9"),
        ("POST", "chown", {"owner_id": "nobody"}, 404, "nobody"),
        ("GET", "logs?page=0", None, 400, "count from 1"),
        ("GET", "logs?page=x", None, 400, "'page' has to be a number"),
        ("PUT", "", {}, 501, "PUT is not defined"),
        ("GET", "scale", None, 501, "GET is not defined"),
    ],
)
def test_a_request_that_cannot_be_is_refused_and_changes_nothing(
    form, number, verb, path, data, status, text
):
    before = form.body(number)
    reply = form.ask(verb, f"/provisions/{number}/{path}".rstrip("/"), data)
    assert (reply.status, reply.json["err_code"]) == (status, status), reply.body
    assert text in reply.json["message"] + reply.json.get("hint", "")
    assert form.body(number) == before


def test_every_input_that_is_wrong_is_in_the_context(form):
    reply = form.ask("POST", "/provisions", {"name": "x"})
    missing = ("driver", "deployment_type", "provider_id")
    assert reply.json["context"] == {key: ["is missing"] for key in missing}


def test_what_a_client_got_it_may_send_back(form, number):
    body = {**form.body(number), "description": "as it was, but for this"}
    assert form.ask("PATCH", f"/provisions/{number}", body).status == 200
    assert form.body(number)["description"] == "as it was, but for this"


def test_without_credentials_nothing_but_the_description_is_told(form):
    for path in ("/", "/provisions", "/provisions/0", "/providers", "/drivers", "/nothing"):
        assert asked(form.server.url, "GET", BASE + path, None, {}).status == 401
    wrong = {"Authorization": "Basic " + base64.b64encode(b"oneadmin:wrong").decode()}
    assert asked(form.server.url, "POST", BASE + "/provisions", b"{}", wrong).json["err_code"] == 401
    assert asked(form.server.url, "GET", "/openapi.json", None, {}).status == 200


def test_others_see_what_they_may_and_change_nothing(form, number):
    guest = a_user(form.home, "guest", "secret-of-guest")
    assert form.ask("GET", "/provisions", user=guest).json == []
    assert form.ask("GET", f"/provisions/{number}", user=guest).status == 403
    reply = form.ask("POST", "/provisions", {"name": "x", "template": a_template()}, user=guest)
    assert (reply.status, reply.json["err_code"]) == (403, 403)


def test_the_secrets_of_a_provider_are_shown_to_its_owner_who_asks_and_to_nobody_else(form):
    guest = a_user(form.home, "looker", "secret-of-looker")
    data = {"driver": "linode", "name": "acct", "connection_values": {"token": SECRET}}
    made = form.ask("POST", "/providers", data)  # of a pm driver: no folder has that name
    assert made.status == 201, made.body
    number = made.json["DOCUMENT"]["ID"]
    assert made.json["DOCUMENT"]["TYPE"] == "103"
    form.ask("POST", f"/providers/{number}/chmod", {"octet": "644"})
    assert SECRET.encode() not in made.body + form.ask("GET", f"/providers/{number}", user=guest).body
    shown = form.ask("GET", f"/providers/{number}?include_sensitive=true").json["DOCUMENT"]["TEMPLATE"]
    assert shown["PROVIDER_BODY"]["connection"]["token"] == SECRET
    assert form.ask("GET", f"/providers/{number}?include_sensitive=true", user=guest).status == 403
    listed = form.ask("GET", "/providers?include_sensitive=true", user=guest)
    assert [each["DOCUMENT"]["NAME"] for each in listed.json] == ["acct"]
    assert SECRET.encode() not in listed.body
    masked = form.ask(
        "PATCH", f"/providers/{number}", {"connection": {"token": "__redacted__"}, "name": "new"}
    )
    assert masked.json["DOCUMENT"]["NAME"] == "new"
    again = form.ask("GET", f"/providers/{number}?include_sensitive=true").json["DOCUMENT"]["TEMPLATE"]
    assert again["PROVIDER_BODY"]["connection"]["token"] == SECRET
    assert form.ask("DELETE", f"/providers/{number}").status == 204
    logs = b"".join(file.read_bytes() for file in (form.home / "logs").iterdir())
    assert SECRET.encode() not in logs
