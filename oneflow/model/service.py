"""A service, its roles and their nodes, as they are decided upon and stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from oneflow.model.networks import NetStatus
from oneflow.model.states import ROLE, SERVICE, Event, RoleState, ServiceState


class NodeStatus(StrEnum):
    """What is known of the machine of a node.

    WAITING: it runs, and has not said READY=YES yet. LEAVING: it is being removed. STUCK: its removal failed.
    GONE: the provider confirmed that it is no more. VANISHED: it went away without our doing. RESTING: it is
    off because somebody asked us for it.
    """

    STARTING = "starting"
    WAITING = "waiting for READY"
    RUNNING = "running"
    OFF = "off"
    RESTING = "resting"
    FAILED = "failed"
    LEAVING = "leaving"
    STUCK = "stuck"
    VANISHED = "vanished"
    GONE = "gone"


@dataclass(frozen=True)
class Node:
    """One virtual machine of a role. `number` is counted per role and never given twice; `vm_id` names the
    machine; `leaving`: it is no longer wanted; until `drain_until` (seconds since the epoch) it may
    finish what it is at; `resting`: somebody asked us to switch it off or suspend it, so that being off is as
    it should be."""

    number: int
    vm_id: int
    leaving: bool = False
    scale_up: bool = False
    drain_until: float = 0.0
    resting: bool = False


@dataclass(frozen=True)
class Role:
    """`cardinality` is how many machines are wanted; times are seconds since the epoch, 0 for none.

    `has_router`: there may be a virtual router of it. `leave_first`: in which order VMs leave when it
    shrinks (those that are not named leave oldest first, after them); `drain_s`: how long one that leaves may
    take to finish what it is at.
    """

    name: str
    state: RoleState = RoleState.PENDING
    cardinality: int = 1
    parents: tuple[str, ...] = ()
    nodes: tuple[Node, ...] = ()
    last_vmname: int = 0
    disposed_nodes: tuple[int, ...] = ()
    cooldown_s: float = 0.0
    cooldown_end: float = 0.0
    deadline: float = 0.0
    on_hold: bool = False
    leaving: bool = False
    has_router: bool = False
    leave_first: tuple[int, ...] = ()
    drain_s: float = 0.0

    @property
    def living(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if not node.leaving)

    def moved(self, event: Event, **changes: object) -> "Role":
        return replace(self, state=ROLE.next(self.state, event), **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Timeouts:
    """Seconds that a phase may take before it counts as failed: nothing waits for ever."""

    deploy_s: float = 3600.0
    scale_s: float = 3600.0
    undeploy_s: float = 3600.0


@dataclass(frozen=True)
class Service:
    """What the life cycle decides upon; documents add owner, permissions and log. `networks`: what is known
    of those that are made for it."""

    id: int
    name: str
    state: ServiceState = ServiceState.PENDING
    roles: tuple[Role, ...] = ()
    straight: bool = False
    on_hold: bool = False
    automatic_deletion: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)
    networks: NetStatus = NetStatus.NONE

    def role(self, name: str) -> Role | None:
        return next((role for role in self.roles if role.name == name), None)

    def moved(self, event: Event) -> "Service":
        return replace(self, state=SERVICE.next(self.state, event))

    def with_role(self, changed: Role) -> "Service":
        roles = tuple(changed if role.name == changed.name else role for role in self.roles)
        return replace(self, roles=roles)


Observed = Mapping[int, NodeStatus]
"""What is known of each machine, by vm id; one that is missing is GONE."""
