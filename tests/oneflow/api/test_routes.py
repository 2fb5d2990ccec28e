"""The routes that came after spec/003 (reference 2.1), and ours."""

from typing import Any

import pytest

from tests.oneflow.api.server import CLOUDS, Server, a_server_on
from tests.oneflow.builders import a_role, a_template


@pytest.fixture(scope="module", params=CLOUDS)
def server(request, tmp_path_factory):
    with a_server_on(request.param, tmp_path_factory.mktemp("home")) as running:
        yield running


def _action(perform: str, **params: object) -> dict[str, Any]:
    return {"action": {"perform": perform, "params": params}}


def a_stored_template(server: Server, **fields: object) -> str:
    return str(server.ask("POST", "/service_template", a_template(**fields)).json["DOCUMENT"]["ID"])


def a_service(server: Server, *roles: Any, **fields: object) -> int:
    template = a_stored_template(server, roles=list(roles) or [a_role(min_vms=0, max_vms=4)], **fields)
    made = server.ask("POST", f"/service_template/{template}/action", _action("instantiate"))
    number = int(made.json["DOCUMENT"]["ID"])
    server.running(number)
    return number


def test_scale_by_its_own_route(server):
    number = a_service(server)
    reply = server.ask("POST", f"/service/{number}/scale", {"role_name": "web", "cardinality": "3"})
    assert (reply.status, reply.body, "content-length" in reply.headers) == (204, b"", False)
    assert server.until(lambda: len(server.service(number)["roles"][0]["nodes"]) == 3)


def test_named_victims_leave_first(server):
    number = a_service(server, a_role(cardinality=3, cooldown=0))
    vms = [node["deploy_id"] for node in server.service(number)["roles"][0]["nodes"]]
    asked = {"cardinality": 2, "victims": [vms[1]]}
    assert server.ask("PUT", f"/service/{number}/role/web", asked).status == 200
    server.until(lambda: len(server.service(number)["roles"][0]["nodes"]) == 2)
    left = [node["deploy_id"] for node in server.service(number)["roles"][0]["nodes"]]
    assert left == [vms[0], vms[2]]


def test_limits_change_while_a_service_runs(server):
    number = a_service(server)
    body = server.service(number)
    body["roles"][0]["max_vms"] = 9
    assert server.ask("PUT", f"/service/{number}", body).status == 204
    assert server.service(number)["roles"][0]["max_vms"] == 9
    appended = {"append": True, "template": '{"description": "changed"}'}
    assert server.ask("PUT", f"/service/{number}", appended).status == 204
    assert server.service(number)["description"] == "changed"


def test_roles_are_added_and_removed(server):
    number = a_service(server)
    role = '{"name": "worker", "vm_template": 0, "cardinality": 1}'
    assert server.ask("POST", f"/service/{number}/role_action", _action("add_role", role=role)).status == 204
    assert [r["name"] for r in server.running(number)["roles"]] == ["web", "worker"]
    removed = server.ask("POST", f"/service/{number}/role_action", _action("remove_role", role="worker"))
    assert removed.status == 204
    assert server.until(lambda: [r["name"] for r in server.service(number)["roles"]] == ["web"])


def test_a_batch_is_listed_and_cancelled(server):
    number = a_service(server, a_role(cardinality=3))
    batch = _action("reboot", period=3600, number=1)
    assert server.ask("POST", f"/service/{number}/role/web/action", batch).status == 201
    (job,) = server.until(lambda: server.service(number).get("sched_actions"))
    assert (job["action"], job["period"], job["number"]) == ("reboot", 3600, 1)
    path = f"/service/{number}/role/web/sched_action/{job['id']}"
    assert [server.ask("DELETE", path).status for _ in range(2)] == [204, 204]
    assert "sched_actions" not in server.service(number)
    assert server.ask("DELETE", f"/service/{number}/sched_action/{job['id']}").status == 204


def test_an_action_on_all_vms_of_a_service(server):
    number = a_service(server, a_role("a"), a_role("b"))
    reply = server.ask("POST", f"/service/{number}/action", _action("reboot"))
    ids = [role["nodes"][0]["deploy_id"] for role in server.service(number)["roles"]]
    lines = [f"Action:reboot scheduled on Role:{name} VMs:{vm}" for name, vm in zip("ab", ids, strict=True)]
    assert (reply.status, reply.json) == (201, [True, "\n".join(lines)])


def test_what_is_on_hold_begins_when_it_is_released(server):
    template = a_stored_template(server, on_hold=True)
    made = server.ask("POST", f"/service_template/{template}/action", _action("instantiate"))
    number = int(made.json["DOCUMENT"]["ID"])
    assert server.until(lambda: server.service(number)["state"] == 15)
    assert server.ask("POST", f"/service/{number}/action", _action("release")).status == 201
    server.running(number)


def test_a_service_is_renamed_and_its_body_keeps_its_name(server):
    number = a_service(server)
    assert server.ask("POST", f"/service/{number}/action", _action("rename", name="shop")).status == 201
    document = server.ask("GET", f"/service/{number}").json["DOCUMENT"]
    assert (document["NAME"], document["TEMPLATE"]["BODY"]["name"]) == ("shop", "app")


def test_given_up_by_recover_with_delete(server):
    number = a_service(server)
    assert server.ask("POST", f"/service/{number}/action", _action("recover", delete=True)).status == 201
    assert server.until(lambda: server.ask("GET", f"/service/{number}").status == 404)


def test_what_is_done_is_forgotten_by_purge(server):
    number = a_service(server)
    server.ask("POST", f"/service/{number}/action", _action("shutdown"))
    server.until(lambda: server.service(number)["state"] == 5)
    assert server.ask("POST", "/service_pool/purge_done").status == 204
    assert server.ask("GET", f"/service/{number}").status == 404


def test_the_log_goes_on_after_a_line(server):
    number = a_service(server)
    lines = server.ask("GET", f"/service/{number}/log").json["log"]
    assert lines[0]["message"] == "New state: PENDING"
    rest = server.ask("GET", f"/service/{number}/log?after={lines[1]['id']}").json["log"]
    assert rest == lines[2:]


def test_every_policy_is_explained(server):
    policy = {"type": "CHANGE", "adjust": 1, "expression": "A > 1"}
    number = a_service(server, a_role(min_vms=1, max_vms=2, elasticity_policies=[policy]))
    lines = server.ask("GET", f"/service/{number}/explain").json["lines"]
    assert any("A[--] > 1" in line for line in lines)


def test_templates_are_cloned_renamed_and_changed_by_actions(server):
    template = a_stored_template(server)
    path = f"/service_template/{template}/action"
    cloned = server.ask("POST", path, _action("clone", name="copy", recursive="none"))
    assert (cloned.status, cloned.json["DOCUMENT"]["NAME"]) == (201, "copy")
    assert server.ask("POST", path, _action("rename", name="other")).status == 201
    changed = server.ask("POST", path, _action("update", template_json='{"description": "d"}', append=True))
    assert changed.json["DOCUMENT"]["TEMPLATE"]["BODY"]["description"] == "d"
    assert server.ask("GET", f"/service_template/{template}").json["DOCUMENT"]["NAME"] == "other"


def test_what_is_merged_in_at_instantiation(server):
    template = a_stored_template(server)
    changes = {"name": "mine", "roles": [{"name": "web", "cardinality": 2}]}
    path = f"/service_template/{template}/action"
    made = server.ask("POST", path, _action("instantiate", merge_template=changes)).json["DOCUMENT"]
    assert (made["NAME"], made["TEMPLATE"]["BODY"]["roles"][0]["cardinality"]) == ("mine", 2)


def test_services_are_listed_page_by_page(server):
    for _ in range(3):
        a_stored_template(server)
    every = server.ask("GET", "/service_template").json["DOCUMENT_POOL"]["DOCUMENT"]
    second = server.ask("GET", "/service_template?page=2&per_page=2").json["DOCUMENT_POOL"]["DOCUMENT"]
    assert second == every[2:4]
    assert server.ask("GET", "/service_template?page=999").json == {"DOCUMENT_POOL": {}}


def test_vm_templates_from_afar(server):
    data = {"name": "small", "driver": "dummy", "template": {"CPU": "1"}}
    made = server.ask("POST", "/vm_template", data)
    if server.nebula:
        assert (made.status, "are those of the OpenNebula" in made.message) == (400, True)
        return
    number = made.json["DOCUMENT"]["ID"]
    path = f"/vm_template/{number}"
    assert (made.status, server.ask("GET", path).json) == (201, made.json)
    assert server.ask("PUT", path, {**data, "name": "tiny"}).json["DOCUMENT"]["NAME"] == "tiny"
    assert server.ask("POST", f"{path}/action", _action("chmod", octet="644")).status == 201
    a_service(server, a_role(vm_template=int(number)))
    refused = server.ask("DELETE", path)
    assert (refused.status, "is used by" in refused.message) == (400, True)
    free = server.ask("POST", "/vm_template", data).json["DOCUMENT"]["ID"]
    assert server.ask("DELETE", f"/vm_template/{free}").status == 204


def test_a_template_is_given_away_and_lent(server):
    user = server.add_user("ann", "correct horse")
    group = server.add_group("shop")
    template = a_stored_template(server)
    path = f"/service_template/{template}"
    assert server.ask("GET", path, user=user).status == 403
    assert (
        server.ask("POST", f"{path}/action", _action("chown", owner_id="ann", group_id=group)).status == 201
    )
    document = server.ask("GET", path, user=user).json["DOCUMENT"]
    assert (document["UNAME"], document["GNAME"]) == ("ann", "shop")
    assert server.ask("POST", f"{path}/action", _action("chown", owner_id=0), user=user).status == 403
    made = server.ask("POST", f"{path}/action", _action("instantiate"), user=user)
    assert made.json["DOCUMENT"]["UNAME"] == "ann"
    assert server.ask("DELETE", path, user=user).status == 204
