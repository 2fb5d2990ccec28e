"""The server as a process: one for each state, stopped in order, killed without harm."""

import signal
import subprocess
import sys

import pytest

from tests.oneflow.api.server import started
from tests.oneprovision.api.server import a_form


def test_a_killed_server_is_followed_by_one_that_carries_on(tmp_path):
    home = tmp_path / "home"
    with a_form(home) as form:
        number = form.create(hosts=6, latency="1")
        form.server.until(lambda: len(form.machines()) >= 1)
        form.server.process.send_signal(signal.SIGKILL)
        form.server.process.wait()
    with a_form(home) as form:
        hosts = form.settled(number, "RUNNING")["one_objects"]["hosts"]
        assert sorted(host["machine"] for host in hosts) == form.machines()
        assert len(form.machines()) == 6


def test_sigterm_ends_it_in_order_and_the_next_one_carries_on(tmp_path):
    home = tmp_path / "home"
    with a_form(home) as form:
        number = form.create(hosts=4, latency="1")
        form.server.until(lambda: form.body(number)["state"] == "APPLYING")
        assert form.server.stop() == 0
    with a_form(home) as form:
        form.settled(number, "RUNNING")
        assert len(form.machines()) == 4
        form.ask("POST", f"/provisions/{number}/undeploy", {})
        form.settled(number, "DONE")
        assert form.machines() == []
        assert form.ask("DELETE", f"/provisions/{number}").status == 204
        assert form.ask("GET", f"/provisions/{number}").status == 404


def test_a_second_server_of_the_same_state_is_refused(tmp_path):
    with a_form(tmp_path) as form:
        with pytest.raises(AssertionError) as refused:
            started(form.home, product="oneprovision")
        assert f"oneprovision serve runs already for {form.home}" in " ".join(refused.value.args[0])


def test_work_that_the_command_line_leaves_is_carried_out(tmp_path):
    with a_form(tmp_path) as form:
        command = [sys.executable, "-m", "oneprovision", "create", "examples/dummy-cluster.yaml", "--no-wait"]
        environ = {"ONE_HOME": str(form.home), "HOME": str(form.home), "PATH": "/usr/bin:/bin"}
        subprocess.run(command, env=environ, check=True, capture_output=True, timeout=60)
        assert len(form.settled(0, "RUNNING")["one_objects"]["hosts"]) == 3


def test_a_provision_that_is_worked_on_can_be_cancelled_but_not_scaled(tmp_path):
    with a_form(tmp_path) as form:
        number = form.create(hosts=2, latency="3")
        form.server.until(lambda: form.body(number)["state"] == "APPLYING")
        reply = form.ask("POST", f"/provisions/{number}/scale", {"direction": "up", "nodes": 1})
        assert (reply.status, reply.json["err_code"]) == (405, 405)
        assert "is being worked on" in reply.json["message"]
        assert form.ask("POST", f"/provisions/{number}/cancel").status == 202
        form.settled(number, "APPLYING_FAILURE")
        form.ask("POST", f"/provisions/{number}/undeploy", {})
        form.settled(number, "DONE")
        assert form.machines() == []
