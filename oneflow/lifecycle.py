"""What a service does next: (service, observed machines, now) → changed service, actions, wake-up, reasons.

Pure and level-triggered: it looks only at what is wanted and what is seen, so that a first look, a look after
a crash and a look after an event are the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from oneflow import strategy
from oneflow.model.service import Node, NodeStatus, Observed, Role, Service
from oneflow.model.states import Event, RoleState, ServiceState

S, R = ServiceState, RoleState


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
        return self.observed.get(node.vm_id, NodeStatus.GONE)

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


def decide(service: Service, observed: Observed, now: float) -> Turn:
    """Look until nothing more follows from what is seen. Never adds a machine beyond the wanted number, and
    never ends a service while a machine of it may exist."""
    turn = Turn(service, observed, now)
    for _ in range(_MOST_STEPS):
        before = turn.service
        _settle_nodes(turn)
        _STEPS.get(turn.service.state, _nothing)(turn)
        if turn.service == before:
            break
    return turn


def scale(service: Service, name: str, cardinality: int, cooldown_s: float, now: float) -> Service:
    """Another number of machines is wanted of a role; legal while it runs, scales, cools down or failed to
    scale."""
    role = service.role(name)
    if role is None:
        raise KeyError(name)
    deadline = now + service.timeouts.scale_s
    changed = role.moved(Event.SCALE, cardinality=cardinality, cooldown_s=cooldown_s, deadline=deadline)
    return service.moved(Event.SCALE).with_role(changed)


def undeploy(service: Service, now: float) -> Service:
    """Nothing of the service is wanted any more."""
    return service.moved(Event.UNDEPLOY)


def recover(service: Service, observed: Observed, now: float) -> tuple[Service, list[Action]]:
    """Take up again what failed: machines that failed are replaced, deadlines begin anew."""
    recovered = service.moved(Event.RECOVER)
    actions: list[Action] = []
    for role in service.roles:
        broken = {n.vm_id for n in role.living if observed.get(n.vm_id, NodeStatus.GONE) in _BROKEN}
        if broken and recovered.state in (S.DEPLOYING, S.SCALING):
            actions += [Remove(vm_id, "failed, to be replaced") for vm_id in sorted(broken)]
            nodes = tuple(replace(n, leaving=n.leaving or n.vm_id in broken) for n in role.nodes)
            role = _taken_up(replace(role, nodes=nodes), recovered.state)
        if role.state in _RECOVERABLE.get(recovered.state, ()):
            role = role.moved(Event.RECOVER)
        recovered = recovered.with_role(replace(role, deadline=now + _phase_s(service, role.state)))
    return recovered, actions


def release(service: Service, now: float) -> Service:
    """Let held roles go on (in a straight service, those whose parents run)."""
    up = {role.name for role in service.roles if role.state in strategy.UP}
    for role in service.roles:
        if role.state is R.HOLD and (not service.straight or set(role.parents) <= up):
            deadline = now + service.timeouts.deploy_s
            service = service.with_role(role.moved(Event.RELEASE, on_hold=False, deadline=deadline))
    return service.moved(Event.RELEASE) if service.state is S.HOLD else service


def _taken_up(role: Role, phase: ServiceState) -> Role:
    """A role that ran and lost machines takes part in the phase that makes them anew."""
    if phase is S.SCALING and role.state in (R.RUNNING, R.WARNING, R.COOLDOWN):
        return role.moved(Event.SCALE)
    return role.moved(Event.DEGRADE) if role.state is R.RUNNING else role


# -- the states --------------------------------------------------------------------------------------------


def _pending(turn: Turn) -> None:
    held = turn.service.on_hold
    turn.move(Event.HOLD if held else Event.DEPLOY, "held as asked" if held else "accepted")


def _deploying(turn: Turn) -> None:
    _start_roles(turn)
    for role in turn.service.roles:
        if role.state is R.DEPLOYING:
            _grow(turn, role.name)
            _judge(turn, role.name, Event.DEPLOYED)
    failed = [role for role in turn.service.roles if role.state is R.FAILED_DEPLOYING]
    if failed:
        turn.move(Event.FAIL, f"role {failed[0].name} failed to deploy")
    elif all(role.state in _DEPLOYED for role in turn.service.roles):
        turn.move(Event.DEPLOYED, "every role runs")
    elif all(role.state in _DEPLOYED | {R.HOLD} for role in turn.service.roles):
        turn.move(Event.HOLD, "roles wait to be released")


def _running(turn: Turn) -> None:
    _drop_removed_roles(turn)
    for role in turn.service.roles:
        _watch(turn, role)
    degraded = [role.name for role in turn.service.roles if role.state is R.WARNING]
    if degraded and turn.service.state is S.RUNNING:
        turn.move(Event.DEGRADE, f"role {degraded[0]} is degraded")
    elif not degraded and turn.service.state is S.WARNING:
        turn.move(Event.HEAL, "every role is well again")
    if turn.service.automatic_deletion and not any(role.nodes for role in turn.service.roles):
        turn.move(Event.UNDEPLOY, "no machine is left, and automatic deletion is set")


def _scaling(turn: Turn) -> None:
    for role in turn.service.roles:
        if role.state is R.SCALING:
            _grow(turn, role.name)
            _shrink(turn, role.name)
            cools = turn.role(role.name).cooldown_s > 0
            _judge(turn, role.name, Event.SCALED if cools else Event.SCALED_QUIETLY)
    states = {role.state for role in turn.service.roles}
    if R.FAILED_SCALING in states:
        turn.move(Event.FAIL, "a role failed to scale")
    elif R.SCALING not in states:
        turn.move(Event.SCALED if R.COOLDOWN in states else Event.SCALED_QUIETLY, "every role has its number")


def _cooldown(turn: Turn) -> None:
    for role in turn.service.roles:
        if role.state is not R.COOLDOWN:
            continue
        if turn.now >= role.cooldown_end:
            turn.put(role.moved(Event.COOLED), "the cooldown is over")
        else:
            turn.wake(role.cooldown_end)
    if not any(role.state is R.COOLDOWN for role in turn.service.roles):
        turn.move(Event.COOLED, "the cooldown is over")


def _undeploying(turn: Turn) -> None:
    for name in strategy.removable(turn.service.roles, turn.service.straight):
        role = turn.role(name)
        deadline = turn.now + turn.service.timeouts.undeploy_s
        turn.put(role.moved(Event.UNDEPLOY, deadline=deadline), "no longer wanted")
    for role in turn.service.roles:
        if role.state is R.UNDEPLOYING:
            _empty(turn, role.name)
    states = {role.state for role in turn.service.roles}
    if R.FAILED_UNDEPLOYING in states:
        turn.move(Event.FAIL, "machines could not be removed")
    elif states <= {R.DONE}:
        turn.move(Event.UNDEPLOYED, "every machine is confirmed gone")


def _nothing(turn: Turn) -> None:
    """FAILED states, HOLD and DONE wait for somebody."""


# -- their parts -------------------------------------------------------------------------------------------


def _settle_nodes(turn: Turn) -> None:
    """Nodes whose machine is gone leave their role; one that went without our doing is missed or dropped."""
    for role in turn.service.roles:
        kept = tuple(node for node in role.nodes if turn.status(node) is not NodeStatus.GONE)
        if kept == role.nodes:
            continue
        gone = [node for node in role.nodes if node not in kept]
        lost = sum(not node.leaving for node in gone)
        changed = replace(
            role, nodes=kept, disposed_nodes=(*role.disposed_nodes, *(node.vm_id for node in gone))
        )
        # Somebody removed it on purpose, outside: while nothing is under way that is taken as wanted.
        if lost and role.state in (R.RUNNING, R.WARNING, R.COOLDOWN):
            changed = replace(changed, cardinality=max(role.cardinality - lost, 0))
            turn.put(changed, f"{_count(lost)} went away; wanted now: {changed.cardinality}")
        else:
            turn.put(changed)


def _start_roles(turn: Turn) -> None:
    for name in strategy.deployable(turn.service.roles, turn.service.straight):
        role = turn.role(name)
        if role.on_hold:
            turn.put(role.moved(Event.HOLD), "held as asked")
        else:
            deadline = turn.now + turn.service.timeouts.deploy_s
            turn.put(role.moved(Event.DEPLOY, deadline=deadline), f"{_count(role.cardinality)} to make")


def _grow(turn: Turn, name: str) -> None:
    """Ask for the machines that are missing: a slot is numbered before its machine is made."""
    role = turn.role(name)
    missing = role.cardinality - len(role.living) - _asked(turn, name)
    for number in range(role.last_vmname, role.last_vmname + max(missing, 0)):
        turn.actions.append(Add(name, number))
    if missing > 0:
        turn.put(replace(role, last_vmname=role.last_vmname + missing))


def _shrink(turn: Turn, name: str) -> None:
    """Broken ones first, then as the role's order says. Victims that were chosen already are leaving and
    count no more."""
    role = turn.role(name)
    surplus = len(role.living) - role.cardinality
    if surplus <= 0:
        return
    rank = {vm_id: at for at, vm_id in enumerate(role.leave_first)}
    ordered = sorted(
        role.living, key=lambda node: (turn.status(node) not in _BROKEN, rank.get(node.vm_id, len(rank)))
    )
    victims = {node.vm_id for node in ordered[:surplus]}
    turn.actions += [Remove(vm_id, "scaled in") for vm_id in sorted(victims)]
    until = turn.now + role.drain_s if role.drain_s else 0.0
    nodes = tuple(
        replace(node, leaving=True, drain_until=until) if node.vm_id in victims else node
        for node in role.nodes
    )
    turn.put(replace(role, nodes=nodes))


def _empty(turn: Turn, name: str) -> None:
    role = turn.role(name)
    if not role.nodes:
        turn.put(role.moved(Event.UNDEPLOYED), "every machine is confirmed gone")
        return
    turn.actions += [Remove(node.vm_id, "the service ends") for node in role.living]
    role = replace(role, nodes=tuple(replace(node, leaving=True) for node in role.nodes))
    stuck = [node for node in role.nodes if turn.status(node) is NodeStatus.STUCK]
    turn.put(role)
    if stuck:
        turn.put(role.moved(Event.FAIL), f"{_count(len(stuck))} could not be removed")
    else:
        _enforce_deadline(turn, role)


def _judge(turn: Turn, name: str, success: Event) -> None:
    """Has the role become what is wanted, or can it no longer?"""
    role = turn.role(name)
    if _asked(turn, name):
        return
    failed = [n for n in role.living if turn.status(n) in (NodeStatus.FAILED, NodeStatus.VANISHED)]
    stuck = [n for n in role.nodes if turn.status(n) is NodeStatus.STUCK]
    whole = len(role.nodes) == len(role.living) == role.cardinality
    if failed or stuck:
        turn.put(role.moved(Event.FAIL), f"VM {(failed or stuck)[0].vm_id} failed")
    elif whole and all(turn.status(node) is NodeStatus.RUNNING for node in role.living):
        cooldown_end = turn.now + role.cooldown_s if success is Event.SCALED else 0.0
        calm = tuple(replace(node, scale_up=False) for node in role.nodes)
        done = role.moved(success, nodes=calm, cooldown_end=cooldown_end, deadline=0.0)
        turn.put(done, "it runs" if role.cardinality == 1 else f"{_count(role.cardinality)} run")
    else:
        _enforce_deadline(turn, role)


def _enforce_deadline(turn: Turn, role: Role) -> None:
    if role.deadline and turn.now >= role.deadline:
        turn.put(role.moved(Event.FAIL), "not done by its deadline")
    else:
        turn.wake(role.deadline)


def _watch(turn: Turn, role: Role) -> None:
    ill = [n for n in role.living if turn.status(n) in _BROKEN | {NodeStatus.OFF}]
    if role.state is R.RUNNING and ill:
        turn.put(role.moved(Event.DEGRADE), f"VM {ill[0].vm_id} is {turn.status(ill[0])}")
    elif role.state is R.WARNING and all(turn.status(n) is NodeStatus.RUNNING for n in role.living):
        turn.put(role.moved(Event.HEAL), "every machine runs")


def _drop_removed_roles(turn: Turn) -> None:
    """Roles that were removed from a running service go when their machines have."""
    for role in turn.service.roles:
        if role.leaving and role.state not in strategy.LEAVING:
            deadline = turn.now + turn.service.timeouts.undeploy_s
            turn.put(role.moved(Event.UNDEPLOY, deadline=deadline), "removed from the service")
        if role.leaving and turn.role(role.name).state is R.UNDEPLOYING:
            _empty(turn, role.name)
    left = tuple(r for r in turn.service.roles if not (r.leaving and r.state is R.DONE))
    turn.service = replace(turn.service, roles=left)


def _count(machines: int) -> str:
    return f"{machines} machine{'' if machines == 1 else 's'}"


def _asked(turn: Turn, name: str) -> int:
    """Machines asked for in this turn; they have no node yet."""
    return sum(isinstance(action, Add) and action.role == name for action in turn.actions)


def _phase_s(service: Service, state: RoleState) -> float:
    times = service.timeouts
    if state is R.UNDEPLOYING:
        return times.undeploy_s
    return times.scale_s if state is R.SCALING else times.deploy_s


def _steps() -> Iterator[tuple[ServiceState, Callable[[Turn], None]]]:
    yield S.PENDING, _pending
    yield S.DEPLOYING, _deploying
    yield S.RUNNING, _running
    yield S.WARNING, _running
    yield S.SCALING, _scaling
    yield S.COOLDOWN, _cooldown
    yield S.UNDEPLOYING, _undeploying


_STEPS = dict(_steps())
_MOST_STEPS = 100
_BROKEN = frozenset({NodeStatus.FAILED, NodeStatus.VANISHED, NodeStatus.STUCK})
_DEPLOYED = frozenset({R.RUNNING, R.WARNING, R.COOLDOWN})
# The role states that a recovery of the service into a phase takes up again.
_RECOVERABLE = {
    S.DEPLOYING: (R.FAILED_DEPLOYING, R.WARNING),
    S.SCALING: (R.FAILED_SCALING,),
    S.UNDEPLOYING: (R.FAILED_UNDEPLOYING,),
    S.RUNNING: (R.COOLDOWN,),
}
