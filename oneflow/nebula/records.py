"""What the record of a VM keeps of what OpenNebula told."""

import json
from typing import Any, Final

from onecore.machines.model import Resource

NAME: Final = "opennebula"
"""What such a record names as its driver."""
NETWORK: Final = "opennebula-network"
"""What the record of a network names as its driver."""
ROUTER: Final = "opennebula-router"
"""What the record of a virtual router names as its driver."""
MARK: Final = "ONEFLOW_MARK"
"""The attribute of USER_TEMPLATE that names the record of a VM."""

# Under which keys the metrics of a record keep what OpenNebula told.
STATE, LCM_STATE, HOST, UID, GID = "one/STATE", "one/LCM_STATE", "one/HOST", "one/UID", "one/GID"
TEMPLATE: Final = "one/TEMPLATE"
REPORTED: Final = "user/"
FLOATING: Final = "one/FLOATING"


def is_nebula(machine: Resource) -> bool:
    return machine.driver == NAME


def is_network(record: Resource) -> bool:
    """Whether it is a network or a router: something that is there before the first VM and after the last."""
    return record.driver in (NETWORK, ROUTER)


def states(machine: Resource) -> tuple[int, int] | None:
    """STATE and LCM_STATE as OpenNebula told them; None before it did."""
    if STATE not in machine.metrics or not machine.deploy_id:
        return None
    return int(machine.metrics[STATE]), int(machine.metrics[LCM_STATE])


def reported(machine: Resource) -> dict[str, str]:
    """Its USER_TEMPLATE: what it says of itself, and what people wrote there."""
    return {
        key.removeprefix(REPORTED): value
        for key, value in machine.metrics.items()
        if key.startswith(REPORTED)
    }


def template(machine: Resource) -> dict[str, Any]:
    """Its TEMPLATE: what it was given."""
    found: dict[str, Any] = json.loads(machine.metrics.get(TEMPLATE, "{}"))
    return found


def floating(router: Resource) -> list[dict[str, str]]:
    """The addresses that the VMs of a router share: NETWORK_ID and VROUTER_IP of each."""
    found: list[dict[str, str]] = json.loads(router.metrics.get(FLOATING, "[]"))
    return found


def is_ready(machine: Resource) -> bool:
    return machine.metrics.get(f"{REPORTED}READY", "").strip().upper() == "YES"


def owner(machine: Resource) -> tuple[int, int] | None:
    """Whose it is, by OpenNebula; None before it was seen."""
    if UID not in machine.metrics:
        return None
    return int(machine.metrics[UID]), int(machine.metrics[GID])
