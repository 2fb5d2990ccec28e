"""What is asked of the server that is killed, and how a service is wanted then."""

from dataclasses import dataclass

from tests.scenario.flow_judge import DONE, RUNNING, Wish
from tests.scenario.flow_server import Request

LATENCY_S = 0.03
TEMPLATE = {
    "name": "shop",
    "deployment": "straight",
    "roles": [
        {"name": "front", "vm_template": 0, "cardinality": 2, "cooldown": 0},
        {"name": "worker", "vm_template": 0, "cardinality": 2, "cooldown": 0, "parents": ["front"]},
    ],
}


@dataclass(frozen=True)
class Scenario:
    """The server is killed at `request`, which leads to `asked`; the service `runs` before, or there is only
    its template. `conf`: cloud.conf meanwhile."""

    name: str
    request: Request
    asked: Wish
    runs: bool = True
    conf: str = f"LATENCY={LATENCY_S}\n"


def _shop(front: int, worker: int, **further: int) -> Wish:
    return Wish(RUNNING, (("front", front), ("worker", worker), *further.items()))


CREATE = Request("POST", "/service_template", TEMPLATE)
DEPLOY = Request("POST", "/service_template/0/action", {"action": {"perform": "instantiate"}})
GROW = Request("PUT", "/service/0/role/worker", {"cardinality": 4})
SHRINK = Request("POST", "/service/0/scale", {"role_name": "front", "cardinality": 1})
SHUTDOWN = Request("POST", "/service/0/action", {"action": {"perform": "shutdown"}})
DELETE = Request("DELETE", "/service/0")
ROLE = {"name": "extra", "vm_template": 0, "cardinality": 2}
ADD = Request("POST", "/service/0/role_action", {"action": {"perform": "add_role", "params": {"role": ROLE}}})
REMOVE = Request(
    "POST", "/service/0/role_action", {"action": {"perform": "remove_role", "params": {"role": "worker"}}}
)
BAD_START = "FAIL_FIRST=deploy:1\nLIST_LAG=0.2\n"
BAD_END = "FAIL_FIRST=cancel:1\n"
SCENARIOS = (
    Scenario("deploy", DEPLOY, _shop(2, 2), False),
    Scenario("scale up", GROW, _shop(2, 4)),
    Scenario("scale down", SHRINK, _shop(1, 2)),
    Scenario("add role", ADD, _shop(2, 2, extra=2)),
    Scenario("remove role", REMOVE, Wish(RUNNING, (("front", 2),))),
    Scenario("shutdown", SHUTDOWN, Wish(DONE)),
    Scenario("delete", DELETE, Wish(None)),
    Scenario("deploy on a bad day", DEPLOY, _shop(2, 2), False, BAD_START),
    Scenario("shutdown on a bad day", SHUTDOWN, Wish(DONE), True, BAD_END),
)
