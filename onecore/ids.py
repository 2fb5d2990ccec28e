"""Identifiers with a meaning, and the unique names that make a deploy idempotent."""

import re
from collections.abc import Callable
from typing import NewType

UserId = NewType("UserId", int)
GroupId = NewType("GroupId", int)
ProvisionId = NewType("ProvisionId", int)
ProviderId = NewType("ProviderId", int)
HostId = NewType("HostId", int)
MachineId = NewType("MachineId", int)
OperationId = NewType("OperationId", int)
AddressId = NewType("AddressId", int)

MACHINE_NAME = re.compile(r"provision-[0-9a-f]{48}")


def machine_name(random_bytes: Callable[[int], bytes]) -> str:
    """`provision-<48 hex>` (spec/001, Deployment File): unique, the owner tag and the idempotency key."""
    return f"provision-{random_bytes(24).hex()}"
