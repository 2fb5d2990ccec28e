"""The states of services and roles with the numbers and names of OneFlow, and their tables."""

from enum import IntEnum, StrEnum
from typing import Final

from onecore.machine_state import StateMachine


class ServiceState(IntEnum):
    """As stored and served; the numbers are OneFlow's (5.x to 7.x)."""

    PENDING = 0
    DEPLOYING = 1
    RUNNING = 2
    UNDEPLOYING = 3
    WARNING = 4
    DONE = 5
    FAILED_UNDEPLOYING = 6
    FAILED_DEPLOYING = 7
    SCALING = 8
    FAILED_SCALING = 9
    COOLDOWN = 10
    DEPLOYING_NETS = 11
    UNDEPLOYING_NETS = 12
    FAILED_DEPLOYING_NETS = 13
    FAILED_UNDEPLOYING_NETS = 14
    HOLD = 15


class RoleState(IntEnum):
    """0 to 10 as the service's; 11 is HOLD."""

    PENDING = 0
    DEPLOYING = 1
    RUNNING = 2
    UNDEPLOYING = 3
    WARNING = 4
    DONE = 5
    FAILED_UNDEPLOYING = 6
    FAILED_DEPLOYING = 7
    SCALING = 8
    FAILED_SCALING = 9
    COOLDOWN = 10
    HOLD = 11


class Event(StrEnum):
    """What moves a service or a role."""

    DEPLOY = "deploy"
    HOLD = "be held"
    RELEASE = "be released"
    DEPLOYED = "have been deployed"
    DEGRADE = "be degraded"
    HEAL = "heal"
    SCALE = "scale"
    SCALED = "have been scaled"
    SCALED_QUIETLY = "have been scaled without cooldown"
    COOLED = "have cooled down"
    FAIL = "fail"
    RECOVER = "recover"
    UNDEPLOY = "be undeployed"
    UNDEPLOYED = "have been undeployed"
    MAKE_NETS = "have its networks made"
    REMOVE_NETS = "have its networks removed"


S, R, E = ServiceState, RoleState, Event

SERVICE: Final[StateMachine[ServiceState, Event]] = StateMachine(
    "service",
    {
        (S.PENDING, E.DEPLOY): S.DEPLOYING,
        (S.PENDING, E.HOLD): S.HOLD,
        (S.PENDING, E.MAKE_NETS): S.DEPLOYING_NETS,
        (S.DEPLOYING_NETS, E.DEPLOY): S.DEPLOYING,
        (S.DEPLOYING_NETS, E.HOLD): S.HOLD,
        (S.DEPLOYING_NETS, E.FAIL): S.FAILED_DEPLOYING_NETS,
        (S.FAILED_DEPLOYING_NETS, E.RECOVER): S.DEPLOYING_NETS,
        (S.HOLD, E.RELEASE): S.DEPLOYING,
        (S.DEPLOYING, E.HOLD): S.HOLD,
        (S.HOLD, E.RECOVER): S.DEPLOYING,  # for the roles that were not held
        (S.DEPLOYING, E.DEPLOYED): S.RUNNING,
        (S.DEPLOYING, E.FAIL): S.FAILED_DEPLOYING,
        (S.FAILED_DEPLOYING, E.RECOVER): S.DEPLOYING,
        (S.RUNNING, E.DEGRADE): S.WARNING,
        (S.WARNING, E.HEAL): S.RUNNING,
        # Every state that can be wrong can be recovered, WARNING included (spec/003, Perform an Action).
        (S.WARNING, E.RECOVER): S.DEPLOYING,
        # Roles may be added while it runs.
        (S.RUNNING, E.DEPLOY): S.DEPLOYING,
        (S.WARNING, E.DEPLOY): S.DEPLOYING,
        (S.RUNNING, E.MAKE_NETS): S.DEPLOYING_NETS,
        (S.WARNING, E.MAKE_NETS): S.DEPLOYING_NETS,
        (S.RUNNING, E.SCALE): S.SCALING,
        (S.WARNING, E.SCALE): S.SCALING,
        # A scale may change its mind while it is under way, and while it cools down.
        (S.SCALING, E.SCALE): S.SCALING,
        (S.COOLDOWN, E.SCALE): S.SCALING,
        (S.FAILED_SCALING, E.SCALE): S.SCALING,
        (S.SCALING, E.SCALED): S.COOLDOWN,
        (S.SCALING, E.SCALED_QUIETLY): S.RUNNING,
        (S.SCALING, E.FAIL): S.FAILED_SCALING,
        (S.FAILED_SCALING, E.RECOVER): S.SCALING,
        (S.COOLDOWN, E.COOLED): S.RUNNING,
        (S.COOLDOWN, E.RECOVER): S.RUNNING,
        # Nothing that has begun may be left without a way to remove it.
        **{(state, E.UNDEPLOY): S.UNDEPLOYING for state in S if state is not S.DONE},
        (S.UNDEPLOYING, E.UNDEPLOYED): S.DONE,
        (S.UNDEPLOYING, E.FAIL): S.FAILED_UNDEPLOYING,
        (S.FAILED_UNDEPLOYING, E.RECOVER): S.UNDEPLOYING,
        # Networks go when no machine uses them any more.
        (S.UNDEPLOYING, E.REMOVE_NETS): S.UNDEPLOYING_NETS,
        (S.UNDEPLOYING_NETS, E.UNDEPLOYED): S.DONE,
        (S.UNDEPLOYING_NETS, E.FAIL): S.FAILED_UNDEPLOYING_NETS,
        (S.FAILED_UNDEPLOYING_NETS, E.RECOVER): S.UNDEPLOYING_NETS,
    },
)

ROLE: Final[StateMachine[RoleState, Event]] = StateMachine(
    "role",
    {
        (R.PENDING, E.DEPLOY): R.DEPLOYING,
        (R.PENDING, E.HOLD): R.HOLD,
        (R.HOLD, E.RELEASE): R.DEPLOYING,
        (R.DEPLOYING, E.DEPLOYED): R.RUNNING,
        (R.DEPLOYING, E.FAIL): R.FAILED_DEPLOYING,
        (R.FAILED_DEPLOYING, E.RECOVER): R.DEPLOYING,
        (R.RUNNING, E.DEGRADE): R.WARNING,
        (R.WARNING, E.HEAL): R.RUNNING,
        (R.WARNING, E.RECOVER): R.DEPLOYING,
        (R.RUNNING, E.SCALE): R.SCALING,
        (R.WARNING, E.SCALE): R.SCALING,
        (R.SCALING, E.SCALE): R.SCALING,
        (R.COOLDOWN, E.SCALE): R.SCALING,
        (R.FAILED_SCALING, E.SCALE): R.SCALING,
        (R.SCALING, E.SCALED): R.COOLDOWN,
        (R.SCALING, E.SCALED_QUIETLY): R.RUNNING,
        (R.SCALING, E.FAIL): R.FAILED_SCALING,
        (R.FAILED_SCALING, E.RECOVER): R.SCALING,
        (R.COOLDOWN, E.COOLED): R.RUNNING,
        (R.COOLDOWN, E.RECOVER): R.RUNNING,
        **{(state, E.UNDEPLOY): R.UNDEPLOYING for state in R if state is not R.DONE},
        (R.UNDEPLOYING, E.UNDEPLOYED): R.DONE,
        (R.UNDEPLOYING, E.FAIL): R.FAILED_UNDEPLOYING,
        (R.FAILED_UNDEPLOYING, E.RECOVER): R.UNDEPLOYING,
    },
)

FAILED: Final = frozenset(s for s in S if s.name.startswith("FAILED_"))
SETTLED: Final = FAILED | {S.RUNNING, S.WARNING, S.DONE, S.HOLD}
"""States that last until somebody asks for something or a machine changes."""
