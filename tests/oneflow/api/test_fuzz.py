"""A thousand bodies that are nearly right, or not at all: never our fault, and no service gets stuck."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.oneflow.api.server import CLOUDS, Server, a_server_on

REQUESTS = 1000
LEAVES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 1.5, 1e9, 10**17, "", "x", "0", "1", "\x00", "\u202e", "é", "web"),
    *("reboot", "A>1", "* * * * *", "[[[", "CONTEXT=[A=1", 'A="1\nB', "PROVISION=[HOSTNAME=x]", "3" * 30),
    *([], {}, [{}], [[]], ["a"], {"a": {"b": [1]}}, "2030-01-01", "shutdown"),
]
EXTRA = ["zzz", "template_id", "template_contents", "user_inputs", "", "\x00", "a b", "deadline", "nodes"]
ROLE = {
    **{"name": "web", "cardinality": 1, "vm_template": 0, "min_vms": 0, "max_vms": 2, "cooldown": 0},
    **{
        "shutdown_action": "shutdown",
        "parents": [],
        "on_hold": False,
        "vm_template_contents": "CONTEXT=[A=1]",
    },
    "elasticity_policies": [
        {"type": "CHANGE", "adjust": 1, "expression": "A>1", "period": 1, "period_number": 1, "cooldown": 1}
    ],
    "scheduled_policies": [{"type": "CHANGE", "adjust": 1, "recurrence": "0 2 * * *"}],
    **{"victims": "oldest", "drain_timeout": 1},
}
TEMPLATE = {
    **{"name": "app", "description": "x", "deployment": "straight", "roles": [ROLE], "deploy_timeout": 5},
    **{"custom_attrs": {"P": "M|text|x"}, "custom_attrs_values": {"P": "1"}, "ready_status_gate": False},
}
VM_TEMPLATE = {
    **{"name": "x", "driver": "dummy", "provision": {"a": "1"}, "connection": {"remote_user": "x"}},
    **{"template": {"CPU": "1", "CONTEXT": {"A": "1"}}, "price": 1.5},
}
WORDS = {"owner_id": 0, "group_id": 0, "octet": "600", "name": "x", "append": True, "recursive": "none"}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_bodies_that_are_nearly_right(cloud, tmp_path):
    rng = random.Random(2474)
    with a_server_on(cloud, tmp_path) as server:
        server.ask("POST", "/service_template", TEMPLATE)
        server.ask("POST", "/service_template/0/action", _action("instantiate"))
        server.running(0)
        statuses = set()
        for _ in range(REQUESTS):
            method, path, body = _request(rng, server)
            reply = server.ask(method, path, body)
            statuses.add(reply.status)
            assert reply.status in (200, 201, 204, 400, 404, 501), (method, path, body, reply.body)
        assert {200, 201, 204, 400, 404} <= statuses
        # Whatever was let in is carried out, or given up with a reason.
        server.until(lambda: _settled(server))
        log = server.home / "logs" / "oneflow-server.log"
        assert not log.exists(), log.read_text()


def _settled(server: Server) -> bool:
    """RUNNING, WARNING, DONE, COOLDOWN or failed, all of them."""
    pool = server.ask("GET", "/service").json["DOCUMENT_POOL"]["DOCUMENT"]
    return all(document["TEMPLATE"]["BODY"]["state"] in (2, 4, 5, 6, 7, 9, 10, 15) for document in pool)


def _request(rng: random.Random, server: Server) -> tuple[str, str, Any]:
    kind = rng.randrange(10)
    if kind == 0:
        return rng.choice(["POST", "PUT"]), rng.choice(["/service_template", "/service/0"]), _noise(rng)
    if kind == 1:
        return "PUT", "/service/0", _mutated(rng, server.service(0))
    merge = {"roles": [{"name": "web", "cardinality": 1}], "custom_attrs_values": {"P": "2"}}
    append = {"append": True, "template": json.dumps(_mutated(rng, {"description": "d", "roles": [ROLE]}))}
    common = rng.choice(["chown", "chgrp", "chmod", "rename", "recover", "release", "clone", "update"])
    method, path, body = [
        ("POST", "/service_template", TEMPLATE),
        ("PUT", f"/service_template/{rng.choice([0, 1, 99])}", TEMPLATE),
        ("POST", "/service_template/0/action", _action("instantiate", merge_template=_mutated(rng, merge))),
        ("PUT", "/service/0", append),
        ("POST", "/service/0/role_action", _action("add_role", role={**ROLE, "name": "r1"})),
        ("POST", "/service/0/scale", {"role_name": "web", "cardinality": 1, "force": True, "victims": [0]}),
        (rng.choice(["POST", "PUT"]), rng.choice(["/vm_template", "/vm_template/1"]), VM_TEMPLATE),
        ("POST", f"/{rng.choice(['service', 'service_template', 'vm_template'])}/0/action",
         _action(common, **WORDS, template_json=_mutated(rng, TEMPLATE))),
    ][kind - 2]  # fmt: skip
    return method, path, _mutated(rng, body)


def _action(perform: str, **params: object) -> Any:
    return {"action": {"perform": perform, "params": params}}


def _noise(rng: random.Random) -> bytes:
    """Bytes, or a text with one byte exchanged."""
    if rng.random() < 0.5:
        return rng.randbytes(rng.randrange(200))
    text = bytearray(json.dumps(TEMPLATE).encode())
    text[rng.randrange(len(text))] = rng.randrange(256)
    return bytes(text)


def _mutated(rng: random.Random, value: Any) -> Any:
    """With up to three of its parts left out, exchanged or added."""
    result = copy.deepcopy(value)
    for _ in range(rng.choice([1, 1, 2, 3])):
        path = rng.choice(list(_paths(result)))
        if not path:
            continue
        parent = result
        for key in path[:-1]:
            parent = parent[key]
        kind = rng.random()
        if kind < 0.2 and isinstance(parent, dict):
            del parent[path[-1]]
        elif kind < 0.3 and isinstance(parent, dict):
            parent[rng.choice(EXTRA)] = copy.deepcopy(rng.choice(LEAVES))
        else:
            parent[path[-1]] = copy.deepcopy(rng.choice(LEAVES))
    return result


def _paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from _paths(part, (*above, key))
