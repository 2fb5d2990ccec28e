"""Whose services and VMs they are: users of OpenNebula, with what they may do there."""

from pathlib import Path

from oneflow.model.states import ServiceState
from tests.oneflow.api.server import a_server
from tests.oneflow.builders import a_role, a_template
from tests.oneflow.nebula.site import Site


def test_the_passwords_and_tokens_of_the_rest_api_are_those_of_opennebula(site: Site):
    alice = site.nebula.cloud.add_user("alice", "alice's")
    alice.tokens["token"] = 2e9
    site.nebula.cloud.templates[0].bits = (1, 1, 0, 0, 0, 0, 1, 0, 0)
    with a_server(site.folder / "home", environment=environment(site)) as server:
        for user in ("alice:wrong", "nobody:x", "oneadmin:x"):
            assert server.ask("GET", "/service", user=user).status == 401, user
        made = server.ask("POST", "/service_template", a_template(a_role()), user="alice:token")
        assert made.json["DOCUMENT"]["UNAME"] == "alice"
        start = {"action": {"perform": "instantiate"}}
        server.ask("POST", "/service_template/0/action", start, user="alice:alice's")
        server.until(lambda: [vm.uid for vm in site.vms()] == [alice.id])
        assert server.ask("GET", "/service/0", user="oneadmin:secret").status == 200
        bob = site.nebula.cloud.add_user("bob", "bob's")
        assert server.ask("GET", "/service/0", user="bob:bob's").status == 403
        chown = {"action": {"perform": "chown", "params": {"owner_id": bob.id}}}
        assert server.ask("POST", "/service/0/action", chown, user="oneadmin:secret").status == 201
        server.until(lambda: [vm.uid for vm in site.vms()] == [bob.id])
        assert server.stop() == 0


def test_a_service_may_not_use_what_its_owner_may_not(site: Site):
    """The template of VM 0 is the administrator's own."""
    site.nebula.cloud.add_user("alice", "alice's")
    number = site.service(a_role())
    with site.deps.database.begin() as tx:
        tx.run("INSERT INTO user VALUES (1, 'alice', 'opennebula', 1)")
        tx.run("UPDATE document SET uid = 1 WHERE type = '100'")
    site.hurry()
    site.reach(ServiceState.FAILED_DEPLOYING, number)
    assert any("Not authorized to perform USE TEMPLATE" in line for line in site.log())
    assert site.vms() == []


def environment(site: Site) -> dict[str, str]:
    return {"ONE_XMLRPC": site.nebula.url, "HOME": str(Path(site.folder))}
