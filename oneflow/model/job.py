"""Actions on the VMs of a role, all at once or group by group; the list of actions, and which are whose."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from onecore.machines.power import Action

ACTIONS: Final = (
    *("shutdown", "shutdown-hard", "undeploy", "undeploy-hard", "hold", "release", "stop", "suspend"),
    *("resume", "boot", "delete", "delete-recreate", "reboot", "reboot-hard", "poweroff", "poweroff-hard"),
    *("snapshot-create", "terminate", "terminate-hard", "snapshot-revert", "snapshot-delete"),
    *("disk-snapshot-create", "disk-snapshot-revert", "disk-snapshot-delete"),
)
"""The actions on VMs of spec/003 and the later ones (reference: Batch actions)."""

ENDING: Final = frozenset({"shutdown", "shutdown-hard", "delete", "terminate", "terminate-hard"})
"""The VM is not wanted afterwards."""


RESTING: Final = frozenset({"poweroff", "poweroff-hard", "stop", "suspend", "undeploy", "undeploy-hard"})
"""The VM is off afterwards, as it should be, until somebody wakes it."""

WAKING: Final = frozenset({"resume", "boot"})
"""The VM is to run afterwards, and ill if it does not."""

POWER: Final = {
    "reboot": Action.REBOOT,
    "reboot-hard": Action.RESET,
    "poweroff": Action.POWER_OFF,
    "stop": Action.SUSPEND,
    "suspend": Action.SUSPEND,
    "resume": Action.POWER_ON,
    "boot": Action.POWER_ON,
}
"""Which actions a pm driver can carry out, and how. The rest needs a virtualization layer."""


@dataclass(frozen=True)
class Job:
    """One batch: `number` VMs every `period_s` seconds; the rest of them are `left_vms`, in their order.
    `acting_vms`: their machines are being acted on."""

    service_id: int
    role: str
    action: str
    left_vms: tuple[int, ...]
    next_at: float
    period_s: float = 0.0
    number: int = 0
    args: str = ""
    created_at: float = 0.0
    acting_vms: tuple[int, ...] = ()
    id: int = -1

    @property
    def is_over(self) -> bool:
        return not self.left_vms and not self.acting_vms

    def due(self, now: float) -> tuple[int, ...]:
        """The VMs whose turn has come: one group, however late it is; all where there are no groups."""
        if now < self.next_at:
            return ()
        return self.left_vms[: self.number] if self.number > 0 and self.period_s > 0 else self.left_vms

    def begun(self, vms: Sequence[int], now: float) -> "Job":
        """With these VMs begun; the next group comes a period later."""
        left = tuple(vm for vm in self.left_vms if vm not in vms)
        next_at = max(self.next_at, now - self.period_s) + self.period_s
        return replace(self, left_vms=left, acting_vms=(*self.acting_vms, *vms), next_at=next_at)

    def ended(self, vms: Sequence[int]) -> "Job":
        """With nothing left to do on these VMs."""
        return replace(self, acting_vms=tuple(vm for vm in self.acting_vms if vm not in vms))
