"""What one role does next, within a look at its service."""

from dataclasses import replace

from oneflow import strategy
from oneflow.lifecycle.turn import Add, Remove, Turn
from oneflow.model.service import NodeStatus, Role
from oneflow.model.states import Event, RoleState

R = RoleState
BROKEN = frozenset({NodeStatus.FAILED, NodeStatus.VANISHED, NodeStatus.STUCK})
WELL = frozenset({NodeStatus.RUNNING, NodeStatus.RESTING})


def start(turn: Turn) -> None:
    """The roles begin whose turn has come."""
    for name in strategy.deployable(turn.service.roles, turn.service.straight):
        role = turn.role(name)
        if role.on_hold:
            turn.put(role.moved(Event.HOLD), "held as asked")
        else:
            deadline = turn.now + turn.service.timeouts.deploy_s
            turn.put(role.moved(Event.DEPLOY, deadline=deadline), f"{count(role.cardinality)} to make")


def grow(turn: Turn, name: str) -> None:
    """Ask for the machines that are missing: a slot is numbered before its machine is made."""
    role = turn.role(name)
    missing = role.cardinality - len(role.living) - turn.asked(name)
    for number in range(role.last_vmname, role.last_vmname + max(missing, 0)):
        turn.actions.append(Add(name, number))
    if missing > 0:
        turn.put(replace(role, last_vmname=role.last_vmname + missing))


def shrink(turn: Turn, name: str) -> None:
    """Broken ones first, then as the role's order says. Victims that were chosen already are leaving and
    count no more."""
    role = turn.role(name)
    surplus = len(role.living) - role.cardinality
    if surplus <= 0:
        return
    rank = {vm_id: at for at, vm_id in enumerate(role.leave_first)}
    ordered = sorted(
        role.living, key=lambda node: (turn.status(node) not in BROKEN, rank.get(node.vm_id, len(rank)))
    )
    victims = {node.vm_id for node in ordered[:surplus]}
    turn.actions += [Remove(vm_id, "scaled in") for vm_id in sorted(victims)]
    until = turn.now + role.drain_s if role.drain_s else 0.0
    nodes = tuple(
        replace(node, leaving=True, drain_until=until) if node.vm_id in victims else node
        for node in role.nodes
    )
    turn.put(replace(role, nodes=nodes))


def empty(turn: Turn, name: str) -> None:
    """Let every machine go; has the last one gone, or can one not?"""
    role = turn.role(name)
    if not role.nodes:
        turn.put(role.moved(Event.UNDEPLOYED), "every machine is confirmed gone")
        return
    turn.actions += [Remove(node.vm_id, "the service ends") for node in role.living]
    role = replace(role, nodes=tuple(replace(node, leaving=True) for node in role.nodes))
    stuck = [node for node in role.nodes if turn.status(node) is NodeStatus.STUCK]
    turn.put(role)
    if stuck:
        turn.put(role.moved(Event.FAIL), f"{count(len(stuck))} could not be removed")
    else:
        _enforce_deadline(turn, role)


def judge(turn: Turn, name: str, success: Event) -> None:
    """Has the role become what is wanted, or can it no longer?"""
    role = turn.role(name)
    if turn.asked(name):
        return
    failed = [n for n in role.living if turn.status(n) in (NodeStatus.FAILED, NodeStatus.VANISHED)]
    stuck = [n for n in role.nodes if turn.status(n) is NodeStatus.STUCK]
    whole = len(role.nodes) == len(role.living) == role.cardinality
    if failed or stuck:
        turn.put(role.moved(Event.FAIL), f"VM {(failed or stuck)[0].vm_id} failed")
    elif whole and all(turn.status(node) in WELL for node in role.living):
        cooldown_end = turn.now + role.cooldown_s if success is Event.SCALED else 0.0
        calm = tuple(replace(node, scale_up=False) for node in role.nodes)
        done = role.moved(success, nodes=calm, cooldown_end=cooldown_end, deadline=0.0)
        turn.put(done, "it runs" if role.cardinality == 1 else f"{count(role.cardinality)} run")
    else:
        _enforce_deadline(turn, role)


def _enforce_deadline(turn: Turn, role: Role) -> None:
    if role.deadline and turn.now >= role.deadline:
        turn.put(role.moved(Event.FAIL), "not done by its deadline")
    else:
        turn.wake(role.deadline)


def watch(turn: Turn, role: Role) -> None:
    """Is a role that runs well, or well again?"""
    ill = [n for n in role.living if turn.status(n) in BROKEN | {NodeStatus.OFF}]
    if role.state is R.RUNNING and ill:
        turn.put(role.moved(Event.DEGRADE), f"VM {ill[0].vm_id} is {turn.status(ill[0])}")
    elif role.state is R.WARNING and all(turn.status(n) in WELL for n in role.living):
        turn.put(role.moved(Event.HEAL), "every machine runs")


def drop_removed(turn: Turn) -> None:
    """Roles that were removed from a service that stays go when their machines have, and their router."""
    for role in turn.service.roles:
        if role.leaving and role.state not in strategy.LEAVING:
            deadline = turn.now + turn.service.timeouts.undeploy_s
            turn.put(role.moved(Event.UNDEPLOY, deadline=deadline), "removed from the service")
        if role.leaving and turn.role(role.name).state is R.UNDEPLOYING:
            empty(turn, role.name)
    left = tuple(r for r in turn.service.roles if not r.leaving or r.state is not R.DONE or r.has_router)
    turn.service = replace(turn.service, roles=left)


def count(machines: int) -> str:
    return f"{machines} machine{'' if machines == 1 else 's'}"
