"""Provisions of driver folders over REST, with real OpenTofu, through a kill of the server."""

import signal

import pytest

from tests.oneform import tofu
from tests.oneprovision.api.server import Form, a_form


@pytest.fixture
def form(tmp_path):
    tofu()
    with a_form(tmp_path / "home") as running:
        yield running


def ordered(form: Form, hosts: int) -> int:
    account = form.ask("POST", "/providers", {"driver": "dummy", "name": "acct", "connection_values": {}})
    assert account.json["DOCUMENT"]["TEMPLATE"]["PROVIDER_BODY"]["driver"] == "oneform/dummy"
    order = {
        "driver": "dummy",
        "deployment_type": "dummy_cluster",
        "provider_id": int(account.json["DOCUMENT"]["ID"]),
        "user_inputs_values": {"oneform_hosts": hosts},
        "name": "cluster",
    }
    reply = form.ask("POST", "/provisions", order)
    assert reply.status == 201, reply.body
    assert reply.json["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]["state"] == "PENDING"
    return int(reply.json["DOCUMENT"]["ID"])


def test_a_folder_is_ordered_from_killed_carried_on_scaled_and_removed(form):
    number = ordered(form, hosts=2)
    form.server.until(lambda: form.body(number)["state"] not in ("PENDING", "INIT"))
    form.server.process.send_signal(signal.SIGKILL)
    form.server.process.wait()
    with a_form(form.home) as again:
        again.settled(number, "RUNNING")
        assert again.ask("POST", f"/provisions/{number}/hosts", {"amount": 1}).status == 202
        hosts = again.settled(number, "RUNNING")["one_objects"]["hosts"]
        assert len({host["resource_id"] for host in hosts}) == 3
        ids = ",".join(str(host["id"]) for host in hosts[:2])
        assert again.ask("DELETE", f"/provisions/{number}/hosts?ids={ids}").status == 202
        left = again.settled(number, "RUNNING")["one_objects"]["hosts"]
        assert [host["resource_id"] for host in left] == [hosts[2]["resource_id"]]
        assert again.ask("POST", f"/provisions/{number}/undeploy", {}).status == 204
        assert again.settled(number, "DONE")["one_objects"]["hosts"] == []
