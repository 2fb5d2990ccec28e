"""Power actions on machines that exist."""

from dataclasses import dataclass
from enum import StrEnum

from onecore.machines.decide import Health


class Action(StrEnum):
    """What can be done to a machine that exists, by the verb of the driver that does it."""

    REBOOT = "reboot"
    RESET = "reset"
    POWER_OFF = "shutdown"
    POWER_ON = "deploy"
    SUSPEND = "suspend"

    @property
    def leads_to(self) -> Health:
        return Health.OFF if self in (Action.POWER_OFF, Action.SUSPEND) else Health.RUNNING


@dataclass(frozen=True)
class Further:
    """What else a driver can do, by its own words. `leads_to` None: nothing of it shows."""

    value: str
    leads_to: Health | None = None


class Phase(StrEnum):
    """How far an order is. SHOWING: the driver did it, and the provider is asked whether it shows."""

    WAITING = "waiting"
    AT_WORK = "at work"
    SHOWING = "showing"
    OVER = "over"


@dataclass
class Order:
    """A power action on one machine. `within_s`: how long its effect may take to show; None: as long as the
    driver declares. `problem` says why the machine is not as asked."""

    action: Action | Further
    within_s: float | None = None
    phase: Phase = Phase.WAITING
    problem: str = ""
    done_at: float = 0.0
    look_at: float = 0.0

    @property
    def is_over(self) -> bool:
        return self.phase is Phase.OVER
