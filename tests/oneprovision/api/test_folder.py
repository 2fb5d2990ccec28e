"""Provisions of driver folders over REST, with real OpenTofu, through a kill of the server."""

import base64
import json
import signal

import pytest

from tests.oneflow.api.server import a_user
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


def looked_at_closely(form: Form, number: int) -> None:
    kept = form.ask("GET", f"/provisions/{number}/tfstate").json["tfstate"]
    decoded = form.ask("GET", f"/provisions/{number}/tfstate?decode").json["tfstate"]
    assert json.loads(base64.b64decode(kept)) == decoded
    assert "terraform_data" in {each["type"] for each in decoded["resources"]}
    reader = a_user(form.home, "reader", "s3cret")
    form.ask("POST", f"/provisions/{number}/chmod", {"octet": "644"})
    assert form.ask("GET", f"/provisions/{number}", user=reader).status == 200
    assert form.ask("GET", f"/provisions/{number}/tfstate", user=reader).status == 403
    shown = form.ask("GET", f"/provisions/{number}?include_provider").json["DOCUMENT"]
    provider = shown["TEMPLATE"]["PROVISION_BODY"]["provider"]
    assert (provider["NAME"], provider["TYPE"]) == ("acct", "103")
    unseen = form.ask("GET", f"/provisions/{number}?include_provider", user=reader).json["DOCUMENT"]
    assert "provider" not in unseen["TEMPLATE"]["PROVISION_BODY"]
    asked = form.ask("GET", f"/providers/{provider['ID']}/inputs").json
    assert {each["name"]: each["sensitive"] for each in asked} == {"region": False, "token": True}
    form.ask("POST", "/drivers/dummy/disable")
    assert form.ask("GET", "/providers?enabled=true").json == []
    form.ask("POST", "/drivers/dummy/enable")
    assert len(form.ask("GET", "/providers?enabled=true").json) == 1


def test_a_folder_is_ordered_from_killed_carried_on_scaled_and_removed(form):
    number = ordered(form, hosts=2)
    form.server.until(lambda: form.body(number)["state"] not in ("PENDING", "INIT"))
    form.server.process.send_signal(signal.SIGKILL)
    form.server.process.wait()
    with a_form(form.home) as again:
        again.settled(number, "RUNNING")
        looked_at_closely(again, number)
        assert again.ask("POST", f"/provisions/{number}/hosts", {"amount": 1}).status == 202
        hosts = again.settled(number, "RUNNING")["one_objects"]["hosts"]
        assert len({host["resource_id"] for host in hosts}) == 3
        ids = ",".join(str(host["id"]) for host in hosts[:2])
        assert again.ask("DELETE", f"/provisions/{number}/hosts?ids={ids}").status == 202
        left = again.settled(number, "RUNNING")["one_objects"]["hosts"]
        assert [host["resource_id"] for host in left] == [hosts[2]["resource_id"]]
        assert again.ask("POST", f"/provisions/{number}/undeploy", {}).status == 204
        assert again.settled(number, "DONE")["one_objects"]["hosts"] == []
