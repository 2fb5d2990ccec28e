"""What is known of one resource, and the table of its states."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from onecore.machine_state import StateMachine


class Kind(StrEnum):
    MACHINE = "machine"
    ADDRESS = "address"


class Wanted(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"


class State(StrEnum):
    """NEW: no driver was ever started for it. BROKEN: it exists and cannot be used. FAILED: the driver said
    that it was not made. UNKNOWN, DESTROY_UNKNOWN: a driver was started and its answer is not known.
    DESTROYED: the driver said it is removed, the provider has not confirmed yet."""

    NEW = "new"
    CREATING = "creating"
    BOOTING = "booting"
    READY = "ready"
    OFF = "off"
    BROKEN = "broken"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DESTROYING = "destroying"
    DESTROY_FAILED = "destroy failed"
    DESTROY_UNKNOWN = "destroy unknown"
    DESTROYED = "destroyed"
    GONE = "gone"


class Event(StrEnum):
    CREATE = "be created"
    CREATED = "have been created"
    REFUSED = "be refused"
    LOST = "be lost sight of"
    ADOPTED = "be adopted"
    ABSENT = "be found absent"
    READY = "become ready"
    BROKE = "break"
    STOPPED = "be powered off"
    VANISHED = "vanish"
    DESTROY = "be destroyed"
    DESTROYED = "have been destroyed"
    GONE = "be confirmed gone"


SETTLED: Final = (State.READY, State.OFF, State.BROKEN)

S, E = State, Event
_EXISTING = (S.BOOTING, S.READY, S.OFF, S.BROKEN)

MACHINE: Final[StateMachine[State, Event]] = StateMachine(
    "resource",
    {
        (S.NEW, E.CREATE): S.CREATING,
        (S.NEW, E.GONE): S.GONE,
        (S.CREATING, E.CREATED): S.BOOTING,
        (S.CREATING, E.REFUSED): S.FAILED,
        (S.CREATING, E.LOST): S.UNKNOWN,
        (S.UNKNOWN, E.CREATE): S.CREATING,
        (S.UNKNOWN, E.ADOPTED): S.BOOTING,
        (S.UNKNOWN, E.ABSENT): S.FAILED,
        (S.UNKNOWN, E.GONE): S.GONE,
        (S.FAILED, E.CREATE): S.CREATING,
        (S.FAILED, E.ADOPTED): S.BOOTING,
        (S.FAILED, E.GONE): S.GONE,
        (S.BOOTING, E.READY): S.READY,
        (S.OFF, E.READY): S.READY,
        (S.BROKEN, E.READY): S.READY,
        (S.READY, E.READY): S.READY,
        (S.BOOTING, E.STOPPED): S.OFF,
        (S.READY, E.STOPPED): S.OFF,
        (S.OFF, E.STOPPED): S.OFF,
        (S.BROKEN, E.STOPPED): S.OFF,
        **{(state, E.BROKE): S.BROKEN for state in _EXISTING},
        **{(state, E.VANISHED): S.NEW for state in _EXISTING},
        **{(state, E.DESTROY): S.DESTROYING for state in _EXISTING},
        (S.DESTROYING, E.DESTROYED): S.DESTROYED,
        (S.DESTROYING, E.REFUSED): S.DESTROY_FAILED,
        (S.DESTROYING, E.LOST): S.DESTROY_UNKNOWN,
        (S.DESTROY_FAILED, E.DESTROY): S.DESTROYING,
        (S.DESTROY_FAILED, E.GONE): S.GONE,
        (S.DESTROY_UNKNOWN, E.DESTROY): S.DESTROYING,
        (S.DESTROY_UNKNOWN, E.GONE): S.GONE,
        (S.DESTROYED, E.GONE): S.GONE,
        # The removal of a broken machine that is to be replaced ends where a new one begins.
        **{(state, E.VANISHED): S.NEW for state in (S.DESTROYED, S.DESTROY_FAILED, S.DESTROY_UNKNOWN)},
        (S.DESTROYED, E.REFUSED): S.DESTROY_FAILED,
    },
)


@dataclass(frozen=True)
class Resource:
    """One machine or public address of an owner (`provision/3`).

    `number` is the id of the object it stands for (HOST_ID of the driver protocol), `label` the name shown to
    people. `since` is when its state last changed or its last operation ended, `next_at` the earliest time of
    the next try (both seconds since the epoch). `lag_s`: how long the provider's list may be behind.
    """

    id: int
    kind: Kind
    name: str
    owner: str
    driver: str
    provider_id: int | None
    number: int
    label: str
    wanted: Wanted = Wanted.PRESENT
    state: State = State.NEW
    deploy_id: str = ""
    deployment: Mapping[str, object] = field(default_factory=dict)
    lag_s: float = 0.0
    addresses: tuple[str, ...] = ()
    metrics: Mapping[str, str] = field(default_factory=dict)
    failures: int = 0
    since: float = 0.0
    next_at: float = 0.0
    error: str = ""

    @property
    def may_exist(self) -> bool:
        """Whether something at the provider may stand behind this record."""
        return self.state not in (State.NEW, State.GONE)


@dataclass(frozen=True)
class RetryPolicy:
    """`retries` further tries after the first failure, `sleep_s` seconds before the first of them.

    `force`: the user's word to go on without a machine that nobody can find, and to replace a broken one.
    """

    retries: int = 3
    sleep_s: float = 1.0
    force: bool = False
    longest_s: float = 60.0

    def pause(self, failures: int, jitter: float) -> float:
        """Seconds to wait after the n-th failure: doubling, bounded, and spread by `jitter` (0 to 1)."""
        full: float = min(self.sleep_s * 2.0 ** (failures - 1), self.longest_s)
        return full * (0.5 + 0.5 * jitter)
