"""Roles that are virtual routers (reference 2.7): their VMs come and go with the router, never one by one."""

from collections.abc import Mapping
from typing import Any, Final

from onecore.errors import InvalidInput
from oneflow.model.contents import parsed

TYPE: Final = "vr"
VROUTER: Final = "vrouter_id"
"""Where the body of a role has the number of its router, for as long as that is recorded."""
ADDRESSES: Final = "vrouter_ips"
"""Where it has the floating addresses of its router: NETWORK_ID and VROUTER_IP of each."""
# What changes the number of VMs of a role.
_GROWTH: Final = ("min_vms", "max_vms", "elasticity_policies", "scheduled_policies")


def is_router(role: Mapping[str, Any]) -> bool:
    return role.get("type") == TYPE


def check(roles: list[dict[str, Any]], has_routers: bool) -> None:
    """Raises InvalidInput for a router where there are none, one that is to grow by itself, and one of
    several VMs without an address that they share."""
    for role in filter(is_router, roles):
        name = role["name"]
        if not has_routers:
            raise InvalidInput(
                f"Role '{name}' is a virtual router, which needs an OpenNebula", hint="set ONE_XMLRPC"
            )
        wrong = [key for key in _GROWTH if role.get(key)]
        if wrong:
            raise InvalidInput(f"Role '{name}' is a virtual router and cannot have '{wrong[0]}'")
        if int(role.get("cardinality", 1)) > 1 and not _shares_an_address(role):
            raise InvalidInput(
                f"Role '{name}' of several virtual routers needs a NIC with a FLOATING_IP",
                hint='NIC=[NETWORK_ID="…", FLOATING_IP="YES"]',
            )


def refuse(role: Mapping[str, Any], what: str) -> None:
    """Raises InvalidInput in the words of OneFlow."""
    if is_router(role):
        raise InvalidInput(f"Virtual Router role {role['name']} does not support {what}")


def _shares_an_address(role: Mapping[str, Any]) -> bool:
    nics = parsed(role.get("vm_template_contents")).get("NIC") or []
    every = nics if isinstance(nics, list) else [nics]
    return any(str(key).upper().startswith("FLOATING") for nic in every for key in nic)
