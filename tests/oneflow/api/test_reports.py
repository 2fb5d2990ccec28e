"""What VMs say of themselves, and what becomes of it: readiness, and policies. On each of the clouds."""

import time
from typing import Any

import pytest

from tests.oneflow.api.server import CLOUDS, Server, a_server_on, asked
from tests.oneflow.builders import a_role, a_template

INSTANTIATE = {"action": {"perform": "instantiate"}}
QUICK = "watch_s: 1\n"


@pytest.fixture(scope="module", params=CLOUDS)
def server(request, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / "oneflow-server.conf").write_text(QUICK)
    gate = ("--gate", "--gate-port", "0") if request.param == "embedded" else ()
    with a_server_on(request.param, home, *gate) as running:
        yield running


def a_service(server: Server, *roles: dict[str, object], **fields: object) -> int:
    template = server.ask("POST", "/service_template", a_template(*roles, **fields)).json["DOCUMENT"]["ID"]
    made = server.ask("POST", f"/service_template/{template}/action", INSTANTIATE)
    return int(made.json["DOCUMENT"]["ID"])


def report(server: Server, vm: int, **values: str) -> None:
    """Somebody inside the VM says this at OneGate: ours, or that of the OpenNebula."""
    if server.nebula is not None:
        server.nebula.cloud.report(vm, **values)
        return
    token = server.ask("GET", f"/vm/{vm}/token").json["token"]
    headers = {"X-ONEGATE-VMID": str(vm), "X-ONEGATE-TOKEN": token}
    body = "\n".join(f"{name}={value}" for name, value in values.items()).encode()
    assert asked(server.gate_url, "PUT", "/vm", body, headers).status == 200


def nodes(server: Server, number: int) -> list[Any]:
    found: list[Any] = server.service(number)["roles"][0]["nodes"]
    return found


def a_vm(server: Server, number: int) -> int:
    """The first VM of the service, once the cloud has it."""
    found = server.until(lambda: [n["deploy_id"] for n in nodes(server, number) if n["deploy_id"] != -1])
    return int(found[0])


def test_a_service_waits_until_its_vms_say_that_they_are_ready(server):
    number = a_service(server, ready_status_gate=True)
    vm = a_vm(server, number)
    for values in ({"NOT_READY": "YES"}, {"READY": "YESSIR"}, {"READY": "NO"}):
        report(server, vm, **values)
    server.until(lambda: nodes(server, number)[0]["vm_info"]["VM"]["LCM_STATE"] == "3")
    server.until(lambda: nodes(server, number)[0]["vm_info"]["VM"]["USER_TEMPLATE"].get("READY") == "NO")
    assert server.service(number)["state"] == 1
    assert nodes(server, number)[0]["running"] is False
    report(server, vm, READY="yes")
    assert server.running(number)["roles"][0]["nodes"][0]["running"] is True


def test_what_vms_report_scales_the_service_up_and_down(server):
    policies = [
        {"type": "CHANGE", "adjust": 1, "expression": "CUSTOM_ATT > 40", "period": 1, "period_number": 2},
        {"type": "CARDINALITY", "adjust": 1, "expression": "CUSTOM_ATT < 10"},
    ]
    number = a_service(server, a_role(min_vms=1, max_vms=2, cooldown=1, elasticity_policies=policies))
    server.running(number)
    report(server, a_vm(server, number), CUSTOM_ATT="50")
    server.until(lambda: len(nodes(server, number)) == 2)
    server.running(number)
    for node in nodes(server, number):
        report(server, int(node["deploy_id"]), CUSTOM_ATT="5")
    server.until(lambda: len(nodes(server, number)) == 1)
    assert server.running(number)["roles"][0]["cardinality"] == 1


def test_a_schedule_scales_the_service_when_its_time_comes(server):
    soon = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + 2))
    policy = {"type": "CARDINALITY", "adjust": 3, "start_time": soon}
    number = a_service(server, a_role(min_vms=1, max_vms=3, cooldown=0, scheduled_policies=[policy]))
    server.until(lambda: len(nodes(server, number)) == 3)
    assert server.running(number)["roles"][0]["cardinality"] == 3
