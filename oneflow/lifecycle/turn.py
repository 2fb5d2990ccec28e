"""One look at one service, and what comes of it."""

from dataclasses import dataclass, field

from oneflow.model.service import Node, NodeStatus, Observed, Role, Service
from oneflow.model.states import Event


@dataclass(frozen=True)
class Add:
    """One more machine for a role: make it under this number."""

    role: str
    number: int
    hold: bool = False


@dataclass(frozen=True)
class Remove:
    """This machine is no longer wanted."""

    vm_id: int
    reason: str


Action = Add | Remove


@dataclass
class Turn:
    """One look at one service, and what comes of it. `wake_at`: when to look again (seconds since the epoch,
    0 when only an event can change anything)."""

    service: Service
    observed: Observed
    now: float
    actions: list[Action] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    wake_at: float = 0.0

    def status(self, node: Node) -> NodeStatus:
        """As seen; a VM that is off because it was asked to be is at rest."""
        seen = self.observed.get(node.vm_id, NodeStatus.GONE)
        return NodeStatus.RESTING if node.resting and seen is NodeStatus.OFF else seen

    def role(self, name: str) -> Role:
        found = self.service.role(name)
        if found is None:
            raise KeyError(name)
        return found

    def move(self, event: Event, why: str) -> None:
        self.service = self.service.moved(event)
        self.reasons.append(f"New state: {self.service.state.name}: {why}")

    def put(self, role: Role, why: str = "") -> None:
        before = self.role(role.name)
        self.service = self.service.with_role(role)
        if why or before.state is not role.state:
            self.reasons.append(f"Role {role.name}: {role.state.name}: {why}")

    def wake(self, at: float) -> None:
        if at and (not self.wake_at or at < self.wake_at):
            self.wake_at = at

    def asked(self, name: str) -> int:
        """Machines of this role that were asked for in this turn; they have no node yet."""
        return sum(isinstance(action, Add) and action.role == name for action in self.actions)
