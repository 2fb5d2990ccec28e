"""Services in a simulated world of machines, looked at step by step: nothing is stored, nothing runs."""

from dataclasses import replace

from oneflow.lifecycle import requests
from oneflow.lifecycle.decide import decide
from oneflow.lifecycle.turn import Add, Remove, Turn
from oneflow.model.networks import NetStatus
from oneflow.model.service import Node, NodeStatus, Role, Service
from oneflow.model.states import RoleState, ServiceState

S, R, N = ServiceState, RoleState, NodeStatus


def a_role(name: str = "web", cardinality: int = 1, parents: tuple[str, ...] = (), **fields) -> Role:
    return Role(name, cardinality=cardinality, parents=parents, **fields)


def a_service(*roles: Role, **fields) -> Service:
    return Service(0, "app", roles=roles or (a_role(),), **fields)


class World:
    """Machines by vm id, and the service that they belong to; carries out what is decided."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.machines: dict[int, NodeStatus] = {}
        self.now = 1000.0
        self.made: list[tuple[str, int]] = []
        self.removed: list[int] = []
        self.reasons: list[str] = []

    def look(self) -> Turn:
        turn = decide(self.service, self.machines, self.now)
        self.service = turn.service
        self.reasons += turn.reasons
        for action in turn.actions:
            self.carry_out(action)
        return turn

    def carry_out(self, action: Add | Remove) -> None:
        if isinstance(action, Remove):
            self.machines[action.vm_id] = N.LEAVING
            self.removed.append(action.vm_id)
            return
        vm_id = len(self.made)
        self.made.append((action.role, action.number))
        self.machines[vm_id] = N.STARTING
        role = self.service.role(action.role)
        assert role is not None
        self.service = self.service.with_role(replace(role, nodes=(*role.nodes, Node(action.number, vm_id))))

    def progress(self) -> None:
        """Every machine does what it was asked to."""
        for vm_id, status in list(self.machines.items()):
            if status is N.STARTING:
                self.machines[vm_id] = N.RUNNING
            elif status is N.LEAVING:
                del self.machines[vm_id]
        self.service = replace(self.service, networks=self._networks())

    def _networks(self) -> NetStatus:
        now = self.service.networks
        if self.is_in(S.DEPLOYING_NETS) and now is NetStatus.MISSING:
            return NetStatus.MAKING
        if self.is_in(S.UNDEPLOYING_NETS) and now in (NetStatus.MAKING, NetStatus.READY, NetStatus.FAILED):
            return NetStatus.LEAVING
        after = {NetStatus.MAKING: NetStatus.READY, NetStatus.LEAVING: NetStatus.MISSING}
        return after.get(now, now)

    def settle(self, rounds: int = 50) -> None:
        for _ in range(rounds):
            before = (self.service, dict(self.machines))
            self.look()
            self.progress()
            if (self.service, self.machines) == before:
                return
        raise AssertionError(f"not settled: {self.service}")

    @property
    def state(self) -> ServiceState:
        return self.service.state

    def is_in(self, state: ServiceState) -> bool:
        return self.service.state is state

    @property
    def states(self) -> dict[str, RoleState]:
        return {role.name: role.state for role in self.service.roles}

    def recover(self) -> None:
        self.service, actions = requests.recover(self.service, self.machines, self.now)
        for action in actions:
            self.carry_out(action)


def running(*roles: Role, **fields) -> World:
    world = World(a_service(*roles, **fields))
    world.settle()
    assert world.is_in(S.RUNNING)
    return world
