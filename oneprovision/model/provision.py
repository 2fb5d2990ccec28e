"""A provision and its objects as they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from onecore.ids import GroupId, ProvisionId, UserId
from onecore.machines.model import RetryPolicy
from oneprovision.model.states import State


class ObjectKind(StrEnum):
    """What OpenNebula calls its objects. In the order in which they are made."""

    CLUSTER = "cluster"
    DATASTORE = "datastore"
    NETWORK = "network"
    HOST = "host"


class OnFailure(StrEnum):
    """What to do when the retries of some machines are used up."""

    SKIP = "skip"
    CLEANUP = "cleanup"
    QUIT = "quit"


@dataclass(frozen=True)
class Options:
    """How hard to try. Times are in seconds; `on_failure` is in order of preference; `force` holds for the
    request that is carried out."""

    fail_retry: int = 3
    fail_sleep_s: float = 1.0
    on_failure: tuple[OnFailure, ...] = (OnFailure.QUIT,)
    threads: int = 16
    ping_timeout_s: float = 20.0
    ping_retries: int = 10
    configure_timeout_s: float = 3600.0
    force: bool = False

    def changed(self, fields: Mapping[str, object]) -> "Options":
        """These options with some of them given anew, by name."""
        return replace(self, **fields)  # type: ignore[arg-type]  # parsed at the edge

    def policy(self) -> RetryPolicy:
        return RetryPolicy(self.fail_retry, self.fail_sleep_s, force=self.force)


UNCHANGED: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True)
class Provision:
    """`template` is prepared but not evaluated: one more host is made from its pattern. `stop` holds the
    reason once somebody asked the work to end; `created_at` in seconds since the epoch."""

    id: ProvisionId
    name: str
    uid: UserId
    gid: GroupId
    permissions: int
    state: State
    provider_id: int | None
    template: Mapping[str, object]
    inputs: Mapping[str, object]
    options: Options = field(default_factory=Options)
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    stop: str = ""
    created_at: float = 0.0

    @property
    def key(self) -> str:
        """Names it in leases, journal and log."""
        return owner_key(self.id)


@dataclass(frozen=True)
class StoredObject:
    """A cluster, datastore, network or host. `registered`: it is in service and people may count on it."""

    kind: ObjectKind
    id: int
    provision_id: int
    name: str
    registered: bool
    body: Mapping[str, object] = field(default_factory=dict)


def owner_key(provision_id: int) -> str:
    return f"provision/{provision_id}"
