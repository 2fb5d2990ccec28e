"""The server as a process: one for each state, stopped in order, killed without harm, and what it logs."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from tests.oneflow.api.server import CLOUDS, Server, a_server, a_server_on, asked, no_user, started
from tests.oneflow.builders import a_role, a_template

INSTANTIATE = {"action": {"perform": "instantiate"}}


@pytest.fixture
def server(tmp_path):
    with a_server(tmp_path / "home") as running:
        yield running


@pytest.fixture(params=CLOUDS)
def on_each(request, tmp_path):
    """Where it matters to the VMs. What is said and logged is the same on each cloud."""
    with a_server_on(request.param, tmp_path) as running:
        yield running


def a_service(server: Server, **fields: object) -> int:
    template = server.ask("POST", "/service_template", a_template(**fields)).json["DOCUMENT"]["ID"]
    return int(server.ask("POST", f"/service_template/{template}/action", INSTANTIATE).json["DOCUMENT"]["ID"])


def test_sigterm_ends_it_in_order_and_a_next_one_carries_on(on_each):
    number = a_service(on_each)
    on_each.running(number)
    assert on_each.stop() == 0
    with a_server(on_each.home, environment=on_each.environment) as next_one:
        assert next_one.service(number)["state"] == 2
        assert next_one.ask("DELETE", f"/service/{number}").status == 204
        assert next_one.until(lambda: next_one.ask("GET", f"/service/{number}").status == 404)
        assert on_each.vms() == []


def test_a_second_server_of_the_same_state_is_refused(server):
    with pytest.raises(AssertionError) as refused:
        started(server.home, "--port", server.url.rpartition(":")[2])
    text = " ".join(refused.value.args[0])
    assert f"oneflow serve runs already for {server.home}: process {server.process.pid}" in text
    assert server.url in text
    assert server.ask("GET", "/service").status == 200


def test_a_server_that_was_killed_is_followed_at_once(on_each):
    number = a_service(on_each, roles=[a_role(cardinality=3)])
    on_each.process.send_signal(signal.SIGKILL)
    on_each.process.wait()
    with a_server(on_each.home, environment=on_each.environment) as next_one:
        assert len(next_one.running(number)["roles"][0]["nodes"]) == 3
        assert len(on_each.vms()) == 3


def test_a_port_that_is_taken_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AssertionError) as refused:
            started(tmp_path, "--port", str(port))
    assert f"cannot listen on 127.0.0.1 port {port}: address already in use" in " ".join(
        refused.value.args[0]
    )


def test_vms_are_told_an_address_that_they_can_reach(tmp_path):
    with a_server(tmp_path, "--gate", "--gate-host", "0.0.0.0", "--gate-port", "0") as server:
        server.running(a_service(server))
        told = server.ask("GET", "/vm/0/token").json["endpoint"]
    assert "//0.0.0.0:" not in told
    assert told.rpartition(":")[2] == server.gate_url.rpartition(":")[2]


def test_who_was_removed_is_refused_at_once(server):
    """Those of an OpenNebula within a minute: onecore.http.basic.ELSEWHERE_S."""
    user = server.add_user("carl", "correct horse")
    assert server.ask("GET", "/service", user=user).status == 200
    no_user(server.home, "carl")
    assert server.ask("GET", "/service", user=user).status == 401


def test_requests_are_logged_without_credentials(server):
    server.ask("GET", "/service?page=1")
    asked(server.url, "GET", "/service", None, {})
    password = server.credentials.partition(":")[2]
    server.stop()
    text = (server.home / "logs" / "oneflow-access.log").read_text()
    first, second = (json.loads(line) for line in text.splitlines())
    assert (first["subject"], first["message"], first["status"]) == ("GET", "/service?page=1", 200)
    assert (first["user"], second["user"], second["status"]) == ("oneadmin", "", 401)
    assert password not in text
    assert (server.home / "logs" / "oneflow-access.log").stat().st_mode & 0o077 == 0


def test_answers_to_the_same_connection_come_in_order_when_asked_at_once(server):
    host, port = server.url.removeprefix("http://").split(":")
    asking = "GET /service/{} HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection((host, int(port)), 20) as plain:
        plain.sendall("".join(asking.format(n) for n in range(5)).encode())
        text = b""
        while text.count(b"HTTP/1.1 401") < 5:
            part = plain.recv(65536)
            assert part
            text += part


def test_the_server_is_not_needed_by_those_who_do_not_serve(tmp_path):
    """The web framework is an extra: without it the command says what to install."""
    code = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from oneflow.__main__ import main\n"
        "sys.exit(main(['serve']))"
    )
    environment = {**os.environ, "ONE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert "pip install 'onesuite[server]'" in done.stderr
