"""Every curl example of spec/000, run by curl against a real server as it is printed."""

import subprocess

import pytest

from tests.oneprovision.api.server import BASE, Form, a_form

PRINTED = {
    "scale up": ("scale", '{\n    "direction": "up",\n    "nodes": 2\n  }'),
    "scale down": (
        "scale",
        '{\n    "direction": "down",\n    "nodes": [ "node1" ],\n'
        '    "opts": {\n      "force": true\n    }\n  }',
    ),
    "add-ip": ("add-ip", '{\n    "amount": 3\n  }'),
    "remove-ip": ("remove-ip", '{\n    "ar_id": 42\n  }'),
    "retry": ("retry", "{}"),
    "undeploy": ("undeploy", '{\n    "force": true\n  }'),
}


@pytest.fixture(scope="module")
def form(tmp_path_factory):
    with a_form(tmp_path_factory.mktemp("home")) as running:
        yield running


def run(form: Form, number: int, example: str, **instead: str) -> int:
    """The printed command for this provision; the status that curl saw."""
    verb, body = PRINTED[example]
    for old, new in instead.items():
        body = body.replace(old, new)
    url = f"{form.server.url}{BASE}/provisions/{number}/{verb}"
    asking = ["-u", form.server.credentials, "-s", "-o", "/dev/null", "-w", "%{http_code}"]
    printed = ["-X", "POST", url, "-H", "Content-Type: application/json", "-d", body]
    done = subprocess.run(["curl", *asking, *printed], capture_output=True, text=True, timeout=60, check=True)
    return int(done.stdout)


def test_scale_up_adds_that_many_hosts(form):
    number = form.running(hosts=1)
    assert run(form, number, "scale up") == 204
    assert len(form.settled(number, "RUNNING")["one_objects"]["hosts"]) == 3


@pytest.mark.parametrize("key", ["name", "id", "ip"])
def test_scale_down_removes_the_host_that_is_named(form, key):
    number = form.running(hosts=2)
    first, second = form.body(number)["one_objects"]["hosts"]
    assert run(form, number, "scale down", node1=str(second[key])) == 204
    left = form.settled(number, "RUNNING")["one_objects"]["hosts"]
    assert [host["id"] for host in left] == [first["id"]]
    assert second["machine"] not in form.machines()


def test_scale_down_of_a_host_that_does_not_exist_touches_nothing(form):
    """The first OneForm server took `node1` for host 0."""
    number = form.running(hosts=2)
    assert run(form, number, "scale down") == 400
    assert len(form.settled(number, "RUNNING")["one_objects"]["hosts"]) == 2


def test_add_ip_leases_and_remove_ip_gives_back(form):
    number = form.running(hosts=1)
    assert run(form, number, "add-ip") == 204
    form.settled(number, "RUNNING")
    assert form.addresses(number) == [0, 1, 2]
    assert run(form, number, "remove-ip") == 404
    assert run(form, number, "remove-ip", **{"42": "1"}) == 204
    form.settled(number, "RUNNING")
    assert form.addresses(number) == [0, 2]


def test_retry_of_a_provision_that_failed_carries_on(form):
    number = form.create(hosts=1, fail_first="deploy:4")
    form.settled(number, "APPLYING_FAILURE")
    assert run(form, number, "retry") == 204
    assert len(form.settled(number, "RUNNING")["one_objects"]["hosts"]) == 1


def test_retry_of_a_provision_that_runs_is_a_wrong_state(form):
    assert run(form, form.running(hosts=1), "retry") == 405


def test_undeploy_removes_everything(form):
    number = form.running(hosts=2)
    mine = {host["machine"] for host in form.body(number)["one_objects"]["hosts"]}
    assert run(form, number, "undeploy") == 204
    assert form.settled(number, "DONE")["one_objects"]["hosts"] == []
    assert mine.isdisjoint(form.machines())
