"""What becomes of one service now: its life cycle and its policies, looked at until nothing more follows.

Pure: documents and observations in, the changed body, the VMs to make, and when to look again out.
"""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace

from onecore.errors import OneError
from oneflow.elasticity import decide as elasticity
from oneflow.elasticity.attributes import averages, running_sources
from oneflow.elasticity.role import RoleState, RoleView
from oneflow.elasticity.victims import Node as Candidate
from oneflow.elasticity.victims import VictimPolicy, choose
from oneflow.lifecycle import requests
from oneflow.lifecycle.decide import decide
from oneflow.lifecycle.turn import Add
from oneflow.model import body as bodies
from oneflow.model.document import Body
from oneflow.model.networks import NetStatus
from oneflow.model.service import Node, NodeStatus, Role, Service
from oneflow.model.settings import FlowSettings
from oneflow.model.states import Event, ServiceState
from oneflow.model.states import RoleState as RoleStatus

# The states in which policies are looked at: while nothing is under way.
ELASTIC = (ServiceState.RUNNING, ServiceState.WARNING)
_MOST_ROUNDS = 20

Make = Callable[[Role, int], int]
"""Makes the VM of a role and number; returns its id."""


@dataclass
class Settling:
    """One look. `infos` gives the VM documents of the service by VM id (asked for only where a policy needs
    them); `prices` what a VM costs; `networks` what is known of those that are made for it. `lines`: what
    happened and why, for the log."""

    number: int
    body: Body
    observed: MutableMapping[int, NodeStatus]
    now: float
    settings: FlowSettings
    make: Make
    infos: Callable[[], Mapping[int, Body]]
    prices: Callable[[int], float | None] = lambda vm_id: None
    networks: NetStatus = NetStatus.NONE
    wake_at: float = 0.0
    lines: list[tuple[str, str]] = field(default_factory=list)

    @property
    def state(self) -> ServiceState:
        return ServiceState(int(self.body["state"]))

    def run(self) -> None:
        """Look until nothing follows any more; `body`, `wake_at` and `lines` are the result."""
        for _ in range(_MOST_ROUNDS):
            self._life()
            if self.state not in ELASTIC or not self._scaled():
                return

    def _life(self) -> None:
        for _ in range(_MOST_ROUNDS):
            known = replace(bodies.to_service(self.number, self.body), networks=self.networks)
            service = self._ordered(known)
            turn = decide(service, self.observed, self.now)
            self.lines += [_split(reason) for reason in turn.reasons]
            made = self._made(turn.service, [a for a in turn.actions if isinstance(a, Add)])
            self.body = bodies.with_service(self.body, made)
            if made == turn.service:
                self._wake(turn.wake_at)
                return

    def _made(self, service: Service, adds: list[Add]) -> Service:
        failed = set[str]()
        for add in adds:
            role = service.role(add.role)
            if role is None:
                raise KeyError(add.role)
            if role.name in failed:
                continue
            try:
                vm_id = self.make(role, add.number)
            except OneError as exc:
                failed.add(role.name)
                service = service.with_role(role.moved(Event.FAIL))
                self.lines.append((f"Role {role.name} : Instantiate failed", exc.message))
                continue
            self.observed[vm_id] = NodeStatus.STARTING
            node = Node(add.number, vm_id, scale_up=role.state is RoleStatus.SCALING)
            service = service.with_role(replace(role, nodes=(*role.nodes, node)))
        return service

    def _ordered(self, service: Service) -> Service:
        """With the order in which the VMs of each shrinking role leave."""
        for role, body in zip(service.roles, self.body["roles"], strict=True):
            if role.state is RoleStatus.SCALING and len(role.living) > role.cardinality:
                service = service.with_role(replace(role, leave_first=self._order(role, body)))
        return service

    def _order(self, role: Role, body: Body) -> tuple[int, ...]:
        named = [
            int(vm_id) for vm_id in body.get("leave_first", ()) if vm_id in {n.vm_id for n in role.living}
        ]
        policy = VictimPolicy(body.get("victims", "oldest"))
        infos = self.infos() if policy is VictimPolicy.LEAST_BUSY else {}
        candidates = [
            Candidate(n.vm_id, load=_load(infos.get(n.vm_id)), price=self.prices(n.vm_id))
            for n in role.living
        ]
        ordered = [victim.node.id for victim in choose(candidates, len(candidates), policy)]
        return (*named, *(vm_id for vm_id in ordered if vm_id not in named))

    def _scaled(self) -> bool:
        """Look at the policies, role by role; the first that changes a number wins. Whether there was one."""
        for at, body in enumerate(self.body["roles"]):
            if body.get("leaving"):
                continue
            outcome = self._looked_at(at, body)
            if outcome is None:
                continue
            self._wake(outcome.wake_at or 0.0)
            if outcome.decision:
                self._scale(outcome.decision)
                return True
        return False

    def _looked_at(self, at: int, body: Body) -> elasticity.Outcome | None:
        settings = self.settings
        view = RoleView.parse(body, self.now, settings.tz)
        if not view.policies and not view.scheduled and view.min_vms is None:
            return None
        values = averages(view.names, running_sources(self._documents(body))) if view.names else {}
        outcome = elasticity.decide(
            view, RoleState.from_json(body), values, self.now, settings.default_cooldown, settings.tz
        )
        counted = outcome.states.to_json(view)
        changed = {**body, **{key: value for key, value in counted.items() if key in body}}
        self.body = {
            **self.body,
            "roles": [changed if i == at else role for i, role in enumerate(self.body["roles"])],
        }
        return outcome

    def _documents(self, body: Body) -> list[Body]:
        infos = self.infos()
        return [infos[node["deploy_id"]]["VM"] for node in body["nodes"] if node["deploy_id"] in infos]

    def _scale(self, decision: elasticity.Decision) -> None:
        service = bodies.to_service(self.number, self.body)
        scaled = requests.scale(service, decision.role, decision.after, decision.cooldown, self.now)
        self.body = bodies.with_service(self.body, scaled)
        text = bodies.scaling_text(decision.role, decision.before, decision.after)
        self.lines += [(text, decision.reason), (f"New state: {self.state.name}", text)]

    def _wake(self, at: float) -> None:
        if at and (not self.wake_at or at < self.wake_at):
            self.wake_at = at


def _split(reason: str) -> tuple[str, str]:
    """What happened, and why: `New state: RUNNING: every role runs`."""
    parts = reason.split(": ", 2)
    return ": ".join(parts[:2]), parts[2] if len(parts) > 2 else ""


def _load(info: Body | None) -> float | None:
    value = info["VM"].get("CPU") if info else None
    return float(value) if value else None
