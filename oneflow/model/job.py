"""Actions on the VMs of a role, all at once or group by group; the list of actions, and which are whose."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

ACTIONS: Final = (
    *("shutdown", "shutdown-hard", "undeploy", "undeploy-hard", "hold", "release", "stop", "suspend"),
    *("resume", "boot", "delete", "delete-recreate", "reboot", "reboot-hard", "poweroff", "poweroff-hard"),
    *("snapshot-create", "terminate", "terminate-hard", "snapshot-revert", "snapshot-delete"),
    *("disk-snapshot-create", "disk-snapshot-revert", "disk-snapshot-delete"),
)
"""The actions on VMs of spec/003 and the later ones (reference: Batch actions)."""

ENDING: Final = frozenset({"shutdown", "shutdown-hard", "delete", "terminate", "terminate-hard"})
"""The VM is not wanted afterwards."""


class Power(StrEnum):
    """What is done to a machine that stays, by the verb of the driver."""

    REBOOT = "reboot"
    RESET = "reset"
    POWER_OFF = "shutdown"
    POWER_ON = "deploy"
    SUSPEND = "suspend"


POWER: Final = {
    "reboot": Power.REBOOT,
    "reboot-hard": Power.RESET,
    "poweroff": Power.POWER_OFF,
    "stop": Power.SUSPEND,
    "suspend": Power.SUSPEND,
    "resume": Power.POWER_ON,
    "boot": Power.POWER_ON,
}
"""Which actions a pm driver can carry out, and how. The rest needs a virtualization layer."""


@dataclass(frozen=True)
class Job:
    """One batch: `number` VMs every `period_s` seconds; the rest of them are `left_vms`, in their order."""

    service_id: int
    role: str
    action: str
    left_vms: tuple[int, ...]
    next_at: float
    period_s: float = 0.0
    number: int = 0
    args: str = ""
    created_at: float = 0.0
    id: int = -1

    def due(self, now: float) -> tuple[int, ...]:
        """The VMs whose turn has come: one group, however late it is; all where there are no groups."""
        if now < self.next_at:
            return ()
        return self.left_vms[: self.number] if self.number > 0 and self.period_s > 0 else self.left_vms

    def without(self, done: Sequence[int], now: float) -> "Job":
        """After these VMs have been acted on."""
        left = tuple(vm for vm in self.left_vms if vm not in done)
        return replace(self, left_vms=left, next_at=max(self.next_at, now - self.period_s) + self.period_s)
