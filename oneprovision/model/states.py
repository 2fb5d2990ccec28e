"""The states of a provision with the numbers and names of OneForm, and what may be done in each."""

from enum import IntEnum, StrEnum
from typing import Final

from onecore.machine_state import StateMachine


class State(IntEnum):
    """As stored and served; the numbers are OneForm's."""

    PENDING = 0
    INIT = 1
    PLANNING = 2
    APPLYING = 3
    CONFIGURING_PROVISION = 4
    CONFIGURING_ONE = 5
    RUNNING = 6
    SCALING = 7
    DEPROVISIONING_ONE = 8
    DEPROVISIONING = 9
    DONE = 10
    INIT_FAILURE = 11
    PLANNING_FAILURE = 12
    APPLYING_FAILURE = 13
    CONFIGURING_PROVISION_FAILURE = 14
    CONFIGURING_ONE_FAILURE = 15
    SCALING_FAILURE = 16
    DEPROVISIONING_ONE_FAILURE = 17
    DEPROVISIONING_FAILURE = 18
    DONE_FAILURE = 19


class Event(StrEnum):
    """What moves a provision. SUCCEED and FAIL end the work of a state; KEEP is the success of a removal
    after which hosts remain; the rest are requests."""

    SUCCEED = "succeed"
    KEEP = "keep hosts"
    FAIL = "fail"
    RETRY = "retry"
    SCALE = "scale"
    SHRINK = "remove hosts"
    CONFIGURE = "configure"
    DEPROVISION = "deprovision"
    ABANDON = "abandon"


S, E = State, Event
_FAILURE_OF = {state: S[f"{state.name}_FAILURE"] for state in S if f"{state.name}_FAILURE" in S.__members__}
FAILURES: Final = frozenset(_FAILURE_OF.values())
WORKING: Final = frozenset(_FAILURE_OF) - {S.DONE} | {S.PENDING}
SETTLED: Final = frozenset({S.RUNNING, S.DONE}) | FAILURES

_TABLE: dict[tuple[State, Event], State] = {
    (S.PENDING, E.SUCCEED): S.INIT,
    (S.INIT, E.SUCCEED): S.PLANNING,
    (S.PLANNING, E.SUCCEED): S.APPLYING,
    (S.APPLYING, E.SUCCEED): S.CONFIGURING_ONE,
    (S.CONFIGURING_ONE, E.SUCCEED): S.CONFIGURING_PROVISION,
    (S.CONFIGURING_PROVISION, E.SUCCEED): S.RUNNING,
    (S.RUNNING, E.SCALE): S.SCALING,
    (S.SCALING_FAILURE, E.SCALE): S.SCALING,
    (S.SCALING, E.SUCCEED): S.RUNNING,
    # Giving up a scale is a scale too: what it had begun is no longer wanted.
    (S.SCALING_FAILURE, E.ABANDON): S.SCALING,
    (S.RUNNING, E.SHRINK): S.DEPROVISIONING_ONE,
    (S.SCALING_FAILURE, E.SHRINK): S.DEPROVISIONING_ONE,
    (S.RUNNING, E.CONFIGURE): S.CONFIGURING_PROVISION,
    (S.DEPROVISIONING_ONE, E.SUCCEED): S.DEPROVISIONING,
    (S.DEPROVISIONING, E.SUCCEED): S.DONE,
    (S.DEPROVISIONING, E.KEEP): S.RUNNING,
    # Hosts were removed while a scale was half done: the rest of it is still wanted.
    (S.DEPROVISIONING, E.SCALE): S.SCALING,
    # Nothing that has begun may be left without a way to remove it: legal everywhere but at the end.
    **{(state, E.DEPROVISION): S.DEPROVISIONING_ONE for state in S if state is not S.DONE},
    **{(state, E.FAIL): failure for state, failure in _FAILURE_OF.items()},
    **{(failure, E.RETRY): state for state, failure in _FAILURE_OF.items()},
}
PROVISION: Final[StateMachine[State, Event]] = StateMachine("provision", _TABLE)


class Operation(StrEnum):
    """What people may ask of a provision."""

    RETRY = "retry"
    SCALE = "scale"
    SHRINK = "remove hosts"
    CHANGE_ADDRESSES = "change addresses"
    CONFIGURE = "configure"
    CANCEL = "cancel"
    DEPROVISION = "deprovision"
    DELETE = "delete"
    EDIT = "edit"
    HOSTS = "act on hosts"


_SCALABLE = frozenset({S.RUNNING, S.SCALING_FAILURE})

ALLOWED: Final[dict[Operation, frozenset[State]]] = {
    Operation.RETRY: FAILURES | WORKING,
    Operation.SCALE: _SCALABLE,
    Operation.SHRINK: _SCALABLE,
    Operation.CHANGE_ADDRESSES: _SCALABLE,
    Operation.CONFIGURE: frozenset({S.RUNNING, S.CONFIGURING_PROVISION_FAILURE}),
    Operation.CANCEL: WORKING | {S.SCALING_FAILURE},
    Operation.DEPROVISION: frozenset(S) - {S.DONE},
    Operation.DELETE: frozenset({S.DONE}),
    Operation.EDIT: frozenset(S),
    Operation.HOSTS: frozenset({S.RUNNING}) | FAILURES,
}
"""WORKING states count only where nobody is at work: the lease says so before this table is asked."""
